"""Staff, locations, insurers, service types, clients, coverages: one row of the file is one row of a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import models

from daysheet.clients.models import Client, ClientAssignment, Coverage, Payer
from daysheet.clients.rules import search_text_of
from daysheet.database.updating import update_rows
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

from ..cells import Reference, References
from ..parsing import ParsedFile, Row
from .checks import check_clients, check_coverages, check_nothing, check_service_types, check_staff
from .plan import Plan, RowVerdict, Verdict, judge
from .sets import find_by_external_id, find_rows, insert_rows, resolve


@dataclass(slots=True)
class Draft:
    """A row on its way: what stands in the table (`before`, empty for a new one) and what will (`after`)."""

    row: Row
    id: UUID
    before: dict[str, Any]
    after: dict[str, Any]
    changed: list[str] = field(default_factory=list)
    assigned: tuple[UUID, ...] | None = None

    @property
    def is_new(self) -> bool:
        """Whether no row with this ID is there yet."""
        return not self.before


Check = Callable[[ParsedFile, Sequence[Draft]], None]


@dataclass(frozen=True, slots=True)
class Table:
    """Where a template's rows go. `known_by`: the column by which a row typed in by hand is recognised."""

    model: type[models.Model]
    subject: Callable[[dict[str, Any]], str]
    check: Check = check_nothing
    known_by: str = ""
    also_read: tuple[str, ...] = ()


def _name(values: dict[str, Any]) -> str:
    return str(values.get("name", ""))


def _person(values: dict[str, Any]) -> str:
    return f"{values.get('last_name', '')}, {values.get('first_name', '')}"


_TABLES = {
    "locations": Table(Location, _name, known_by="name"),
    "staff": Table(StaffMember, _person, check_staff, known_by="email", also_read=("user_id",)),
    "payers": Table(Payer, _name, known_by="name"),
    "service_types": Table(
        ServiceType, lambda values: f"{values.get('code', '')} {values.get('name', '')}", check_service_types, "code",
        ("archived_at",),
    ),
    "clients": Table(Client, _person, check_clients),
    "coverages": Table(Coverage, lambda values: str(values.get("insured_id", "")), check_coverages),
}  # fmt: skip


def plan_table(actor: Actor, parsed: ParsedFile, *, lock: bool) -> Plan:
    """Compare by external id; a row typed in by hand before (same name, code or e-mail) is recognised and adopted."""
    table = _TABLES[parsed.layout.kind]
    drafts = _drafts(parsed, table)
    _resolve_references(parsed, drafts)
    _adopt(parsed, table, drafts)
    table.check(parsed, drafts)
    assigned_before = _assigned_before(parsed, drafts)
    for draft in drafts:
        draft.changed = _changes(parsed, draft, assigned_before)
    rows = tuple(judge(d.row, table.subject(d.after), is_new=d.is_new, changes=d.changed) for d in drafts)
    return Plan(rows, partial(_write, actor, parsed, table, drafts, rows, assigned_before))


def _drafts(parsed: ParsedFile, table: Table) -> list[Draft]:
    fields = [column.field for column in parsed.layout.columns if column.field]
    external_ids = {row.values["id"] for row in parsed.rows}
    existing = find_by_external_id(table.model, external_ids - {""}, [*fields, *table.also_read])
    empty = {column.field: _stored(column.when_empty) for column in parsed.layout.columns if column.field}
    drafts: list[Draft] = []
    first_seen: dict[str, int] = {}
    for row in parsed.rows:
        external_id = row.values["id"]
        earlier = first_seen.setdefault(external_id, row.number)
        if earlier != row.number and external_id:
            row.object_to(parsed.layout.column("id"), f"“{external_id}” stands in row {earlier} too")
        before = existing.get(external_id, {})
        given = {column.field: _stored(row.values[column.name]) for column in parsed.columns if column.field}
        drafts.append(Draft(row, before.get("id") or new_id(), before, {**empty, **before, **given}))
    return drafts


def _stored(value: Any) -> Any:
    """A column of several values is a list in the table."""
    return list(value) if isinstance(value, tuple) else value


def _resolve_references(parsed: ParsedFile, drafts: Sequence[Draft]) -> None:
    for column in parsed.columns:
        if not isinstance(column.kind, Reference | References):
            continue
        wanted = [_as_tuple(draft.row.values[column.name]) for draft in drafts]
        ids = resolve(column.kind.kind, (key for keys in wanted for key in keys))
        for draft, keys in zip(drafts, wanted, strict=True):
            for key in keys:
                if key not in ids:
                    draft.row.object_to(column, column.kind.missing(key))
            found = tuple(ids[key] for key in keys if key in ids)
            if isinstance(column.kind, References):
                draft.assigned = found
            else:
                draft.after[column.field] = found[0] if found else None


def _as_tuple(value: Any) -> tuple[str, ...]:
    if isinstance(value, tuple):
        return value
    return (value,) if value else ()


def _adopt(parsed: ParsedFile, table: Table, drafts: Sequence[Draft]) -> None:
    """Find rows with the same name: one without an ID is the same thing; one with another ID is in the way."""
    key = table.known_by
    if not key:
        return
    column = next(column for column in parsed.layout.columns if column.field == key)
    fields = list(dict.fromkeys(["id", *(c.field for c in parsed.layout.columns if c.field), *table.also_read]))
    ours = {draft.before["id"] for draft in drafts if draft.before}
    others = {
        str(row[key]).lower(): row
        for row in _named_alike(table.model, key, {str(draft.after[key]).lower() for draft in drafts} - {""}, fields)
        if row["id"] not in ours and row.get("archived_at") is None
    }
    first_seen: dict[str, int] = {}
    for draft in drafts:
        name = str(draft.after[key]).lower()
        if not name:
            continue
        earlier = first_seen.setdefault(name, draft.row.number)
        other = others.get(name)
        if earlier != draft.row.number:
            draft.row.object_to(column, f"“{draft.after[key]}” stands in row {earlier} too")
        elif other and draft.is_new and other["external_id"] is None:
            given = {c.field: draft.after[c.field] for c in parsed.columns if c.field}
            draft.id, draft.before, draft.after = other["id"], other, {**other, **given}
        elif other:
            draft.row.object_to(column, f"“{draft.after[key]}” exists already, under the ID “{other['external_id']}”")


def _named_alike(
    model: type[models.Model], column: str, names: Iterable[str], wanted: Sequence[str]
) -> list[dict[str, Any]]:
    wanted_names = list(names)
    if not wanted_names:
        return []
    alike = model._default_manager.annotate(_lower=models.functions.Lower(column)).filter(_lower__in=wanted_names)
    return list(alike.values(*wanted))


def _assigned_before(parsed: ParsedFile, drafts: Sequence[Draft]) -> dict[UUID, set[UUID]]:
    if parsed.layout.kind != "clients":
        return {}
    before: dict[UUID, set[UUID]] = {}
    ids = [draft.id for draft in drafts if not draft.is_new]
    for row in find_rows(ClientAssignment, "client_id", ids, ("client_id", "staff_member_id")):
        before.setdefault(row["client_id"], set()).add(row["staff_member_id"])
    return before


def _changes(parsed: ParsedFile, draft: Draft, assigned_before: dict[UUID, set[UUID]]) -> list[str]:
    if draft.is_new:
        return []
    changed = [
        column.label
        for column in parsed.columns
        if column.field and draft.before[column.field] != draft.after[column.field]
    ]
    if draft.assigned is not None and set(draft.assigned) != assigned_before.get(draft.id, set()):
        changed.append("Assigned Staff")
    return changed


def _write(
    actor: Actor,
    parsed: ParsedFile,
    table: Table,
    drafts: Sequence[Draft],
    rows: Sequence[RowVerdict],
    assigned_before: dict[UUID, set[UUID]],
) -> None:
    columns = [column.field for column in parsed.columns if column.field]
    if table.model is Client:
        columns.append("search_text")
        for draft in drafts:
            draft.after["search_text"] = _search_text(draft.after)
    new = [draft for draft, row in zip(drafts, rows, strict=True) if row.verdict is Verdict.NEW]
    changed = [draft for draft, row in zip(drafts, rows, strict=True) if row.verdict is Verdict.CHANGED]
    known = {field.column for field in table.model._meta.concrete_fields}
    values = ({**draft.after, "id": draft.id} for draft in new)
    insert_rows(
        table.model, [{name: kept for name, kept in row.items() if name in known} for row in values], now=actor.now
    )
    update_rows(table.model, columns, ({**draft.after, "id": draft.id} for draft in changed))
    _assign(actor, new + changed, assigned_before)


def _assign(actor: Actor, drafts: Sequence[Draft], before: dict[UUID, set[UUID]]) -> None:
    new: list[dict[str, Any]] = []
    for draft in drafts:
        if draft.assigned is None:
            continue
        had, has = before.get(draft.id, set()), set(draft.assigned)
        if had - has:
            ClientAssignment.objects.filter(client_id=draft.id, staff_member_id__in=had - has).delete()
        new += [{"id": new_id(), "client_id": draft.id, "staff_member_id": staff_id} for staff_id in sorted(has - had)]
    insert_rows(ClientAssignment, new, now=actor.now)


def _search_text(values: dict[str, Any]) -> str:
    return search_text_of(
        names=[values["first_name"], values["middle_name"], values["last_name"], values["preferred_name"]],
        birth_on=values["birth_on"],
        phones=[values["phone"], values["mobile"]],
    )

"""Fee schedules of insurers. A row is found by its insurer, service type and first day, not by an ID of its own.

An insurer or service type is named by its ID or, where no import gave it one, as people know it: by name or by code.
Like the page, a file stores first days alone (B10): a rate that ends is followed by what held before it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Lower

from daysheet.clients.models import Payer
from daysheet.database.updating import update_rows
from daysheet.kit.dates import us_date
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.services.models import PayerRate, ServiceType

from ..cells import Reference
from ..parsing import ParsedFile, Row
from .plan import Plan, RowVerdict, judge
from .sets import insert_rows, resolve

#: Insurer and service type.
_Case = tuple[UUID, UUID]


@dataclass(slots=True)
class _Step:
    """From its first day on: a rate, or none. `id` is that of the row in the table; `row` is 0 where no row of the file
    begins on that day."""

    id: UUID | None
    cents: int | None
    before: int | None = None
    row: int = 0


#: The steps of one insurer and service type by first day, as they will stand.
_Timeline = dict[date, _Step]


def plan_fee_schedules(actor: Actor, parsed: ParsedFile, *, lock: bool) -> Plan:
    """Compare rates by insurer, service type and first day. With `lock` the insurers are: their prices are changed by
    one transaction at a time."""
    payers = _named(parsed, "insurer", Payer.objects.all(), "name")
    services = _named(parsed, "service_type", ServiceType.objects.filter(archived_at=None), "code")
    if lock:
        list(Payer.objects.filter(pk__in=payers.values()).order_by("pk").select_for_update(no_key=True))
    cases = [_case(row, payers, services) for row in parsed.rows]
    timelines = _standing({case for case in cases if case})
    placed = [(row, case) for row, case in zip(parsed.rows, cases, strict=True) if case]
    for row, case in placed:
        _begin(parsed, row, timelines[case])
    changed_ends = {row.number for row, case in sorted(placed, key=_first_day) if _end(parsed, row, timelines[case])}
    verdicts = tuple(
        _verdict(row, timelines[case] if case else {}, ends_anew=row.number in changed_ends)
        for row, case in zip(parsed.rows, cases, strict=True)
    )
    return Plan(verdicts, partial(_write, actor, timelines))


def _named(parsed: ParsedFile, column_name: str, table: QuerySet[Any], known_by: str) -> dict[str, UUID]:
    """The ids behind what a column names: by ID first, then by name or code, whatever the capitals. What is not there
    is a problem of its cell."""
    column = parsed.layout.column(column_name)
    assert isinstance(column.kind, Reference)
    rows = [row for row in parsed.rows if row.values[column_name]]
    wanted = {row.values[column_name] for row in rows}
    found = dict(table.filter(pk__in=resolve(column.kind.kind, wanted).values()).values_list("external_id", "pk"))
    alike = table.annotate(_lower=Lower(known_by)).filter(_lower__in={name.lower() for name in wanted - found.keys()})
    by_name = dict(alike.values_list("_lower", "pk"))
    found |= {name: by_name[name.lower()] for name in wanted - found.keys() if name.lower() in by_name}
    for row in rows:
        if row.values[column_name] not in found:
            row.object_to(column, column.kind.missing(row.values[column_name]))
    return found


def _case(row: Row, payers: Mapping[str, UUID], services: Mapping[str, UUID]) -> _Case | None:
    payer_id, service_id = payers.get(row.values["insurer"] or ""), services.get(row.values["service_type"] or "")
    return (payer_id, service_id) if payer_id and service_id and row.values["from"] and not row.problems else None


def _standing(cases: set[_Case]) -> defaultdict[_Case, _Timeline]:
    timelines: defaultdict[_Case, _Timeline] = defaultdict(dict)
    rates = PayerRate.objects.filter(
        payer_id__in={payer_id for payer_id, _ in cases}, service_type_id__in={service_id for _, service_id in cases}
    )
    for rate in rates:
        step = _Step(rate.pk, rate.rate_cents, before=rate.rate_cents)
        timelines[rate.payer_id, rate.service_type_id][rate.starts_on] = step
    return timelines


def _begin(parsed: ParsedFile, row: Row, timeline: _Timeline) -> None:
    """Put the row's rate on its first day."""
    step = timeline.setdefault(row.values["from"], _Step(None, None))
    if step.row:
        row.object_to(
            parsed.layout.column("from"), f"the same insurer, service type and day stand in row {step.row} too"
        )
        return
    step.cents, step.row = row.values.get("rate"), row.number


def _end(parsed: ParsedFile, row: Row, timeline: _Timeline) -> bool:
    """Put what held before on the day on which the row ends, unless another step begins there. True if it was put.
    Rows come by first day, so that what held before is known."""
    starts_on, ends_on = row.values["from"], row.values.get("ends_on")
    if ends_on is None or row.problems:
        return False
    column = parsed.layout.column("ends_on")
    if ends_on <= starts_on:
        row.object_to(column, "it must be later than From")
        return False
    inside = min((day for day in timeline if starts_on < day < ends_on), default=None)
    if inside:
        row.object_to(column, _overlap_words(timeline[inside], inside))
        return False
    if ends_on in timeline:
        return False
    held_before = max((day for day in timeline if day < starts_on), default=None)
    timeline[ends_on] = _Step(None, timeline[held_before].cents if held_before else None)
    return True


def _overlap_words(step: _Step, day: date) -> str:
    what = "no rate of its own" if step.cents is None else f"a rate of {Money(step.cents)}"
    where = f"in row {step.row}" if step.row else "in the fee schedule"
    return (
        f"{where} {what} for the same insurer and service type begins on {us_date(day)}, before this one ends. Periods "
        "cannot overlap: end this one by that day, or correct the other"
    )


def _first_day(placed: tuple[Row, _Case]) -> date:
    day: date = placed[0].values["from"]
    return day


def _verdict(row: Row, timeline: _Timeline, *, ends_anew: bool) -> RowVerdict:
    values = row.values
    day = us_date(values["from"]) if values["from"] else ""
    subject = " · ".join(part for part in (values["insurer"], values["service_type"], day) if part)
    step = timeline.get(values["from"])
    if step is None or row.problems:
        return judge(row, subject, is_new=True, changes=[])
    is_new = step.id is None
    changes = [] if is_new else ["Rate"] * (step.before != step.cents) + ["Ends On"] * ends_anew
    return judge(row, subject, is_new=is_new, changes=changes, remark=_words(step))


def _words(step: _Step) -> str:
    return "no rate of its own from this day" if step.cents is None else f"{Money(step.cents)} a unit"


def _write(actor: Actor, timelines: Mapping[_Case, _Timeline]) -> None:
    steps = [(case, day, step) for case, timeline in timelines.items() for day, step in timeline.items()]
    new = [_stored(case, day, step) for case, day, step in steps if step.id is None]
    changed = [_stored(case, day, step) for case, day, step in steps if step.id and step.cents != step.before]
    insert_rows(PayerRate, new, now=actor.now)
    update_rows(PayerRate, ["rate_cents"], changed)


def _stored(case: _Case, day: date, step: _Step) -> dict[str, Any]:
    return {
        "id": step.id or new_id(), "payer_id": case[0], "service_type_id": case[1], "starts_on": day,
        "rate_cents": step.cents,
    }  # fmt: skip

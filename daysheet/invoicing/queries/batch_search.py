"""Batch Invoicing, Search: which dates of service are unbilled in a range, by client (B4).

One statement finds every date of the search, however many clients there are; only the clients of one page are priced.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from daysheet.clients.models import Client
from daysheet.clients.queries import visible_clients
from daysheet.clients.rules import search_patterns
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitService, VisitStatus

from ..forecast import Forecast, ForecastLine, forecast
from ..models import Batch
from ..selection import LineEdit
from .access import visible_condition
from .lines import LineView, lines_by_visit, unbilled_services

_LABELS = dict(VisitStatus.choices)
#: What a page shows of each date: the rows have over thirty columns more.
_SHOWN = (
    "service_on", "status", "appointment__starts_at",
    "appointment__staff_member__first_name", "appointment__staff_member__last_name",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SearchFilters:
    """[from_on, to_on], both included, and what narrows it. `client_text`: every word is part of the name."""

    from_on: date
    to_on: date
    client_text: str = ""
    pays_by: str = ""
    staff_member_id: UUID | None = None
    service_type_id: UUID | None = None
    location_id: UUID | None = None
    hide_missed: bool = False


class FoundDate(NamedTuple):
    """An unbilled date of service; `is_default`: it comes ticked. A search makes tens of thousands of them."""

    visit_id: UUID
    client_id: UUID
    is_default: bool


@dataclass(frozen=True, slots=True)
class FoundPart:
    """The dates of a page's clients, and how many clients, dates and ticked dates the whole search has."""

    dates: Sequence[FoundDate]
    client_count: int
    date_count: int
    ticked_count: int


@dataclass(frozen=True, slots=True)
class DateRow:
    """A date of service on the page, priced. `amount_cents` is the sum of the lines that would be billed."""

    visit_id: UUID
    service_on: date
    status: str
    staff_name: str
    is_default: bool
    lines: tuple[LineView, ...]

    @property
    def amount_cents(self) -> int:
        return sum(line.amount_cents or 0 for line in self.lines)

    @property
    def is_refused(self) -> bool:
        """Whether the date cannot be billed as things stand."""
        return any(line.refusal for line in self.lines)

    @property
    def why(self) -> str:
        """What stops the date, or why it does not come ticked; empty where nothing does."""
        for line in self.lines:
            if line.refusal:
                return line.refusal.message
        if self.is_default:
            return ""
        return _WHY_UNTICKED[self.status]


_WHY_UNTICKED = {
    VisitStatus.UPCOMING.label: "Still to come.",
    VisitStatus.NO_SHOW.label: "No Show without a fee service.",
    VisitStatus.LATE_CANCEL.label: "Late Cancel without a fee service.",
    VisitStatus.CANCELED.label: "Canceled.",
    VisitStatus.RESCHEDULED.label: "Rescheduled.",
    VisitStatus.KEPT.label: "",
}


@dataclass(frozen=True, slots=True)
class ClientRows:
    """One client of the page with the dates that were found."""

    client_id: UUID
    name: str
    dates: tuple[DateRow, ...]

    @property
    def amount_cents(self) -> int:
        return sum(row.amount_cents for row in self.dates)


@query(Permission.BILLING)
def find_unbilled_dates(actor: Actor, filters: SearchFilters) -> list[FoundDate]:
    """Every unbilled date of the search, in order of client name, client and date. One query."""
    dates, clients, params = _search(actor, filters)
    with connection.cursor() as cursor:
        cursor.execute(f"{dates} {_ALL} WHERE {clients} ORDER BY {_BY_NAME}", params)
        return _dates_of(cursor.fetchall())


@query(Permission.BILLING)
def find_first_dates(actor: Actor, filters: SearchFilters, clients: int) -> FoundPart:
    """What `find_unbilled_dates` finds, with the dates of so many clients alone: of a month of a large practice, making
    all dates into objects takes as long as finding them. Ticked are those that come so. One query."""
    dates, of_clients, params = _search(actor, filters)
    with connection.cursor() as cursor:
        cursor.execute(f"{dates}, {_COUNTED} WHERE {of_clients} ORDER BY place LIMIT %s) {_FIRST}", [*params, clients])
        rows = cursor.fetchall()
    counts = (int(count) for count in rows[0][3:]) if rows else (0, 0, 0)
    return FoundPart(_dates_of([row[:3] for row in rows]), *counts)


def _dates_of(rows: Sequence[tuple[Any, ...]]) -> list[FoundDate]:
    return [
        FoundDate(visit_id, client_id, is_default)
        for client_id, visit_ids, defaults in rows
        for visit_id, is_default in zip(visit_ids, defaults, strict=True)
    ]


@query(Permission.BILLING)
def find_unbilled_date(actor: Actor, visit_id: UUID) -> FoundDate:
    """One date of service, as a search over its day finds it. Raises NotFound."""
    day = Visit.objects.filter(pk=visit_id).values_list("service_on", flat=True).first()
    found = find_unbilled_dates(actor, SearchFilters(day, day)) if day else []
    for each in found:
        if each.visit_id == visit_id:
            return each
    raise NotFound("There is no such unbilled date of service.")


@query(Permission.BILLING)
def lines_of_services(actor: Actor, visit_service_ids: Collection[UUID]) -> dict[UUID, LineView]:
    """Unbilled services by id as the rules price them, without anybody's edits. Unknown ids find nothing."""
    rows = VisitService.objects.filter(pk__in=visit_service_ids, line_id=None)
    services = dict(rows.filter(visit__client__in=visible_clients(actor)).values_list("pk", "is_suspended"))
    lines = lines_by_visit(actor, services, {})
    return {line.visit_service_id: line for group in lines.values() for line in group}


@query(Permission.BILLING)
def price_dates(actor: Actor, found: Sequence[FoundDate], edits: Mapping[UUID, LineEdit]) -> list[ClientRows]:
    """The found dates with their lines, by client in the given order, by their hour. A fixed number of queries."""
    visit_ids = [each.visit_id for each in found]
    lines = lines_by_visit(actor, unbilled_services(visit_ids), edits)
    shown = Visit.objects.filter(pk__in=visit_ids).select_related("appointment__staff_member").only(*_SHOWN)
    visits = {visit.pk: visit for visit in shown}
    named = Client.objects.filter(pk__in={each.client_id for each in found}).only(*Client.SORT_NAME_COLUMNS)
    clients = {client.pk: client for client in named}
    rows: dict[UUID, list[DateRow]] = {each.client_id: [] for each in found}
    for each in sorted(found, key=lambda each: (visits[each.visit_id].appointment.starts_at, each.visit_id)):
        visit = visits[each.visit_id]
        rows[each.client_id].append(
            DateRow(
                each.visit_id, visit.service_on, _LABELS[visit.status], visit.appointment.staff_member.name,
                each.is_default, tuple(lines.get(each.visit_id, ())),
            )
        )  # fmt: skip
    return [ClientRows(client_id, clients[client_id].sort_name, tuple(dates)) for client_id, dates in rows.items()]


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """A whole selection, over all pages: what the batch would be given, and what would come of it now."""

    services: Mapping[UUID, tuple[UUID, ...]]
    suspended: frozenset[UUID]
    forecast: Forecast


@query(Permission.BILLING)
def plan_batch(
    actor: Actor, visit_ids: Collection[UUID], edits: Mapping[UUID, LineEdit], *, grouping: str
) -> BatchPlan:
    """Count and total of the selection by the door's own rules. `services`: visit services by client."""
    services = unbilled_services(visit_ids)
    lines = [line for group in lines_by_visit(actor, services, edits).values() for line in group]
    by_client: dict[UUID, list[UUID]] = {}
    for line in lines:
        by_client.setdefault(line.client_id, []).append(line.visit_service_id)
    return BatchPlan(
        services={client_id: tuple(ids) for client_id, ids in by_client.items()},
        suspended=frozenset(service_id for service_id, suspended in services.items() if suspended),
        forecast=forecast(
            (
                ForecastLine(
                    line.client_id, line.visit_id, line.service_on, line.amount_cents or 0, line.refusal is not None
                )
                for line in lines
            ),
            by_date=grouping == Batch.Grouping.DATE_OF_SERVICE,
        ),
    )


def _search(actor: Actor, filters: SearchFilters) -> tuple[str, str, list[Any]]:
    """The dates of the search as `dates`, what its clients (`c`) must be, and the values of both. Clients are looked up
    and sorted once for each, not once for each date."""
    practice, days = actor.practice.id, (filters.from_on, filters.to_on)
    of_dates, date_values = _date_conditions(actor, filters)
    of_clients, client_values = _client_conditions(filters)
    dates = f"WITH dates AS MATERIALIZED ({_DATES} WHERE {' AND '.join(of_dates)})"
    values = [
        actor.today, actor.today, actor.now, practice, *days, practice, *days, *date_values, practice, *client_values,
    ]  # fmt: skip
    return dates, " AND ".join(of_clients), values


def _date_conditions(actor: Actor, filters: SearchFilters) -> tuple[list[str], list[Any]]:
    visible, values = visible_condition(actor, "v.client_id")
    found = "v.is_live AND v.status IN ('kept', 'upcoming')" if filters.hide_missed else f"(v.is_live OR {_SUSPENDED})"
    conditions = ["v.id IS NOT NULL", found, visible]
    for column, wanted in (("staff_member_id", filters.staff_member_id), ("location_id", filters.location_id)):
        if wanted:
            conditions.append(f"(SELECT a.{column} {_APPOINTMENT}) = %s")
            values.append(wanted)
    if filters.service_type_id:
        conditions.append(
            "EXISTS (SELECT 1 FROM schedule_visitservice x WHERE x.practice_id = v.practice_id AND x.visit_id = v.id "
            "AND x.line_id IS NULL AND x.service_type_id = %s)"
        )
        values.append(filters.service_type_id)
    return conditions, values


def _client_conditions(filters: SearchFilters) -> tuple[list[str], list[Any]]:
    conditions, values = ["c.practice_id = %s"], list[Any]()
    if filters.pays_by:
        conditions.append("c.pays_by = %s")
        values.append(filters.pays_by)
    for pattern in search_patterns(filters.client_text):
        conditions.append("strpos(c.search_text, %s) > 0")
        values.append(pattern)
    return conditions, values


_SERVICES = "FROM schedule_visitservice t WHERE t.practice_id = v.practice_id AND t.visit_id = v.id"
#: A visit that did not happen: something stands on it, all of it put aside, and nothing of it billed.
_SUSPENDED = f"""(
    v.status IN ('canceled', 'rescheduled', 'no_show', 'late_cancel')
    AND EXISTS (SELECT 1 {_SERVICES} AND t.removed_at IS NULL)
    AND NOT EXISTS (SELECT 1 {_SERVICES} AND (NOT t.is_suspended OR t.line_id IS NOT NULL)))"""
_HAS_FEE = f"(SELECT bool_or(t.is_fee) {_SERVICES} AND t.line_id IS NULL AND NOT t.is_suspended)"
_APPOINTMENT = "FROM schedule_appointment a WHERE a.practice_id = v.practice_id AND a.id = v.appointment_id"
#: The visits of the days, gone through once, beside what is unbilled of them, which its partial index has. Where
#: statistics know nothing of a practice, PostgreSQL would walk through all of one for each of the other. A FULL JOIN it
#: can only do by hashing or sorting, and OFFSET 0 keeps it one. `verify` watches that a service has its visit's day.
#: An upcoming date of today counts from its hour on.
_DATES = f"""
    SELECT v.client_id, v.id, v.service_on, v.is_live AND CASE v.status
            WHEN 'kept' THEN true
            WHEN 'upcoming' THEN v.service_on < %s OR (v.service_on = %s AND (SELECT a.starts_at <= %s {_APPOINTMENT}))
            WHEN 'no_show' THEN {_HAS_FEE}
            WHEN 'late_cancel' THEN {_HAS_FEE}
            ELSE false END AS is_default
    FROM (
        SELECT x.*, f.visit_id IS NOT NULL AS is_live FROM (
            SELECT s.visit_id FROM schedule_visitservice s
            WHERE s.practice_id = %s AND s.line_id IS NULL AND NOT s.is_suspended AND s.service_on BETWEEN %s AND %s
            GROUP BY s.visit_id) f
        FULL JOIN (
            SELECT x.practice_id, x.id, x.client_id, x.appointment_id, x.service_on, x.status FROM schedule_visit x
            WHERE x.practice_id = %s AND x.service_on BETWEEN %s AND %s) x ON x.id = f.visit_id OFFSET 0) v"""
_BY_NAME = "lower(c.last_name), lower(c.first_name), c.id"
_ARRAYS = "array_agg(d.id ORDER BY d.service_on, d.id), array_agg(d.is_default ORDER BY d.service_on, d.id)"
_ALL = f"""
    SELECT x.* FROM (SELECT d.client_id, {_ARRAYS} FROM dates d GROUP BY 1) x
    JOIN clients_client c ON c.id = x.client_id"""
_COUNTED = f"""
    counted AS (
        SELECT d.client_id, count(*) AS dates, count(*) FILTER (WHERE d.is_default) AS ticked FROM dates d GROUP BY 1),
    first AS (
        SELECT x.client_id, row_number() OVER (ORDER BY {_BY_NAME}) AS place, count(*) OVER () AS clients,
            sum(x.dates) OVER () AS dates, sum(x.ticked) OVER () AS ticked
        FROM counted x JOIN clients_client c ON c.id = x.client_id"""
_FIRST = f"""
    SELECT d.client_id, {_ARRAYS}, f.clients, f.dates, f.ticked FROM first f JOIN dates d ON d.client_id = f.client_id
    GROUP BY d.client_id, f.place, f.clients, f.dates, f.ticked ORDER BY f.place"""

"""The Unbilled page and the count in the top bar: what has been done and not billed, and what stops it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitStatus
from daysheet.web.registry import UnbilledCount

from ..selection import Refused
from .access import visible_condition
from .lines import LineView, lines_by_visit, unbilled_services

PAGE_SIZE = 50
#: How far back visits that have nothing to bill at all are looked for, unless asked for everything: no index can
#: answer "has no service", so the question is kept to what is likely to be mended.
LOOK_BACK = timedelta(days=365)
_LABELS = dict(VisitStatus.choices)


class Stop(StrEnum):
    """What stops a date of service."""

    NOTHING = "nothing"
    UPCOMING = "upcoming"
    NOT_MARKED = "not_marked"
    NO_SERVICE = "no_service"
    NO_FEE_DECISION = "no_fee_decision"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class UnbilledRow:
    """A date of service that is not billed. `can_add_invoice`: Add Invoice would work now. Amounts in cents."""

    visit_id: UUID
    appointment_id: UUID
    client_id: UUID
    client_name: str
    service_on: date
    status: str
    staff_member_id: UUID
    staff_name: str
    services: str
    amount_cents: int | None
    stop: Stop
    reason: str
    refusal: Refused | None

    @property
    def can_add_invoice(self) -> bool:
        return self.stop in (Stop.NOTHING, Stop.NOT_MARKED)


@dataclass(frozen=True, slots=True)
class UnbilledPage:
    """One page, oldest first."""

    rows: tuple[UnbilledRow, ...]
    number: int
    has_next: bool
    looked_back_to: date | None


@query(Permission.BILLING)
def unbilled_count(actor: Actor) -> UnbilledCount:
    """Dates of service up to today with a live unbilled service, and the age of the oldest. One index scan."""
    visible, params = visible_condition(actor, "v.client_id")
    join = "JOIN schedule_visit v ON v.practice_id = s.practice_id AND v.id = s.visit_id" if params else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(DISTINCT s.visit_id), min(s.service_on) FROM schedule_visitservice s {join} "
            f"WHERE s.practice_id = %s AND s.line_id IS NULL AND NOT s.is_suspended AND s.service_on <= %s "
            f"AND {visible}",
            [actor.practice.id, actor.today, *params],
        )
        count, oldest = cursor.fetchone() or (0, None)
    return UnbilledCount(count, (actor.today - oldest).days if oldest else None)


@query(Permission.BILLING)
def unbilled_page(
    actor: Actor, *, page: int = 1, staff_member_id: UUID | None = None, look_back: bool = True
) -> UnbilledPage:
    """Unbilled dates of service up to today with what stops each. A fixed number of queries."""
    number = max(page, 1)
    back = actor.today - LOOK_BACK if look_back else date.min
    narrowed = ("a.staff_member_id = %s", [staff_member_id]) if staff_member_id else ("TRUE", [])
    found = _found(actor, back, actor.today, narrowed, limit=PAGE_SIZE + 1, offset=(number - 1) * PAGE_SIZE)
    rows = _rows(actor, found[:PAGE_SIZE])
    return UnbilledPage(tuple(rows), number, len(found) > PAGE_SIZE, back if look_back else None)


@query(Permission.BILLING)
def unbilled_between(
    actor: Actor, from_on: date, to_on: date, *, limit: int, bare_from_on: date | None = None
) -> tuple[UnbilledRow, ...]:
    """At most `limit` unbilled dates of service of these days (both included), oldest first, with what stops each.

    Dates that have no service at all are looked for from `bare_from_on` on (none: all). Days to come have none. The
    same queries however many there are.
    """
    until = min(to_on, actor.today)
    found = _found(actor, bare_from_on or from_on, until, ("v.service_on >= %s", [from_on]), limit=limit, offset=0)
    return tuple(_rows(actor, found))


def _found(
    actor: Actor, back: date, until: date, narrowed: tuple[str, list[Any]], *, limit: int, offset: int
) -> list[tuple[UUID, str]]:
    practice = actor.practice.id
    visible, values = visible_condition(actor, "v.client_id")
    also, more = narrowed
    window = [practice, back, until]
    params = [practice, until, *window, *window, practice, practice, *values, *more, limit, offset]
    with connection.cursor() as cursor:
        cursor.execute(f"{_FOUND} WHERE {visible} AND {also} {_ORDER}", params)
        return list(cursor.fetchall())


def _rows(actor: Actor, found: list[tuple[UUID, str]]) -> list[UnbilledRow]:
    with_service = [visit_id for visit_id, kind in found if kind == "service"]
    services = {key: held for key, held in unbilled_services(with_service).items() if not held}
    lines = lines_by_visit(actor, services, {})
    visits = {
        visit.pk: visit
        for visit in Visit.objects.filter(pk__in=[visit_id for visit_id, _ in found]).select_related(
            "client", "appointment__staff_member"
        )
    }
    return [_row(actor, visits[visit_id], kind, lines.get(visit_id, [])) for visit_id, kind in found]


def _row(actor: Actor, visit: Visit, kind: str, lines: list[LineView]) -> UnbilledRow:
    refusal = next((line.refusal for line in lines if line.refusal), None)
    stop, reason = _stop(actor, visit, kind, refusal)
    return UnbilledRow(
        visit_id=visit.pk,
        appointment_id=visit.appointment_id,
        client_id=visit.client_id,
        client_name=visit.client.sort_name,
        service_on=visit.service_on,
        status=_LABELS[visit.status],
        staff_member_id=visit.appointment.staff_member_id,
        staff_name=visit.appointment.staff_member.name,
        services=", ".join(line.label for line in lines),
        amount_cents=None if refusal or not lines else sum(line.amount_cents or 0 for line in lines),
        stop=stop,
        reason=reason,
        refusal=refusal,
    )


def _stop(actor: Actor, visit: Visit, kind: str, refusal: Refused | None) -> tuple[Stop, str]:
    if kind == "no_service":
        return Stop.NO_SERVICE, "It has no service type yet, so there is nothing to bill."
    if kind == "no_fee":
        return (
            Stop.NO_FEE_DECISION,
            f"{_LABELS[visit.status]} without a decision on the fee: add the fee service, or waive the fee.",
        )
    if refusal:
        return Stop.REFUSED, refusal.message
    if visit.status == VisitStatus.UPCOMING:
        if visit.appointment.starts_at > actor.now:
            return Stop.UPCOMING, "It is still to come today."
        return Stop.NOT_MARKED, "Its status is still Upcoming. It can be billed; mark it Kept if it was."
    return Stop.NOTHING, "Nothing stops it."


# What is found is read once, and everything beside it is looked up row by row (LIMIT 1 cannot become a join): left to
# itself the planner joins the tables by the practice alone where its statistics do not know the practice yet (a new one
# beside others), and pairs every visit with every other.
_FOUND = """
    WITH found AS MATERIALIZED (
        SELECT DISTINCT s.visit_id, 'service' AS kind FROM schedule_visitservice s
        WHERE s.practice_id = %s AND s.line_id IS NULL AND NOT s.is_suspended AND s.service_on <= %s
        UNION ALL
        SELECT m.id, 'no_service' FROM schedule_visit m
        WHERE m.practice_id = %s AND m.service_on BETWEEN %s AND %s AND m.status IN ('kept', 'upcoming')
          AND (SELECT t.visit_id FROM schedule_visitservice t
               WHERE t.practice_id = m.practice_id AND t.visit_id = m.id LIMIT 1) IS NULL
        UNION ALL
        SELECT m.id, 'no_fee' FROM schedule_visit m
        WHERE m.practice_id = %s AND m.service_on BETWEEN %s AND %s AND m.status IN ('no_show', 'late_cancel')
          AND m.fee_waived_reason = ''
          AND (SELECT t.visit_id FROM schedule_visitservice t WHERE t.practice_id = m.practice_id
               AND t.visit_id = m.id AND (NOT t.is_suspended OR t.line_id IS NOT NULL) LIMIT 1) IS NULL
    )
    SELECT v.id, found.kind FROM found
    CROSS JOIN LATERAL (SELECT * FROM schedule_visit WHERE practice_id = %s AND id = found.visit_id LIMIT 1) v
    CROSS JOIN LATERAL (
        SELECT * FROM schedule_appointment WHERE practice_id = %s AND id = v.appointment_id LIMIT 1
    ) a"""
_ORDER = "ORDER BY v.service_on, a.starts_at, v.id LIMIT %s OFFSET %s"

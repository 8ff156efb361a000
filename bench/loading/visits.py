"""Appointments, visits and their services of a range of days, straight into the tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from daysheet.schedule.models import Appointment, Visit, VisitService

from ..sql import Connection, insert
from .people import Loaded

#: A planned visit is a row (client number, day, slot, status); everything else follows from it. `n` makes its ids.
_PLANNED = """
    FROM (
        SELECT p.*, c.id AS client_id, p.client_no * 4 + p.kind AS n,
            (p.day + make_interval(hours => 13 + p.client_no %% 9)) AT TIME ZONE 'UTC' AS starts_at,
            45 + 15 * (p.client_no %% 2) AS minutes
        FROM ({planned}) p JOIN bench_client c ON c.no = p.client_no
    ) v"""

_WEEKLY = """
    SELECT client_no, day, 0 AS kind, 'kept' AS status FROM (
        SELECT k AS client_no, %(first)s::date + w * 7 + (k / %(episodes)s) %% 5 AS day
        FROM generate_series(1, %(clients)s) k, generate_series(0, %(weeks)s - 1) w
        WHERE k %% %(episodes)s = least((%(first_week)s + w) / %(episode_weeks)s, %(episodes)s - 1)
    ) d WHERE day < %(last)s"""
#: Every client cancels once and once does not come; the fee was waived.
_MISSED = """
    SELECT client_no, day, kind, status FROM (
        SELECT k AS client_no, m.kind, m.status,
            %(monday)s::date + (k %% %(episodes)s * %(episode_weeks)s + m.week) * 7 + (k / %(episodes)s + 1) %% 5 AS day
        FROM generate_series(1, %(clients)s) k, (VALUES (1, 'canceled', 7), (2, 'no_show', 11)) m (kind, status, week)
    ) d WHERE day >= %(first)s AND day < %(last)s"""
_REGULAR = """
    SELECT %(regular)s AS client_no, d::date AS day, 0 AS kind, 'kept' AS status
    FROM generate_series(%(first)s::date, %(last)s::date - 1, interval '1 day') d
    WHERE extract(isodow FROM d) < 6 AND d >= %(regular_from)s AND d < %(regular_to)s"""
_SATURDAY = """
    SELECT k AS client_no, %(today)s::date AS day, 0 AS kind, CASE WHEN k %% 15 = 0 THEN 'no_show' ELSE 'kept' END
    FROM generate_series(1, %(saturday)s) k"""


def load_visits(connection: Connection, loaded: Loaded, first: date, last: date) -> int:
    """The visits of [first, last). Returns how many."""
    shape = loaded.shape
    billed_to = shape.first_monday + timedelta(weeks=shape.billed_weeks)
    params = {
        "first": first, "last": last, "monday": shape.first_monday, "clients": shape.clients,
        "episodes": shape.episodes, "weeks": (last - first).days // 7 + 1,
        "first_week": (first - shape.first_monday).days // 7, "episode_weeks": shape.billed_weeks // shape.episodes,
        "regular_from": _weekdays_before(billed_to, shape.regular_visits), "regular_to": billed_to,
        "saturday": shape.agenda_visits,
    }  # fmt: skip
    planned = [_WEEKLY, _MISSED, _REGULAR]
    planned += [_SATURDAY] if first <= shape.today < last else []
    return plan_visits(connection, loaded, " UNION ALL ".join(planned), params)


def plan_visits(connection: Connection, loaded: Loaded, planned: str, params: Mapping[str, Any]) -> int:
    """Write the visits that a statement plans: rows of (client_no, day, kind, status)."""
    given = {
        **loaded.params, **params, "staff": list(loaded.staff), "locations": list(loaded.locations),
        "services": list(loaded.services), "regular_id": UUID(int=0),
    }  # fmt: skip
    source = _PLANNED.format(planned=planned) + " ORDER BY v.day, v.n"
    staff_no = f"v.client_no / 5 %% {len(loaded.staff)}"
    created = "v.starts_at - interval '14 days'"
    insert(connection, Appointment, {
        "practice_id": "%(practice)s", "id": _id(0), "service_on": "v.day", "starts_at": "v.starts_at",
        "ends_at": "v.starts_at + make_interval(mins => v.minutes)", "created_at": created,
        "staff_member_id": f"(%(staff)s::uuid[])[1 + {staff_no}]",
        "location_id": f"(%(locations)s::uuid[])[1 + ({staff_no}) %% {len(loaded.locations)}]",
    }, source, given)  # fmt: skip
    count = insert(connection, Visit, {
        "practice_id": "%(practice)s", "id": _id(1), "appointment_id": _id(0), "client_id": "v.client_id",
        "service_on": "v.day", "status": "v.status", "status_changed_at": "v.starts_at",
        "fee_waived_reason": "CASE WHEN v.status = 'no_show' THEN 'First time' ELSE '' END",
    }, source, given)  # fmt: skip
    insert(connection, VisitService, {
        "practice_id": "%(practice)s", "id": _id("1 + s.position"), "visit_id": _id(1), "service_on": "v.day",
        "position": "s.position", "is_suspended": "v.status <> 'kept'",
        "service_type_id": "(%(services)s::uuid[])[s.position * 3 - 2 + v.client_no %% 3]",
    }, f"FROM (SELECT v.* {_PLANNED.format(planned=planned)}) v, (VALUES (1), (2)) s (position) ORDER BY v.day, v.n",
        given)  # fmt: skip
    return count


def _id(level: int | str) -> str:
    """The id of a planned visit's row: of its appointment (0), itself (1), its services (2, 3)."""
    return f"pg_temp.new_id(v.starts_at, %(practice)s, v.n * 4 + {level})"


def _weekdays_before(day: date, count: int) -> date:
    """The day from which on there are `count` weekdays before `day`, a Monday."""
    weeks, rest = divmod(count, 5)
    return day - timedelta(weeks=weeks) - (timedelta(days=2 + rest) if rest else timedelta())

"""The visit services that a door is asked to bill, as they stand, with what billing needs of their visit.

One statement, whatever their number. Visit, appointment and location come by look-ups inside each other, each of one
table by its whole key (OFFSET 0 keeps them so), and never by a join: of a practice that is new or was just imported
PostgreSQL's statistics know nothing, and a join was seen to pair every appointment of the practice with every visit,
for every service (minutes for 600 of them).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection

from daysheet.practices.actor import Actor
from daysheet.schedule.models import VisitStatus

from .terms import Candidate


@dataclass(frozen=True, slots=True)
class Candidates:
    """Visit services as they stand: still unbilled, and billed already."""

    unbilled: list[Candidate]
    billed: list[Candidate]


def read_candidates(actor: Actor, visit_service_ids: Collection[UUID], *, lock: bool) -> Candidates:
    """These visit services, locked in id order. Someone else's lock is waited for (lock_timeout)."""
    return _read(actor.practice.id, "s.id = ANY(%s)", visit_service_ids, lock)


def read_candidates_of_visits(actor: Actor, visit_ids: Collection[UUID], *, lock: bool) -> Candidates:
    """The same of every service of these visits that is to be billed."""
    return _read(actor.practice.id, "s.visit_id = ANY(%s) AND NOT s.is_suspended", visit_ids, lock)


def clients_behind(actor: Actor, visit_service_ids: Collection[UUID]) -> set[UUID]:
    """The clients of visit services; ids of another practice find nobody."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT v.client_id FROM schedule_visitservice s {_VISIT} "
            "WHERE s.practice_id = %s AND s.id = ANY(%s)",
            [actor.practice.id, list(visit_service_ids)],
        )
        return {row[0] for row in cursor.fetchall()}


_VISIT = """
    CROSS JOIN LATERAL (
        SELECT x.client_id, x.status, x.appointment_id FROM schedule_visit x
        WHERE x.practice_id = s.practice_id AND x.id = s.visit_id OFFSET 0
    ) v"""
_CANDIDATES = f"""
    SELECT s.line_id IS NOT NULL, s.id, s.visit_id, v.client_id, s.service_on, s.position, s.service_type_id,
        a.minutes, a.staff_member_id, a.place_of_service, v.status, s.is_suspended, s.rate_cents, s.units, s.modifiers
    FROM schedule_visitservice s {_VISIT}
    CROSS JOIN LATERAL (
        SELECT x.staff_member_id, extract(epoch FROM x.ends_at - x.starts_at)::int / 60 AS minutes,
            coalesce(nullif(x.place_of_service, ''), (
                SELECT o.place_of_service FROM practices_location o
                WHERE o.practice_id = x.practice_id AND o.id = x.location_id)) AS place_of_service
        FROM schedule_appointment x WHERE x.practice_id = s.practice_id AND x.id = v.appointment_id OFFSET 0
    ) a
    WHERE s.practice_id = %s AND s.removed_at IS NULL AND {{}} ORDER BY s.id"""
_LABELS = dict(VisitStatus.choices)


def _read(practice_id: int, condition: str, ids: Collection[UUID], lock: bool) -> Candidates:
    sql = _CANDIDATES.format(condition) + (" FOR UPDATE OF s" if lock else "")
    found = Candidates([], [])
    if not ids:
        return found
    with connection.cursor() as cursor:
        cursor.execute(sql.lstrip(), [practice_id, list(ids)])
        rows = cursor.fetchall()
    for is_billed, *facts in rows:
        (found.billed if is_billed else found.unbilled).append(_candidate(*facts))
    return found


def _candidate(
    service_id: UUID, visit_id: UUID, client_id: UUID, service_on: date, position: int, service_type_id: UUID,
    minutes: int, staff_member_id: UUID, place_of_service: str, status: str, is_suspended: bool,
    rate_cents: int | None, units: int | None, modifiers: list[str] | None,
) -> Candidate:  # fmt: skip
    return Candidate(
        service_id, visit_id, client_id, service_on, position, service_type_id, minutes, staff_member_id,
        place_of_service, _LABELS[status], is_suspended, rate_cents, units,
        None if modifiers is None else tuple(modifiers),
    )  # fmt: skip

"""Appointments, visits and services as sets: what is there under a file's IDs, and writing what is new or changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import F

from daysheet.database.updating import update_rows
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.rules import BILLS_PLANNED, MAY_CHARGE_FEE

from ..parsing import Row
from .sets import find_by_external_id, find_rows, insert_rows

APPOINTMENT_COLUMNS = (
    "service_on", "starts_at", "ends_at", "staff_member_id", "location_id", "place_of_service", "title", "is_group",
)  # fmt: skip
VISIT_COLUMNS = ("appointment_id", "client_id", "service_on", "status", "initiated_by", "fee_waived_reason")
SERVICE_COLUMNS = (
    "visit_id", "service_type_id", "service_on", "rate_cents", "units", "modifiers", "is_fee", "is_suspended",
)  # fmt: skip


@dataclass(slots=True)
class Thing:
    """An appointment, visit or service on its way, told by its first row. `frozen_by`: a live line of an invoice."""

    id: UUID
    row: Row
    before: Mapping[str, Any]
    after: dict[str, Any]
    changed: list[str] = field(default_factory=list)
    is_dirty: bool = False
    frozen_by: UUID | None = None

    @classmethod
    def of(cls, row: Row, before: Mapping[str, Any], defaults: Mapping[str, Any], told: Mapping[str, Any]) -> Thing:
        """What a row says, over what is there, over the defaults."""
        thing_id = before.get("id") or new_id()
        return cls(thing_id, row, before, {**defaults, **before, **told, "id": thing_id})

    @property
    def is_new(self) -> bool:
        """Whether no row with this ID is there yet."""
        return not self.before

    def differs(self, column: str) -> bool:
        """Whether a column is new or changes."""
        return not self.before or bool(self.before[column] != self.after[column])

    def contradicts(self, told: Mapping[str, Any]) -> bool:
        """Whether a later row says something else of the same thing."""
        return any(self.after[name] != value for name, value in told.items())


@dataclass(slots=True)
class Things:
    """What a file tells of, by external id."""

    appointments: dict[str, Thing] = field(default_factory=dict)
    visits: dict[str, Thing] = field(default_factory=dict)
    services: dict[str, Thing] = field(default_factory=dict)


@dataclass(slots=True)
class Found:
    """What is in the database under a file's IDs."""

    appointments: dict[str, dict[str, Any]]
    visits: dict[str, dict[str, Any]]
    services: dict[str, dict[str, Any]]
    #: Appointment → client → visit, also of members that the file does not mention.
    members: dict[UUID, dict[UUID, UUID]] = field(default_factory=lambda: defaultdict(dict))
    line_of_visit: dict[UUID, UUID] = field(default_factory=dict)
    line_of_appointment: dict[UUID, UUID] = field(default_factory=dict)
    last_position: dict[UUID, int] = field(default_factory=lambda: defaultdict(int))


def is_suspended(status: str, *, is_fee: bool) -> bool:
    """Whether a service is not to be billed as things stand (S1): what is planned while the visit does not take place,
    a fee unless the visit's status is one that may cost it."""
    return status not in (MAY_CHARGE_FEE if is_fee else BILLS_PLANNED)


def find_visits(rows: Sequence[Row], *, lock: bool) -> Found:
    """Read everything the file's IDs stand for: five statements, whatever the size of the file."""
    found = Found(
        find_by_external_id(Appointment, _given(rows, "appointment_id"), APPOINTMENT_COLUMNS),
        find_by_external_id(Visit, _given(rows, "visit_id"), (*VISIT_COLUMNS, "status_changed_at")),
        find_by_external_id(VisitService, _given(rows, "service_id"), SERVICE_COLUMNS),
    )
    appointment_ids = {row["id"] for row in found.appointments.values()}
    appointment_of: dict[UUID, UUID] = {}
    for visit in find_rows(Visit, "appointment_id", appointment_ids, ("id", "appointment_id", "client_id")):
        found.members[visit["appointment_id"]][visit["client_id"]] = visit["id"]
        appointment_of[visit["id"]] = visit["appointment_id"]
    wanted = ("id", "visit_id", "position", "line_id")
    for service in find_rows(VisitService, "visit_id", appointment_of.keys(), wanted, lock=lock):
        visit_id, line_id = service["visit_id"], service["line_id"]
        found.last_position[visit_id] = max(found.last_position[visit_id], service["position"])
        if line_id:
            found.line_of_visit[visit_id] = found.line_of_appointment[appointment_of[visit_id]] = line_id
    return found


def write_visits(actor: Actor, things: Things, found: Found) -> None:
    """Write what is new by COPY and what changed by sets; then let unmentioned rows follow their appointment."""
    for service in things.services.values():
        if service.is_new:
            found.last_position[service.after["visit_id"]] += 1
            service.after["position"] = found.last_position[service.after["visit_id"]]
    restated = [visit for visit in things.visits.values() if not visit.is_new and visit.differs("status")]
    for visit in restated:
        visit.after["status_changed_at"] = actor.now
    for appointment in things.appointments.values():
        if appointment.is_dirty:
            appointment.after["changed_at"] = actor.now
    insert_rows(Appointment, _new(things.appointments), now=actor.now)
    insert_rows(Visit, _new(things.visits), now=actor.now)
    insert_rows(VisitService, _new(things.services), now=actor.now)
    update_rows(Appointment, (*APPOINTMENT_COLUMNS, "changed_at"), _dirty(things.appointments))
    changed = [thing.id for thing in things.appointments.values() if thing.is_dirty and not thing.is_new]
    Appointment.objects.filter(pk__in=changed).update(version=F("version") + 1)
    update_rows(Visit, (*VISIT_COLUMNS, "status_changed_at"), _dirty(things.visits))
    update_rows(VisitService, SERVICE_COLUMNS, _dirty(things.services))
    moved = [thing.id for thing in things.appointments.values() if not thing.is_new and thing.differs("service_on")]
    _follow(actor.practice.id, moved, [visit.id for visit in restated])


def _follow(practice_id: int, moved: list[UUID], restated: list[UUID]) -> None:
    """Dates of unmentioned members and services, and suspension of unmentioned services (never of a billed one)."""
    with connection.cursor() as cursor:
        if moved:
            cursor.execute(
                "UPDATE schedule_visit v SET service_on = a.service_on FROM schedule_appointment a "
                "WHERE v.practice_id = %s AND a.practice_id = v.practice_id AND a.id = v.appointment_id "
                "AND a.id = ANY(%s) AND v.service_on <> a.service_on",
                [practice_id, moved],
            )
            cursor.execute(
                "UPDATE schedule_visitservice s SET service_on = v.service_on FROM schedule_visit v "
                "WHERE s.practice_id = %s AND v.practice_id = s.practice_id AND v.id = s.visit_id "
                "AND v.appointment_id = ANY(%s) AND s.service_on <> v.service_on",
                [practice_id, moved],
            )
        if restated:
            cursor.execute(
                "UPDATE schedule_visitservice s SET is_suspended = NOT CASE WHEN s.is_fee THEN v.status = ANY(%s) "
                "ELSE v.status = ANY(%s) END FROM schedule_visit v "
                "WHERE s.practice_id = %s AND v.practice_id = s.practice_id AND v.id = s.visit_id "
                "AND v.id = ANY(%s) AND s.line_id IS NULL AND s.removed_at IS NULL",
                [sorted(MAY_CHARGE_FEE), sorted(BILLS_PLANNED), practice_id, restated],
            )


def _given(rows: Iterable[Row], name: str) -> set[str]:
    return {row.values[name] for row in rows if row.values.get(name)}


def _new(things: Mapping[str, Thing]) -> list[dict[str, Any]]:
    return [thing.after for thing in things.values() if thing.is_new]


def _dirty(things: Mapping[str, Thing]) -> list[dict[str, Any]]:
    return [thing.after for thing in things.values() if thing.is_dirty]

"""Appointments: three levels in one row. Rows of one appointment or visit must tell the same story.

Invariant: what is on an invoice is never changed by a file (S5). The services behind it are locked while the plan is
made, so that nobody bills them between the comparison and the write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, timedelta
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Q

from daysheet.invoicing.models import InvoiceLine
from daysheet.practices.actor import Actor
from daysheet.services.models import ServiceType

from ..cells import Reference
from ..parsing import ParsedFile, Problem, Row
from .plan import Plan, judge
from .sets import resolve
from .visits import (
    APPOINTMENT_COLUMNS,
    SERVICE_COLUMNS,
    VISIT_COLUMNS,
    Found,
    Thing,
    Things,
    find_visits,
    is_suspended,
    write_visits,
)

#: Column of the template → column of the table, by level. `start` and `minutes` become three columns.
_APPOINTMENT = {
    "staff": "staff_member_id", "location": "location_id", "place_of_service": "place_of_service", "title": "title",
}  # fmt: skip
_VISIT = {
    "client": "client_id", "status": "status", "initiated_by": "initiated_by",
    "fee_waived_because": "fee_waived_reason",
}  # fmt: skip
_SERVICE = {"service_type": "service_type_id", "units": "units", "price": "rate_cents", "modifiers": "modifiers"}
_TIMES = {"starts_at": "start", "ends_at": "minutes"}


def plan_appointments(actor: Actor, parsed: ParsedFile, *, lock: bool) -> Plan:
    """Compare appointments, visits and services with the schedule. See the module's words on invoices."""
    return _Planner(actor, parsed, lock=lock).plan()


class _Planner:
    """Makes one plan; holds what its steps share."""

    def __init__(self, actor: Actor, parsed: ParsedFile, *, lock: bool) -> None:
        self.actor, self.parsed = actor, parsed
        self.zone = ZoneInfo(actor.practice.time_zone)
        self.given = {column.name for column in parsed.columns}
        self.columns = {column.name: column for column in parsed.layout.columns}
        self.ids = self._resolve()
        self.found: Found = find_visits(parsed.rows, lock=lock)
        self.fees = _fee_services(self.ids["service_type"].values())
        self.things = Things()
        #: (row, column, live line): what a file would change although it is on an invoice.
        self.frozen: list[tuple[Row, str, UUID]] = []

    def plan(self) -> Plan:
        """The verdicts, and the write that carries them out."""
        of_row = [(row, [] if row.problems else self._things(row)) for row in self.parsed.rows]
        self._compare()
        self._name_invoices()
        verdicts = tuple(
            judge(
                row,
                row.values["visit_id"],
                is_new=bool(things) and things[-1].is_new,
                changes=[label for thing in things for label in thing.changed],
            )
            for row, things in of_row
        )
        return Plan(verdicts, partial(write_visits, self.actor, self.things, self.found))

    def _resolve(self) -> dict[str, dict[str, UUID]]:
        """Every ID that a row refers to; one that is not there is a problem of its cell."""
        ids: dict[str, dict[str, UUID]] = {}
        for column in self.parsed.layout.columns:
            if not isinstance(column.kind, Reference):
                continue
            rows = [row for row in self.parsed.rows if row.values.get(column.name)]
            known = ids[column.name] = resolve(column.kind.kind, (row.values[column.name] for row in rows))
            for row in rows:
                if row.values[column.name] not in known:
                    row.object_to(column, column.kind.missing(row.values[column.name]))
        return ids

    def _things(self, row: Row) -> list[Thing]:
        """The appointment, visit and service a row tells of; problems where it contradicts an earlier row."""
        appointment = self._appointment(row)
        visit = self._visit(row, appointment)
        service_id, service_type = row.values.get("service_id"), row.values.get("service_type")
        if bool(service_id) != bool(service_type):
            self._object(row, "service_type" if service_id else "service_id", "give both Service ID and Service Type, "
                         "or neither for a visit without services")  # fmt: skip
        elif service_id and service_id in self.things.services:
            earlier = self.things.services[service_id].row.number
            self._object(row, "service_id", f"“{service_id}” stands in row {earlier} too")
        if not service_id or row.problems:
            return [appointment, visit]
        return [appointment, visit, self._service(row, visit)]

    def _appointment(self, row: Row) -> Thing:
        key, start = row.values["appointment_id"], row.values["start"]
        before = self.found.appointments.get(key, {})
        starts_at = start.replace(tzinfo=self.zone).astimezone(UTC)
        ends_at = starts_at + timedelta(minutes=row.values["minutes"])
        told = {"service_on": start.date(), "starts_at": starts_at, "ends_at": ends_at}
        told |= self._told(row, _APPOINTMENT, is_known=bool(before))
        thing = self.things.appointments.get(key)
        if thing is None:
            thing = Thing.of(row, before, {"external_id": key, "is_group": False}, told)
            thing.frozen_by = self.found.line_of_appointment.get(thing.id)
            self.things.appointments[key] = thing
            if starts_at.astimezone(self.zone).replace(tzinfo=None) != start:
                self._object(row, "start", "the clocks went forward over that hour: there was no such time")
        elif thing.contradicts(told):
            self._contradiction(row, thing, ("start", "minutes", *_APPOINTMENT), "appointment")
        return thing

    def _visit(self, row: Row, appointment: Thing) -> Thing:
        key = row.values["visit_id"]
        before = self.found.visits.get(key, {})
        told = {"appointment_id": appointment.id, "service_on": appointment.after["service_on"]}
        told |= self._told(row, _VISIT, is_known=bool(before))
        thing = self.things.visits.get(key)
        if thing is None:
            thing = Thing.of(row, before, {"external_id": key, "status_changed_at": None}, told)
            thing.frozen_by = self.found.line_of_visit.get(thing.id)
            self.things.visits[key] = thing
            self._check_visit(row, thing, appointment)
        elif thing.contradicts(told):
            self._contradiction(row, thing, ("appointment_id", *_VISIT), "visit")
        return thing

    def _check_visit(self, row: Row, visit: Thing, appointment: Thing) -> None:
        if visit.before and visit.before["appointment_id"] != appointment.id:
            self._object(row, "appointment_id", "this visit belongs to another appointment")
        if visit.before and visit.before["client_id"] != visit.after["client_id"]:
            self._object(row, "client", "this visit is another client’s; give the new one an ID of its own")
        members = self.found.members[appointment.id]
        if members.setdefault(visit.after["client_id"], visit.id) != visit.id:
            self._object(row, "client", "the client has another visit in this appointment already")
        appointment.after["is_group"] = appointment.after["is_group"] or len(members) > 1

    def _service(self, row: Row, visit: Thing) -> Thing:
        key = row.values["service_id"]
        before = self.found.services.get(key, {})
        told = {"visit_id": visit.id, "service_on": visit.after["service_on"]}
        told |= self._told(row, _SERVICE, is_known=bool(before))
        thing = Thing.of(row, before, {"external_id": key, "is_fee": False, "is_suspended": False}, told)
        if thing.differs("service_type_id"):
            thing.after["is_fee"] = thing.after["service_type_id"] in self.fees
        if visit.differs("status") or thing.differs("service_type_id"):
            thing.after["is_suspended"] = is_suspended(visit.after["status"], is_fee=thing.after["is_fee"])
        thing.frozen_by = visit.frozen_by
        self.things.services[key] = thing
        if thing.after["is_fee"] and thing.after["is_suspended"] and not thing.frozen_by:
            self._object(row, "service_type", "this is a fee for a missed visit, and the visit’s status costs none")
        if before and before["visit_id"] != visit.id:
            self._object(row, "visit_id", "this service belongs to another visit")
        elif thing.is_new and visit.frozen_by:
            self.frozen.append((row, "service_id", visit.frozen_by))
        return thing

    def _told(self, row: Row, columns: Mapping[str, str], *, is_known: bool) -> dict[str, Any]:
        """What a row says, references resolved. A column that the file does not have says nothing of a known thing."""
        told: dict[str, Any] = {}
        for name, target in columns.items():
            if is_known and name not in self.given:
                continue
            value = row.values.get(name, self.columns[name].when_empty)
            told[target] = self.ids[name][value] if value and name in self.ids else value
        return told

    def _compare(self) -> None:
        """What differs from the schedule, in the template's words."""
        for things, columns, names in (
            (self.things.appointments, APPOINTMENT_COLUMNS, _TIMES | _inverted(_APPOINTMENT)),
            (self.things.visits, VISIT_COLUMNS, _inverted(_VISIT)),
            (self.things.services, SERVICE_COLUMNS, _inverted(_SERVICE)),
        ):
            for thing in things.values():
                if thing.is_new:
                    continue
                differing = [column for column in columns if thing.differs(column)]
                thing.is_dirty = bool(differing)
                changed = [names[column] for column in differing if column in names]
                thing.changed = [self.columns[name].label for name in changed]
                if thing.frozen_by and changed:
                    self.frozen.append((thing.row, changed[0], thing.frozen_by))

    def _name_invoices(self) -> None:
        """Say on which invoice a frozen visit stands: read only when there is one to name."""
        line_ids = {line_id for _, _, line_id in self.frozen}
        lines = InvoiceLine.objects.filter(pk__in=line_ids) if line_ids else InvoiceLine.objects.none()
        numbers = dict(lines.values_list("pk", "invoice__number"))
        for row, name, line_id in self.frozen:
            number = numbers.get(line_id, "")
            self._object(row, name, f"the visit is on invoice {number} and a file does not change it; "
                         "void the invoice first, or take the row out")  # fmt: skip

    def _contradiction(self, row: Row, first: Thing, names: Iterable[str], what: str) -> None:
        for name in names:
            if row.values.get(name) != first.row.values.get(name):
                self._object(row, name, f"row {first.row.number} of the same {what} says something else")

    def _object(self, row: Row, name: str, words: str) -> None:
        row.problems.append(Problem(row.number, self.columns[name].label, words))


def _fee_services(service_type_ids: Iterable[UUID]) -> set[UUID]:
    """The service types that are a fee for a missed visit (S1)."""
    fees = ServiceType.objects.filter(Q(is_no_show_fee=True) | Q(is_late_cancel_fee=True) | Q(is_canceled_fee=True))
    return set(fees.values_list("pk", flat=True)) & set(service_type_ids)


def _inverted(names: Mapping[str, str]) -> dict[str, str]:
    return {target: name for name, target in names.items()}

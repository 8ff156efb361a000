"""The verbs of one appointment: add it, change it, move it. Statuses change in statuses.py, series in series.py.

Invariant: `service_on` of an appointment is its wall-clock date in practice time; its visits and their services carry
the same date (S6). The facts of a billed visit are frozen (S5).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import F

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .members import (
    FROZEN,
    VisitBilled,
    add_visits,
    change_services,
    count_members,
    leave,
    planned_services,
)
from .models import Appointment
from .slot_rules import (
    AppointmentIncomplete,
    MemberChange,
    Members,
    ServiceChoice,
    Slot,
    SlotChange,
    change_between,
    check_slot,
    members_between,
)
from .slots import (
    Opened,
    check_clients,
    check_location,
    check_services,
    check_staff,
    columns_of,
    copy_dates,
    open_appointment,
)

__all__ = [
    "AppointmentIncomplete",
    "ServiceChoice",
    "Slot",
    "VisitBilled",
    "add_appointment",
    "edit_appointment",
    "move_appointment",
]
#: What a billed appointment may still be given: it stands on no invoice.
_NEVER_FROZEN = {"title", "group_limit"}


@action(Permission.DEFAULT, audited=False)
def add_appointment(actor: Actor, *, slot: Slot, members: Members, appointment_id: UUID | None = None) -> UUID:
    """An appointment with a visit for each client of `members` (S2, S4).

    The same `appointment_id` again (a second click) is the same appointment. Raises AppointmentIncomplete, NotFound.
    """
    check_new(actor, slot, members)
    lock_clients(members)
    if appointment_id and Appointment.objects.filter(pk=appointment_id).exists():
        return appointment_id
    appointment = Appointment.objects.create(
        pk=appointment_id or new_id(), is_group=len(members) > 1, **columns_of(slot, actor.practice.time_zone)
    )
    add_visits([appointment], members)
    record(
        actor, "add_appointment", "appointment", appointment.pk, clients=len(members), service_on=slot.day.isoformat()
    )
    return appointment.pk


@action(Permission.DEFAULT)
def edit_appointment(
    actor: Actor, *, appointment_id: UUID, slot: Slot, members: Members, version: int | None = None
) -> None:
    """Change when, who, where and what of one appointment; of a series only this one. Billed visits keep their facts
    (S5): what would change them is refused, what leaves them alone is not. `version`: the one that was shown.

    Raises NotFound, AppointmentChanged, VisitBilled, AppointmentIncomplete.
    """
    opened = open_appointment(actor, appointment_id, version=version, joining=members.keys())
    change = change_between(opened.slot, slot)
    member_change = members_between(planned_services(appointment_id), members)
    if not members:
        raise AppointmentIncomplete("Choose at least one client.")
    check_change(change, slot)
    check_members(actor, member_change)
    if opened.billed and (change.days or change.facts.keys() - _NEVER_FROZEN):
        raise VisitBilled(FROZEN)
    if opened.billed & (member_change.left | member_change.services.keys()):
        raise VisitBilled(FROZEN)
    _change_slot(actor, opened, change, slot, is_apart=bool(change or member_change.services))
    _change_members(actor, opened, member_change)
    record(
        actor, "edit_appointment", "appointment", appointment_id, clients=len(members), service_on=slot.day.isoformat()
    )


@action(Permission.DEFAULT, audited=False)
def move_appointment(actor: Actor, *, appointment_id: UUID, slot: Slot, version: int | None = None) -> None:
    """Move one appointment, of a series only this one, to another time, provider or location. Its visits and their
    services go along, and so does money that was named for it. Two people at once: one moves it, the other is told.

    Raises NotFound, AppointmentChanged, VisitBilled, AppointmentIncomplete.
    """
    opened = open_appointment(actor, appointment_id, version=version)
    change = change_between(opened.slot, slot)
    if not change:
        return
    check_change(change, slot)
    if opened.billed:
        raise VisitBilled(FROZEN)
    _change_slot(actor, opened, change, slot, is_apart=True)
    before, after = moment_words(opened.slot), moment_words(slot)
    record(actor, "move_appointment", "appointment", appointment_id, before=before, after=after)


def check_new(actor: Actor, slot: Slot, members: Members) -> None:
    """Whether this can be an appointment. Raises AppointmentIncomplete, NotFound."""
    if not members:
        raise AppointmentIncomplete("Choose at least one client.")
    check_slot(slot)
    check_clients(actor, members.keys())
    check_staff(slot.staff_member_id)
    check_location(slot.location_id)
    check_services([members])


def check_change(change: SlotChange, after: Slot) -> None:
    """What changes must be possible; what stays may be of the past (a provider who left).
    Raises AppointmentIncomplete."""
    if change.moves:
        check_slot(after)
    if "staff_member_id" in change.facts:
        check_staff(after.staff_member_id)
    if "location_id" in change.facts:
        check_location(after.location_id)


def check_members(actor: Actor, change: MemberChange) -> None:
    """Who joins must be somebody the actor may see; new services must be there.
    Raises NotFound, AppointmentIncomplete."""
    check_clients(actor, change.joined.keys())
    check_services([change.joined, change.services])


def moment_words(slot: Slot) -> str:
    """When, for the audit: date and hour, and no names."""
    return f"{slot.day.isoformat()} {slot.at:%H:%M}"


def _change_slot(actor: Actor, opened: Opened, change: SlotChange, slot: Slot, *, is_apart: bool) -> None:
    """Write what changes, and count the change. Of a series it now stands apart, unless nothing of its own changed."""
    columns: Mapping[str, Any] = columns_of(slot, actor.practice.time_zone)
    if not change.moves:
        # Not a minute is rewritten where no time was changed: an hour that the clocks repeat stays the one it was.
        columns = {name: value for name, value in columns.items() if name in change.facts}
    appointment = opened.appointment
    if is_apart and appointment.series_id and not appointment.apart_at:
        columns = {**columns, "apart_at": actor.now}
    itself = Appointment.objects.filter(pk=appointment.pk)
    itself.update(version=F("version") + 1, changed_at=actor.now, **columns)
    if change.days:
        copy_dates(itself)
        appointment.service_on = slot.day


def _change_members(actor: Actor, opened: Opened, change: MemberChange) -> None:
    """Members who leave, members who stay with other services, members who join."""
    leave([opened.visits[client] for client in change.left])
    change_services([opened.visits[client] for client in change.services], change.services, actor.now)
    add_visits([opened.appointment], change.joined)
    count_members([opened.appointment.pk])

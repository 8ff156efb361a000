"""When, where, by whom and for whom an appointment takes place; and what a change of one does to another.

A change of an appointment is told as what it changes, never as a whole: told to the rest of a series it leaves alone
whatever it does not speak of. Times are wall-clock times in practice time. No database, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID

from daysheet.kit.errors import Refusal

#: What a change may speak of beside the day.
_FACTS = ("at", "minutes", "staff_member_id", "location_id", "place_of_service", "title", "group_limit")
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)
MOST_MINUTES = 24 * 60


class AppointmentIncomplete(Refusal):
    """No client, no provider, no length, or a day that cannot be meant."""

    code = "appointment_incomplete"


@dataclass(frozen=True, slots=True)
class Slot:
    """When, where, who renders. `day` and `at` are wall-clock practice time; an empty place is the location's.

    `group_limit`: how many clients a group is meant for; more are warned of and never refused (S4).
    """

    day: date
    at: time
    minutes: int
    staff_member_id: UUID
    location_id: UUID
    place_of_service: str = ""
    title: str = ""
    group_limit: int | None = None


@dataclass(frozen=True, slots=True)
class ServiceChoice:
    """One service of a visit; what is None follows the service type and the rules of pricing."""

    service_type_id: UUID
    rate_cents: int | None = None
    units: int | None = None
    modifiers: tuple[str, ...] | None = None


#: The services of each client's visit, in order.
Members = Mapping[UUID, Sequence[ServiceChoice]]


@dataclass(frozen=True, slots=True)
class SlotChange:
    """What one edit changes: so many days later (or earlier), and the facts that differ, by their names in Slot."""

    days: int
    facts: dict[str, Any]

    def __bool__(self) -> bool:
        return bool(self.days or self.facts)

    @property
    def moves(self) -> bool:
        """Whether the time changes, and not only who, where and what it is called."""
        return bool(self.days or self.facts.keys() & {"at", "minutes"})

    def applied(self, slot: Slot) -> Slot:
        """`slot` after this change; what the change does not speak of stays."""
        return replace(slot, day=slot.day + timedelta(days=self.days), **self.facts)


def change_between(before: Slot, after: Slot) -> SlotChange:
    """What somebody changed who was shown `before` and sent `after`."""
    facts = {name: getattr(after, name) for name in _FACTS if getattr(after, name) != getattr(before, name)}
    return SlotChange((after.day - before.day).days, facts)


@dataclass(frozen=True, slots=True)
class MemberChange:
    """Who joins, who leaves, and who stays with other services than before."""

    joined: Members
    left: frozenset[UUID]
    services: Members

    def __bool__(self) -> bool:
        return bool(self.joined or self.left or self.services)


NOBODY = MemberChange({}, frozenset(), {})


def members_between(planned: Mapping[UUID, Sequence[UUID]], wanted: Members) -> MemberChange:
    """What somebody changed who was shown the service types `planned` of each client and sent `wanted`."""
    return MemberChange(
        joined={client: choices for client, choices in wanted.items() if client not in planned},
        left=frozenset(planned.keys() - wanted.keys()),
        services={
            client: choices
            for client, choices in wanted.items()
            if client in planned and [each.service_type_id for each in choices] != list(planned[client])
        },
    )


def check_slot(slot: Slot) -> None:
    """Raises AppointmentIncomplete for a length or a day that no appointment has."""
    if not 1 <= slot.minutes <= MOST_MINUTES:
        raise AppointmentIncomplete("The length is between 1 minute and 24 hours.")
    if not EARLIEST <= slot.day <= LATEST:
        raise AppointmentIncomplete("The date is not between the years 2000 and 2099. Check the year.")

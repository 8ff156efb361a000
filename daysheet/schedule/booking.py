"""The clients on the form of an appointment, any number of them with their services. Works without scripts: Find, Add,
Remove and Add a service are submit buttons that show the form again with what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any
from uuid import UUID

from django.http import QueryDict

from daysheet.clients import queries as clients
from daysheet.practices.actor import Actor
from daysheet.services import queries as services

from .slot_rules import ServiceChoice

#: A service drop-down more than a member has services, so that the next one can be chosen.
_SPARE = 1
MOST_MEMBERS = 50


@dataclass(frozen=True, slots=True)
class MemberFields:
    """One client of the form and the chosen services, with the names their fields have."""

    client_id: UUID
    name: str
    chosen: tuple[str, ...]

    @property
    def field_name(self) -> str:
        """All services of a member are fields of this one name, in order."""
        return f"service-{self.client_id}"

    @property
    def rows(self) -> tuple[str, ...]:
        """The drop-downs: what is chosen, and a spare one."""
        return (*self.chosen, *("",) * _SPARE)


@dataclass
class Booking:
    """The state of the form between two submits."""

    actor: Actor
    chosen: dict[UUID, list[str]] = field(default_factory=dict)
    find: str = ""

    @classmethod
    def sent(cls, actor: Actor, post: QueryDict) -> Booking:
        """What the form carried, after its buttons Add and Remove did their part."""
        booking = cls(actor, find=post.get("find", ""))
        for text in post.getlist("client")[:MOST_MEMBERS]:
            client_id = _uuid(text)
            if client_id and text != post.get("remove"):
                booking.chosen[client_id] = [each for each in post.getlist(f"service-{client_id}") if _uuid(each)]
        added = _uuid(post.get("add", ""))
        if added and added not in booking.chosen:
            booking.add(added)
            booking.find = ""
        return booking

    def add(self, client_id: UUID) -> None:
        """Put a client on the form with the client's default services (S2). Raises NotFound."""
        self.chosen[client_id] = [str(each) for each in services.default_service_type_ids(self.actor, client_id)]

    @property
    def members(self) -> dict[UUID, list[ServiceChoice]]:
        """What the action takes."""
        return {client: [ServiceChoice(UUID(each)) for each in chosen] for client, chosen in self.chosen.items()}

    def context(self) -> dict[str, Any]:
        """What the template shows: the members, and the clients found."""
        names = {each.pk: each.sort_name for each in clients.visible_clients(self.actor).filter(pk__in=self.chosen)}
        found = clients.search_clients(self.actor, self.find) if self.find.strip() else []
        return {
            "members": [
                MemberFields(client_id, names[client_id], tuple(chosen))
                for client_id, chosen in self.chosen.items()
                if client_id in names
            ],
            "service_choices": [(str(key), label) for key, label in services.service_choices(self.actor)],
            "find": self.find,
            "found": [row for row in found if row.id not in self.chosen],
        }


def initial_of(values: Mapping[str, str], today: date) -> dict[str, Any]:
    """What a link to the form may say in advance: day, start, provider, location."""
    initial: dict[str, Any] = {"day": today, "at": time(9)}
    for name in ("day", "at", "staff", "location", "minutes"):
        if values.get(name):
            initial[name] = values[name]
    return initial


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

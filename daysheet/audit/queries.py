"""What was done, for the Activity Log: newest first, within what the reader may see (P1, P2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from daysheet.kit.dates import local_moment
from daysheet.kit.money import Money
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import AuditEvent
from .registry import client_names, visible_client_ids
from .verbs import is_money, label_of

#: Objects that are the practice's own and say nothing of a client.
OFFICE = ("practice", "location", "staff_member", "service_type", "payer")
#: What `who` is for events of jobs and commands, which no person did.
NOBODY = "daysheet"


@dataclass(frozen=True, slots=True)
class ActivityFilters:
    """`who` is a staff member's id or NOBODY; the days are in practice time, both included. Empty means any."""

    who: str = ""
    verb: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class Activity:
    """One event in words. `number` is an invoice's; `facts` are pairs of label and value."""

    at: datetime
    who: str
    label: str
    object_type: str
    object_id: str
    number: int | None
    client_id: UUID | None
    client_name: str
    facts: tuple[tuple[str, str], ...]


@query(Permission.ADMINISTRATOR)
def matching_events(actor: Actor, filters: ActivityFilters) -> QuerySet[AuditEvent]:
    """Events of the practice, newest first. A person limited to assigned clients sees theirs, what is the office's own,
    and what they did themselves."""
    found = AuditEvent.objects.order_by("-at", "-pk")
    if actor.limited_to_assigned:
        own = Q(client_id=None, actor_staff_member_id=actor.staff_member_id)
        office = Q(client_id=None, object_type__in=OFFICE)
        found = found.filter(Q(client_id__in=visible_client_ids(actor)) | own | office)
    if filters.who == NOBODY:
        found = found.filter(actor_staff_member_id=None)
    elif filters.who:
        found = found.filter(actor_staff_member_id=filters.who)
    if filters.verb:
        found = found.filter(verb=filters.verb)
    if filters.from_on:
        found = found.filter(at__gte=_midnight(actor, filters.from_on))
    if filters.to_on:
        found = found.filter(at__lt=_midnight(actor, filters.to_on + timedelta(days=1)))
    return found


@query(Permission.ADMINISTRATOR)
def in_words(actor: Actor, events: Iterable[AuditEvent]) -> list[Activity]:
    """Events as people read them, in one query for the clients' names. Details of money only with Billing (P2)."""
    shown = list(events)
    names = client_names(actor, {event.client_id for event in shown if event.client_id})
    with_money = actor.may(Permission.BILLING)
    return [
        Activity(
            at=event.at,
            who=event.actor_name,
            label=label_of(event.verb),
            object_type=event.object_type,
            object_id=event.object_id,
            number=event.details.get("number"),
            client_id=event.client_id if event.client_id in names else None,
            client_name=names.get(event.client_id, "") if event.client_id else "",
            facts=tuple(_facts(event.details)) if with_money or not is_money(event.verb) else (),
        )
        for event in shown
    ]


def _midnight(actor: Actor, day: date) -> datetime:
    return local_moment(day, time.min, actor.practice.time_zone)


def _facts(details: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Details as label and value; ids say nothing to people and are left out."""
    for name, value in details.items():
        if value in (None, "", []) or _is_id(value):
            continue
        if name == "changes" and isinstance(value, dict):
            for field, pair in value.items():
                yield _label(field), f"{_words(field, pair[0])} → {_words(field, pair[1])}"
        else:
            yield _label(name), _words(name, value)


def _label(name: str) -> str:
    # An event that moves one amount calls it `cents`.
    return "Amount" if name == "cents" else name.removesuffix("_cents").replace("_", " ").capitalize()


def _words(name: str, value: Any) -> str:
    if value in (None, "", []):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and (name == "cents" or name.endswith("_cents")):
        return str(Money(value))
    if isinstance(value, list):
        return ", ".join(_words("", each) for each in value)
    return str(value).replace("_", " ") if isinstance(value, str) and name in {"changed", ""} else str(value)


def _is_id(value: Any) -> bool:
    if not isinstance(value, str) or len(value) < 32:
        return False
    try:
        UUID(value)
    except ValueError:
        return len(value) == 64 and value.isalnum()
    return True

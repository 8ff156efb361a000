"""A provider's schedule for other calendars: a secret address, made, replaced and stopped by the provider.

Invariants: only a hash of the secret is kept; a person has one address at a time; it ends with the person's work here.
Whoever holds the address reads it without signing in, so it names no client.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from daysheet.audit.actions import record
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id, new_token
from daysheet.practices.action import action, query
from daysheet.practices.actor import Actor, ActorKind, PracticeFacts
from daysheet.practices.permissions import Permission
from daysheet.staff.actions.invitations import hash_of
from daysheet.staff.models import StaffMember

from .models import CalendarFeed

#: How often the last reading is written down: a calendar looks many times a day.
_READ_EVERY = timedelta(hours=1)


class NotAProvider(Refusal):
    """Only who renders services has a schedule of their own."""

    code = "not_a_provider"


@dataclass(frozen=True, slots=True)
class FeedFacts:
    """A feed in use, as its page shows it; without its secret, which nobody knows any more."""

    created_at: datetime
    last_read_at: datetime | None
    shows_initials: bool


@dataclass(frozen=True, slots=True)
class OpenFeed:
    """What an address opens: the person whose schedule it is, acting with what they may see now."""

    feed_id: UUID
    actor: Actor
    shows_initials: bool


@query(Permission.DEFAULT)
def my_feed(actor: Actor) -> FeedFacts | None:
    """The actor's own feed."""
    return _facts(actor.staff_member_id)


@query(Permission.ADMINISTRATOR)
def feed_of(actor: Actor, staff_member_id: UUID) -> FeedFacts | None:
    """Another person's feed."""
    return _facts(staff_member_id)


@query(Permission.DEFAULT)
def renders_services(actor: Actor) -> bool:
    """Whether the actor has a schedule of their own."""
    own_id = actor.staff_member_id
    return own_id is not None and StaffMember.objects.filter(pk=own_id, is_provider=True).exists()


@action(Permission.DEFAULT, audited=False)
def make_feed(actor: Actor, *, feed_id: UUID | None = None, shows_initials: bool = False) -> str | None:
    """Make the actor's secret address; the one before stops working. Returns the secret, or None where the same
    `feed_id` was made before: it is shown once. Raises NotAProvider."""
    own_id = actor.staff_member_id
    person = StaffMember.objects.filter(pk=own_id or new_id(), is_provider=True).select_for_update(no_key=True).first()
    if person is None:
        raise NotAProvider("Only somebody who renders services has a schedule of their own. Nothing was made.")
    if feed_id and CalendarFeed.objects.filter(pk=feed_id).exists():
        return None
    token = new_token()
    CalendarFeed.objects.filter(staff_member=person, revoked_at=None).update(revoked_at=actor.now)
    feed = CalendarFeed.objects.create(
        pk=feed_id or new_id(), staff_member=person, token_hash=hash_of(token), shows_initials=shows_initials,
        created_at=actor.now,
    )  # fmt: skip
    record(actor, "make_calendar_feed", "staff_member", person.pk, feed_id=str(feed.pk), shows_initials=shows_initials)
    return token


@action(Permission.DEFAULT, audited=False)
def stop_my_feed(actor: Actor) -> None:
    """Make the actor's own address stop working."""
    if actor.staff_member_id is not None:
        _stop(actor, actor.staff_member_id)


@action(Permission.ADMINISTRATOR, audited=False)
def stop_feed(actor: Actor, staff_member_id: UUID) -> None:
    """Make another person's address stop working. Raises NotFound."""
    if not StaffMember.objects.filter(pk=staff_member_id).exists():
        raise NotFound("There is no such staff member.")
    _stop(actor, staff_member_id)


def open_feed(practice: PracticeFacts, token: str, now: datetime) -> OpenFeed:
    """What the secret opens, inside the practice's transaction: row security leaves only this practice's feeds to be
    found. Raises NotFound: no such address, one that was stopped, or a person who no longer works or renders here."""
    feed = (
        CalendarFeed.objects.filter(token_hash=hash_of(token), revoked_at=None).select_related("staff_member").first()
    )
    if feed is None or not (feed.staff_member.is_active and feed.staff_member.is_provider):
        raise NotFound("There is no such calendar.")
    person: StaffMember = feed.staff_member
    actor = Actor(
        practice=practice, kind=ActorKind.PERSON, person_name=person.name, now=now, user_id=person.user_id,
        permissions=frozenset(Permission(value) for value in person.permissions), staff_member_id=person.pk,
        limited_to_assigned=person.limited_to_assigned,
    )  # fmt: skip
    unread = Q(last_read_at=None) | Q(last_read_at__lt=now - _READ_EVERY)
    CalendarFeed.objects.filter(unread, pk=feed.pk).update(last_read_at=now)
    return OpenFeed(feed.pk, actor, feed.shows_initials)


def _facts(staff_member_id: UUID | None) -> FeedFacts | None:
    feed = CalendarFeed.objects.filter(staff_member_id=staff_member_id, revoked_at=None).first()
    return FeedFacts(feed.created_at, feed.last_read_at, feed.shows_initials) if feed else None


def _stop(actor: Actor, staff_member_id: UUID) -> None:
    standing = CalendarFeed.objects.filter(staff_member_id=staff_member_id, revoked_at=None)
    if standing.update(revoked_at=actor.now):
        record(actor, "stop_calendar_feed", "staff_member", staff_member_id)

"""From a signed-in login to an Actor: which staff member it is in this practice, and what that person may do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from daysheet.practices.actor import Actor, ActorKind, PracticeFacts
from daysheet.practices.models import Membership, Practice
from daysheet.practices.permissions import Permission

from .models import StaffMember


@dataclass(frozen=True, slots=True)
class Entrance:
    """That a login works for a practice, and as which staff member."""

    practice: PracticeFacts
    staff_member_id: UUID


@dataclass(frozen=True, slots=True)
class SessionRules:
    """What a practice asks of a login's session (`guarding.py`)."""

    #: The practice asks for a second step of signing in, and the login has set none up.
    lacks_two_step: bool
    idle_minutes: int


def practice_facts(practice: Practice) -> PracticeFacts:
    """The part of a practice every request carries."""
    return practice.facts


def entrances_of(user_id: int) -> list[Entrance]:
    """The practices a login may enter, by name."""
    memberships = Membership.objects.filter(user_id=user_id, ended_at=None).select_related("practice")
    return [
        Entrance(practice_facts(membership.practice), membership.staff_member_id)
        for membership in memberships.order_by("practice__name")
    ]


def find_entrance(user_id: int, slug: str) -> tuple[Entrance, SessionRules] | None:
    """A login's way into the practice of this address; None where it has none (P2: the answer is 404)."""
    membership = (
        Membership.objects.filter(user_id=user_id, practice__slug=slug, ended_at=None)
        .annotate(has_two_step=Exists(Authenticator.objects.filter(user_id=OuterRef("user_id"))))
        .select_related("practice")
        .first()
    )
    if membership is None:
        return None
    practice = membership.practice
    return (
        Entrance(practice_facts(practice), membership.staff_member_id),
        SessionRules(practice.requires_two_step and not membership.has_two_step, practice.idle_minutes),
    )


def person_actor(entrance: Entrance, user_id: int, *, now: datetime, request_id: str = "") -> Actor | None:
    """The actor for a person, read inside the practice's transaction; None where the staff member is inactive."""
    person = StaffMember.objects.filter(pk=entrance.staff_member_id, user_id=user_id, is_active=True).first()
    if person is None:
        return None
    return Actor(
        practice=entrance.practice,
        kind=ActorKind.PERSON,
        person_name=person.name,
        permissions=frozenset(Permission(value) for value in person.permissions),
        now=now,
        user_id=user_id,
        staff_member_id=person.pk,
        limited_to_assigned=person.limited_to_assigned,
        request_id=request_id,
    )

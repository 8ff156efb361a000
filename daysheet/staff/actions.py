"""Writes about staff: the practice's first owner, staff members and their logins.

Invariant: nobody edits their own permissions, and a change of permissions ends that person's sessions (P2).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from daysheet.audit.actions import record
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor, ActorKind, system_actor
from daysheet.practices.models import Membership, Practice, User
from daysheet.practices.permissions import Permission

from .actors import practice_facts
from .models import StaffMember


class PracticeAddressTaken(Refusal):
    """Another practice of this installation has the same address."""

    code = "practice_address_taken"


@dataclass(frozen=True, slots=True)
class NewOwner:
    """The first person of a practice. A known e-mail address keeps its login and password."""

    email: str
    first_name: str
    last_name: str
    password: str | None = None


def create_practice(
    *, slug: str, name: str, time_zone: str, owner: NewOwner, now: datetime, **facts: Any
) -> tuple[Practice, StaffMember]:
    """A practice with its owner, who is Organization Administrator. Raises PracticeAddressTaken.

    Called by the first-run page and the command line, where no actor exists yet.
    """
    with transaction.atomic():
        if Practice.objects.filter(slug=slug).exists():
            raise PracticeAddressTaken(f"The address “{slug}” is taken. Choose another one.")
        practice = Practice.objects.create(slug=slug, name=name, time_zone=time_zone, **facts)
        user = User.objects.filter(email__iexact=owner.email).first() or User.objects.create_user(
            owner.email, owner.password, name=f"{owner.first_name} {owner.last_name}"
        )
        actor = system_actor(practice_facts(practice), now, ActorKind.COMMAND)
        with practice_transaction(practice.pk):
            person = StaffMember.objects.create(
                first_name=owner.first_name,
                last_name=owner.last_name,
                email=owner.email.lower(),
                permissions=[Permission.ORGANIZATION_ADMINISTRATOR.value],
            )
            give_login(actor, person, user)
            record(actor, "create_practice", "practice", practice.pk, slug=slug)
    return practice, person


@action(Permission.ADMINISTRATOR)
def add_staff_member(
    actor: Actor, *, first_name: str, last_name: str, permissions: Iterable[Permission] = (), **facts: Any
) -> StaffMember:
    """A staff member without a login. Only an Organization Administrator makes another one."""
    granted = sorted(permission.value for permission in permissions if permission is not Permission.DEFAULT)
    if Permission.ORGANIZATION_ADMINISTRATOR in granted:
        actor.require(Permission.ORGANIZATION_ADMINISTRATOR)
    person = StaffMember.objects.create(first_name=first_name, last_name=last_name, permissions=granted, **facts)
    record(actor, "add_staff_member", "staff_member", person.pk, permissions=granted)
    return person


def give_login(actor: Actor, person: StaffMember, user: User) -> None:
    """Join a login to a staff member. Part of accepting an invitation and of creating a practice."""
    StaffMember.objects.filter(pk=person.pk).update(user=user)
    Membership.objects.create(practice_id=actor.practice.id, user=user, staff_member_id=person.pk)
    record(actor, "give_login", "staff_member", person.pk, user_id=user.pk)


def end_sessions(user_id: int) -> None:
    """End every session of a login, everywhere (P2)."""
    User.objects.filter(pk=user_id).update(session_epoch=F("session_epoch") + 1)

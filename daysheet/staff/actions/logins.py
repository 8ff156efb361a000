"""Joining logins to staff members, ending sessions, and the way back in for who lost a password."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from daysheet.audit.actions import record
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.actor import Actor, ActorKind, system_actor
from daysheet.practices.models import Membership, Practice, User
from daysheet.staff.actors import practice_facts
from daysheet.staff.models import StaffMember


class PasswordTooWeak(Refusal):
    """The password is short, common, or only digits."""

    code = "password_too_weak"


def give_login(actor: Actor, person: StaffMember, user: User) -> None:
    """Join a login to a staff member. Part of accepting an invitation and of creating a practice."""
    StaffMember.objects.filter(pk=person.pk).update(user=user)
    Membership.objects.create(practice_id=actor.practice.id, user=user, staff_member_id=person.pk)
    record(actor, "give_login", "staff_member", person.pk, user_id=user.pk)


def end_sessions(user_id: int) -> None:
    """End every session of a login, everywhere (P2)."""
    User.objects.filter(pk=user_id).update(session_epoch=F("session_epoch") + 1)


def set_password(*, email: str, password: str, remove_two_step: bool, now: datetime) -> User:
    """Give a login another password and end its sessions; the Activity Log of each of its practices says so. Called by
    the command line alone: whoever may run that holds the database. Raises NotFound, PasswordTooWeak."""
    user = User.objects.filter(email__iexact=email.strip()).first()
    if user is None:
        raise NotFound(f"There is no login with the address {email}.")
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise PasswordTooWeak(" ".join(weak.messages)) from weak
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        end_sessions(user.pk)
        if remove_two_step:
            Authenticator.objects.filter(user=user).delete()
    memberships = Membership.objects.filter(user=user, ended_at=None).values_list("practice_id", "staff_member_id")
    for practice_id, staff_member_id in memberships:
        actor = system_actor(practice_facts(Practice.objects.get(pk=practice_id)), now, ActorKind.COMMAND)
        with practice_transaction(practice_id):
            record(actor, "set_password", "staff_member", staff_member_id, two_step_removed=remove_two_step)
    return user

"""Joining logins to staff members, and ending sessions."""

from __future__ import annotations

from django.db.models import F

from daysheet.audit.actions import record
from daysheet.practices.actor import Actor
from daysheet.practices.models import Membership, User
from daysheet.staff.models import StaffMember


def give_login(actor: Actor, person: StaffMember, user: User) -> None:
    """Join a login to a staff member. Part of accepting an invitation and of creating a practice."""
    StaffMember.objects.filter(pk=person.pk).update(user=user)
    Membership.objects.create(practice_id=actor.practice.id, user=user, staff_member_id=person.pk)
    record(actor, "give_login", "staff_member", person.pk, user_id=user.pk)


def end_sessions(user_id: int) -> None:
    """End every session of a login, everywhere (P2)."""
    User.objects.filter(pk=user_id).update(session_epoch=F("session_epoch") + 1)

"""Invitations: a link with a secret makes the login of a staff member. Only the secret's hash is kept; the
secret itself comes from the invitation's id and the installation's key, so that its e-mail can be sent later.

Invariants: a link works once, for seven days, until it is withdrawn or replaced; it joins the login of the address it
was sent to and no other; whoever invites an Organization Administrator is one.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.crypto import salted_hmac

from daysheet.audit.actions import record
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor, ActorKind, PracticeFacts
from daysheet.practices.models import Membership, User
from daysheet.practices.permissions import Permission
from daysheet.staff.models import Invitation, StaffMember
from daysheet.staff.registry import InvitationLetter, post_invitation

from .logins import give_login

INVITATION_LASTS = timedelta(days=7)


class CannotInvite(Refusal):
    """The staff member has a login already, no e-mail address, or is inactive."""

    code = "cannot_invite"


class InvitationUnusable(Refusal):
    """The link was used, withdrawn, is too old, or is none."""

    code = "invitation_unusable"


class OtherLoginNeeded(Refusal):
    """The address has a login already, which must be signed in; or that login works here as somebody else."""

    code = "other_login_needed"


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """`token` is the secret; None where the same request was answered before: it is said once."""

    invitation_id: UUID
    token: str | None


@action(Permission.ADMINISTRATOR, audited=False)
def invite_staff_member(
    actor: Actor, staff_member_id: UUID, *, link_for: Callable[[str], str], invitation_id: UUID | None = None
) -> SentInvitation:
    """Send a link, which `link_for(token)` makes an address of; earlier links of the person stop working. The same id
    twice is one invitation. Raises CannotInvite, NotFound, NotAllowed."""
    person = StaffMember.objects.select_for_update(no_key=True).filter(pk=staff_member_id).first()
    if person is None:
        raise NotFound("There is no such staff member.")
    if Permission.ORGANIZATION_ADMINISTRATOR.value in person.permissions:
        actor.require(Permission.ORGANIZATION_ADMINISTRATOR)
    if invitation_id and Invitation.objects.filter(pk=invitation_id).exists():
        return SentInvitation(invitation_id, None)
    _refuse_uninvitable(person)
    invitation_id = invitation_id or new_id()
    token = _secret(actor.practice, invitation_id)
    _open_ones(person.pk).update(withdrawn_at=actor.now)
    invitation = Invitation.objects.create(
        pk=invitation_id,
        staff_member=person,
        email=person.email,
        token_hash=hash_of(token),
        created_at=actor.now,
        expires_at=actor.now + INVITATION_LASTS,
    )
    record(actor, "invite_staff_member", "staff_member", person.pk, invitation_id=str(invitation.pk))
    words = {"practice": actor.practice.name, "inviter": actor.person_name, "link": link_for(token)}
    text = render_to_string("staff/invitation.txt", words)
    post_invitation(actor, InvitationLetter(invitation.pk, person.pk, person.name, person.email, text, token))
    return SentInvitation(invitation.pk, token)


def secret_to_send(actor: Actor, invitation_id: UUID) -> str:
    """The secret of an invitation that still works, for its e-mail alone. Raises InvitationUnusable."""
    invitation = Invitation.objects.select_related("staff_member").filter(pk=invitation_id).first()
    token = _secret(actor.practice, invitation_id)
    if (
        invitation is None
        or invitation.accepted_at or invitation.withdrawn_at or invitation.expires_at <= actor.now
        # Another installation's key, or another address than the one that was invited.
        or invitation.token_hash != hash_of(token) or invitation.email != invitation.staff_member.email
    ):  # fmt: skip
        raise InvitationUnusable("The invitation no longer works. Invite the person again.")
    return token


@action(Permission.ADMINISTRATOR, audited=False)
def withdraw_invitation(actor: Actor, staff_member_id: UUID) -> None:
    """Make a person's open links stop working. Raises NotFound."""
    if not StaffMember.objects.filter(pk=staff_member_id).exists():
        raise NotFound("There is no such staff member.")
    if _open_ones(staff_member_id).update(withdrawn_at=actor.now):
        record(actor, "withdraw_invitation", "staff_member", staff_member_id)


def accept_invitation(
    practice: PracticeFacts, token: str, *, now: datetime, password: str | None = None, user: User | None = None
) -> User:
    """Use a link, inside the practice's transaction: with a chosen password, or as `user`, who is signed in and has
    the invited address. No actor exists yet: the secret is the authority. Raises InvitationUnusable and
    OtherLoginNeeded."""
    with transaction.atomic():
        invitation = Invitation.objects.select_related("staff_member").filter(token_hash=hash_of(token)).first()
        claimed = invitation and Invitation.objects.filter(
            pk=invitation.pk, accepted_at=None, withdrawn_at=None, expires_at__gt=now
        ).update(accepted_at=now)
        if invitation is None or not claimed:
            raise InvitationUnusable("This link no longer works. Ask an administrator of the practice for a new one.")
        person: StaffMember = invitation.staff_member
        login = _login_for(practice, invitation, password, user)
        actor = Actor(practice, ActorKind.PERSON, person.name, frozenset(), now, login.pk, person.pk)
        give_login(actor, person, login)
        record(actor, "accept_invitation", "staff_member", person.pk, invitation_id=str(invitation.pk))
    return login


def hash_of(token: str) -> str:
    """What is kept of a link's secret. It has 256 random bits: a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def _secret(practice: PracticeFacts, invitation_id: UUID) -> str:
    """256 bits that nobody can guess without the installation's key."""
    code = salted_hmac("daysheet.staff.Invitation", f"{practice.id}:{invitation_id}", algorithm="sha256")
    return urlsafe_b64encode(code.digest()).decode().rstrip("=")


def _refuse_uninvitable(person: StaffMember) -> None:
    if person.user_id is not None:
        raise CannotInvite(f"{person.name} has a login already.")
    if not person.email:
        raise CannotInvite(f"{person.name} has no e-mail address. Add one first.")
    if not person.is_active:
        raise CannotInvite(f"{person.name} is inactive. Make the person active first.")


def _open_ones(staff_member_id: UUID) -> QuerySet[Invitation]:
    return Invitation.objects.filter(staff_member_id=staff_member_id, accepted_at=None, withdrawn_at=None)


def _login_for(practice: PracticeFacts, invitation: Invitation, password: str | None, user: User | None) -> User:
    known = User.objects.filter(email__iexact=invitation.email).first()
    if known is None and password:
        return User.objects.create_user(invitation.email, password, name=invitation.staff_member.name)
    if known is None or user is None or known.pk != user.pk:
        raise OtherLoginNeeded(f"Sign in as {invitation.email} first, then open the link again.")
    if Membership.objects.filter(practice_id=practice.id, user_id=user.pk).exists():
        raise OtherLoginNeeded(f"{user.email} works at {practice.name} already, as another staff member.")
    return user

"""What is known of invitations. The secret of a link is itself the authority to read what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.practices.permissions import Permission
from daysheet.staff.actions.invitations import hash_of
from daysheet.staff.models import Invitation


@dataclass(frozen=True, slots=True)
class SeenInvitation:
    """What the holder of a link sees. `has_login`: the address signs in here already."""

    person_name: str
    email: str
    has_login: bool
    #: Why the link does not work; empty where it does.
    problem: str


def find_invitation(token: str, now: datetime) -> SeenInvitation | None:
    """What a link is for, inside its practice's transaction; None for an unknown secret."""
    invitation = Invitation.objects.select_related("staff_member").filter(token_hash=hash_of(token)).first()
    if invitation is None:
        return None
    return SeenInvitation(
        invitation.staff_member.name,
        invitation.email,
        User.objects.filter(email__iexact=invitation.email).exists(),
        _problem(invitation, now),
    )


@query(Permission.ADMINISTRATOR)
def latest_invitation(actor: Actor, staff_member_id: UUID) -> Invitation | None:
    """The newest invitation of a person."""
    return Invitation.objects.filter(staff_member_id=staff_member_id).order_by("-created_at", "-pk").first()


def _problem(invitation: Invitation, now: datetime) -> str:
    if invitation.accepted_at:
        return "This link was used already. Sign in with your e-mail and password."
    if invitation.withdrawn_at:
        return "This link was withdrawn or replaced by a newer one. Look for a later e-mail, or ask for a new one."
    if invitation.expires_at <= now:
        return "This link is older than seven days. Ask an administrator of the practice for a new one."
    return ""

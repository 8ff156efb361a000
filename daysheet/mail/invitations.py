"""A staff member's invitation as a message of the Delivery Log: its run is the invitation, so that one is sent at most
once. The link's secret is never stored: whoever reads the log cannot join in another's place."""

from __future__ import annotations

from daysheet.practices.actor import Actor
from daysheet.staff.actions import CannotInvite, secret_to_send
from daysheet.staff.registry import InvitationLetter

from .actions import Draft, Recipient, is_address, queue_messages
from .registry import HIDDEN, Kind

INVITATION = Kind("invitation", "Invitation", "Your invitation", secret_to_send)


def write_invitation(actor: Actor, letter: InvitationLetter) -> None:
    """Queue an invitation in the transaction that made it. Raises CannotInvite."""
    if not is_address(letter.address):
        raise CannotInvite(f"“{letter.address}” of {letter.name} is no e-mail address. Correct it first.")
    to = Recipient(letter.staff_member_id, letter.name, letter.address)
    draft = Draft(to, letter.text.replace(letter.secret, HIDDEN))
    queue_messages(actor, kind=INVITATION.name, run_id=letter.invitation_id, drafts=[draft])

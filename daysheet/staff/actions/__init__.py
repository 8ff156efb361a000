"""Writes about staff, one public function per verb."""

from .invitations import (
    CannotInvite,
    InvitationUnusable,
    OtherLoginNeeded,
    SentInvitation,
    accept_invitation,
    invite_staff_member,
    secret_to_send,
    withdraw_invitation,
)
from .logins import PasswordTooWeak, end_sessions, give_login, set_password
from .members import LastOwner, NpiWrong, OwnPermissions, StaffEmailTaken, add_staff_member, edit_staff_member
from .practices import (
    NewOwner,
    PracticeAddressTaken,
    PracticeAddressUnusable,
    create_first_practice,
    create_practice,
)

__all__ = [
    "CannotInvite",
    "InvitationUnusable",
    "LastOwner",
    "NewOwner",
    "NpiWrong",
    "OtherLoginNeeded",
    "OwnPermissions",
    "PasswordTooWeak",
    "PracticeAddressTaken",
    "PracticeAddressUnusable",
    "SentInvitation",
    "StaffEmailTaken",
    "accept_invitation",
    "add_staff_member",
    "create_first_practice",
    "create_practice",
    "edit_staff_member",
    "end_sessions",
    "give_login",
    "invite_staff_member",
    "secret_to_send",
    "set_password",
    "withdraw_invitation",
]

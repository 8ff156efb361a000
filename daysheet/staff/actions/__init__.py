"""Writes about staff, one public function per verb."""

from .logins import end_sessions, give_login
from .members import LastOwner, NpiWrong, OwnPermissions, StaffEmailTaken, add_staff_member, edit_staff_member
from .practices import (
    NewOwner,
    PracticeAddressTaken,
    PracticeAddressUnusable,
    create_first_practice,
    create_practice,
)

__all__ = [
    "LastOwner",
    "NewOwner",
    "NpiWrong",
    "OwnPermissions",
    "PracticeAddressTaken",
    "PracticeAddressUnusable",
    "StaffEmailTaken",
    "add_staff_member",
    "create_first_practice",
    "create_practice",
    "edit_staff_member",
    "end_sessions",
    "give_login",
]

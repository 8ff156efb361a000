"""Who may change whose access: pure decisions (P1, P2)."""

from __future__ import annotations

from collections.abc import Iterable

from daysheet.practices.permissions import Permission

#: A change of one of these changes what a person may do, and ends their sessions.
ACCESS_FACTS = frozenset({"permissions", "limited_to_assigned", "is_active"})
_OWNER = Permission.ORGANIZATION_ADMINISTRATOR.value


def stored_permissions(permissions: Iterable[Permission]) -> list[str]:
    """How permissions are stored: Default is left out (everybody has it), sorted, each once."""
    return sorted({permission.value for permission in permissions if permission is not Permission.DEFAULT})


def needs_owner(before: Iterable[str], after: Iterable[str] | None) -> bool:
    """Whether only an Organization Administrator may make this change: it is about somebody who is one, or will be."""
    return _OWNER in before or (after is not None and _OWNER in after)

"""Permission levels (product.md P1). Additive; only Organization Administrator implies the others."""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """What a staff member may do. The value is what is stored; `label` is what people read."""

    DEFAULT = "default"
    BILLING = "billing"
    SUBMIT_CLAIMS = "submit_claims"
    PROVIDER = "provider"
    ADMINISTRATOR = "administrator"
    ORGANIZATION_ADMINISTRATOR = "organization_administrator"

    @property
    def label(self) -> str:
        """The exact label of product.md section 3."""
        return self.value.replace("_", " ").title()


#: What can be ticked on a staff member's page; Default is what everybody has.
GRANTABLE = tuple(permission for permission in Permission if permission is not Permission.DEFAULT)


def allows(held: frozenset[Permission], wanted: Permission) -> bool:
    """Whether somebody with `held` may do what needs `wanted`."""
    return wanted is Permission.DEFAULT or wanted in held or Permission.ORGANIZATION_ADMINISTRATOR in held

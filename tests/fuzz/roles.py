"""Who asks: what they may do, and whose clients are theirs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from daysheet.clients.models import Client, ClientAssignment
from daysheet.practices.permissions import Permission, allows
from daysheet.staff.models import StaffMember
from tests.architecture import test_role_matrix as matrix
from tests.architecture.methods import OUTSIDE
from tests.architecture.world import World
from tests.people import Person


@dataclass(frozen=True)
class Role:
    """`person` (None: nobody has signed in) with these permissions; `own` and `others` are clients, both empty for
    somebody who may see all."""

    person: Person | None
    held: frozenset[Permission]
    own: tuple[UUID, ...] = ()
    others: tuple[UUID, ...] = ()

    def may(self, name: str) -> bool:
        """Whether the role matrix lets them into this address."""
        if name in OUTSIDE or name in matrix.PUBLIC:
            return True
        if self.person is None:
            return False
        also = matrix.ALSO.get(name, Permission.DEFAULT)
        return allows(self.held, matrix.NEEDS[name]) and allows(self.held, also)


def owner_of(world: World) -> Role:
    """Who may everything."""
    return Role(world.cast.alice, frozenset({Permission.ORGANIZATION_ADMINISTRATOR}))


def nobody() -> Role:
    """Who has not signed in."""
    return Role(None, frozenset())


def limited(world: World, person: Person, held: Collection[Permission]) -> Role:
    """`person` limited to assigned clients, with one: Zoe, of whom there is nothing yet. All ids of the world are of
    others."""
    StaffMember.objects.filter(pk=person.staff_member_id).update(
        limited_to_assigned=True, permissions=[permission.value for permission in held]
    )
    zoe = Client.objects.get(first_name="Zoe").pk
    ClientAssignment.objects.create(client_id=zoe, staff_member_id=person.staff_member_id)
    others = tuple(Client.objects.exclude(pk=zoe).values_list("pk", flat=True))
    assert world.ids["client"] in others
    return Role(person, frozenset(held), (zoe,), others)

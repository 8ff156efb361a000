"""Two more people of Alder Clinic for the journeys about permissions: Liam, who sees his assigned clients only, and
Vera, who loses a permission."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from .practice import _Builder

#: Days before today of the only appointments that Liam's journey looks at.
ASSIGNED = 200


def people_of_alder(builder: _Builder) -> None:
    """Liam may see Asa, whose group Uma is a member of; Ute is alone on the same day."""
    from daysheet.clients.actions import assign_staff
    from daysheet.practices.models import User
    from daysheet.practices.permissions import Permission
    from daysheet.staff.actions import add_staff_member, give_login
    from tests.people import PASSWORD

    for first, last, permissions, is_limited in (
        ("Liam", "Limited", [Permission.PROVIDER], True),
        ("Vera", "Visitor", [Permission.BILLING], False),
    ):
        email = f"{first.lower()}@alder.example"
        person = add_staff_member(
            builder.owner, first_name=first, last_name=last, permissions=permissions, email=email,
            limited_to_assigned=is_limited,
        )  # fmt: skip
        give_login(builder.owner, person, User.objects.create_user(email, PASSWORD, name=person.name))
        builder.practice.staff[first.lower()] = str(person.pk)
    asa, uma, ute = (builder.client(first, "Assignment") for first in ("Asa", "Uma", "Ute"))
    assign_staff(builder.owner, asa, UUID(builder.practice.staff["liam"]))
    builder.visit("asa", asa, builder.letter, days_ago=ASSIGNED)
    builder.visit("ute", ute, builder.letter, days_ago=ASSIGNED)
    builder.appointment("asas_group", [asa, uma], (builder.letter,), days_ago=ASSIGNED, title="Evening circle")

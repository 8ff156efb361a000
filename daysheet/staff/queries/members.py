"""Who works here, as the staff pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.practices.permissions import Permission
from daysheet.staff.models import CptLicense, StaffMember


@dataclass(frozen=True, slots=True)
class StaffDetails:
    """A staff member with what belongs to them. `is_licensed` and `year`: the current year in practice time."""

    person: StaffMember
    permission_labels: tuple[str, ...]
    login_email: str
    licensed_years: tuple[int, ...]
    is_licensed: bool
    year: int


@query(Permission.ADMINISTRATOR)
def matching_staff(actor: Actor, text: str = "", *, active: bool | None = True) -> QuerySet[StaffMember]:
    """Staff members whose name, e-mail or NPI holds every word of `text`; `active=None` for everybody. By name."""
    found = StaffMember.objects.order_by(Lower("last_name"), Lower("first_name"), "pk")
    if active is not None:
        found = found.filter(is_active=active)
    for word in text.split()[:6]:
        found = found.filter(
            Q(first_name__icontains=word)
            | Q(last_name__icontains=word)
            | Q(email__icontains=word)
            | Q(npi__startswith=word)
        )
    return found


@query(Permission.ADMINISTRATOR)
def get_staff_member(actor: Actor, staff_member_id: UUID) -> StaffMember:
    """One staff member. Raises NotFound."""
    person = StaffMember.objects.filter(pk=staff_member_id).first()
    if person is None:
        raise NotFound("There is no such staff member.")
    return person


@query(Permission.ADMINISTRATOR)
def staff_details(actor: Actor, staff_member_id: UUID) -> StaffDetails:
    """A staff member's page. Raises NotFound."""
    person = get_staff_member(actor, staff_member_id)
    held = CptLicense.objects.filter(staff_member=person).order_by("-year").values_list("year", flat=True)
    login = User.objects.filter(pk=person.user_id).values_list("email", flat=True).first() if person.user_id else None
    return StaffDetails(
        person=person,
        permission_labels=tuple(
            permission.label
            for permission in Permission
            if permission is Permission.DEFAULT or permission.value in person.permissions
        ),
        login_email=login or "",
        licensed_years=tuple(held),
        is_licensed=actor.today.year in held,
        year=actor.today.year,
    )

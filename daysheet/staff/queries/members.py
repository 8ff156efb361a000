"""Who works here, as the staff pages show them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember


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

"""Who may get the morning summary: it has counts and totals of the whole practice."""

from __future__ import annotations

from django.db.models.functions import Lower

from daysheet.practices.permissions import Permission, allows
from daysheet.staff.models import StaffMember


def may_get_summary() -> list[StaffMember]:
    """Active staff members with an address who hold Billing and see every client, by name. Asked when somebody is
    chosen, and again whenever a summary is sent."""
    people = StaffMember.objects.filter(is_active=True, limited_to_assigned=False).exclude(email="")
    return [
        person
        for person in people.order_by(Lower("last_name"), Lower("first_name"), "pk")
        if allows(frozenset(Permission(value) for value in person.permissions), Permission.BILLING)
    ]

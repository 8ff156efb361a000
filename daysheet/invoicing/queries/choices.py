"""What the drop-downs of invoicing offer."""

from __future__ import annotations

from dataclasses import dataclass

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType
from daysheet.services.rules import service_label
from daysheet.staff.models import StaffMember

#: (value, label)
Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class FilterChoices:
    """The filters of a search: every staff member who ever rendered, archived service types included."""

    staff: Pairs
    services: Pairs
    locations: Pairs


@dataclass(frozen=True, slots=True)
class ServiceChoices:
    """The service types that can be added to an invoice, with their rates in cents."""

    pairs: Pairs
    rates: dict[str, int]


@query(Permission.BILLING)
def filter_choices(actor: Actor) -> FilterChoices:
    """The filters of Batch Invoicing and Unbilled."""
    services = ServiceType.objects.order_by("code").values_list("pk", "code", "name")
    locations = Location.objects.order_by("name").values_list("pk", "name")
    return FilterChoices(
        staff=_people(active_only=False),
        services=[(str(pk), service_label(code, name)) for pk, code, name in services],
        locations=[(str(pk), name) for pk, name in locations],
    )


@query(Permission.BILLING)
def provider_choices(actor: Actor) -> Pairs:
    """Who may be chosen as rendering provider."""
    return _people(active_only=True)


@query(Permission.BILLING)
def service_choices(actor: Actor) -> ServiceChoices:
    """Service types that are not archived."""
    rows = ServiceType.objects.filter(archived_at=None).order_by("code").values_list("pk", "code", "name", "rate_cents")
    found = list(rows)
    return ServiceChoices(
        [(str(pk), service_label(code, name)) for pk, code, name, _ in found],
        {str(pk): rate for pk, _, _, rate in found},
    )


def _people(*, active_only: bool) -> Pairs:
    people = StaffMember.objects.filter(is_provider=True).order_by("last_name", "first_name", "pk")
    if active_only:
        people = people.filter(is_active=True)
    return [(str(person.pk), person.name_with_credentials) for person in people]

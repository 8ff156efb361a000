"""What the drop-downs of a rule offer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Lower

from daysheet.clients.models import Payer
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType
from daysheet.services.rules import service_label
from daysheet.staff.models import StaffMember

Pairs = list[tuple[UUID, str]]


@dataclass(frozen=True, slots=True)
class RuleChoices:
    """Everything that old dates of service may still have, archived and inactive ones included."""

    payers: Pairs
    staff: Pairs
    services: Pairs


@query(Permission.ADMINISTRATOR)
def rule_choices(actor: Actor) -> RuleChoices:
    """Insurers, providers and service types by name."""
    people = StaffMember.objects.filter(is_provider=True).order_by(Lower("last_name"), Lower("first_name"), "pk")
    services = ServiceType.objects.order_by("code").values_list("pk", "code", "name")
    return RuleChoices(
        payers=list(Payer.objects.order_by(Lower("name")).values_list("pk", "name")),
        staff=[(person.pk, person.name_with_credentials) for person in people],
        services=[(pk, service_label(code, name)) for pk, code, name in services],
    )

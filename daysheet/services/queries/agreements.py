"""What is agreed with a client about services: defaults and Set Payment Amounts. Needs Billing (P1)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Lower

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import ClientService
from .service_types import service_choices


@dataclass(frozen=True, slots=True)
class ClientServiceRow:
    """What is agreed with a client about one service. `is_archived`: it cannot be chosen any more."""

    service_type_id: UUID
    label: str
    rate_cents: int
    is_default: bool
    set_payment_amount_cents: int | None
    is_archived: bool


@query(Permission.BILLING)
def client_services(actor: Actor, client_id: UUID) -> list[ClientServiceRow]:
    """The client's default services and Set Payment Amounts per service, by code. Raises NotFound."""
    get_client(actor, client_id)
    rows = ClientService.objects.filter(client_id=client_id).select_related("service_type")
    return [
        ClientServiceRow(
            row.service_type_id,
            row.service_type.label,
            row.service_type.rate_cents,
            row.is_default,
            row.set_payment_amount_cents,
            row.service_type.archived_at is not None,
        )
        for row in rows.order_by(Lower("service_type__code"), "pk")
    ]


@query(Permission.BILLING)
def client_service(actor: Actor, client_id: UUID, service_type_id: UUID) -> ClientServiceRow:
    """What is agreed with a client about one service. Raises NotFound where nothing is."""
    for row in client_services(actor, client_id):
        if row.service_type_id == service_type_id:
            return row
    raise NotFound("Nothing is agreed with this client about that service type.")


@query(Permission.BILLING)
def services_without_agreement(actor: Actor, client_id: UUID) -> list[tuple[UUID, str]]:
    """Id and label of the service types in use about which nothing is agreed with the client yet."""
    agreed = {row.service_type_id for row in client_services(actor, client_id)}
    return [choice for choice in service_choices(actor) if choice[0] not in agreed]

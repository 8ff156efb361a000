"""Reads about service types and prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from daysheet.clients.queries import get_client, get_payer
from daysheet.clients.rules import in_force
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import ClientService, PayerRate, ServiceType


@query(Permission.DEFAULT)
def service_types(actor: Actor, text: str = "", *, archived: bool | None = False) -> QuerySet[ServiceType]:
    """Service types by code; every word of `text` is in code or name. `archived=None`: both."""
    found = (
        ServiceType.objects.all() if archived is None else ServiceType.objects.filter(archived_at__isnull=not archived)
    )
    for word in text.split():
        found = found.filter(Q(code__icontains=word) | Q(name__icontains=word))
    return found.order_by(Lower("code"), Lower("name"), "pk")


@query(Permission.DEFAULT)
def get_service_type(actor: Actor, service_type_id: UUID) -> ServiceType:
    """One service type, archived or not. Raises NotFound."""
    service = ServiceType.objects.filter(pk=service_type_id).first()
    if service is None:
        raise NotFound("There is no such service type.")
    return service


@query(Permission.DEFAULT)
def default_service_type_ids(actor: Actor, client_id: UUID) -> list[UUID]:
    """The services a new appointment of the client begins with (S2), by code. Raises NotFound."""
    get_client(actor, client_id)
    rows = ClientService.objects.filter(client_id=client_id, is_default=True, service_type__archived_at=None)
    return list(rows.order_by(Lower("service_type__code")).values_list("service_type_id", flat=True))


@query(Permission.DEFAULT)
def service_choices(actor: Actor) -> list[tuple[UUID, str]]:
    """Id and label of the service types in use, by code: for a drop-down."""
    return [(service.pk, service.label) for service in service_types(actor)]


#: The marks of the fees for visits that did not take place (S1); each on one service type in use at most.
FEE_FLAGS = ("is_no_show_fee", "is_late_cancel_fee", "is_canceled_fee")


@query(Permission.DEFAULT)
def fee_services(actor: Actor) -> dict[str, ServiceType]:
    """The service types in use that are a fee, by mark; a mark that nothing has is left out. One statement."""
    marked = ServiceType.objects.filter(
        Q(is_no_show_fee=True) | Q(is_late_cancel_fee=True) | Q(is_canceled_fee=True), archived_at=None
    )
    return {flag: service for service in marked for flag in FEE_FLAGS if getattr(service, flag)}


@query(Permission.ADMINISTRATOR)
def fee_choices(actor: Actor) -> list[tuple[UUID, str]]:
    """The service types that may be a fee: Non-CPT ones in use, by code."""
    return [(service.pk, service.label) for service in service_types(actor) if service.kind == ServiceType.Kind.NON_CPT]


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


@dataclass(frozen=True, slots=True)
class PayerRateRow:
    """A payer's rate of one service, in force on [starts_on, ends_on)."""

    id: UUID
    service_type_id: UUID
    label: str
    service_rate_cents: int
    rate_cents: int
    starts_on: date
    ends_on: date | None
    is_in_force: bool


@query(Permission.BILLING)
def payer_rates(actor: Actor, payer_id: UUID) -> list[PayerRateRow]:
    """The fee schedule of an insurer, by code and newest first. Raises NotFound."""
    get_payer(actor, payer_id)
    rows = PayerRate.objects.filter(payer_id=payer_id).select_related("service_type")
    return [
        PayerRateRow(
            row.pk,
            row.service_type_id,
            row.service_type.label,
            row.service_type.rate_cents,
            row.rate_cents,
            row.starts_on,
            row.ends_on,
            in_force(row.starts_on, row.ends_on, actor.today),
        )
        for row in rows.order_by(Lower("service_type__code"), "service_type_id", "-starts_on")
    ]


@query(Permission.BILLING)
def get_payer_rate(actor: Actor, rate_id: UUID) -> PayerRate:
    """One rate of a fee schedule, with its insurer and service. Raises NotFound."""
    rate = PayerRate.objects.filter(pk=rate_id).select_related("payer", "service_type").first()
    if rate is None:
        raise NotFound("There is no such rate.")
    return rate

"""Service types, and those that a client's appointments begin with."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import ClientService, ServiceType


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

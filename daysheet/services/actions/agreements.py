"""What is agreed with one client about one service: default service (S2), Set Payment Amount (B10)."""

from __future__ import annotations

from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.actions import lock_client
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import ClientService
from ..queries import get_service_type

_NOTHING_AGREED = {"is_default": False, "set_payment_amount_cents": None}


@action(Permission.BILLING, audited=False)
def set_client_service(
    actor: Actor,
    client_id: UUID,
    service_type_id: UUID,
    *,
    is_default: bool = False,
    set_payment_amount_cents: int | None = None,
) -> None:
    """Whether the client's appointments begin with a service (S2), and the client's own amount per unit of it (B10).
    Neither: the agreement is gone. Raises NotFound."""
    client = lock_client(actor, client_id)
    service = get_service_type(actor, service_type_id)
    agreed = ClientService.objects.filter(client=client, service_type=service)
    terms = {"is_default": is_default, "set_payment_amount_cents": set_payment_amount_cents}
    current = agreed.values(*terms).first()
    if current == terms or (current is None and terms == _NOTHING_AGREED):
        return
    if terms == _NOTHING_AGREED:
        agreed.delete()
    elif current is None:
        ClientService.objects.create(client=client, service_type=service, **terms)
    else:
        agreed.update(**terms)
    record(actor, "set_client_service", "client", client.pk, client_id=client.pk, code=service.code, **terms)

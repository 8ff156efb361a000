"""Which invoices and payments a period's documents are of."""

from __future__ import annotations

from uuid import UUID

from daysheet.clients.queries import get_client, visible_clients
from daysheet.invoicing.models import Invoice, InvoiceVoid
from daysheet.kit.errors import NotFound
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..rules import Period

#: More documents than these are a batch, and made by Batch Statements or Process Existing Invoices.
MOST_AT_ONCE = 100


@query(Permission.BILLING)
def invoices_of(actor: Actor, client_id: UUID, period: Period) -> list[UUID]:
    """A client's invoices issued in the period and not voided, by number; the first hundred. Raises NotFound."""
    get_client(actor, client_id)
    issued = Invoice.objects.filter(client_id=client_id, issued_on__range=(period.first_on, period.last_on))
    standing = issued.exclude(pk__in=InvoiceVoid.objects.values("invoice_id"))
    return list(standing.order_by("number").values_list("pk", flat=True)[:MOST_AT_ONCE])


@query(Permission.BILLING)
def payments_of(actor: Actor, client_id: UUID, period: Period) -> list[UUID]:
    """A client's payments received in the period, oldest first; the first hundred. Raises NotFound."""
    get_client(actor, client_id)
    received = Payment.objects.filter(client_id=client_id, received_on__range=(period.first_on, period.last_on))
    return list(received.order_by("received_on", "pk").values_list("pk", flat=True)[:MOST_AT_ONCE])


@query(Permission.BILLING)
def invoice_numbered(actor: Actor, number: int) -> Invoice:
    """The invoice of this number. Raises NotFound where there is none of a client this actor may see."""
    invoice = Invoice.objects.filter(number=number, client__in=visible_clients(actor)).first()
    if invoice is None:
        raise NotFound("There is no such invoice in this practice.")
    return invoice


@query(Permission.BILLING)
def clients_payment(actor: Actor, payment_id: UUID) -> Payment:
    """A client's payment. Raises NotFound where there is none this actor may see; insurers' money has no receipt."""
    payment = Payment.objects.filter(pk=payment_id, client__in=visible_clients(actor)).select_related("client").first()
    if payment is None:
        raise NotFound("There is no such payment of a client in this practice.")
    return payment

"""One payment: where it went, and the entries behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q

from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.ledger.models import Account
from daysheet.ledger.queries import payment_movements
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Payment
from .ledger import LedgerEntry, PaymentRow, explained, payment_row, with_returned


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """What of a payment stands on one invoice now, in cents."""

    number: int
    cents: int


@dataclass(frozen=True, slots=True)
class PaymentView:
    """The page of a payment."""

    client_id: UUID | None
    payer_id: UUID | None
    client_name: str
    row: PaymentRow
    created_at: datetime
    visit_on: date | None
    is_prepayment: bool
    charge_id: UUID | None
    invoices: tuple[PaidInvoice, ...]
    entries: tuple[LedgerEntry, ...]

    @property
    def returned_label(self) -> str:
        """What left a payment that the card processor brought may have been a chargeback."""
        return "Refunded or charged back" if self.charge_id else "Refunded"

    @property
    def is_card(self) -> bool:
        """A card payment is immutable but for applying (M6)."""
        return self.row.method_value == Payment.Method.CARD


@query(Permission.BILLING)
def payment_view(actor: Actor, payment_id: UUID) -> PaymentView:
    """Raises NotFound."""
    payments = Payment.objects.filter(seen_payments(actor), pk=payment_id)
    payment = with_returned(payments).select_related("client", "payer", "visit").first()
    if payment is None:
        raise NotFound("There is no such payment in this practice.")
    entries = tuple(explained(payment_movements(actor, payment_id)))
    return PaymentView(
        client_id=payment.client_id,
        payer_id=payment.payer_id,
        client_name=payment.from_name,
        row=payment_row(payment),
        created_at=payment.created_at,
        visit_on=payment.visit.service_on if payment.visit else None,
        is_prepayment=payment.is_prepayment,
        charge_id=payment.charge_id,
        invoices=tuple(_invoices(entries)),
        entries=entries,
    )


def _invoices(entries: tuple[LedgerEntry, ...]) -> list[PaidInvoice]:
    """Applications less what was taken off again, by invoice."""
    cents: dict[int, int] = {}
    for each in entries:
        if each.invoice_number is None or Account.CREDIT not in (each.entry.debit, each.entry.credit):
            continue
        sign = 1 if each.entry.debit is Account.CREDIT else -1
        cents[each.invoice_number] = cents.get(each.invoice_number, 0) + sign * each.entry.amount_cents
    return [PaidInvoice(number, amount) for number, amount in sorted(cents.items()) if amount]


def seen_payments(actor: Actor) -> Q:
    """The payments this actor may see: of visible clients; an insurer's only without a limit to assigned clients."""
    of_clients = Q(client__in=visible_clients(actor))
    return of_clients if actor.limited_to_assigned else of_clients | Q(client=None)

"""What is said of cards on a payment's page and on a client's Ledger. The callers found that the actor may see them."""

from __future__ import annotations

from uuid import UUID

from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.ledger.models import Account
from daysheet.ledger.queries import standing_entries
from daysheet.payments.models import Payment
from daysheet.payments.registry import Notice
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url

from ..actions import pending_clients
from ..models import CardRefund, CardRefundStep, Dispute, DisputeEnd
from ..rules import RefundState, refund_state_of


@query(Permission.BILLING)
def notices_of_payment(actor: Actor, payment_id: UUID) -> list[Notice]:
    """Chargebacks, and refunds that are not done."""
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None or payment.charge_id is None:
        return []
    disputes = Dispute.objects.filter(charge_id=payment.charge_id).order_by("opened_at")
    ends = dict(DisputeEnd.objects.filter(dispute__in=disputes).values_list("dispute_id", "outcome"))
    notices = [_chargeback(actor, payment, dispute, ends.get(dispute.pk)) for dispute in disputes]
    refunds = CardRefund.objects.filter(charge_id=payment.charge_id).order_by("requested_at")
    steps: dict[UUID, list[str]] = {refund.pk: [] for refund in refunds}
    for refund_id, state in CardRefundStep.objects.filter(refund__in=refunds).values_list("refund_id", "state"):
        steps[refund_id].append(state)
    return notices + [_refund(refund, refund_state_of(steps[refund.pk])) for refund in refunds]


@query(Permission.BILLING)
def notices_of_client(actor: Actor, client_id: UUID) -> list[Notice]:
    """Chargebacks that are not won, and a charge whose outcome is not known."""
    won = DisputeEnd.objects.filter(outcome=DisputeEnd.Outcome.WON).values("dispute_id")
    disputes = list(Dispute.objects.filter(charge__client_id=client_id).exclude(pk__in=won).order_by("opened_at"))
    payments = dict(
        Payment.objects.filter(charge_id__in=[each.charge_id for each in disputes]).values_list("charge_id", "pk")
    )
    notices = [
        Notice(
            f"Chargeback of {Money(each.amount_cents)} on {us_date(each.opened_at.date())}: the client’s bank took a "
            "card payment back, and what it paid is due again.", "error",
            practice_url(actor, "payments:payment", payment=payments[each.charge_id]), "Show the payment",
        )
        for each in disputes
        if each.charge_id in payments
    ]  # fmt: skip
    if pending_clients([client_id]):
        notices.append(
            Notice("A card charge of this client is not decided yet. It is not charged again until it is.", "warning")
        )
    return notices


def _chargeback(actor: Actor, payment: Payment, dispute: Dispute, outcome: str | None) -> Notice:
    taken = sum(
        entry.amount_cents
        for entry in standing_entries(actor, payment_id=payment.pk, debit=Account.CREDIT, event_id=dispute.pk)
        if entry.credit is Account.CASH
    )
    words = f"Chargeback of {Money(dispute.amount_cents)}, {us_date(dispute.opened_at.date())}"
    words += f" ({dispute.reason})" if dispute.reason else ""
    if outcome == DisputeEnd.Outcome.WON:
        return Notice(f"{words}: decided for the practice. The money came back and is credit.", "info")
    words += ": lost." if outcome else ": not decided yet."
    if taken < dispute.amount_cents:
        words += (
            f" {Money(taken)} of it is booked here: more was not left of the payment. "
            f"{Money(dispute.amount_cents - taken)} is to be cleared with the processor."
        )
    return Notice(words, "error")


def _refund(refund: CardRefund, state: RefundState) -> Notice:
    tone = {RefundState.FAILED: "error", RefundState.REFUNDED: "info"}.get(state, "warning")
    words = {
        RefundState.FAILED: "failed: the money is credit again",
        RefundState.REFUNDED: "was made",
        RefundState.UNKNOWN: "was sent; the processor has not answered yet",
        RefundState.REQUESTED: "is waiting to be sent",
    }[state]
    return Notice(f"The refund of {Money(refund.amount_cents)} to the card {words}.", tone)

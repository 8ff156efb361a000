"""What is said of cards on a payment's page and on a client's Ledger. The callers found that the actor may see them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from daysheet.kit.dates import local_date, us_date
from daysheet.kit.money import Money
from daysheet.ledger.models import Account
from daysheet.ledger.queries import standing_entries
from daysheet.payments.models import Payment
from daysheet.payments.registry import Notice
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url

from ..actions import undecided_charges
from ..models import (
    CardRefund,
    CardRefundDecision,
    CardRefundStep,
    ChargeDecision,
    ChargeStep,
    Dispute,
    DisputeEnd,
)
from ..refunding import SEND_AGAIN_WITHIN
from ..rules import RefundState, refund_state_of
from ..settling import open_refunds


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
    decisions = {each.refund_id: each for each in CardRefundDecision.objects.filter(refund__in=refunds)}
    notices += [_refund(actor, each, refund_state_of(steps[each.pk]), decisions.get(each.pk)) for each in refunds]
    return _by_hand(actor, payment.charge_id) + notices


@query(Permission.BILLING)
def notices_of_client(actor: Actor, client_id: UUID) -> list[Notice]:
    """Chargebacks that are not won, a charge whose outcome is not known, refunds of which nothing is told for a day."""
    won = DisputeEnd.objects.filter(outcome=DisputeEnd.Outcome.WON).values("dispute_id")
    disputes = list(Dispute.objects.filter(charge__client_id=client_id).exclude(pk__in=won).order_by("opened_at"))
    payments = dict(
        Payment.objects.filter(charge_id__in=[each.charge_id for each in disputes]).values_list("charge_id", "pk")
    )
    notices = [
        Notice(
            f"Chargeback of {Money(each.amount_cents)} on {_day(actor, each.opened_at)}: the client’s bank took a "
            "card payment back, and what it paid is due again.", "error",
            practice_url(actor, "payments:payment", payment=payments[each.charge_id]), "Show the payment",
        )
        for each in disputes
        if each.charge_id in payments
    ]  # fmt: skip
    for charge in undecided_charges([client_id]):
        words = f"A card charge of {Money(charge.amount_cents)} is not decided yet. No card is charged until it is."
        url = practice_url(actor, "cards:charge", charge=charge.pk)
        notices.append(Notice(words, "warning", url, "Show the charge"))
    for refund in open_refunds().filter(charge__client_id=client_id, requested_at__lte=actor.now - SEND_AGAIN_WITHIN):
        words = f"A refund of {Money(refund.amount_cents)} to a card is not decided: nothing was heard of it for a day."
        url = practice_url(actor, "cards:card_refund", card_refund=refund.pk)
        notices.append(Notice(words, "warning", url, "Show the refund"))
    return notices


def _by_hand(actor: Actor, charge_id: UUID) -> list[Notice]:
    """That somebody said what became of the charge, and whether the processor says otherwise."""
    decision = ChargeDecision.objects.filter(charge_id=charge_id).first()
    if decision is None:
        return []
    url, label = practice_url(actor, "cards:charge", charge=charge_id), "Show the charge"
    said = f"{decision.decided_by_name} marked this card charge as {decision.get_outcome_display().lower()} on "
    said += _day(actor, decision.decided_at)
    if decision.outcome == ChargeDecision.Outcome.NOT_CHARGED:
        words = f"{said}, and the processor said later that it came in. Was the client charged again meanwhile?"
        return [Notice(words, "warning", url, label)]
    heard = ChargeStep.objects.filter(charge_id=charge_id, state__in=["declined", "canceled"])
    if not heard.exists():
        return [Notice(f"{said}: {decision.reason}", "info", url, label)]
    words = f"{said}, but the processor says that it was not charged. If so, unapply and delete this payment."
    return [Notice(words, "error", url, label)]


def _chargeback(actor: Actor, payment: Payment, dispute: Dispute, outcome: str | None) -> Notice:
    taken = sum(
        entry.amount_cents
        for entry in standing_entries(actor, payment_id=payment.pk, debit=Account.CREDIT, event_id=dispute.pk)
        if entry.credit is Account.CASH
    )
    words = f"Chargeback of {Money(dispute.amount_cents)}, {_day(actor, dispute.opened_at)}"
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


def _day(actor: Actor, moment: datetime) -> str:
    """The day of a moment in practice time (S6)."""
    return us_date(local_date(moment, actor.practice.time_zone))


def _refund(actor: Actor, refund: CardRefund, state: RefundState, decision: CardRefundDecision | None) -> Notice:
    tone = {RefundState.FAILED: "error", RefundState.REFUNDED: "info"}.get(state, "warning")
    words = {
        RefundState.FAILED: "failed: the money is credit again",
        RefundState.REFUNDED: "was made",
        RefundState.UNKNOWN: "was sent; the processor has not answered yet",
        RefundState.REQUESTED: "is waiting to be sent",
        RefundState.NOT_MADE: "was not made: the money is credit again",
    }[state]
    if decision:
        words += f". {decision.decided_by_name} marked it as {decision.get_outcome_display().lower()} on "
        words += _day(actor, decision.decided_at)
        if decision.outcome == CardRefundDecision.Outcome.NOT_REFUNDED and state is RefundState.REFUNDED:
            tone = "error"
            words += ", and the processor said later that it was made. Look whether the client has it twice"
    url = practice_url(actor, "cards:card_refund", card_refund=refund.pk)
    return Notice(f"The refund of {Money(refund.amount_cents)} to the card {words}.", tone, url, "Show the refund")

"""What is learnt of a charge, written down: by answer, by asking, by webhook; whichever comes first, however often.

Every function runs in the caller's transaction, locks the client first (under that lock all client money moves), writes
a state at most once, and leaves the books the same whatever the order of the news. The payment of a charge is unique in
the database; refunds and chargebacks together never take more than the payment still has (M6).
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import local_date
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.ledger.actions import Movement, post, reverse
from daysheet.ledger.models import Account
from daysheet.ledger.queries import StandingEntry, standing_entries
from daysheet.payments.models import Payment
from daysheet.payments.receiving import NewPayment, application, receive
from daysheet.practices.actor import Actor

from .gateways.base import ChargeAnswer, ChargeStatus, News, NewsKind, RefundStatus
from .models import (
    CardRefund,
    CardRefundDecision,
    CardRefundStep,
    Charge,
    ChargeDecision,
    ChargeStep,
    Dispute,
    DisputeEnd,
)
from .rules import FINAL, REFUND_OVER, ChargeState, RefundState, outweighs, refund_state_of, state_of, to_take

_STATES = {
    ChargeStatus.CHARGED: ChargeState.CHARGED,
    ChargeStatus.DECLINED: ChargeState.DECLINED,
    ChargeStatus.CANCELED: ChargeState.CANCELED,
    ChargeStatus.WORKING: ChargeState.UNKNOWN,
}
_NEWS_STATES = {
    NewsKind.CHARGED: ChargeState.CHARGED,
    NewsKind.DECLINED: ChargeState.DECLINED,
    NewsKind.CANCELED: ChargeState.CANCELED,
}
_DISPUTE_WORDS = {
    NewsKind.DISPUTE_OPENED: "Chargeback",
    NewsKind.DISPUTE_WON: "Chargeback won",
    NewsKind.DISPUTE_LOST: "Chargeback lost",
}
_REFUND_STATES = {
    RefundStatus.REFUNDED: RefundState.REFUNDED,
    RefundStatus.FAILED: RefundState.FAILED,
    RefundStatus.WORKING: RefundState.UNKNOWN,
}


def charge_state_of(charge_id: UUID) -> ChargeState:
    """The state that counts now."""
    return state_of(ChargeStep.objects.filter(charge_id=charge_id).values_list("state", flat=True))


def take_answer(actor: Actor, charge: Charge, answer: ChargeAnswer) -> str:
    """The processor's answer about a charge. Returns what it meant, in words."""
    if answer.status is ChargeStatus.PREPARED:
        return "Not charged yet"
    if answer.amount_cents != charge.amount_cents:
        return _amount_differs(charge, answer.amount_cents)
    reason = "The processor is still working on it." if answer.status is ChargeStatus.WORKING else answer.reason
    return reach(actor, charge, _STATES[answer.status], reference=answer.reference, reason=reason)


def reach(
    actor: Actor,
    charge: Charge,
    state: ChargeState,
    *,
    reference: str = "",
    reason: str = "",
    received_on: date | None = None,
) -> str:
    """Write that a charge reached a state, unless it did before or a stronger one stands; money that came in becomes a
    payment, once, of today or of `received_on`. What contradicts a person's decision is written too (deciding.py)."""
    lock_clients([charge.client_id])
    reached = list(ChargeStep.objects.filter(charge=charge).values_list("state", flat=True))
    if state in reached:
        return "Known already"
    if state_of(reached) in FINAL and state is not ChargeState.CHARGED:
        return _said_otherwise(actor, charge, state, reason)
    ChargeStep.objects.create(charge=charge, state=state, at=actor.now, reference=reference[:200], reason=reason[:200])
    if state is ChargeState.CHARGED:
        _receive(actor, charge, received_on or local_date(actor.now, actor.practice.time_zone))
    if state in FINAL:
        record(
            actor, "settle_charge", "charge", charge.pk, client_id=charge.client_id, state=str(state),
            amount_cents=charge.amount_cents, why=reason[:200],
        )  # fmt: skip
    return state.label


def take_news(actor: Actor, charge: Charge, news: News) -> str:
    """A message about a charge. Returns what it meant, in words."""
    lock_clients([charge.client_id])
    if news.kind in _NEWS_STATES:
        if news.amount_cents != charge.amount_cents:
            return _amount_differs(charge, news.amount_cents)
        return reach(actor, charge, _NEWS_STATES[news.kind], reference=news.charge_reference, reason=news.reason)
    # A refund or dispute tells that the charge came in, even where that message is still on its way.
    reach(actor, charge, ChargeState.CHARGED, reference=news.charge_reference)
    if news.kind in {NewsKind.REFUNDED, NewsKind.REFUND_FAILED}:
        return _refund_news(actor, charge, news)
    return _dispute_news(actor, charge, news)


def refund_state_now(refund_id: UUID) -> RefundState:
    """The state that counts now."""
    return refund_state_of(CardRefundStep.objects.filter(refund_id=refund_id).values_list("state", flat=True))


def open_refunds() -> QuerySet[CardRefund]:
    """Those whose money is out and of which neither the processor nor a person has said what became."""
    over = CardRefundStep.objects.filter(refund=OuterRef("pk"), state__in=REFUND_OVER)
    return CardRefund.objects.filter(~Exists(over)).order_by("requested_at", "pk")


def settle_refund(actor: Actor, refund: CardRefund, state: RefundState, reason: str = "") -> str:
    """Write that a refund reached a state; one that was not made gives its money back to credit, and takes it again
    where the processor says later that it was."""
    lock_clients([refund.charge.client_id])
    before = refund_state_now(refund.pk)
    if not outweighs(state, before):
        return "Known already"
    CardRefundStep.objects.create(refund=refund, state=state, at=actor.now, reason=reason[:200])
    if state is RefundState.FAILED:
        _comes_back(actor, refund, f"The refund failed: {reason}")
    if state is RefundState.NOT_MADE:
        _comes_back(actor, refund, f"The refund was not made: {reason}")
    if state is RefundState.REFUNDED and before is RefundState.NOT_MADE:
        _goes_out(actor, refund, "The refund was made after all")
    if state in {RefundState.REFUNDED, RefundState.FAILED}:
        record(
            actor, "settle_card_refund", "card_refund", refund.pk, client_id=refund.charge.client_id,
            state=str(state), amount_cents=refund.amount_cents,
        )  # fmt: skip
    return state.label


def refund_state_from(status: RefundStatus) -> RefundState:
    """The state for a gateway's answer."""
    return _REFUND_STATES[status]


def _said_otherwise(actor: Actor, charge: Charge, state: ChargeState, reason: str) -> str:
    """A charge that somebody marked as charged, and the processor says it was not: both stay readable, and the
    payment's page tells of it (notices.py). The money itself is a person's to put right."""
    by_hand = ChargeDecision.objects.filter(charge=charge, outcome=ChargeDecision.Outcome.CHARGED)
    if state not in FINAL or not by_hand.exists():
        return "Known already"
    ChargeStep.objects.create(charge=charge, state=state, at=actor.now, reason=reason[:200])
    record(
        actor, "contradict_charge", "charge", charge.pk, client_id=charge.client_id, state=str(state),
        amount_cents=charge.amount_cents, why=reason[:200],
    )  # fmt: skip
    return f"{state.label}, although it was marked as charged"


def _receive(actor: Actor, charge: Charge, on: date) -> None:
    """The payment of a charge: the oldest date of service first, the rest credit. Its request key is the charge."""
    receive(
        actor,
        [
            NewPayment(
                charge.pk, charge.client_id, charge.amount_cents, Payment.Method.CARD, on,
                notes=charge.card.label, charge_id=charge.pk,
            )
        ],
    )  # fmt: skip


def _refund_news(actor: Actor, charge: Charge, news: News) -> str:
    state = RefundState.REFUNDED if news.kind is NewsKind.REFUNDED else RefundState.FAILED
    refund = CardRefund.objects.filter(charge=charge, pk=news.refund_id).first() if news.refund_id else None
    if refund is None:
        refund = _refund_made_elsewhere(actor, charge, news)
    return settle_refund(actor, refund, state, news.reason) if refund else "A refund that is not known here failed"


def _refund_made_elsewhere(actor: Actor, charge: Charge, news: News) -> CardRefund | None:
    """A refund made at the processor's own desk: what of it is still there goes out of the books."""
    known = _refund_known_as(charge, news.refund_reference[:200])
    if known or news.kind is NewsKind.REFUND_FAILED:
        # Failed before it was heard of: written down, so that its first message, coming late, finds it.
        return known or _new_refund(actor, charge, news)
    refund = _new_refund(actor, charge, news)
    _goes_out(actor, refund, "Refunded at the card processor")
    return refund


def _refund_known_as(charge: Charge, reference: str) -> CardRefund | None:
    """The refund that the processor calls so: heard of before, or marked as refunded under this reference."""
    if not reference:
        return None
    marked = CardRefundDecision.objects.filter(reference=reference).values("refund_id")
    return CardRefund.objects.filter(Q(reference=reference) | Q(pk__in=marked), charge=charge).first()


def _goes_out(actor: Actor, refund: CardRefund, reason: str) -> None:
    """The money of a refund that has happened, as far as it is still there."""
    payment = Payment.objects.select_for_update(no_key=True).get(charge_id=refund.charge_id)
    cents = to_take(refund.amount_cents, 0, kept_cents(actor, payment))
    _give_back(actor, payment, cents, refund.pk, reason)


def _comes_back(actor: Actor, refund: CardRefund, reason: str) -> None:
    """The money of a refund that did not happen is credit; what a chargeback still wants of it goes there."""
    payment = Payment.objects.get(charge_id=refund.charge_id)
    out = [entry.id for entry in _given_back(actor, payment, refund.pk)]
    reverse(actor, out, event_id=new_id(), reason=reason[:400])
    _take_disputed(actor, payment, refund.charge)


def _new_refund(actor: Actor, charge: Charge, news: News) -> CardRefund:
    return CardRefund.objects.create(
        charge=charge, amount_cents=news.amount_cents, requested_at=actor.now, requested_by_name="Card processor",
        reason="Refunded at the card processor", reference=news.refund_reference[:200],
    )  # fmt: skip


def _dispute_news(actor: Actor, charge: Charge, news: News) -> str:
    dispute, is_new = Dispute.objects.get_or_create(
        charge=charge, reference=news.dispute_reference[:200],
        defaults={
            "amount_cents": news.amount_cents, "reason": news.reason[:200], "opened_at": news.occurred_at,
        },
    )  # fmt: skip
    payment = Payment.objects.select_for_update(no_key=True).get(charge_id=charge.pk)
    if news.kind is not NewsKind.DISPUTE_OPENED and not DisputeEnd.objects.filter(dispute=dispute).exists():
        outcome = DisputeEnd.Outcome.WON if news.kind is NewsKind.DISPUTE_WON else DisputeEnd.Outcome.LOST
        DisputeEnd.objects.create(dispute=dispute, outcome=outcome, at=actor.now)
        if outcome is DisputeEnd.Outcome.WON:
            taken = [entry.id for entry in _given_back(actor, payment, dispute.pk)]
            reverse(actor, taken, event_id=new_id(), reason="The chargeback was decided for the practice")
        is_new = True
    _take_disputed(actor, payment, charge)
    if not is_new:
        return "Known already"
    record(
        actor, "settle_dispute", "dispute", dispute.pk, client_id=charge.client_id, news=str(news.kind),
        amount_cents=dispute.amount_cents,
    )  # fmt: skip
    return _DISPUTE_WORDS[news.kind]


def _take_disputed(actor: Actor, payment: Payment, charge: Charge) -> None:
    """Every chargeback that was not won has its money, as far as the payment still has any."""
    disputes = Dispute.objects.filter(charge=charge).exclude(
        pk__in=DisputeEnd.objects.filter(outcome=DisputeEnd.Outcome.WON).values("dispute_id")
    )
    for dispute in disputes.order_by("opened_at", "pk"):
        taken = sum(entry.amount_cents for entry in _given_back(actor, payment, dispute.pk))
        cents = to_take(dispute.amount_cents, taken, kept_cents(actor, payment))
        _give_back(actor, payment, cents, dispute.pk, f"Chargeback: {dispute.reason or dispute.reference}")


def kept_cents(actor: Actor, payment: Payment) -> int:
    """What the practice still has of a payment: received less refunded, charged back and reversed."""
    standing = standing_entries(actor, payment_id=payment.pk)
    received = sum(entry.amount_cents for entry in standing if entry.debit is Account.CASH)
    return received - sum(entry.amount_cents for entry in standing if entry.credit is Account.CASH)


def _given_back(actor: Actor, payment: Payment, event_id: UUID) -> list[StandingEntry]:
    entries = standing_entries(actor, payment_id=payment.pk, debit=Account.CREDIT, event_id=event_id)
    return [entry for entry in entries if entry.credit is Account.CASH]


def _give_back(actor: Actor, payment: Payment, cents: int, event_id: UUID, reason: str) -> None:
    """Money that left through the processor: from credit, and where that is not enough from what is applied, the last
    application first."""
    if not cents:
        return
    _free(actor, payment, cents, reason)
    movement = Movement(
        Account.CREDIT, Account.CASH, cents, payment.client_id, actor.today, payment_id=payment.pk, reason=reason[:400]
    )
    post(actor, [movement], event_id=event_id)


def _free(actor: Actor, payment: Payment, cents: int, reason: str) -> None:
    """Unapply until `cents` of the payment are credit. Of the last line that is taken off, the rest goes back on."""
    missing = cents - Payment.objects.values_list("unapplied_cents", flat=True).get(pk=payment.pk)
    applied = [
        entry
        for entry in standing_entries(actor, payment_id=payment.pk, debit=Account.CREDIT)
        if entry.credit is Account.CLIENT_RECEIVABLE
    ]
    for entry in reversed(applied):
        if missing <= 0:
            return
        event_id = new_id()
        reverse(actor, [entry.id], event_id=event_id, reason=reason[:400])
        if entry.amount_cents > missing and entry.line_id and payment.client_id:
            issued_on = InvoiceLine.objects.values_list("invoice__issued_on", flat=True).get(pk=entry.line_id)
            rest = application(
                payment.client_id, payment.pk, entry.line_id, entry.amount_cents - missing, on=actor.today,
                issued_on=issued_on,
            )  # fmt: skip
            post(actor, [rest], event_id=event_id)
        missing -= entry.amount_cents


def _amount_differs(charge: Charge, cents: int) -> str:
    return f"Not booked: the processor says {Money(cents)}, asked was {Money(charge.amount_cents)}"

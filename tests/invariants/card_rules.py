"""What the card processor does to a practice's money, for the random histories: charges that come in, news of them
twice and in any order, refunds both ways, chargebacks won and lost, and a person's word where it says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from daysheet.cards.actions import request_refund
from daysheet.cards.charging import processor_actor
from daysheet.cards.deciding import mark_charged, mark_not_charged
from daysheet.cards.deciding_refunds import mark_not_refunded, mark_refunded
from daysheet.cards.gateways.base import News, NewsKind
from daysheet.cards.models import (
    CardRefund,
    CardRefundStep,
    CardSetup,
    Charge,
    ChargeRun,
    ChargeStep,
    Dispute,
    ProcessorAccount,
    StoredCard,
)
from daysheet.cards.rules import RefundState
from daysheet.cards.settling import settle_refund
from daysheet.cards.webhooks import take_message
from daysheet.kit.ids import new_id
from daysheet.payments.models import Payment

if TYPE_CHECKING:
    from .histories import History

_TOLD = (
    NewsKind.CHARGED, NewsKind.CHARGED, NewsKind.DECLINED, NewsKind.CANCELED, NewsKind.REFUNDED,
    NewsKind.DISPUTE_OPENED, NewsKind.DISPUTE_WON, NewsKind.DISPUTE_LOST,
)  # fmt: skip


def store_cards(history: History) -> None:
    """A card of every client, at a processor that is only spoken of. Call inside the practice's transaction."""
    now = history.actor.now
    account = ProcessorAccount.objects.create(
        kind="simulated", api_key_sealed="x", connected_at=now, connected_by_name="Alice"
    )
    for client_id in history.clients:
        setup = CardSetup.objects.create(
            client_id=client_id, account=account, reference=f"ss_{client_id}", started_at=now, started_by_name="Bob"
        )
        StoredCard.objects.create(
            client_id=client_id, setup=setup, account=account, customer="cu", token="card_ok", brand="visa",
            last4="0001", expires_month=1, expires_year=2030, saved_at=now,
        )  # fmt: skip


def card_is_charged(history: History) -> None:
    """Sent, and mostly told of at once: at most what is due, or more, which is credit."""
    card = history.pick(StoredCard.objects.all())
    run = ChargeRun.objects.create(
        created_at=history.actor.now, created_by_name="Bob", expected_count=1, expected_cents=1,
        finished_at=history.actor.now,
    )  # fmt: skip
    charge = Charge.objects.create(
        run=run, client_id=card.client_id, card=card,
        amount_cents=history.random.choice([500, 2_500, 4_000, 15_000, 40_000]),
    )  # fmt: skip
    for state in ("requested", "sent"):
        ChargeStep.objects.create(charge=charge, state=state, at=history.actor.now, reference=f"sc_{charge.pk}")
    if history.random.random() < 0.7:
        _tell(history, charge, NewsKind.CHARGED)


def processor_tells(history: History) -> None:
    """Something of some charge: new, known already, or the opposite of what was said."""
    charge = history.pick(Charge.objects.all())
    _tell(history, charge, history.random.choice(_TOLD))


def refund_to_the_card(history: History) -> None:
    """Asked for here; then the processor makes it, refuses it, or says nothing yet."""
    payment = history.pick(Payment.objects.exclude(charge_id=None), unapplied_cents__gt=0)
    refund_id = request_refund(
        history.actor, refund_id=new_id(), payment_id=payment.pk, amount_cents=history.cents(payment.unapplied_cents),
        reason="Overpaid",
    )  # fmt: skip
    _settle(history, CardRefund.objects.select_related("charge").get(pk=refund_id))


def refund_is_heard_of(history: History) -> None:
    """Also of one that somebody said was not made."""
    over = CardRefundStep.objects.filter(state__in=["refunded", "failed"]).values("refund_id")
    _settle(history, history.pick(CardRefund.objects.exclude(pk__in=over).select_related("charge")))


def somebody_decides_a_charge(history: History) -> None:
    final = ChargeStep.objects.filter(state__in=["charged", "declined", "canceled"]).values("charge_id")
    charge = history.pick(Charge.objects.exclude(pk__in=final))
    facts: dict[str, Any] = {"request_key": new_id(), "charge_id": charge.pk, "reason": "Seen at the processor"}
    if history.random.random() < 0.5:
        mark_not_charged(history.owner_now, **facts)
    else:
        on = history.actor.today - timedelta(days=history.random.choice([0, 1, 9]))
        mark_charged(history.owner_now, reference="sc_desk", received_on=on, **facts)


def somebody_decides_a_refund(history: History) -> None:
    over = CardRefundStep.objects.filter(state__in=["not_made", "refunded", "failed"]).values("refund_id")
    refund = history.pick(CardRefund.objects.exclude(pk__in=over))
    facts: dict[str, Any] = {"request_key": new_id(), "refund_id": refund.pk, "reason": "Seen at the processor"}
    later = replace(history.owner_now, now=history.actor.now + timedelta(hours=21))
    if history.random.random() < 0.6:
        mark_not_refunded(later, **facts)
    else:
        mark_refunded(history.owner_now, reference="sr_desk", **facts)


#: As histories.RULES.
CARD_RULES = {
    card_is_charged: 5,
    processor_tells: 6,
    refund_to_the_card: 3,
    refund_is_heard_of: 2,
    somebody_decides_a_charge: 2,
    somebody_decides_a_refund: 2,
}


def _tell(history: History, charge: Charge, kind: NewsKind) -> None:
    """A message; one in four was sent before."""
    actor = processor_actor(history.actor.practice, history.actor.now)
    own = CardRefund.objects.filter(charge=charge).order_by("pk").values_list("pk", "amount_cents")
    refund_id: UUID | None = None
    cents = charge.amount_cents
    if kind is NewsKind.REFUNDED:
        # Made at the processor's own desk, or asked for here.
        refund_id, cents = history.random.choice([*own, (None, history.random.randint(1, charge.amount_cents))])
    if kind in {NewsKind.DISPUTE_OPENED, NewsKind.DISPUTE_WON, NewsKind.DISPUTE_LOST}:
        opened = Dispute.objects.filter(charge=charge).values_list("amount_cents", flat=True).first()
        cents = opened or history.random.choice([charge.amount_cents, charge.amount_cents // 2 or 1])
    news = News(
        message_ref=f"{kind}-{charge.pk}-{history.random.randrange(4)}", kind=kind, occurred_at=history.actor.now,
        charge_id=charge.pk, charge_reference=f"sc_{charge.pk}", amount_cents=cents, refund_id=refund_id,
        refund_reference=f"sr_{history.random.randrange(3)}", dispute_reference=f"sd_{charge.pk}",
    )  # fmt: skip
    take_message(actor, charge.card.account, news)


def _settle(history: History, refund: CardRefund) -> None:
    actor = processor_actor(history.actor.practice, history.actor.now)
    settle_refund(actor, refund, RefundState.UNKNOWN)
    if history.random.random() < 0.7:
        settle_refund(actor, refund, history.random.choice([RefundState.REFUNDED, RefundState.FAILED]), "Told later")

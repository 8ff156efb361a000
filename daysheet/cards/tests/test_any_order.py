"""Each message replayed, in any order: from the browser's form to the gateway's answer and back through webhooks, the
books end the same, and the client is charged once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daysheet.cards import charging
from daysheet.cards.gateways.base import ChargeOrder
from daysheet.cards.models import Charge, Dispute
from daysheet.cards.rules import ChargeState
from daysheet.cards.settling import kept_cents, take_answer
from daysheet.payments.models import Payment
from daysheet.payments.tests.desk import pay
from tests.people import NOW

from .desk import CardDesk, due, payment_of, state

pytestmark = pytest.mark.system

#: What happens at the processor beside the charge of 40.00: (name, what is kept in the end).
STORIES = {
    "charged": 4_000,
    "refunded there": 3_000,
    "refunded there in two parts": 1_500,
    "disputed": 0,
    "disputed in part": 2_500,
    "dispute won": 4_000,
    "dispute lost": 0,
    "refunded and disputed": 0,
}


@dataclass
class Sent:
    """A charge whose confirmation left and whose answer has not been heard: from here on everything may be replayed."""

    desk: CardDesk
    client: UUID
    run_id: UUID
    card: UUID
    charge: Charge

    def happens(self, story: str) -> None:
        """At the processor; its messages wait."""
        processor, reference = self.desk.processor, self.desk.processor.charges()[0]["id"]
        if "refunded" in story:
            processor.refund_at_desk(reference, 1_000)
        if "two parts" in story:
            processor.refund_at_desk(reference, 1_500)
        if "dispute" in story:
            processor.dispute(reference, amount_cents=1_500 if "part" in story else None)
        if story.endswith(("won", "lost")):
            processor.dispute(reference, story.rsplit(" ", 1)[1])

    def moves(self) -> list[Callable[[], object]]:
        """Everything that can come, each of it twice."""
        desk = self.desk
        answer = desk.gateway.look_up(desk.processor.charges()[0]["id"])
        again: list[Callable[[], object]] = [
            lambda: desk.start((self.client, self.card, 4_000), run_id=self.run_id),
            lambda: desk.run(self.run_id),
            lambda: take_answer(desk.processor_actor, self.charge, answer),
            lambda: charging.resolve_charges(desk.clinic.cast.alder, NOW),
        ]
        heard = [lambda message=message: desk.hear(message) for message in desk.sent]
        return (again + heard) * 2


def sent_charge(desk: CardDesk) -> Sent:
    """Confirmed by a person, prepared, marked as sent, charged at the processor; then our process heard nothing."""
    client = desk.client_owing()
    card = desk.card(client)
    desk.sent.clear()
    run_id = desk.start((client, card, 4_000))
    charge = Charge.objects.get(run_id=run_id)
    job = desk.job(run_id)
    order = ChargeOrder(charge.pk, 4_000, charge.card.customer, charge.card.token)
    reference = desk.gateway.prepare(order)
    assert charging._mark_sent(job, charge.pk, reference)
    desk.gateway.confirm(order, reference)
    return Sent(desk, client, run_id, card, charge)


@pytest.mark.parametrize("story", STORIES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_in_any_order_and_twice_the_books_end_the_same(desk: CardDesk, story: str, data: st.DataObject) -> None:
    with transaction.atomic():
        sent = sent_charge(desk)
        sent.happens(story)
        moves = sent.moves()
        for place in data.draw(st.permutations(range(len(moves)))):
            moves[place]()
            desk.books_agree(sent.client)
        payment = payment_of(sent.charge)
        assert state(sent.charge) is ChargeState.CHARGED
        assert Payment.objects.count() == Charge.objects.count() == len(desk.processor.charges()) == 1
        assert desk.processor.taken_cents() - _disputed(desk) == kept_cents(desk.biller, payment) == STORIES[story]
        # The client owes again what was taken back; a chargeback that was won is credit, and applies only by hand.
        assert due(sent.client) - payment.unapplied_cents == 4_000 - STORIES[story]
        transaction.set_rollback(True)
    _forget(desk)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_beside_our_own_refund_and_a_cheque_too(desk: CardDesk, data: st.DataObject) -> None:
    """A refund asked for here, one at the processor's desk, a chargeback of everything: never more than came in."""
    with transaction.atomic():
        client = desk.client_owing()
        pay(desk.biller, client, 2_000)
        charge = desk.charge(client, desk.card(client), 4_000, credit_cents=2_000)
        payment = payment_of(charge)
        desk.refund(payment.pk, 500)
        reference = desk.processor.charges()[0]["id"]
        desk.processor.refund_at_desk(reference, 700)
        desk.processor.dispute(reference)
        messages = desk.sent * 2
        for place in data.draw(st.permutations(range(len(messages)))):
            desk.hear(messages[place])
            assert 0 <= kept_cents(desk.biller, payment) <= 4_000
            desk.books_agree(client)
        payment.refresh_from_db()
        assert (kept_cents(desk.biller, payment), payment.unapplied_cents, due(client)) == (0, 0, 2_000)
        assert Dispute.objects.count() == 1
        transaction.set_rollback(True)
    _forget(desk)


def test_two_messages_with_one_reference_are_one_message(desk: CardDesk) -> None:
    sent = sent_charge(desk)
    assert desk.hear(*desk.sent, *desk.sent) == ["Charged", "Heard before"]
    other = CardDesk(desk.clinic, desk.account, desk.processor, desk.gateway)
    assert other.start((sent.client, sent.card, 4_000), run_id=sent.run_id) == sent.run_id
    assert uuid4() != sent.run_id and Payment.objects.count() == 1


def _disputed(desk: CardDesk) -> int:
    """What the banks hold back now, by the processor's own messages."""
    opened = {each.message["dispute"]: each.message["amount_cents"] for each in desk.sent if "dispute" in each.message}
    won = {each.message["dispute"] for each in desk.sent if each.message["kind"] == "dispute_won"}
    held = sum(cents for dispute, cents in opened.items() if dispute not in won)
    return min(held, desk.processor.taken_cents())


def _forget(desk: CardDesk) -> None:
    """The processor has no transaction to roll back."""
    desk.processor._rows.execute("DELETE FROM rows")
    desk.sent.clear()

"""Refunds through the gateway, chargebacks, deleting: one budget, and it shows."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from daysheet.cards.actions import NotACharge, request_refund
from daysheet.cards.gateways.base import AnswerLost, GatewayRefused, GatewayUnavailable
from daysheet.cards.jobs import resolve_everywhere
from daysheet.cards.models import CardRefund, Dispute
from daysheet.cards.queries.notices import notices_of_client, notices_of_payment
from daysheet.cards.refunding import carry_out_refund
from daysheet.cards.settling import kept_cents
from daysheet.clients.actions import assign_staff
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.models import Entry
from daysheet.payments.corrections import (
    AmountNotPositive,
    CardPaymentFixed,
    MoreThanThere,
    PaymentReversed,
    ReasonMissing,
    refund_payment,
    reverse_payment,
    unapply,
)
from daysheet.payments.models import Payment
from daysheet.payments.redating import edit_payment
from daysheet.payments.tests.desk import pay
from daysheet.staff.models import StaffMember
from tests.people import NOW

from .desk import CardDesk, due, payment_of, refund_steps


@pytest.fixture
def paid(desk: CardDesk) -> Payment:
    """50.00 by card: 40.00 applied, 10.00 credit."""
    client = desk.client_owing()
    return payment_of(desk.charge(client, desk.card(client), 5_000, credit_cents=1_000))


def left(payment: Payment) -> int:
    return Payment.objects.get(pk=payment.pk).unapplied_cents


def test_a_refund_leaves_credit_at_once_and_goes_back_to_the_card(desk: CardDesk, paid: Payment) -> None:
    refund = desk.refund(paid.pk, 600)
    assert (left(paid), refund_steps(refund)) == (400, {"requested", "unknown", "refunded"})
    assert desk.processor.taken_cents() == 4_400 == kept_cents(desk.biller, paid)
    desk.hear()
    assert (left(paid), desk.processor.taken_cents(), CardRefund.objects.count()) == (400, 4_400, 1)
    assert "The refund of $6.00 to the card was made." in notices_of_payment(desk.biller, paid.pk)[0].text


def test_the_same_refund_form_twice_is_one_refund(desk: CardDesk, paid: Payment) -> None:
    refund = uuid4()
    desk.refund(paid.pk, 600, refund)
    desk.refund(paid.pk, 600, refund)
    assert (left(paid), desk.processor.taken_cents()) == (400, 4_400)


def test_what_cannot_be_refunded_is_refused(desk: CardDesk, paid: Payment) -> None:
    def ask(cents: int, reason: str = "Overpaid", payment: object = paid.pk) -> None:
        request_refund(desk.biller, refund_id=uuid4(), payment_id=payment, amount_cents=cents, reason=reason)

    with pytest.raises(MoreThanThere):
        ask(1_001)
    with pytest.raises(AmountNotPositive):
        ask(0)
    with pytest.raises(ReasonMissing):
        ask(100, " ")
    with pytest.raises(NotACharge):
        ask(100, payment=pay(desk.biller, paid.client_id, 100).payment_id)
    with pytest.raises(NotFound):
        ask(100, payment=uuid4())
    with pytest.raises(NotAllowed):
        cast = desk.clinic.cast
        request_refund(cast.actor(cast.dan), refund_id=uuid4(), payment_id=paid.pk, amount_cents=1, reason="x")
    assert left(paid) == 1_000


def test_a_refund_the_processor_refuses_comes_back_to_credit(
    desk: CardDesk, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> object:
        raise GatewayRefused("The card processor refused the request: closed account.")

    monkeypatch.setattr(desk.gateway, "refund", refuse)
    refund = desk.refund(paid.pk, 600)
    assert (left(paid), refund_steps(refund)) == (1_000, {"requested", "unknown", "failed"})
    assert "failed: the money is credit again" in notices_of_payment(desk.biller, paid.pk)[0].text
    desk.books_agree(paid.client_id)


@pytest.mark.parametrize("is_heard", [True, False])
def test_a_refund_whose_answer_is_lost_is_looked_for(
    desk: CardDesk, paid: Payment, monkeypatch: pytest.MonkeyPatch, is_heard: bool
) -> None:
    real = desk.gateway.refund

    def lose(order: object) -> object:
        if is_heard:
            real(order)  # type: ignore[arg-type]
        raise AnswerLost("lost")

    with monkeypatch.context() as losing:
        losing.setattr(desk.gateway, "refund", lose)
        refund = desk.refund(paid.pk, 600)
    assert (left(paid), refund_steps(refund)) == (400, {"requested", "unknown"})
    assert "has not answered yet" in notices_of_payment(desk.biller, paid.pk)[0].text
    resolve_everywhere(NOW + timedelta(minutes=2))
    assert refund_steps(refund) == {"requested", "unknown", "refunded"}
    assert desk.processor.taken_cents() == 4_400


def test_a_refund_nobody_heard_of_is_not_sent_again_when_the_key_may_be_forgotten(
    desk: CardDesk, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its money does not stay away for ever: it is credit again, and can be refunded anew."""

    def away(*_: object) -> object:
        raise GatewayUnavailable("away")

    with monkeypatch.context() as losing:
        losing.setattr(desk.gateway, "refund", away)
        refund = desk.refund(paid.pk, 600)
    carry_out_refund(desk.clinic.cast.alder, refund, NOW + timedelta(days=2))
    assert refund_steps(refund) == {"requested", "unknown", "failed"} and desk.processor.taken_cents() == 5_000
    assert left(paid) == 1_000
    desk.books_agree(paid.client_id)


def test_a_processor_that_refuses_to_tell_of_a_refund_does_not_undo_it(
    desk: CardDesk, paid: Payment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found by reading: the refund was made, its answer lost; then the key was refused, and the money was credit again
    while the client had it."""
    real = desk.gateway.refund

    def lose(order: object) -> object:
        real(order)  # type: ignore[arg-type]
        raise AnswerLost("lost")

    def refuse(*_: object) -> object:
        raise GatewayRefused("The card processor refused the request: Invalid API key.")

    with monkeypatch.context() as losing:
        losing.setattr(desk.gateway, "refund", lose)
        losing.setattr(desk.gateway, "find_refund", refuse)
        refund = desk.refund(paid.pk, 600)
        resolve_everywhere(NOW + timedelta(minutes=2))
        carry_out_refund(desk.clinic.cast.alder, refund, NOW + timedelta(days=2))
    assert (left(paid), refund_steps(refund)) == (400, {"requested", "unknown"})
    resolve_everywhere(NOW + timedelta(days=3))
    assert (left(paid), refund_steps(refund)) == (400, {"requested", "unknown", "refunded"})


def test_a_card_payment_is_immutable_but_for_applying(desk: CardDesk, paid: Payment) -> None:
    with pytest.raises(CardPaymentFixed):
        edit_payment(
            desk.biller,
            request_key=uuid4(),
            payment_id=paid.pk,
            method="cash",
            received_on=NOW.date(),
            number="",
            notes="",
            reason="x",
        )
    with pytest.raises(CardPaymentFixed, match="goes back through it"):
        refund_payment(
            desk.biller, request_key=uuid4(), payment_id=paid.pk, amount_cents=100, refunded_on=NOW.date(), reason="x"
        )
    unapply(desk.biller, request_key=uuid4(), payment_id=paid.pk, reason="Other line")
    with pytest.raises(NotAllowed):
        reverse_payment(desk.biller, request_key=uuid4(), payment_id=paid.pk, reason="Twice")
    reverse_payment(desk.clinic.owner, request_key=uuid4(), payment_id=paid.pk, reason="Twice")
    assert (left(paid), kept_cents(desk.biller, paid)) == (0, 0)
    with pytest.raises(PaymentReversed):
        request_refund(desk.biller, refund_id=uuid4(), payment_id=paid.pk, amount_cents=1, reason="x")
    desk.processor.dispute(desk.processor.charges()[0]["id"])
    desk.hear(desk.last("dispute_opened"))
    assert (left(paid), kept_cents(desk.biller, paid)) == (0, 0)
    assert "$50.00 is to be cleared with the processor" in notices_of_payment(desk.biller, paid.pk)[0].text


def test_a_chargeback_takes_credit_first_and_then_what_is_applied(desk: CardDesk, paid: Payment) -> None:
    reference = desk.processor.charges()[0]["id"]
    desk.processor.dispute(reference, amount_cents=2_500)
    assert desk.hear(desk.last("dispute_opened")) == ["Chargeback"]
    assert (left(paid), due(paid.client_id), kept_cents(desk.biller, paid)) == (0, 1_500, 2_500)
    entry = Entry.objects.get(debit_account="credit", credit_account="cash")
    assert (entry.amount_cents, entry.reason, entry.event_id) == (
        2_500,
        "Chargeback: fraudulent",
        Dispute.objects.get().pk,
    )
    told = notices_of_client(desk.biller, paid.client_id)[0]
    assert told.tone == "error" and "Chargeback of $25.00" in told.text
    assert "not decided yet" in notices_of_payment(desk.biller, paid.pk)[0].text
    desk.books_agree(paid.client_id)


def test_a_chargeback_that_is_won_comes_back_as_credit(desk: CardDesk, paid: Payment) -> None:
    reference = desk.processor.charges()[0]["id"]
    desk.processor.dispute(reference)
    desk.hear(desk.last("dispute_opened"))
    assert (left(paid), due(paid.client_id)) == (0, 4_000)
    desk.processor.dispute(reference, "won")
    assert desk.hear(desk.last("dispute_won")) == ["Chargeback won"]
    assert (left(paid), due(paid.client_id), kept_cents(desk.biller, paid)) == (5_000, 4_000, 5_000)
    assert notices_of_client(desk.biller, paid.client_id) == []
    assert "decided for the practice" in notices_of_payment(desk.biller, paid.pk)[0].text


def test_refund_and_chargeback_together_give_back_what_came_in_and_no_more(desk: CardDesk, paid: Payment) -> None:
    desk.refund(paid.pk, 1_000)
    desk.processor.dispute(desk.processor.charges()[0]["id"])
    desk.hear()
    assert (kept_cents(desk.biller, paid), left(paid), due(paid.client_id)) == (0, 0, 4_000)
    words = " ".join(notice.text for notice in notices_of_payment(desk.biller, paid.pk))
    assert "$40.00 of it is booked here" in words and "$10.00 is to be cleared" in words


def test_a_refund_that_fails_after_the_chargeback_goes_to_the_chargeback(desk: CardDesk, paid: Payment) -> None:
    """The refund was on its way when the bank took everything; it fails, and its money was the bank's all along."""
    request_refund(desk.biller, refund_id=uuid4(), payment_id=paid.pk, amount_cents=1_000, reason="Overpaid")
    desk.processor.dispute(desk.processor.charges()[0]["id"])
    desk.hear(desk.last("dispute_opened"))
    refund = CardRefund.objects.get()
    carry_out_refund(desk.clinic.cast.alder, refund.pk, NOW)
    assert "failed" in refund_steps(refund.pk)
    assert (kept_cents(desk.biller, paid), left(paid), due(paid.client_id)) == (0, 0, 4_000)
    assert "$50.00" in notices_of_payment(desk.biller, paid.pk)[0].text
    desk.books_agree(paid.client_id)


def test_notices_are_for_those_who_may_see_the_client(desk: CardDesk, paid: Payment) -> None:
    bob = desk.clinic.cast.bob
    StaffMember.objects.filter(pk=bob.staff_member_id).update(limited_to_assigned=True)
    limited = desk.clinic.cast.actor(bob)
    with pytest.raises(NotFound):
        request_refund(limited, refund_id=uuid4(), payment_id=paid.pk, amount_cents=1, reason="x")
    assert paid.client_id
    assign_staff(desk.clinic.owner, paid.client_id, bob.staff_member_id)
    request_refund(limited, refund_id=uuid4(), payment_id=paid.pk, amount_cents=1, reason="x")
    assert left(paid) == 999

"""A refund of which the processor tells nothing: decided by somebody, and what the processor says later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from daysheet.audit.models import AuditEvent
from daysheet.cards.actions import request_refund
from daysheet.cards.deciding import ReferenceMissing
from daysheet.cards.deciding_refunds import (
    RefundDecided,
    RefundMayStillGo,
    mark_not_refunded,
    mark_refunded,
)
from daysheet.cards.gateways.base import AnswerLost, CardGateway, GatewayRefused, NewsKind
from daysheet.cards.jobs import resolve_everywhere
from daysheet.cards.models import CardRefund, CardRefundDecision
from daysheet.cards.opening import gateways_from
from daysheet.cards.queries.notices import notices_of_client, notices_of_payment
from daysheet.cards.refunding import SEND_AGAIN_WITHIN, carry_out_refund
from daysheet.cards.sealing import CannotUnseal
from daysheet.cards.settling import kept_cents
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.requests import RequestKeyReused
from daysheet.payments.corrections import ReasonMissing
from daysheet.payments.models import Payment
from daysheet.staff.models import StaffMember
from tests.pages import filled, words_of
from tests.people import NOW

from .desk import CardDesk, payment_of, refund_steps
from .test_pages import at, browser_of

SEEN = "Seen at the processor"
LATER = NOW + SEND_AGAIN_WITHIN + timedelta(minutes=1)


@pytest.fixture
def paid(desk: CardDesk) -> Payment:
    """50.00 by card: 40.00 applied, 10.00 credit."""
    client = desk.client_owing()
    return payment_of(desk.charge(client, desk.card(client), 5_000, credit_cents=1_000))


@pytest.fixture
def silent(desk: CardDesk, paid: Payment, monkeypatch: pytest.MonkeyPatch) -> UUID:
    """6.00 that the processor refunded; its answer was lost and its key withdrawn, so nobody ever hears of it."""
    real = desk.gateway.refund

    def lose(order: Any) -> object:
        real(order)
        raise AnswerLost("lost")

    def refuse(*_: object) -> object:
        raise GatewayRefused("The card processor refused the request: Invalid API key.")

    monkeypatch.setattr(desk.gateway, "refund", lose)
    monkeypatch.setattr(desk.gateway, "find_refund", refuse)
    return desk.refund(paid.pk, 600)


def not_refunded(desk: CardDesk, refund: UUID, **more: Any) -> None:
    owner = replace(desk.clinic.owner, now=more.pop("now", LATER))
    mark_not_refunded(owner, refund_id=refund, **{"request_key": uuid4(), "reason": SEEN, **more})


def refunded(desk: CardDesk, refund: UUID, **more: Any) -> None:
    facts = {"request_key": uuid4(), "reference": "sr_77", "reason": SEEN}
    mark_refunded(desk.clinic.owner, refund_id=refund, **(facts | more))


def left(payment: Payment) -> int:
    return Payment.objects.get(pk=payment.pk).unapplied_cents


def failed_message(desk: CardDesk) -> Any:
    """As the processor tells that a refund failed after all."""
    made = desk.last("refunded")
    return replace(made, message=made.message | {"kind": str(NewsKind.REFUND_FAILED), "id": "sm_failed"})


def test_after_a_day_the_ledger_and_the_payment_lead_to_a_silent_refund(
    desk: CardDesk, paid: Payment, silent: UUID
) -> None:
    assert paid.client_id
    resolve_everywhere(NOW + timedelta(hours=2))
    resolve_everywhere(LATER)
    assert (left(paid), refund_steps(silent)) == (400, {"requested", "unknown"})
    assert notices_of_client(desk.biller, paid.client_id) == []
    [told] = notices_of_client(replace(desk.biller, now=LATER), paid.client_id)
    assert "A refund of $6.00 to a card is not decided: " in told.text and str(silent) in told.url
    assert str(silent) in notices_of_payment(desk.biller, paid.pk)[0].url


def test_marked_as_refunded_no_figure_changes_and_nothing_more_is_asked(
    desk: CardDesk, paid: Payment, silent: UUID
) -> None:
    refunded(desk, silent)
    assert (left(paid), refund_steps(silent)) == (400, {"requested", "unknown", "refunded"})
    carry_out_refund(desk.clinic.cast.alder, silent, LATER)
    desk.hear()
    assert (left(paid), kept_cents(desk.biller, paid), desk.processor.taken_cents()) == (400, 4_400, 4_400)
    [told] = notices_of_payment(desk.biller, paid.pk)
    assert told.text == ("The refund of $6.00 to the card was made. Alice Owner marked it as refunded on 11/16/2026.")
    assert AuditEvent.objects.filter(verb="decide_card_refund").count() == 1


def test_marked_as_refunded_and_failed_by_the_processor_it_is_credit_again(
    desk: CardDesk, paid: Payment, silent: UUID
) -> None:
    refunded(desk, silent)
    message = failed_message(desk)
    assert desk.hear(message) == ["Failed"]
    assert desk.hear(message) == ["Heard before"]
    assert left(paid) == 1_000
    assert "failed: the money is credit again" in notices_of_payment(desk.biller, paid.pk)[0].text
    desk.books_agree(paid.client_id)  # type: ignore[arg-type]


def test_marked_as_not_refunded_it_is_credit_and_never_sent_again(desk: CardDesk, paid: Payment, silent: UUID) -> None:
    not_refunded(desk, silent)
    assert (left(paid), refund_steps(silent)) == (1_000, {"requested", "unknown", "not_made"})
    desk.gateway.find_refund = lambda order: None  # type: ignore[method-assign]
    resolve_everywhere(LATER + timedelta(minutes=5))
    carry_out_refund(desk.clinic.cast.alder, silent, NOW + timedelta(hours=1))
    assert (left(paid), refund_steps(silent)) == (1_000, {"requested", "unknown", "not_made"})
    desk.books_agree(paid.client_id)  # type: ignore[arg-type]


def test_marked_as_not_refunded_and_made_after_all_the_money_leaves_again_once(
    desk: CardDesk, paid: Payment, silent: UUID
) -> None:
    not_refunded(desk, silent)
    assert desk.hear(desk.last("refunded")) == ["Refunded"]
    desk.hear()
    assert (left(paid), kept_cents(desk.biller, paid)) == (400, 4_400)
    [told] = notices_of_payment(desk.biller, paid.pk)
    assert told.tone == "error" and "the processor said later that it was made" in told.text
    assert desk.hear(failed_message(desk)) == ["Failed"]
    assert left(paid) == 1_000
    desk.books_agree(paid.client_id)  # type: ignore[arg-type]


def test_made_after_all_when_its_money_was_used_takes_it_off_the_line(
    desk: CardDesk, paid: Payment, silent: UUID
) -> None:
    """The credit was refunded anew to the card in the meantime: together never more than came in (M6)."""
    not_refunded(desk, silent)
    request_refund(desk.biller, refund_id=uuid4(), payment_id=paid.pk, amount_cents=1_000, reason="Overpaid")
    desk.hear(desk.last("refunded"))
    assert (left(paid), kept_cents(desk.biller, paid)) == (0, 3_400)
    desk.books_agree(paid.client_id)  # type: ignore[arg-type]


def test_what_is_refused(desk: CardDesk, paid: Payment, silent: UUID) -> None:
    with pytest.raises(RefundMayStillGo, match=r"Until 11/17/2026 .* may still be made by itself"):
        not_refunded(desk, silent, now=NOW + SEND_AGAIN_WITHIN - timedelta(seconds=1))
    with pytest.raises(ReasonMissing):
        not_refunded(desk, silent, reason=" ")
    with pytest.raises(ReferenceMissing):
        refunded(desk, silent, reference=" ")
    with pytest.raises(NotAllowed):
        mark_refunded(desk.biller, request_key=uuid4(), refund_id=silent, reference="x", reason=SEEN)
    with pytest.raises(NotFound):
        refunded(desk, uuid4())
    waiting = request_refund(desk.biller, refund_id=uuid4(), payment_id=paid.pk, amount_cents=100, reason="Overpaid")
    with pytest.raises(RefundDecided, match="has not been sent yet"):
        not_refunded(desk, waiting, now=NOW + timedelta(hours=1))
    assert not CardRefundDecision.objects.exists() and left(paid) == 300


def test_a_refund_that_could_never_be_sent_stops_nothing_and_is_decided(desk: CardDesk, paid: Payment) -> None:
    """The account's key was lost: the processor is never spoken with."""
    never = request_refund(desk.biller, refund_id=uuid4(), payment_id=paid.pk, amount_cents=600, reason="Overpaid")
    with gateways_from(_no_key):
        for moment in (NOW + timedelta(minutes=2), LATER):
            carry_out_refund(desk.clinic.cast.alder, never, moment)
    assert (left(paid), refund_steps(never)) == (400, {"requested"})
    with time_machine.travel(LATER, tick=False):
        page = words_of(browser_of(desk.clinic.cast.alice.user_id).get(at("card_refund", card_refund=never)))
    assert "This refund was never sent" in page and "Mark as not refunded" in page
    not_refunded(desk, never)
    assert left(paid) == 1_000
    carry_out_refund(desk.clinic.cast.alder, never, LATER)
    assert (left(paid), refund_steps(never)) == (1_000, {"requested", "not_made"})
    desk.books_agree(paid.client_id)  # type: ignore[arg-type]


def test_made_by_hand_and_told_by_the_processor_it_is_one_refund(desk: CardDesk, paid: Payment, silent: UUID) -> None:
    """The message of a refund made at the processor's own desk does not name ours: its reference does."""
    refunded(desk, silent, reference="sr_by_hand")
    told = desk.last("refunded")
    by_hand = told.message | {"id": "sm_hand", "refund": None, "refund_reference": "sr_by_hand"}
    assert desk.hear(replace(told, message=by_hand)) == ["Known already"]
    assert (left(paid), CardRefund.objects.count()) == (400, 1)
    other = by_hand | {"id": "sm_other", "refund_reference": "sr_other"}
    assert desk.hear(replace(told, message=other)) == ["Refunded"]
    assert CardRefund.objects.count() == 2


def _no_key(*_: object) -> CardGateway:
    raise CannotUnseal("The key of this account cannot be opened.")


def test_one_decision_and_the_same_form_twice_is_one(desk: CardDesk, paid: Payment, silent: UUID) -> None:
    key = uuid4()
    for _ in range(2):
        not_refunded(desk, silent, request_key=key)
    with pytest.raises(RequestKeyReused):
        not_refunded(desk, silent, request_key=key, reason="Something else")
    with pytest.raises(RefundDecided, match="known by now: Not refunded"):
        refunded(desk, silent)
    assert CardRefundDecision.objects.count() == 1 and left(paid) == 1_000


def test_the_same_refund_asked_for_with_another_amount_is_refused(desk: CardDesk, paid: Payment) -> None:
    """Found by reading: the second form was answered as if its own amount were on its way."""
    refund = desk.refund(paid.pk, 600)
    with pytest.raises(RequestKeyReused):
        request_refund(desk.biller, refund_id=refund, payment_id=paid.pk, amount_cents=700, reason="Overpaid")
    assert left(paid) == 400


def test_the_way_by_pages(desk: CardDesk, paid: Payment, silent: UUID) -> None:
    alice = browser_of(desk.clinic.cast.alice.user_id)
    url = at("card_refund", card_refund=silent)
    assert f'href="{url}"' in alice.get(f"/alder/payments/{paid.pk}/").text
    page = words_of(alice.get(url))
    assert "The processor has not said what became of this refund." in page and "Mark as refunded" in page
    form = at("mark_refunded", card_refund=silent)
    typed = {"request_key": str(uuid4()), "reference": "sr_77", "reason": SEEN}
    assert alice.post(form, typed | {"reference": ""}).status_code == 422
    shown = alice.post(form, typed)
    assert "Client Credit $4.00 $4.00" in words_of(shown)
    assert alice.post(form, filled(shown.text, confirmed="1")).status_code == 303
    page = words_of(alice.get(url))
    assert "Refunded, sr_77" in page and f"{SEEN} · Alice Owner" in page and form not in alice.get(url).text
    again = alice.post(form, typed | {"request_key": str(uuid4()), "confirmed": "1"})
    assert again.status_code == 422 and "known by now" in words_of(again)


def test_a_biller_sees_the_refund_and_is_told_who_may_decide(desk: CardDesk, silent: UUID) -> None:
    bob = browser_of(desk.clinic.cast.bob.user_id)
    page = words_of(bob.get(at("card_refund", card_refund=silent)))
    assert "an administrator who has the permission Billing can then say" in page and "Mark as" not in page
    for name in ("mark_refunded", "mark_not_refunded"):
        assert bob.get(at(name, card_refund=silent)).status_code == 403
    StaffMember.objects.filter(pk=desk.clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)
    assert bob.get(at("card_refund", card_refund=silent)).status_code == 404

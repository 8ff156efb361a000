"""A charge whose outcome stays unknown: asked again, decided by somebody, and what the processor says later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.audit.models import AuditEvent
from daysheet.cards.actions import ChargePending
from daysheet.cards.charging import resolve_charges
from daysheet.cards.deciding import (
    ChargeDecided,
    ReferenceMissing,
    ask_processor,
    mark_charged,
    mark_not_charged,
    run_inquiry,
)
from daysheet.cards.gateways.base import CardGateway, ChargeOrder, GatewayRefused
from daysheet.cards.jobs import resolve_everywhere
from daysheet.cards.models import Charge, ChargeDecision, ChargeInquiry
from daysheet.cards.opening import gateways_from
from daysheet.cards.queries.notices import notices_of_client, notices_of_payment
from daysheet.cards.rules import ChargeState
from daysheet.cards.sealing import CannotUnseal
from daysheet.cards.settling import kept_cents
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.requests import RequestKeyReused
from daysheet.payments.corrections import ReasonMissing
from daysheet.payments.models import Payment
from daysheet.payments.receiving import PaymentInFuture
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember
from tests.pages import filled, words_of
from tests.people import NOW

from .desk import CardDesk, due, payment_of, reason, state
from .test_pages import at, browser_of

SEEN = "Seen at the processor"


@pytest.fixture
def stuck(desk: CardDesk, monkeypatch: pytest.MonkeyPatch) -> Charge:
    """40.00 sent; the processor is "working on it" and its key was withdrawn, so nobody ever hears more."""
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, "slow"), 4_000)

    def refuse(*_: object) -> object:
        raise GatewayRefused("The card processor refused the request: Invalid API key.")

    monkeypatch.setattr(desk.gateway, "look_up", refuse)
    return charge


def not_charged(desk: CardDesk, charge: Charge, **more: Any) -> None:
    mark_not_charged(
        desk.clinic.owner, charge_id=charge.pk, **{"request_key": uuid4(), "reason": SEEN, **more}
    )  # fmt: skip


def charged(desk: CardDesk, charge: Charge, **more: Any) -> None:
    facts = {"request_key": uuid4(), "reference": "sc_77", "received_on": NOW.date(), "reason": SEEN}
    mark_charged(desk.clinic.owner, charge_id=charge.pk, **(facts | more))


def finish(desk: CardDesk) -> None:
    """The processor gets done, and its message arrives."""
    desk.processor.finish_slow(desk.processor.charges()[0]["id"])
    desk.hear(desk.last("charged"))


def test_an_account_whose_key_was_lost_stops_no_other_question(desk: CardDesk, stuck: Charge) -> None:
    def no_key(*_: object) -> CardGateway:
        raise CannotUnseal("The key of this account cannot be opened.")

    with gateways_from(no_key):
        assert resolve_charges(desk.clinic.cast.alder, NOW + timedelta(hours=2)) == 0
    assert state(stuck) is ChargeState.UNKNOWN


def test_a_stuck_charge_blocks_its_client_until_somebody_decides(desk: CardDesk, stuck: Charge) -> None:
    resolve_everywhere(NOW + timedelta(hours=2))
    assert state(stuck) is ChargeState.UNKNOWN
    [notice] = notices_of_client(desk.biller, stuck.client_id)
    assert "A card charge of $40.00 is not decided yet." in notice.text and str(stuck.pk) in notice.url
    with pytest.raises(ChargePending):
        desk.start((stuck.client_id, stuck.card_id, 1_000))
    not_charged(desk, stuck)
    assert (state(stuck), reason(stuck, "canceled")) == (ChargeState.CANCELED, f"Alice Owner: {SEEN}")
    assert notices_of_client(desk.biller, stuck.client_id) == [] and not Payment.objects.exists()
    desk.start((stuck.client_id, stuck.card_id, 1_000))


def test_marked_as_charged_it_is_a_payment_of_that_day_and_the_message_later_changes_nothing(
    desk: CardDesk, stuck: Charge
) -> None:
    day = NOW.date() - timedelta(days=2)
    charged(desk, stuck, received_on=day)
    payment = payment_of(stuck)
    assert (payment.received_on, payment.amount_cents, due(stuck.client_id)) == (day, 4_000, 0)
    finish(desk)
    desk.hear()
    assert Payment.objects.count() == 1 and kept_cents(desk.biller, payment) == 4_000
    [notice] = notices_of_payment(desk.biller, payment.pk)
    assert notice.text == f"Alice Owner marked this card charge as charged on 11/16/2026: {SEEN}"
    desk.books_agree(stuck.client_id)


def test_marked_as_not_charged_money_that_comes_in_later_is_booked_once(desk: CardDesk, stuck: Charge) -> None:
    not_charged(desk, stuck)
    finish(desk)
    desk.hear()
    payment = payment_of(stuck)
    assert (state(stuck), due(stuck.client_id), Payment.objects.count()) == (ChargeState.CHARGED, 0, 1)
    [notice] = notices_of_payment(desk.biller, payment.pk)
    assert "marked this card charge as not charged on 11/16/2026, and the processor said later" in notice.text
    assert notice.tone == "warning"
    desk.books_agree(stuck.client_id)


def test_marked_as_charged_and_declined_by_the_processor_is_told_and_left_to_a_person(
    desk: CardDesk, stuck: Charge
) -> None:
    charged(desk, stuck)
    message = replace_kind(desk, "declined")
    assert desk.hear(message) == ["Declined, although it was marked as charged"]
    assert desk.hear(message) == ["Heard before"]
    assert (state(stuck), Payment.objects.count()) == (ChargeState.CHARGED, 1)
    [notice] = notices_of_payment(desk.biller, payment_of(stuck).pk)
    assert notice.tone == "error" and "the processor says that it was not charged" in notice.text
    assert AuditEvent.objects.filter(verb="contradict_charge").count() == 1
    desk.books_agree(stuck.client_id)


def replace_kind(desk: CardDesk, kind: str) -> Any:
    """The message that the processor would have sent, of another kind."""
    desk.processor.finish_slow(desk.processor.charges()[0]["id"])
    message = desk.last("charged")
    return replace(message, message=message.message | {"kind": kind, "id": f"sm_{kind}", "reason": "No funds."})


def test_what_is_refused(desk: CardDesk, stuck: Charge) -> None:
    with pytest.raises(ReasonMissing):
        not_charged(desk, stuck, reason=" ")
    with pytest.raises(ReferenceMissing):
        charged(desk, stuck, reference=" ")
    with pytest.raises(PaymentInFuture):
        charged(desk, stuck, received_on=NOW.date() + timedelta(days=1))
    with pytest.raises(NotAllowed):
        mark_not_charged(desk.biller, request_key=uuid4(), charge_id=stuck.pk, reason=SEEN)
    administrator = replace(desk.clinic.owner, permissions=frozenset({Permission.ADMINISTRATOR}))
    with pytest.raises(NotAllowed):
        mark_not_charged(administrator, request_key=uuid4(), charge_id=stuck.pk, reason=SEEN)
    with pytest.raises(NotFound):
        mark_not_charged(desk.clinic.owner, request_key=uuid4(), charge_id=uuid4(), reason=SEEN)
    assert not ChargeDecision.objects.exists() and state(stuck) is ChargeState.UNKNOWN


def test_one_decision_and_the_same_form_twice_is_one(desk: CardDesk, stuck: Charge) -> None:
    key = uuid4()
    for _ in range(2):
        not_charged(desk, stuck, request_key=key)
    with pytest.raises(RequestKeyReused):
        not_charged(desk, stuck, request_key=key, reason="Something else")
    with pytest.raises(ChargeDecided, match="known by now: Not charged"):
        charged(desk, stuck)
    assert ChargeDecision.objects.count() == 1


def test_nothing_is_decided_of_what_was_not_sent_or_is_known(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    run_id = desk.start((client, card, 4_000))
    waiting = Charge.objects.get(run_id=run_id)
    with pytest.raises(ChargeDecided, match="has not been sent yet"):
        not_charged(desk, waiting)
    desk.run(run_id)
    with pytest.raises(ChargeDecided, match="known by now: Charged"):
        not_charged(desk, waiting)


def test_asked_again_the_answer_is_written_down_whatever_it_is(desk: CardDesk, stuck: Charge) -> None:
    inquiry = _ask(desk, stuck)
    assert ask_processor(desk.biller, inquiry_id=uuid4(), charge_id=stuck.pk) is None  # one question at a time
    assert ChargeInquiry.objects.count() == 1
    run_inquiry(desk.job(inquiry))
    [asked] = ChargeInquiry.objects.all()
    assert asked.answer == "The card processor refused the request: Invalid API key."
    assert (asked.asked_by_name, state(stuck)) == ("Bob Biller", ChargeState.UNKNOWN)
    run_inquiry(desk.job(inquiry))  # a worker that is woken again


def test_asked_again_once_the_processor_knows_it_is_settled(desk: CardDesk) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, "slow"), 4_000)
    inquiry = _ask(desk, charge)
    run_inquiry(desk.job(inquiry))
    assert ChargeInquiry.objects.get().answer == "The processor is still working on it."
    desk.processor.finish_slow(desk.processor.charges()[0]["id"])
    run_inquiry(desk.job(_ask(desk, charge)))
    assert ChargeInquiry.objects.latest("asked_at").answer == "Charged."
    assert state(charge) is ChargeState.CHARGED
    with pytest.raises(ChargeDecided):
        _ask(desk, charge)


def test_a_confirmation_that_never_arrived_is_closed_when_asked(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    run_id = desk.start((client, card, 4_000))
    charge = Charge.objects.select_related("card").get(run_id=run_id)
    reference = desk.gateway.prepare(ChargeOrder(charge.pk, 4_000, charge.card.customer, charge.card.token))
    from daysheet.cards.charging import _mark_sent

    _mark_sent(desk.job(run_id), charge.pk, reference)
    run_inquiry(desk.job(_ask(desk, charge)))
    assert (state(charge), ChargeInquiry.objects.get().answer) == (ChargeState.CANCELED, "Not charged.")


def _ask(desk: CardDesk, charge: Charge) -> UUID:
    inquiry = uuid4()
    now = desk.biller.now + timedelta(minutes=ChargeInquiry.objects.count())
    ask_processor(replace(desk.biller, now=now), inquiry_id=inquiry, charge_id=charge.pk)
    ask_processor(desk.biller, inquiry_id=inquiry, charge_id=charge.pk)
    return inquiry


def test_the_way_by_pages_with_the_effect_in_numbers(desk: CardDesk, stuck: Charge) -> None:
    alice = browser_of(desk.clinic.cast.alice.user_id)
    ledger = alice.get(f"/alder/clients/{stuck.client_id}/ledger/").text
    url = at("charge", charge=stuck.pk)
    assert f'href="{url}"' in ledger
    page = words_of(alice.get(url))
    assert "The processor has not said what became of this charge." in page and "Mark as not charged" in page
    assert alice.post(at("ask", charge=stuck.pk), {"inquiry_id": str(uuid4())}).status_code == 303
    assert "No answer yet." in words_of(alice.get(url))
    run_inquiry(desk.job(ChargeInquiry.objects.get().pk))
    assert "Invalid API key." in words_of(alice.get(url))
    form = at("mark_charged", charge=stuck.pk)
    assert desk.processor.charges()[0]["id"] in alice.get(form).text  # its reference is there already
    typed = {"request_key": str(uuid4()), "reference": "sc_77", "received_on": "2026-11-16", "reason": SEEN}
    shown = alice.post(form, typed)
    effect = words_of(shown)
    assert "Client Balance Due $40.00 $0.00" in effect and not Payment.objects.exists()
    assert alice.post(form, filled(shown.text, confirmed="1")).status_code == 303
    assert due(stuck.client_id) == 0
    page = words_of(alice.get(url))
    assert "Charged, sc_77, 11/16/2026" in page and f"{SEEN} · Alice Owner" in page
    assert form not in alice.get(url).text
    again = alice.post(form, typed | {"request_key": str(uuid4()), "confirmed": "1"})
    assert again.status_code == 422 and "known by now" in words_of(again)


def test_a_biller_sees_the_charge_and_asks_and_is_told_who_may_decide(desk: CardDesk, stuck: Charge) -> None:
    bob = browser_of(desk.clinic.cast.bob.user_id)
    page = words_of(bob.get(at("charge", charge=stuck.pk)))
    assert "an administrator who has the permission Billing can then say" in page and "Mark as" not in page
    for name in ("mark_charged", "mark_not_charged"):
        assert bob.get(at(name, charge=stuck.pk)).status_code == 403
    assert bob.post(at("ask", charge=stuck.pk)).status_code == 303
    StaffMember.objects.filter(pk=desk.clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)
    assert bob.get(at("charge", charge=stuck.pk)).status_code == 404


def test_the_run_leads_to_each_charge(desk: CardDesk, stuck: Charge) -> None:
    browser: Browser = browser_of(desk.clinic.cast.bob.user_id)
    assert at("charge", charge=stuck.pk) in browser.get(at("charge_run", run=stuck.run_id)).text

"""One click, one charge: whatever the processor answers, loses or tells later, and whenever a worker dies."""

from __future__ import annotations

from uuid import uuid4

import pytest

from daysheet.cards import charging
from daysheet.cards.actions import (
    CardGone,
    ChargePending,
    CreditNotConfirmed,
    NoProcessor,
    NothingToCharge,
    connect_processor,
    remove_card,
    retry_declined,
)
from daysheet.cards.gateways.base import GatewayUnavailable
from daysheet.cards.jobs import close_stopped_runs, resolve_everywhere
from daysheet.cards.models import Charge, ChargeRun, ChargeStep, StoredCard
from daysheet.cards.rules import ChargeState
from daysheet.database.scope import practice_transaction
from daysheet.jobs.models import JobRun
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.payments.corrections import AmountNotPositive
from daysheet.payments.models import Payment
from daysheet.payments.tests.desk import pay
from daysheet.staff.models import StaffMember
from tests.people import NOW

from .desk import CardDesk, due, payment_of, reason, state


def test_a_charge_becomes_one_payment_on_what_is_due(desk: CardDesk) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client), 4_000)
    payment = payment_of(charge)
    assert (state(charge), due(client), payment.unapplied_cents) == (ChargeState.CHARGED, 0, 0)
    assert (payment.method, payment.amount_cents, payment.notes) == ("card", 4_000, "Visa ending in 0001")
    desk.hear()
    assert Payment.objects.count() == 1
    assert desk.processor.taken_cents() == 4_000
    desk.books_agree(client)


@pytest.mark.parametrize(
    ("behaviour", "words"), [("declined", "Insufficient funds."), ("expired", "The card has expired.")]
)
def test_a_declined_card_says_why_and_no_money_is_booked(desk: CardDesk, behaviour: str, words: str) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, behaviour), 4_000)
    desk.hear()
    assert (state(charge), reason(charge, "declined"), due(client)) == (ChargeState.DECLINED, words, 4_000)
    assert not Payment.objects.exists()


def test_a_slow_charge_is_unknown_until_its_message_comes(desk: CardDesk) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, "slow"), 4_000)
    assert (state(charge), due(client)) == (ChargeState.UNKNOWN, 4_000)
    assert ChargeRun.objects.get().finished_at is not None
    [named] = desk.processor.charges()
    desk.processor.finish_slow(named["id"])
    assert desk.hear(desk.last("charged")) == ["Charged"]
    assert (state(charge), due(client)) == (ChargeState.CHARGED, 0)


def test_a_lost_answer_is_asked_for_and_never_charged_again(desk: CardDesk) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, "lost"), 4_000)
    assert state(charge) is ChargeState.CHARGED
    assert set(ChargeStep.objects.values_list("state", flat=True)) == {"requested", "sent", "unknown", "charged"}
    assert (len(desk.processor.charges()), desk.processor.taken_cents(), due(client)) == (1, 4_000, 0)


def test_a_request_that_never_arrived_is_closed_at_the_processor(desk: CardDesk) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, "unheard"), 4_000)
    assert state(charge) is ChargeState.CANCELED
    assert [named["status"] for named in desk.processor.charges()] == ["canceled"]
    assert not Payment.objects.exists()


def test_a_processor_that_cannot_be_reached_charges_nobody(desk: CardDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    client = desk.client_owing()
    card = desk.card(client)

    def away(*_: object) -> str:
        raise GatewayUnavailable("The card processor cannot be reached.")

    monkeypatch.setattr(desk.gateway, "prepare", away)
    charge = desk.charge(client, card, 4_000)
    assert state(charge) is ChargeState.CANCELED and "cannot be reached" in reason(charge, "canceled")
    assert desk.processor.charges() == []


def test_while_the_processor_is_silent_a_charge_stays_unknown_and_is_resolved_later(
    desk: CardDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = desk.client_owing()
    card = desk.card(client, "lost")

    def away(*_: object) -> object:
        raise GatewayUnavailable("away")

    with monkeypatch.context() as silent:
        silent.setattr(desk.gateway, "look_up", away)
        charge = desk.charge(client, card, 4_000)
        assert state(charge) is ChargeState.UNKNOWN
        with pytest.raises(ChargePending):
            desk.start((client, card, 4_000))
        assert resolve_everywhere(NOW + charging.ASK_AFTER * 2) == 0
    assert resolve_everywhere(NOW) == 0  # sent a moment ago: not asked yet
    assert resolve_everywhere(NOW + charging.ASK_AFTER * 2) == 1
    assert (state(charge), desk.processor.taken_cents(), due(client)) == (ChargeState.CHARGED, 4_000, 0)


def test_the_same_form_twice_is_one_run_and_the_same_job_twice_one_charge(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    run_id = desk.start((client, card, 4_000))
    assert desk.start((client, card, 4_000), run_id=run_id) == run_id
    desk.run(run_id)
    assert desk.start((client, card, 4_000), run_id=run_id) == run_id
    desk.run(run_id)
    assert (ChargeRun.objects.count(), Charge.objects.count(), Payment.objects.count()) == (1, 1, 1)
    assert desk.processor.taken_cents() == 4_000


def test_nobody_is_charged_while_an_earlier_charge_is_not_decided(desk: CardDesk) -> None:
    client, other = desk.client_owing(), desk.client_owing("Stone")
    card, others = desk.card(client), desk.card(other)
    desk.start((client, card, 1_000))
    with pytest.raises(ChargePending, match="1 of these clients has a charge"):
        desk.start((client, card, 1_000), (other, others, 1_000))
    desk.start((other, others, 1_000))


def test_each_card_has_its_own_fate_and_only_the_declined_are_retried(desk: CardDesk) -> None:
    behaviours = ["ok", "declined", "unheard", "slow", "expired"]
    clients = {name: desk.client_owing(name.title()) for name in behaviours}
    cards = {name: desk.card(client, name) for name, client in clients.items()}
    run_id = desk.start(*((clients[name], cards[name], 4_000) for name in behaviours))
    desk.run(run_id)
    states = {charge.client_id: state(charge) for charge in Charge.objects.filter(run_id=run_id)}
    assert [states[clients[name]] for name in behaviours] == ["charged", "declined", "canceled", "unknown", "declined"]
    remove_card(desk.biller, card_id=cards["expired"])
    new = uuid4()
    assert retry_declined(desk.biller, run_id=run_id, new_run_id=new) == new
    assert retry_declined(desk.biller, run_id=run_id, new_run_id=new) == new
    again = Charge.objects.filter(run_id=new)
    assert {charge.client_id for charge in again} == {clients["declined"], clients["unheard"]}
    assert ChargeRun.objects.get(pk=new).retry_of_id == run_id
    pay(desk.biller, clients["declined"], 4_000)
    pay(desk.biller, clients["unheard"], 4_000)
    desk.run(new)
    assert {reason(charge, "canceled") for charge in again} == {"The client owes less by now."}
    with pytest.raises(NothingToCharge):
        retry_declined(desk.biller, run_id=new, new_run_id=uuid4())


def test_more_than_is_due_is_told_first_and_becomes_credit(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    with pytest.raises(CreditNotConfirmed, match=r"\$10.00 of this"):
        desk.start((client, card, 5_000))
    charge = desk.charge(client, card, 5_000, credit_cents=1_000)
    assert (due(client), payment_of(charge).unapplied_cents) == (0, 1_000)


def test_what_is_confirmed_is_checked(desk: CardDesk) -> None:
    client, other = desk.client_owing(), desk.client_owing("Stone")
    card = desk.card(client)
    with pytest.raises(NothingToCharge):
        desk.start()
    with pytest.raises(AmountNotPositive):
        desk.start((client, card, 0))
    with pytest.raises(CardGone):
        desk.start((other, card, 1_000))
    with pytest.raises(NothingToCharge, match="not those that were confirmed"):
        charging_request = [(client, card, 1_000)]
        from daysheet.cards.actions import ChargeRequest, start_charges

        start_charges(
            desk.biller, run_id=uuid4(), requests=[ChargeRequest(*each) for each in charging_request],
            expected_count=1, expected_cents=999,
        )  # fmt: skip
    remove_card(desk.biller, card_id=card)
    with pytest.raises(CardGone):
        desk.start((client, card, 1_000))
    with pytest.raises(NotFound):
        remove_card(desk.biller, card_id=card)
    assert not Charge.objects.exists()


def test_a_card_removed_after_the_confirmation_is_not_charged(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    run_id = desk.start((client, card, 4_000))
    remove_card(desk.biller, card_id=card)
    desk.run(run_id)
    assert reason(Charge.objects.get(), "canceled") == "The card was removed meanwhile."


def test_who_lost_the_permission_meanwhile_charges_nobody(desk: CardDesk) -> None:
    client = desk.client_owing()
    run_id = desk.start((client, desk.card(client), 4_000))
    StaffMember.objects.filter(pk=desk.biller.staff_member_id).update(permissions=[])
    desk.run(run_id)
    assert "may no longer charge" in reason(Charge.objects.get(), "canceled")
    assert desk.processor.charges() == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_around_the_confirmation_charges_once_at_most(
    desk: CardDesk, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    client = desk.client_owing()
    run_id = desk.start((client, desk.card(client), 4_000))
    real = desk.gateway.confirm

    def die(order: object, reference: str) -> object:
        if when == "after":
            real(order, reference)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(desk.gateway, "confirm", die)
        with pytest.raises(KeyboardInterrupt):
            desk.run(run_id)
    desk.run(run_id)
    charge = Charge.objects.get()
    if when == "after":
        assert (state(charge), desk.processor.taken_cents()) == (ChargeState.CHARGED, 4_000)
    else:
        assert (state(charge), desk.processor.taken_cents()) == (ChargeState.CANCELED, 0)
    desk.books_agree(client)


def test_what_a_broken_run_never_sent_is_given_up(desk: CardDesk) -> None:
    client = desk.client_owing()
    run_id = desk.start((client, desk.card(client), 4_000))
    close_stopped_runs(desk.clinic.cast.alder, NOW)
    assert state(Charge.objects.get()) is ChargeState.REQUESTED
    JobRun.objects.filter(subject_id=run_id).update(state="failed")
    close_stopped_runs(desk.clinic.cast.alder, NOW)
    assert state(Charge.objects.get()) is ChargeState.CANCELED
    assert ChargeRun.objects.get().finished_at == NOW


def test_an_amount_that_is_not_ours_is_never_booked(desk: CardDesk) -> None:
    client = desk.client_owing()
    charge = desk.charge(client, desk.card(client, "slow"), 4_000)
    [named] = desk.processor.charges()
    desk.processor.finish_slow(named["id"])
    message = desk.last("charged")
    message.message["amount_cents"] = 400_000
    assert desk.hear(message) == ["Not booked: the processor says $4,000.00, asked was $40.00"]
    assert state(charge) is ChargeState.UNKNOWN and not Payment.objects.exists()


def test_permissions_and_other_practices(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    cast = desk.clinic.cast
    with pytest.raises(NotAllowed):
        remove_card(cast.actor(cast.dan), card_id=card)
    with pytest.raises(NotAllowed):
        connect_processor(desk.biller, account_id=uuid4(), kind="stripe", api_key="sk_x")
    with practice_transaction(cast.birch.id):
        stranger = cast.actor(cast.charlie)
        with pytest.raises(NotFound):
            remove_card(stranger, card_id=card)
        with pytest.raises(NoProcessor):
            CardDesk(desk.clinic, desk.account, desk.processor, desk.gateway)
            from daysheet.cards.actions import ChargeRequest, start_charges

            start_charges(
                stranger, run_id=uuid4(), requests=[ChargeRequest(client, card, 100)], expected_count=1,
                expected_cents=100,
            )  # fmt: skip
        assert not StoredCard.objects.exists()


def test_a_new_account_ends_the_one_before_and_its_cards(desk: CardDesk) -> None:
    client = desk.client_owing()
    card = desk.card(client)
    connect_processor(desk.clinic.owner, account_id=uuid4(), kind="simulated", api_key="sim_other")
    with pytest.raises(CardGone):
        desk.start((client, card, 4_000))

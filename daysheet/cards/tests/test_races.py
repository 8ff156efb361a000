"""Two at once on real connections: one charge, one payment, one budget."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import connections

from daysheet.cards.actions import request_refund
from daysheet.cards.deciding import mark_charged, mark_not_charged
from daysheet.cards.models import Charge, ChargeDecision, ChargeRun
from daysheet.cards.settling import kept_cents
from daysheet.database.scope import practice_transaction
from daysheet.ledger.tests.test_post_and_reverse import at_once
from daysheet.payments.models import Payment
from tests.billing import build_clinic
from tests.people import Cast

from .conftest import connect_desk
from .desk import CardDesk, due

REPEATS = 20
pytestmark = [pytest.mark.system, pytest.mark.race]


@pytest.fixture
def desk(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[CardDesk]:
    with practice_transaction(live_cast.alder.id):
        made = connect_desk(build_clinic(live_cast), monkeypatch)
    yield made
    connections.close_all()


def owing(desk: CardDesk, behaviour: str = "ok") -> tuple[UUID, UUID]:
    with practice_transaction(desk.clinic.cast.alder.id):
        client = desk.client_owing()
        return client, desk.card(client, behaviour)


def test_two_clicks_two_tabs_and_two_people_are_one_charge(desk: CardDesk) -> None:
    for _ in range(REPEATS):
        client, card = owing(desk)
        one, other = uuid4(), uuid4()
        click = partial(desk.start, (client, card, 4_000), run_id=one)
        colleague = partial(desk.start, (client, card, 4_000), run_id=other)
        outcomes = at_once(desk.clinic.cast, click, click, colleague)
        assert sorted(outcomes) in (["charge_pending", "done", "done"], ["charge_pending", "charge_pending", "done"])
        with practice_transaction(desk.clinic.cast.alder.id):
            assert Charge.objects.filter(client_id=client).count() == 1
    with practice_transaction(desk.clinic.cast.alder.id):
        assert ChargeRun.objects.count() == REPEATS


def test_two_workers_on_one_run_charge_once(desk: CardDesk) -> None:
    cast = desk.clinic.cast
    for _ in range(REPEATS):
        client, card = owing(desk)
        with practice_transaction(cast.alder.id):
            run_id = desk.start((client, card, 4_000))
            job = desk.job(run_id)
        from daysheet.cards.charging import run_charges

        assert at_once(cast, partial(run_charges, job), partial(run_charges, job)) == ["done", "done"]
        with practice_transaction(cast.alder.id):
            assert (due(client), Payment.objects.filter(client_id=client).count()) == (0, 1)
    assert desk.processor.taken_cents() == REPEATS * 4_000


def test_the_answer_and_the_message_at_once_are_one_payment(desk: CardDesk) -> None:
    cast = desk.clinic.cast
    for _ in range(REPEATS):
        client, card = owing(desk, "slow")
        with practice_transaction(cast.alder.id):
            run_id = desk.start((client, card, 4_000))
            desk.run(run_id)
        reference = desk.processor.charges()[-1]["id"]
        desk.processor.finish_slow(reference)
        from daysheet.cards.charging import resolve_charges

        message = desk.last("charged")
        ask = partial(resolve_charges, cast.alder, desk.biller.now, run_id=run_id)
        outcomes = at_once(cast, partial(desk.hear, message), partial(desk.hear, message), ask)
        assert outcomes == ["done"] * 3
        with practice_transaction(cast.alder.id):
            assert (due(client), Payment.objects.filter(client_id=client).count()) == (0, 1)


def test_two_refunds_and_a_chargeback_at_once_never_give_back_more_than_came_in(desk: CardDesk) -> None:
    cast = desk.clinic.cast
    for _ in range(REPEATS):
        client, card = owing(desk)
        with practice_transaction(cast.alder.id):
            charge = desk.charge(client, card, 6_000, credit_cents=2_000)
            payment = Payment.objects.get(charge_id=charge.pk)
        desk.processor.dispute(desk.processor.charges()[-1]["id"])
        message = desk.last("dispute_opened")

        def ask(payment_id: UUID = payment.pk) -> None:
            request_refund(desk.biller, refund_id=uuid4(), payment_id=payment_id, amount_cents=2_000, reason="x")

        outcomes = at_once(cast, ask, ask, partial(desk.hear, message))
        assert outcomes.count("more_than_there") in {1, 2} and outcomes.count("done") == 3 - outcomes.count(
            "more_than_there"
        )
        with practice_transaction(cast.alder.id):
            payment.refresh_from_db()
            assert (kept_cents(desk.biller, payment), payment.unapplied_cents, due(client)) == (0, 0, 4_000)


def test_a_decision_and_the_message_at_once_are_one_payment_at_most(desk: CardDesk) -> None:
    """Somebody marks a stuck charge in the moment in which the processor tells of it."""
    cast = desk.clinic.cast
    for number in range(REPEATS):
        client, card = owing(desk, "slow")
        with practice_transaction(cast.alder.id):
            run_id = desk.start((client, card, 4_000))
            desk.run(run_id)
            charge = Charge.objects.get(run_id=run_id)
        desk.processor.finish_slow(desk.processor.charges()[-1]["id"])
        message = desk.last("charged")
        by_hand = {"request_key": uuid4(), "charge_id": charge.pk, "reason": "Seen at the processor"}
        marks = (
            partial(mark_not_charged, desk.clinic.owner, **by_hand),
            partial(mark_charged, desk.clinic.owner, reference="sc_1", received_on=desk.biller.today, **by_hand),
        )
        told, decided = at_once(cast, partial(desk.hear, message), marks[number % 2])
        assert told == "done" and decided in {"done", "charge_decided"}
        with practice_transaction(cast.alder.id):
            assert (due(client), Payment.objects.filter(client_id=client).count()) == (0, 1)


def test_two_decisions_at_once_have_one_winner(desk: CardDesk) -> None:
    cast = desk.clinic.cast
    for _ in range(REPEATS):
        client, card = owing(desk, "slow")
        with practice_transaction(cast.alder.id):
            run_id = desk.start((client, card, 4_000))
            desk.run(run_id)
            charge = Charge.objects.get(run_id=run_id)
        facts = {"charge_id": charge.pk, "reason": "Seen at the processor"}
        outcomes = at_once(
            cast,
            partial(mark_not_charged, desk.clinic.owner, request_key=uuid4(), **facts),
            partial(
                mark_charged, desk.clinic.owner, request_key=uuid4(), reference="sc_1", received_on=desk.biller.today,
                **facts,
            ),
        )  # fmt: skip
        assert sorted(outcomes) == ["charge_decided", "done"]
        with practice_transaction(cast.alder.id):
            assert ChargeDecision.objects.filter(charge=charge).count() == 1

"""Corrections: each in numbers, each refusal, one reversal budget, races."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.db import connections

from daysheet.config.verify import run_verify
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import NoLongerThere, void_invoice
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.ledger.models import Entry
from daysheet.ledger.queries import client_balances, practice_proof
from daysheet.payments.actions import accept_payment, apply_credit
from daysheet.payments.corrections import (
    AmountNotPositive,
    CardPaymentFixed,
    MoreThanThere,
    NotAWriteOff,
    NothingApplied,
    NotInsured,
    PaymentReversed,
    ReasonMissing,
    StillApplied,
    change_responsibility,
    refund_payment,
    remove_write_off,
    reverse_payment,
    unapply,
    write_off,
)
from daysheet.payments.models import Payment
from daysheet.payments.receiving import PaymentInFuture
from daysheet.payments.redating import edit_payment
from daysheet.practices.actor import Actor
from tests.people import Cast

from .desk import DAY, TODAY, a_client, bill, insure


@pytest.fixture
def bob(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


def _pay(actor: Actor, client_id: UUID, cents: int, *, method: str = "check", applied: bool = True) -> Payment:
    accepted = accept_payment(
        actor, request_key=uuid4(), client_id=client_id, amount_cents=cents, method=method, received_on=DAY,
        applications=None if applied else {},
    )  # fmt: skip
    return Payment.objects.get(pk=accepted.payment_id)


def _figures(actor: Actor, client_id: UUID) -> tuple[int, int, int]:
    balances = client_balances(actor, client_id)
    assert practice_proof(actor).proves
    return balances.client_due_cents, balances.insurance_due_cents, balances.credit_cents


def test_unapplied_money_is_credit_again_and_can_be_applied_anew(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000)
    payment = _pay(bob, client, 4000)
    assert _figures(bob, client) == (0, 0, 0)
    assert unapply(bob, request_key=uuid4(), payment_id=payment.pk, reason="Wrong client side") == 4000
    assert _figures(bob, client) == (4000, 0, 4000)
    with pytest.raises(NothingApplied):
        unapply(bob, request_key=uuid4(), payment_id=payment.pk, reason="again")
    apply_credit(bob, request_key=uuid4(), client_id=client)
    assert _figures(bob, client) == (0, 0, 0)
    assert unapply(bob, request_key=uuid4(), payment_id=payment.pk, reason="once more") == 4000


def test_a_refund_gives_back_only_what_is_not_applied_and_only_once(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 3000)
    payment = _pay(bob, client, 5000)
    key = uuid4()
    for _ in range(2):
        refund_payment(
            bob, request_key=key, payment_id=payment.pk, amount_cents=1500, refunded_on=TODAY, reason="Overpaid"
        )
    assert _figures(bob, client) == (0, 0, 500)
    refused = [(600, TODAY, "x", MoreThanThere), (0, TODAY, "x", AmountNotPositive), (1, TODAY, " ", ReasonMissing),
               (1, TODAY + timedelta(days=1), "x", PaymentInFuture)]  # fmt: skip
    for cents, on, reason, refusal in refused:
        with pytest.raises(refusal):
            refund_payment(
                bob, request_key=uuid4(), payment_id=payment.pk, amount_cents=cents, refunded_on=on, reason=reason
            )
    assert _figures(bob, client) == (0, 0, 500)


def test_no_sequence_gives_back_more_than_came_in(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    payment = _pay(bob, client, 5000, applied=False)
    refund_payment(
        bob, request_key=uuid4(), payment_id=payment.pk, amount_cents=2000, refunded_on=TODAY, reason="Half back"
    )
    with pytest.raises(StillApplied):
        reverse_payment(bob, request_key=uuid4(), payment_id=payment.pk, reason="Bounced")
    refund_payment(
        bob, request_key=uuid4(), payment_id=payment.pk, amount_cents=3000, refunded_on=TODAY, reason="The rest"
    )
    with pytest.raises(MoreThanThere):
        refund_payment(
            bob, request_key=uuid4(), payment_id=payment.pk, amount_cents=1, refunded_on=TODAY, reason="More"
        )
    assert _figures(bob, client) == (0, 0, 0)


def test_a_payment_is_deleted_by_reversal_once_it_is_unapplied(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000)
    payment = _pay(bob, client, 4000)
    with pytest.raises(StillApplied):
        reverse_payment(bob, request_key=uuid4(), payment_id=payment.pk, reason="Bounced")
    unapply(bob, request_key=uuid4(), payment_id=payment.pk, reason="Bounced")
    reverse_payment(bob, request_key=uuid4(), payment_id=payment.pk, reason="Bounced")
    assert _figures(bob, client) == (4000, 0, 0)
    for again in (
        lambda: reverse_payment(bob, request_key=uuid4(), payment_id=payment.pk, reason="x"),
        lambda: refund_payment(
            bob, request_key=uuid4(), payment_id=payment.pk, amount_cents=1, refunded_on=TODAY, reason="x"
        ),
    ):
        with pytest.raises(PaymentReversed):
            again()
    assert Payment.objects.filter(pk=payment.pk).exists()


def test_a_card_payment_is_fixed_and_deleted_by_an_administrator_only(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    payment = _pay(bob, client, 4000, method="card", applied=False)
    with pytest.raises(CardPaymentFixed):
        edit_payment(
            bob,
            request_key=uuid4(),
            payment_id=payment.pk,
            method="cash",
            received_on=DAY,
            number="",
            notes="",
            reason="Typed wrong",
        )
    with pytest.raises(NotAllowed):
        reverse_payment(bob, request_key=uuid4(), payment_id=payment.pk, reason="Chargeback")
    reverse_payment(cast.actor(cast.alice), request_key=uuid4(), payment_id=payment.pk, reason="Chargeback")
    assert _figures(bob, client) == (0, 0, 0)


def test_another_date_moves_the_receipt_and_leaves_both_rows(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000)
    payment = _pay(bob, client, 4000)
    edit_payment(
        bob,
        request_key=uuid4(),
        payment_id=payment.pk,
        method="cash",
        received_on=date(2026, 11, 9),
        number="77",
        notes="n",
        reason="Late",
    )
    payment.refresh_from_db()
    assert (payment.method, payment.received_on, payment.number) == ("cash", date(2026, 11, 9), "77")
    receipts = Entry.objects.filter(payment_id=payment.pk, debit_account="cash").order_by("posted_at", "pk")
    assert [entry.effective_on for entry in receipts] == [DAY, date(2026, 11, 9)]
    assert _figures(bob, client) == (0, 0, 0)
    assert run_verify("alder", StringIO()) == 0


def test_a_write_off_and_its_removal(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000)
    line = InvoiceLine.objects.get()
    key = uuid4()
    for _ in range(2):
        write_off(bob, request_key=key, line_id=line.pk, side="client", amount_cents=1000, reason="Hardship")
    assert _figures(bob, client) == (3000, 0, 0)
    for side, cents, reason, refusal in (
        ("client", 3001, "x", MoreThanThere), ("insurance", 1, "x", MoreThanThere), ("client", 1, "", ReasonMissing),
        ("client", 0, "x", AmountNotPositive),
    ):  # fmt: skip
        with pytest.raises(refusal):
            write_off(bob, request_key=uuid4(), line_id=line.pk, side=side, amount_cents=cents, reason=reason)
    entry = Entry.objects.get(debit_account="write_off")
    remove_write_off(bob, request_key=uuid4(), line_id=line.pk, entry_id=entry.pk, reason="Paid after all")
    assert _figures(bob, client) == (4000, 0, 0)
    with pytest.raises(NotAWriteOff):
        remove_write_off(bob, request_key=uuid4(), line_id=line.pk, entry_id=entry.pk, reason="again")
    void_invoice(bob, invoice_id=line.invoice_id, reason="Voided meanwhile")
    typed = {"line_id": line.pk, "side": "client", "amount_cents": 1000, "reason": "Hardship"}
    write_off(bob, request_key=key, **typed)  # the answer that got lost: it did succeed
    with pytest.raises(NoLongerThere):
        write_off(bob, request_key=uuid4(), **typed)


def test_responsibility_moves_only_what_is_unpaid_and_the_total_stays(bob: Actor, cast: Cast) -> None:
    owner = cast.actor(cast.alice)
    client = a_client(owner).pk
    insure(owner, client)
    bill(bob, client, 10000, side="insurance")
    line = InvoiceLine.objects.get()

    def move(to_side: str, cents: int) -> None:
        change_responsibility(
            bob, request_key=uuid4(), line_id=line.pk, to_side=to_side, amount_cents=cents, reason="Deductible"
        )

    move("client", 4000)
    assert _figures(bob, client) == (4000, 6000, 0)
    _pay(bob, client, 3000)
    with pytest.raises(MoreThanThere):
        move("insurance", 1001)
    move("insurance", 1000)
    assert _figures(bob, client) == (0, 7000, 0)
    move("client", 7000)
    assert _figures(bob, client) == (7000, 0, 0)


def test_a_line_without_a_coverage_cannot_be_moved_to_an_insurer(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000)
    with pytest.raises(NotInsured):
        change_responsibility(
            bob, request_key=uuid4(), line_id=InvoiceLine.objects.get().pk, to_side="insurance", amount_cents=1,
            reason="x",
        )  # fmt: skip


def test_strangers_and_people_without_billing_correct_nothing(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000)
    payment, line = _pay(bob, client, 1000), InvoiceLine.objects.get()
    with pytest.raises(NotAllowed):
        unapply(cast.actor(cast.dan), request_key=uuid4(), payment_id=payment.pk, reason="x")
    stranger = cast.actor(cast.charlie)
    with practice_transaction(cast.birch.id):
        with pytest.raises(NotFound):
            unapply(stranger, request_key=uuid4(), payment_id=payment.pk, reason="x")
        with pytest.raises(NotFound):
            write_off(stranger, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=1, reason="x")


def _winners(cast: Cast, *pieces: Callable[[], object]) -> tuple[int, list[str]]:
    """How many of two pieces that start together succeed, and the codes of the refusals."""
    barrier, codes, done = threading.Barrier(len(pieces)), [], []

    def run(piece: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=20)
            with practice_transaction(cast.alder.id):
                piece()
            done.append(1)
        except Refusal as refusal:
            codes.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(piece,)) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return len(done), codes


@pytest.mark.race
def test_refunding_and_applying_the_same_credit_at_once_has_one_winner(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client(live_cast.actor(live_cast.alice)).pk
    for _ in range(50):
        with practice_transaction(live_cast.alder.id):
            bill(bob, client, 1000)
            payment = _pay(bob, client, 1000, applied=False)
        winners, codes = _winners(
            live_cast,
            lambda: apply_credit(bob, request_key=uuid4(), client_id=client),
            lambda payment=payment: refund_payment(
                bob, request_key=uuid4(), payment_id=payment.pk, amount_cents=1000, refunded_on=TODAY, reason="Back"
            ),
        )
        assert winners == 1, codes
        assert codes in (["no_credit"], ["more_than_there"])
        with practice_transaction(live_cast.alder.id):
            due, _, credit = _figures(bob, client)
            assert credit == 0
            if due:
                _pay(bob, client, due)


@pytest.mark.race
def test_two_people_write_off_and_pay_the_same_line_at_once(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client(live_cast.actor(live_cast.alice)).pk
    for _ in range(50):
        with practice_transaction(live_cast.alder.id):
            bill(bob, client, 1000)
            line = InvoiceLine.objects.latest("id")
        winners, codes = _winners(
            live_cast,
            lambda line=line: accept_payment(
                bob, request_key=uuid4(), client_id=client, amount_cents=1000, method="cash", received_on=TODAY,
                applications={line.pk: 1000},
            ),
            lambda line=line: write_off(
                bob, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=1000, reason="Hardship"
            ),
        )  # fmt: skip
        assert winners == 1, codes
        assert codes in (["line_not_open"], ["more_than_there"])
        with practice_transaction(live_cast.alder.id):
            assert _figures(bob, client) == (0, 0, 0)

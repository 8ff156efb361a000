"""A payment's date corrected: every row of docs/money/day-sheet.md, Another date. As of any day it counts once (M8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest

from daysheet.clients.models import Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import InvoiceLine
from daysheet.ledger.closing import close_day
from daysheet.ledger.models import Account, Entry
from daysheet.ledger.queries import client_balances, standing_entries
from daysheet.payments.actions import accept_payment, apply_credit
from daysheet.payments.corrections import refund_payment, unapply
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.redating import CountedTwice, DayClosed, ReceivedAfterRefund, edit_payment
from daysheet.practices.actor import Actor
from daysheet.reports.queries.day_sheet import day_sheet
from tests.invariants.books import INVARIANTS
from tests.people import Cast
from tests.worked import rows_under

from .desk import DAY, a_client, bill, insure, lines_of, pay


@pytest.fixture
def bob(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


ROWS = rows_under("day-sheet.md", "Another date")


def _day(text: str) -> date | None:
    return None if text == "–" else date(2026, int(text[:2]), int(text[3:]))


def _on(actor: Actor, day: date) -> Actor:
    """The same person at noon in New York on another day."""
    return replace(actor, now=datetime(day.year, day.month, day.day, 17, tzinfo=UTC))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: " ".join(row))
def test_each_row_of_the_page(bob: Actor, cast: Cast, row: list[str]) -> None:
    received, applied, off_again, new, closed, back, anew, applied_anew = (_day(text) for text in row)
    assert received and new
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000, on=DAY)
    payment = _received(bob, client, received)
    if applied:
        apply_credit(_on(bob, applied), request_key=uuid4(), client_id=client)
    if off_again:
        unapply(_on(bob, off_again), request_key=uuid4(), payment_id=payment, reason="Other line")
    if closed:
        _close(bob, closed)
    _edit(bob, payment, new)

    of_payment = Entry.objects.filter(payment_id=payment)
    assert of_payment.get(credit_account="cash").effective_on == back
    assert of_payment.get(debit_account="cash", effective_on=anew).amount_cents == 3000
    standing = standing_entries(bob, payment_id=payment, debit=Account.CREDIT)
    stands_on = applied_anew or (applied if not off_again else None)
    assert [(entry.effective_on, entry.amount_cents) for entry in standing] == (
        [(stands_on, 3000)] if stands_on else []
    )
    assert open_lines_cents(client) == (1000 if stands_on else 4000)
    _counts_once_as_of_any_day(bob, payment)
    assert {rule.__name__: found for rule in INVARIANTS if (found := rule(bob))} == {}


def test_the_deposits_hold_the_money_of_their_day(bob: Actor, cast: Cast) -> None:
    """A cheque of the 9th, entered and applied under the 2nd: the slip of the 2nd loses it, that of the 9th has it."""
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000, on=DAY)
    payment = pay(bob, client, 3000, received_on=DAY).payment_id
    _edit(bob, payment, date(2026, 11, 9), method="check")
    deposits = [sum(row.deposit_cents for row in day_sheet(bob, day).deposit) for day in (DAY, date(2026, 11, 9))]
    assert deposits == [0, 3000]
    between = client_balances(bob, client, as_of=date(2026, 11, 8))
    assert (between.client_due_cents, between.credit_cents) == (4000, 0)


def test_an_insurers_cheque_takes_its_lines_along(bob: Actor, cast: Cast) -> None:
    owner = cast.actor(cast.alice)
    client = a_client(owner).pk
    insure(owner, client)
    line = lines_of(bill(bob, client, 4000, on=DAY, side="insurance"))[0]
    payer = Coverage.objects.get().payer_id
    payment = accept_insurance_payment(
        bob, request_key=uuid4(), payer_id=payer, amount_cents=3000, method="eft", received_on=DAY,
        postings={line: LinePosting(3000)},
    ).payment_id  # fmt: skip
    assert payment
    _edit(bob, payment, date(2026, 11, 9), method="eft")
    assert client_balances(bob, client, as_of=date(2026, 11, 8)).insurance_due_cents == 4000
    assert client_balances(bob, client, as_of=date(2026, 11, 9)).insurance_due_cents == 1000
    assert {rule.__name__: found for rule in INVARIANTS if (found := rule(bob))} == {}


def test_money_was_there_when_it_was_given_back(bob: Actor, cast: Cast) -> None:
    client = a_client(cast.actor(cast.alice)).pk
    payment = _received(bob, client, DAY)
    refund_payment(
        bob, request_key=uuid4(), payment_id=payment, amount_cents=1000, refunded_on=date(2026, 11, 5), reason="Moved"
    )
    with pytest.raises(ReceivedAfterRefund, match=r"\$10.00 of this payment was given back on 11/05/2026"):
        _edit(bob, payment, date(2026, 11, 6))
    _edit(bob, payment, date(2026, 11, 5))
    _counts_once_as_of_any_day(bob, payment)


def test_a_date_on_which_the_older_receipt_still_counts_is_refused(bob: Actor, cast: Cast) -> None:
    """Found by reading: as of 11/03 the payment would have been there twice."""
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000, on=DAY)
    payment = _received(bob, client, DAY)
    apply_credit(_on(bob, date(2026, 11, 4)), request_key=uuid4(), client_id=client)
    unapply(_on(bob, date(2026, 11, 6)), request_key=uuid4(), payment_id=payment, reason="Other line")
    _edit(bob, payment, date(2026, 11, 9))
    with pytest.raises(CountedTwice, match="as of 11/03/2026 its earlier receipt still counts"):
        _edit(bob, payment, date(2026, 11, 3))
    _edit(bob, payment, date(2026, 11, 6))
    _edit(bob, payment, date(2026, 11, 10))
    _counts_once_as_of_any_day(bob, payment)


def test_the_method_stays_after_the_date_left_a_closed_day(bob: Actor, cast: Cast) -> None:
    """The deposit of the closed day holds it still: by another method that slip would change (M10)."""
    client = a_client(cast.actor(cast.alice)).pk
    payment = _received(bob, client, DAY)
    _close(bob, date(2026, 11, 5))
    slip = day_sheet(bob, DAY).deposit
    _edit(bob, payment, date(2026, 11, 9))
    with pytest.raises(DayClosed):
        _edit(bob, payment, date(2026, 11, 9), method="check")
    assert day_sheet(bob, DAY).deposit == slip


def _received(actor: Actor, client: UUID, on: date) -> UUID:
    return accept_payment(
        _on(actor, on), request_key=uuid4(), client_id=client, amount_cents=3000, method="cash", received_on=on,
        applications={},
    ).payment_id  # fmt: skip


def _edit(actor: Actor, payment: UUID, on: date, method: str = "cash") -> None:
    edit_payment(
        actor, request_key=uuid4(), payment_id=payment, method=method, received_on=on, number="", notes="",
        reason="Misread",
    )  # fmt: skip


def _close(actor: Actor, day: date) -> None:
    totals = day_sheet(actor, day).totals
    close_day(actor, day=day, expected_closing_cents=totals.closing_cents, expected_entry_count=totals.entry_count)


def _counts_once_as_of_any_day(actor: Actor, payment: UUID) -> None:
    of_payment = Entry.objects.filter(payment_id=payment)
    for day in {*of_payment.values_list("effective_on", flat=True), actor.today}:
        until = of_payment.filter(effective_on__lte=day)
        came = sum(until.filter(debit_account="cash").values_list("amount_cents", flat=True))
        went = sum(until.filter(credit_account="cash").values_list("amount_cents", flat=True))
        assert 0 <= came - went <= 3000, day


def open_lines_cents(client: UUID) -> int:
    return sum(InvoiceLine.objects.filter(client_id=client).values_list("client_open_cents", flat=True))

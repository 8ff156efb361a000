"""A payment's date corrected: every row of docs/money/day-sheet.md, Another date. As of any day it counts once (M8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.ledger.closing import close_day
from daysheet.ledger.models import Entry
from daysheet.payments.actions import accept_payment, apply_credit
from daysheet.payments.corrections import edit_payment
from daysheet.practices.actor import Actor
from daysheet.reports.queries.day_sheet import day_sheet
from tests.people import Cast
from tests.worked import rows_under

from .desk import DAY, a_client, bill


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
    received, applied, new, closed, back, anew = (_day(text) for text in row)
    assert received and new
    client = a_client(cast.actor(cast.alice)).pk
    bill(bob, client, 4000, on=DAY)
    payment = accept_payment(
        _on(bob, received), request_key=uuid4(), client_id=client, amount_cents=3000, method="cash",
        received_on=received, applications={},
    ).payment_id  # fmt: skip
    if applied:
        apply_credit(_on(bob, applied), request_key=uuid4(), client_id=client)
    if closed:
        totals = day_sheet(bob, closed).totals
        close_day(bob, day=closed, expected_closing_cents=totals.closing_cents, expected_entry_count=totals.entry_count)
    edit_payment(bob, payment_id=payment, method="cash", received_on=new, number="", notes="", reason="Misread")

    of_payment = Entry.objects.filter(payment_id=payment)
    assert of_payment.get(credit_account="cash").effective_on == back
    assert of_payment.get(debit_account="cash", effective_on=anew).amount_cents == 3000
    for day in sorted({received, new, back or new, anew or new, bob.today}):
        until = of_payment.filter(effective_on__lte=day)
        came = sum(until.filter(debit_account="cash").values_list("amount_cents", flat=True))
        went = sum(until.filter(credit_account="cash").values_list("amount_cents", flat=True))
        assert came - went in (0, 3000), day
    assert (day, came - went) == (bob.today, 3000)

"""The proof of a day: every row of docs/money/day-sheet.md, and what holds for any entries at all."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.kit.money import Money
from daysheet.ledger.models import Account
from daysheet.ledger.rules import (
    HELD,
    INSURERS_CREDIT,
    RECEIVABLES,
    EntryClass,
    PairSum,
    change_cents,
    classify,
    day_totals,
    posting_day,
)

PAGE = (Path(__file__).parents[3] / "docs" / "money" / "day-sheet.md").read_text(encoding="utf-8")
ACCOUNTS = [*(str(account) for account in Account), INSURERS_CREDIT]


def _table(heading: str) -> list[list[str]]:
    lines = PAGE.splitlines()
    rows = []
    for line in lines[lines.index(heading) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def _day(text: str) -> date:
    month, day = text.split("/")
    return date(2026, int(month), int(day))


CLASSES = _table("| debit | credit | class | balance |")
ENTRIES = _table("| day | debit | credit | amount |")
SHEETS = _table("| sheet of | opening | charges | payments | adjustments | closing |")
POSTED = _table("| meant for | closed through | posted on |")


@pytest.mark.parametrize(("debit", "credit", "kind", "sign"), CLASSES)
def test_each_pair_of_accounts_is_in_the_class_that_the_page_says(
    debit: str, credit: str, kind: str, sign: str
) -> None:
    pair = debit.lower(), credit.lower()
    assert classify(*pair) == EntryClass(kind)
    assert change_cents(*pair, 100) == {"+": 100, "−": -100, "0": 0}[sign]


@pytest.mark.parametrize(("on", "opening", "charges", "payments", "adjustments", "closing"), SHEETS)
def test_each_sheet_of_the_page_adds_up(
    on: str, opening: str, charges: str, payments: str, adjustments: str, closing: str
) -> None:
    day = _day(on)
    totals = day_totals(
        PairSum(_day(posted) == day, debit.lower(), credit.lower(), Money.parse(amount).cents, 1)
        for posted, debit, credit, amount in ENTRIES
        if _day(posted) <= day
    )
    said = [Money.parse(text).cents for text in (opening, charges, payments, adjustments, closing)]
    assert [
        totals.opening_cents, totals.charges_cents, totals.payments_cents, totals.adjustments_cents,
        totals.closing_cents,
    ] == said  # fmt: skip
    assert totals.proves
    assert totals.entry_count == sum(_day(posted) == day for posted, *_ in ENTRIES)


@pytest.mark.parametrize(("meant", "closed", "posted"), POSTED)
def test_each_posting_date_of_the_page(meant: str, closed: str, posted: str) -> None:
    assert posting_day(_day(meant), None if closed == "–" else _day(closed)) == _day(posted)


_SUMS = st.lists(
    st.builds(
        PairSum,
        is_of_day=st.booleans(),
        debit=st.sampled_from(ACCOUNTS),
        credit=st.sampled_from(ACCOUNTS),
        amount_cents=st.integers(1, 10**9),
        count=st.integers(1, 5),
    ).filter(lambda each: each.debit != each.credit)
)


@given(_SUMS)
def test_any_entries_at_all_add_up(sums: list[PairSum]) -> None:
    assert day_totals(sums).proves


def test_every_pair_is_in_a_class_and_only_what_is_between_held_accounts_or_outside_leaves_the_balance() -> None:
    for debit in ACCOUNTS:
        for credit in ACCOUNTS:
            if debit != credit:
                stays = classify(debit, credit) in (EntryClass.MOVED, EntryClass.OUTSIDE)
                assert stays == (change_cents(debit, credit, 1) == 0)


def test_a_class_forgotten_would_show() -> None:
    """The proof can fail: entries whose class does not say what they do to the balance part the two sides."""
    broken = day_totals([PairSum(True, "client_receivable", "revenue", 100, 1)])
    assert broken.proves
    assert not type(broken)(0, 90, 0, 0, 100, 1).proves


@given(st.dates(), st.dates(), st.dates())
def test_a_later_day_is_never_posted_before_an_earlier_one(first: date, second: date, closed: date) -> None:
    if closed < date.max - timedelta(days=1):
        earlier, later = sorted((first, second))
        assert posting_day(earlier, closed) <= posting_day(later, closed)
        assert posting_day(first, closed) > closed


def test_the_names_of_accounts_are_those_of_the_ledger() -> None:
    assert {str(account) for account in Account} > HELD
    assert RECEIVABLES | {"credit"} == HELD

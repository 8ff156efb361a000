"""Where money goes: every row of docs/money/application.md, and what holds for any amounts at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.kit.errors import Refusal
from daysheet.kit.money import LARGEST_CENTS, Money
from daysheet.payments.rules import (
    AppliedMoreThanDue,
    AppliedMoreThanReceived,
    Credit,
    LineNotOpen,
    OpenLine,
    PaymentNotPositive,
    PaymentTooLarge,
    draw,
    oldest_first,
    spread,
)
from tests.worked import rows_under

PAGE = "application.md"
IDS = {name: UUID(int=number) for number, name in enumerate("ABCDPQ", 1)}
NAMES = {line_id: name for name, line_id in IDS.items()}
# Given in a wrong order on purpose: the rules bring them into theirs.
LINES = [
    OpenLine(IDS["C"], date(2026, 11, 9), 12, 1, 6_000),
    OpenLine(IDS["A"], date(2026, 11, 2), 13, 1, 4_000),
    OpenLine(IDS["B"], date(2026, 11, 9), 11, 1, 2_500),
]
CREDITS = [Credit(IDS["Q"], date(2026, 10, 15), 5_000), Credit(IDS["P"], date(2026, 10, 1), 3_000)]


def chosen_of(text: str) -> dict[UUID, int | None] | None:
    """`A 10.00, B` → typed and ticked lines."""
    if text == "–":
        return None
    parts = [part.split() for part in text.split(",")]
    return {IDS[part[0]]: Money.parse(part[1]).cents if len(part) > 1 else None for part in parts}


def cents_of(text: str) -> int | None:
    return None if text == "–" else Money.parse(text).cents


@pytest.mark.parametrize("row", rows_under(PAGE, "Payments"), ids=" ".join)
def test_the_page_of_worked_payments(row: list[str]) -> None:
    amount, chosen, a, b, c, credit, refused = row
    if refused:
        with pytest.raises(Refusal) as caught:
            spread(cents_of(amount), LINES, chosen_of(chosen))
        assert caught.value.code == refused
        return
    result = spread(cents_of(amount), LINES, chosen_of(chosen))
    got = {NAMES[line_id]: cents for line_id, cents in result.applications}
    assert [got.get(name, 0) for name in "ABC"] == [cents_of(a), cents_of(b), cents_of(c)]
    assert result.credit_cents == cents_of(credit)


@pytest.mark.parametrize("row", rows_under(PAGE, "Credit that is used later"), ids=" ".join)
def test_the_page_of_worked_credit(row: list[str]) -> None:
    applied, from_p, from_q, refused = row
    wanted = [(line_id, cents or 0) for line_id, cents in (chosen_of(applied) or {}).items()]
    if refused:
        with pytest.raises(AppliedMoreThanReceived) as caught:
            draw(CREDITS, wanted)
        assert caught.value.code == refused
        return
    drawn = draw(CREDITS, wanted)
    for name, text in (("P", from_p), ("Q", from_q)):
        got = {line_id: cents for payment_id, line_id, cents in drawn if payment_id == IDS[name]}
        assert got == (chosen_of(text) or {})


def test_the_page_has_not_lost_its_tables() -> None:
    assert len(rows_under(PAGE, "Payments")) == 23
    assert len(rows_under(PAGE, "Credit that is used later")) == 6


def test_everything_can_be_kept_as_credit() -> None:
    assert spread(5_000, LINES, {}).credit_cents == 5_000
    assert spread(5_000, [], None).credit_cents == 5_000


def test_an_amount_of_more_than_ten_million_is_a_typing_mistake() -> None:
    assert spread(LARGEST_CENTS, [], None).credit_cents == LARGEST_CENTS
    with pytest.raises(PaymentTooLarge, match="more than one payment"):
        spread(LARGEST_CENTS + 1, [], None)


@pytest.mark.parametrize("amount", [-1, 0, None])
def test_no_amount_is_no_payment(amount: int | None) -> None:
    with pytest.raises(PaymentNotPositive):
        spread(amount, LINES, None)


def test_less_than_nothing_cannot_be_put_on_a_line() -> None:
    with pytest.raises(PaymentNotPositive, match="less than nothing"):
        spread(5_000, LINES, {IDS["A"]: -1})


_lines = st.lists(
    st.builds(
        OpenLine,
        st.uuids(),
        st.dates(date(2026, 1, 1), date(2026, 1, 5)),
        st.integers(1, 4),
        st.integers(1, 3),
        st.integers(1, 20_000),
    ),
    max_size=8,
    unique_by=lambda line: line.line_id,
)


@st.composite
def _choices(draw_: st.DrawFn) -> tuple[int | None, list[OpenLine], Mapping[UUID, int | None] | None]:
    lines = draw_(_lines)
    amount = draw_(st.none() | st.integers(-5, 60_000))
    keys = st.sampled_from([line.line_id for line in lines]) if lines else st.uuids()
    chosen = draw_(st.none() | st.dictionaries(keys, st.none() | st.integers(0, 20_000), max_size=8))
    return amount, lines, chosen


@given(case=_choices())
def test_applied_and_credit_are_the_amount_and_no_line_gets_more_than_its_due(
    case: tuple[int | None, list[OpenLine], Mapping[UUID, int | None] | None],
) -> None:
    amount, lines, chosen = case
    due = {line.line_id: line.due_cents for line in lines}
    try:
        result = spread(amount, lines, chosen)
    except (PaymentNotPositive, AppliedMoreThanDue, AppliedMoreThanReceived, LineNotOpen):
        return
    assert result.applied_cents + result.credit_cents == result.amount_cents > 0
    assert amount in (None, result.amount_cents)
    assert result.credit_cents >= 0
    assert len(dict(result.applications)) == len(result.applications)
    for line_id, cents in result.applications:
        assert 0 < cents <= due[line_id]
        assert chosen is None or line_id in chosen
        typed = (chosen or {}).get(line_id)
        assert typed is None or typed == cents


@given(lines=_lines, amount=st.integers(1, 100_000))
def test_no_later_line_is_paid_while_an_earlier_one_still_owes(lines: list[OpenLine], amount: int) -> None:
    got = dict(spread(amount, lines, None).applications)
    shares = [(got.get(line.line_id, 0), line.due_cents) for line in oldest_first(lines)]
    unpaid = next((place for place, (cents, due) in enumerate(shares) if cents < due), len(shares))
    assert all(cents == 0 for cents, _ in shares[unpaid + 1 :])
    assert sum(cents for cents, _ in shares) == min(amount, sum(due for _, due in shares))


@given(
    credits=st.lists(
        st.builds(Credit, st.uuids(), st.dates(date(2026, 1, 1), date(2026, 1, 9)), st.integers(1, 5_000)),
        max_size=6,
        unique_by=lambda credit: credit.payment_id,
    ),
    wanted=st.lists(st.tuples(st.uuids(), st.integers(1, 4_000)), max_size=5, unique_by=lambda pair: pair[0]),
)
def test_credit_is_drawn_to_the_cent_or_not_at_all(credits: list[Credit], wanted: list[tuple[UUID, int]]) -> None:
    there, asked = sum(credit.unapplied_cents for credit in credits), sum(cents for _, cents in wanted)
    if asked > there:
        with pytest.raises(AppliedMoreThanReceived):
            draw(credits, wanted)
        return
    drawn = draw(credits, wanted)
    for credit in credits:
        assert sum(cents for payment, _, cents in drawn if payment == credit.payment_id) <= credit.unapplied_cents
    for line_id, cents in wanted:
        assert sum(taken for _, line, taken in drawn if line == line_id) == cents
    assert all(cents > 0 for *_, cents in drawn)

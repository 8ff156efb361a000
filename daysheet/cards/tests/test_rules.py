"""Every row of docs/money/giving-back.md, and what holds for any amounts at all."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.cards.rules import (
    ChargeState,
    RefundState,
    is_open,
    left_to_charge,
    refund_state_of,
    state_of,
    to_take,
)
from daysheet.kit.money import Money
from tests.worked import rows_under

PAGE = "giving-back.md"
CENTS = st.integers(0, 10_000)


@pytest.mark.parametrize("row", rows_under(PAGE, "What a chargeback takes"), ids=" ".join)
def test_the_page_of_worked_chargebacks(row: list[str]) -> None:
    disputed, refunded, taken, takes, kept = (Money.parse(text).cents for text in row)
    before = 5_000 - refunded - taken
    assert to_take(disputed, taken, before) == takes
    assert before - takes == kept


@pytest.mark.parametrize("row", rows_under(PAGE, "When money may still come in"), ids=" ".join)
def test_the_page_of_states(row: list[str]) -> None:
    heard, counts, again = row[0].split(", "), row[1], row[2]
    for order in permutations(heard):
        assert state_of(order) == counts
    assert is_open(ChargeState(counts)) == (again == "no")


def test_the_page_has_not_lost_its_tables() -> None:
    assert (
        len(rows_under(PAGE, "What a chargeback takes")),
        len(rows_under(PAGE, "When money may still come in")),
    ) == (8, 9)


@pytest.mark.parametrize(
    ("heard", "counts"),
    [
        ("requested unknown not_made", RefundState.NOT_MADE),
        ("requested unknown not_made refunded", RefundState.REFUNDED),
        ("requested unknown not_made failed", RefundState.FAILED),
        ("requested unknown not_made refunded failed", RefundState.FAILED),
    ],
)
def test_what_the_processor_says_of_a_refund_outweighs_a_persons_word(heard: str, counts: RefundState) -> None:
    for order in permutations(heard.split()):
        assert refund_state_of(order) is counts


@given(disputes=st.lists(CENTS, max_size=6), refunded=CENTS, amount=CENTS)
def test_chargebacks_never_take_more_than_is_kept(disputes: list[int], refunded: int, amount: int) -> None:
    kept = max(amount - refunded, 0)
    for disputed in disputes:
        taken = to_take(disputed, 0, kept)
        assert 0 <= taken <= min(disputed, kept)
        assert to_take(disputed, taken, kept - taken) == 0  # the same message again takes nothing
        kept -= taken
    assert kept >= 0


def test_a_refund_that_failed_has_failed_whatever_was_said_before() -> None:
    assert refund_state_of([]) is RefundState.REQUESTED
    assert refund_state_of(["requested", "refunded", "failed"]) is RefundState.FAILED
    assert refund_state_of(["refunded", "unknown"]) is RefundState.REFUNDED


def test_only_what_was_confirmed_is_charged() -> None:
    assert left_to_charge(4_000, 4_000, 0) and left_to_charge(5_000, 4_000, 1_000)
    assert not left_to_charge(4_000, 3_999, 0)
    assert not left_to_charge(5_000, 3_000, 1_000)

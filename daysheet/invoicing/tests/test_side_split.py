"""Who owes a line: every row of docs/money/side-split.md, and what holds for any amounts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.invoicing.rules import split_sides
from daysheet.kit.money import LARGEST_CENTS, Money
from tests.worked import rows_under

PAGE = "side-split.md"
COPAY_CENTS = 3_000


def cents(text: str) -> list[int]:
    return [Money.parse(each).cents for each in text.split(",")]


@pytest.mark.parametrize("row", rows_under(PAGE, "One line"), ids=" ".join)
def test_a_line_is_owed_as_the_page_says(row: list[str]) -> None:
    insured, amount, copay, client, insurance = row
    copay_cents = None if copay == "–" else cents(copay)[0]
    found = split_sides(cents(amount)[0], insured=insured == "yes", copay_cents=copay_cents, copay_used_cents=0)
    assert found[:2] == (cents(client)[0], cents(insurance)[0])


@pytest.mark.parametrize("row", rows_under(PAGE, "Several lines on one date"), ids=" ".join)
def test_the_lines_of_a_date_share_one_copay(row: list[str]) -> None:
    client, insurance, used = [], [], 0
    for amount in cents(row[0]):
        owed, left, taken = split_sides(amount, insured=True, copay_cents=COPAY_CENTS, copay_used_cents=used)
        used += taken
        client.append(owed)
        insurance.append(left)
    assert (client, insurance) == (cents(row[1]), cents(row[2]))


@given(
    amount=st.integers(0, LARGEST_CENTS),
    insured=st.booleans(),
    copay=st.none() | st.integers(0, LARGEST_CENTS),
    used=st.integers(0, LARGEST_CENTS),
)
def test_the_sides_always_come_to_the_amount(amount: int, insured: bool, copay: int | None, used: int) -> None:
    client, insurance, taken = split_sides(amount, insured=insured, copay_cents=copay, copay_used_cents=used)
    assert client + insurance == amount
    assert client >= 0
    assert insurance >= 0
    assert taken == (client if insured else 0)

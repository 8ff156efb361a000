"""Amounts as they are typed, and what is none."""

from __future__ import annotations

import pytest

from daysheet.kit.money import Money, NotMoney


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("125", 12_500), ("$1,234.50", 123_450), ("-3", -300), ("−.5", -50), ("0", 0), ("000", 0), ("007.1", 710),
        ("0" * 5000 + "1.25", 125), ("10000000", 1_000_000_000),
    ],
)  # fmt: skip
def test_an_amount(text: str, cents: int) -> None:
    assert Money.parse(text).cents == cents


@pytest.mark.parametrize("text", ["", " ", "$", "-", ".", "1.234", "1,23", "1e3", "NaN", "²", "x"])
def test_no_amount(text: str) -> None:
    with pytest.raises(NotMoney, match=r"is not an amount such as 125\.00"):
        Money.parse(text)


@pytest.mark.parametrize("text", ["10000000.01", "1" * 30, "-" + "1" * 5000, "1" + ",000" * 2000])
def test_more_than_an_amount_may_be_however_many_digits(text: str) -> None:
    """`int()` refuses some thousands of digits in words of its own; the words are ours, and short."""
    with pytest.raises(NotMoney, match=r"^“.{1,40}” is more than \$10,000,000\.00$"):
        Money.parse(text)

"""What a service costs: every row of docs/money/prices.md."""

from __future__ import annotations

import re

import pytest

from daysheet.kit.money import Money
from daysheet.services.rules import rate_for, unit_rule_label, units_for
from tests.worked import rows_under

RULES = {"Always Bill For": "always", "1 Unit per": "per_minutes"}


@pytest.mark.parametrize("row", rows_under("prices.md", "Units"), ids=" ".join)
def test_units_are_as_the_page_says(row: list[str]) -> None:
    words, number = re.fullmatch(r"(Always Bill For|1 Unit per) (\d+)(?: minutes)?", row[0]).groups()  # type: ignore[union-attr]
    assert units_for(RULES[words], int(number), int(row[1])) == int(row[2])
    assert unit_rule_label(RULES[words], int(number)) == row[0]


@pytest.mark.parametrize("row", rows_under("prices.md", "Rates"), ids=" ".join)
def test_the_first_price_given_wins(row: list[str]) -> None:
    visit, own, general, payer, service = (None if cell == "–" else Money.parse(cell).cents for cell in row[:5])
    assert service is not None
    found = rate_for(
        service_rate_cents=service, visit_rate_cents=visit, client_service_amount_cents=own,
        client_amount_cents=general, payer_rate_cents=payer,
    )  # fmt: skip
    assert found == (Money.parse(row[5]).cents, row[6])

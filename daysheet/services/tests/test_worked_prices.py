"""What a service costs: every row of docs/money/prices.md."""

from __future__ import annotations

import re
from datetime import date
from uuid import uuid4

import pytest

from daysheet.clients.rules import IncomeFacts, income_on, yearly_cents
from daysheet.kit.dates import parse_date
from daysheet.kit.money import Money
from daysheet.services.rules import (
    IncomeStepTerms,
    PayerRateTerms,
    PayerRuleTerms,
    income_step_for,
    payer_rules_for,
    percent_in_hundredths,
    ranked_prices,
    rate_changed_by,
    standing_on,
    unit_rule_label,
    units_for,
    with_added,
)
from tests.worked import rows_under

RULES = {"Always Bill For": "always", "1 Unit per": "per_minutes"}
TALK, GROUP = uuid4(), uuid4()
SERVICES = {"TALK": TALK, "GROUP": GROUP}


def cents(cell: str) -> int | None:
    return None if cell == "–" else Money.parse(cell).cents


def words(cell: str) -> tuple[str, ...]:
    return () if cell == "–" else tuple(cell.split())


@pytest.mark.parametrize("row", rows_under("prices.md", "Units"), ids=" ".join)
def test_units_are_as_the_page_says(row: list[str]) -> None:
    rule, number = re.fullmatch(r"(Always Bill For|1 Unit per) (\d+)(?: minutes)?", row[0]).groups()  # type: ignore[union-attr]
    assert units_for(RULES[rule], int(number), int(row[1])) == int(row[2])
    assert unit_rule_label(RULES[rule], int(number)) == row[0]


@pytest.mark.parametrize("row", rows_under("prices.md", "Rates"), ids=" ".join)
def test_the_first_price_given_wins(row: list[str]) -> None:
    edited, visit, own, general, payer, income, service = (cents(cell) for cell in row[:7])
    assert service is not None
    found = ranked_prices(
        edited=edited, visit=visit, client_service=own, client=general, payer=payer, income=income, service=service
    )
    assert found[0] == (row[8], cents(row[7]))
    assert [price for _, price in found] == [cents(cell) for cell in row[:7] if cell != "–"]


def test_both_amounts_of_a_client_are_kept_as_one_source() -> None:
    assert {rule.source for rule, _ in ranked_prices(service=1, client=2, client_service=3)} == {"client", "service"}


@pytest.mark.parametrize("row", rows_under("prices.md", "In force"), ids=" ".join)
def test_a_rate_holds_until_the_next_begins(row: list[str]) -> None:
    steps = [
        PayerRateTerms(11500, date(2026, 7, 1)),
        PayerRateTerms(11000, date(2026, 1, 1)),
        PayerRateTerms(None, date(2026, 10, 1)),
    ]
    standing = standing_on(steps, parse_date(row[0]))
    assert (standing.rate_cents if standing else None) == cents(row[1])


@pytest.mark.parametrize("row", rows_under("prices.md", "Changing a schedule"), ids=" ".join)
def test_a_copied_rate_changes_by_a_percentage(row: list[str]) -> None:
    hundredths = percent_in_hundredths(row[1])
    assert hundredths is not None
    assert rate_changed_by(cents(row[0]) or 0, hundredths) == cents(row[2])


def _scale() -> list[IncomeStepTerms]:
    steps = [
        (None, 1, 0, 2000), (None, 1, 20_000, 4000), (None, 1, 40_000, 8000), (None, 1, 60_000, None),
        (None, 3, 0, 1000), (None, 3, 30_000, 3000), (GROUP, 1, 10_000, 1500),
    ]  # fmt: skip
    return [IncomeStepTerms(service, size, dollars * 100, amount) for service, size, dollars, amount in steps]


@pytest.mark.parametrize("row", rows_under("prices.md", "Income"), ids=" ".join)
def test_an_income_falls_on_one_step(row: list[str]) -> None:
    amount, _, period = row[2].split()
    yearly = yearly_cents(Money.parse(amount).cents, period)
    income = IncomeFacts(yearly, int(row[1]), date(2026, 1, 1), None)
    step = income_step_for(_scale(), income, SERVICES[row[0]])
    assert (step.amount_cents if step else None) == cents(row[3])


@pytest.mark.parametrize("row", rows_under("prices.md", "Which income counts"), ids=" ".join)
def test_the_newest_income_counts_until_it_has_to_be_renewed(row: list[str]) -> None:
    given = [
        IncomeFacts(3_000_000, 1, date(2026, 1, 10), date(2027, 1, 10)),
        IncomeFacts(5_000_000, 1, date(2026, 6, 1), date(2026, 9, 1)),
        IncomeFacts(None, 1, date(2026, 12, 1), None),
    ]
    income = income_on(given, parse_date(row[0]))
    assert (income.yearly_cents if income else None) == cents(row[1])


def _rules() -> dict[tuple[object, str], list[PayerRuleTerms]]:
    start = date(2026, 1, 1)
    rules = [
        PayerRuleTerms(None, "10", start, ("95",), ""),
        PayerRuleTerms(None, "02", start, ("95",), "10"),
        PayerRuleTerms(GROUP, "", start, ("HQ",), "11"),
        PayerRuleTerms(GROUP, "02", date(2026, 7, 1), (), ""),
        PayerRuleTerms(TALK, "10", date(2026, 9, 1), ("GT",), ""),
        PayerRuleTerms(TALK, "10", date(2026, 11, 1), (), "", is_end=True),
    ]
    by_case: dict[tuple[object, str], list[PayerRuleTerms]] = {}
    for rule in rules:
        by_case.setdefault((rule.service_type_id, rule.place), []).append(rule)
    return by_case


@pytest.mark.parametrize("row", rows_under("prices.md", "Modifiers and place of service"), ids=" ".join)
def test_the_narrowest_rule_of_a_payer_is_followed(row: list[str]) -> None:
    found = payer_rules_for(_rules(), SERVICES[row[0]], row[2], parse_date(row[3]))  # type: ignore[arg-type]
    added = found[0].added_modifiers if found else ()
    assert with_added(words(row[1]), added) == words(row[4])
    assert ((found[0].billed_place if found else "") or row[2]) == row[5]

"""Units and prices, as tables and properties (S2, B10)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.clients.rules import IncomeFacts
from daysheet.services.rules import (
    IncomeStepTerms,
    PayerRateTerms,
    PayerRuleTerms,
    PriceRule,
    code_problem,
    income_step_for,
    modifiers_from,
    payer_rules_for,
    percent_in_hundredths,
    ranked_prices,
    rate_changed_by,
    standing_on,
    unit_rule_label,
    units_for,
    with_added,
)


@pytest.mark.parametrize(
    ("rule", "count", "minutes", "units"),
    [
        ("always", 1, 50, 1), ("always", 3, 5, 3), ("always", 2, 0, 2),
        ("per_minutes", 15, 0, 1), ("per_minutes", 15, 7, 1), ("per_minutes", 15, 8, 1), ("per_minutes", 15, 22, 1),
        ("per_minutes", 15, 23, 2), ("per_minutes", 15, 30, 2), ("per_minutes", 15, 37, 2), ("per_minutes", 15, 38, 3),
        ("per_minutes", 60, 30, 1), ("per_minutes", 60, 31, 1), ("per_minutes", 60, 90, 1), ("per_minutes", 60, 91, 2),
        ("per_minutes", 30, 45, 1), ("per_minutes", 30, 46, 2), ("per_minutes", 1, 50, 50),
    ],
)  # fmt: skip
def test_units_are_those_whose_midpoint_has_passed(rule, count, minutes, units):
    assert units_for(rule, count, minutes) == units


@given(st.integers(1, 1440), st.integers(0, 3000))
def test_units_follow_the_rule_for_any_length(m, minutes):
    units = units_for("per_minutes", m, minutes)
    assert units >= 1
    assert units == max(1, sum(1 for n in range(1, minutes + 2) if 2 * minutes > (2 * n - 1) * m))
    assert units_for("per_minutes", m, minutes + 1) >= units


PRICES = ("edited", "visit", "client_service", "client", "payer", "income")


@given(st.dictionaries(st.sampled_from(PRICES), st.none() | st.integers(0, 10**9)), st.integers(0, 10**9))
def test_the_nearest_price_wins_and_all_that_were_given_are_named(prices, service):
    named = {name: cents for name, cents in prices.items() if cents is not None}
    found = ranked_prices(service=service, **prices)
    assert [rule.value for rule, _ in found] == [name for name in PRICES if name in named] + ["service"]
    assert dict(found) == {**named, "service": service}
    assert list(PriceRule) == [*PRICES, "service"]


DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))


@given(st.lists(DAYS, unique=True), DAYS)
def test_on_any_day_the_step_holds_that_began_last(starts, day):
    steps = [PayerRateTerms(number, start) for number, start in enumerate(starts)]
    standing = standing_on(steps, day)
    begun = [step for step in steps if step.starts_on <= day]
    assert standing == (max(begun, key=lambda step: step.starts_on) if begun else None)
    assert standing_on(steps[::-1], day) == standing


OWN = UUID(int=1)
STEPS = st.lists(
    st.builds(
        IncomeStepTerms, st.sampled_from([None, OWN]), st.integers(1, 5), st.integers(0, 50), st.none() | st.integers(0)
    ),
    unique_by=lambda step: (step.service_type_id, step.household_from, step.yearly_from_cents),
)


@given(STEPS, st.integers(1, 8), st.integers(0, 60), st.sampled_from([None, OWN]))
def test_an_income_falls_on_at_most_one_step_and_on_the_nearest_below(steps, size, yearly, service):
    step = income_step_for(steps, IncomeFacts(yearly, size, date(2026, 1, 1), None), service)
    own = [each for each in steps if each.service_type_id == service]
    meant = own or [each for each in steps if each.service_type_id is None]
    sizes = {each.household_from for each in meant if each.household_from <= size}
    below = [
        each for each in meant if each.household_from == max(sizes, default=0) and each.yearly_from_cents <= yearly
    ]
    if step is None:
        assert not below
    else:
        assert step in below
        assert not [each for each in below if each.yearly_from_cents > step.yearly_from_cents]
    assert income_step_for(steps, IncomeFacts(None, size, date(2026, 1, 1), None), service) is None


RULES = st.lists(
    st.builds(
        PayerRuleTerms, st.sampled_from([None, OWN, UUID(int=2)]), st.sampled_from(["", "10", "11"]), DAYS,
        st.sampled_from([(), ("95",), ("GT", "HQ")]), st.sampled_from(["", "02"]),
    ),
    unique_by=lambda rule: (rule.service_type_id, rule.place, rule.starts_on),
)  # fmt: skip


@given(RULES, st.sampled_from(["10", "12", ""]), DAYS)
def test_the_rules_that_fit_come_narrowest_first_and_one_for_each_case(rules, place, day):
    by_case: dict = {}
    for rule in rules:
        by_case.setdefault((rule.service_type_id, rule.place), []).append(rule)
    found = payer_rules_for(by_case, OWN, place, day)
    widths = [(rule.service_type_id is None, rule.place == "") for rule in found]
    assert widths == sorted(set(widths))
    for rule in found:
        assert rule.service_type_id in (None, OWN) and rule.place in ("", place) and rule.starts_on <= day


@given(*[st.lists(st.sampled_from(["95", "GT", "HQ", "HJ"]), unique=True).map(tuple)] * 2)
def test_added_modifiers_come_after_the_services_own_and_none_is_twice(own, added):
    together = with_added(own, added)
    assert together[: len(own)] == own
    assert set(together) == {*own, *added} and len(set(together)) == len(together)


@given(st.integers(0, 10**9), st.integers(-10_000, 99_999))
def test_a_changed_rate_is_never_off_by_more_than_half_a_cent(cents, hundredths):
    changed = rate_changed_by(cents, hundredths)
    assert abs(changed * 10_000 - cents * (10_000 + hundredths)) * 2 <= 10_000


@pytest.mark.parametrize(
    ("typed", "hundredths"),
    [("0", 0), ("3", 300), ("2.5 %", 250), ("-3", -300), ("−0.05", -5), ("+4", 400), ("-100", -10_000),
     ("-100.01", None), ("", None), ("three", None), ("1.234", None), ("1e3", None)],
)  # fmt: skip
def test_a_percentage_is_read_or_refused(typed, hundredths):
    assert percent_in_hundredths(typed) == hundredths


@pytest.mark.parametrize(
    ("kind", "code", "is_right"),
    [
        ("cpt", "9T001", True), ("cpt", "99999", True), ("cpt", "9999", False), ("cpt", "T9001", False),
        ("cpt", "99-99", False), ("cpt", "", False), ("hcpcs", "Z9999", True), ("hcpcs", "99999", False),
        ("hcpcs", "Z999", False), ("non_cpt", "NOSHOW", True), ("non_cpt", "", False),
    ],
)  # fmt: skip
def test_a_code_fits_its_kind(kind, code, is_right):
    assert (code_problem(kind, code) == "") == is_right


@pytest.mark.parametrize(
    ("typed", "modifiers"),
    [
        ("", ()), ("95", ("95",)), ("95, hj", ("95", "HJ")), (" 95 hj; x1 ", ("95", "HJ", "X1")),
        ("95 95", None), ("9", None), ("950", None), ("A1 A2 A3 A4 A5", None), ("9!", None),
    ],
)  # fmt: skip
def test_modifiers_are_two_characters_and_at_most_four(typed, modifiers):
    assert modifiers_from(typed) == modifiers


def test_the_unit_rule_reads_as_its_label():
    assert unit_rule_label("always", 2) == "Always Bill For 2"
    assert unit_rule_label("per_minutes", 15) == "1 Unit per 15 minutes"

"""Units and prices, as tables and properties (S2, B10)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.services.rules import code_problem, modifiers_from, rate_for, unit_rule_label, units_for


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


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ({}, (15000, "service")),
        ({"payer_rate_cents": 9000}, (9000, "payer")),
        ({"payer_rate_cents": 9000, "client_amount_cents": 8000}, (8000, "client")),
        ({"client_amount_cents": 8000, "client_service_amount_cents": 7000}, (7000, "client")),
        ({"client_service_amount_cents": 7000, "visit_rate_cents": 100}, (100, "visit")),
        ({"visit_rate_cents": 0, "client_amount_cents": 8000}, (0, "visit")),
        ({"client_service_amount_cents": 0, "client_amount_cents": 8000}, (0, "client")),
        ({"client_amount_cents": 0, "payer_rate_cents": 9000}, (0, "client")),
        ({"payer_rate_cents": 0}, (0, "payer")),
    ],
)
def test_the_nearest_price_wins_and_zero_is_a_price(given_, expected):
    assert rate_for(service_rate_cents=15000, **given_) == expected


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

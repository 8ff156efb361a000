"""What the preview shows is what the door bills, and both are what docs/money/prices.md says: for 2,000 combinations of
rate, income, fee schedule, copay, units, modifiers and place of service, thrown with a fixed seed; with HISTORY_STEPS,
as `make test-slow` sets it, for 10,000. Prints its figures (`pytest -s`)."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Sum

from daysheet.database.scope import practice_transaction
from daysheet.invoicing import door, rules
from daysheet.invoicing.actions import issue_invoices
from daysheet.invoicing.door import preview_on_terms
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.queries.prices import explain_decisions
from daysheet.invoicing.selection import Selection
from daysheet.invoicing.terms import DecidedLine
from daysheet.practices.actor import Actor
from daysheet.schedule.models import VisitService
from tests.people import Cast

from .priced import Expected, Reckoning, build_priced

pytestmark = pytest.mark.system

IS_SLOW = "HISTORY_STEPS" in os.environ
SEED = 20261116
CLIENTS, AT_LEAST = (1500, 10_000) if IS_SLOW else (300, 2_000)
#: How often each must have been met, so that the dice have really thrown it.
OFTEN = 50 if IS_SLOW else 8

Facts = tuple[object, ...]


def test_prices_are_billed_as_they_were_shown(cast: Cast) -> None:
    compared, met = compare(cast, CLIENTS)
    assert compared >= AT_LEAST
    assert {kind: count for kind, count in met.items() if count < OFTEN} == {}
    assert set(met) == KINDS
    print(f"{compared:,} lines shown and billed alike: {dict(met.most_common())}")  # noqa: T201


def compare(cast: Cast, clients: int) -> tuple[int, Counter[str]]:
    """How many lines were billed as they were shown and reckoned, and what was met on the way."""
    biller = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        priced = build_priced(SEED, clients=clients, staff_member_id=cast.carol.staff_member_id)
        reckoning = Reckoning(priced)
        services = [row["id"] for row in priced.rows[VisitService]]
        # The first part is billed before the rest is looked at, so that copays are taken by live lines too.
        met: Counter[str] = Counter()
        compared = 0
        for part in (set(services[::4]), set(services) - set(services[::4])):
            expected = reckoning.expect(part, copay_taken=_copay_taken())
            selection = Selection(tuple(part), {key: edit for key, edit in priced.edits.items() if key in part})
            shown = _shown(biller, selection, expected)
            compared += _bill(biller, selection, shown)
            met.update(_kinds(expected.values()))
    return compared, met


def _shown(biller: Actor, selection: Selection, expected: dict[UUID, Expected]) -> dict[UUID, DecidedLine]:
    """The preview's lines, each as the page reckons it and explained by the price that it bills."""
    decisions, terms = preview_on_terms(biller, selection)
    assert terms is not None
    assert {each.candidate.visit_service_id for each in decisions} == set(expected)
    lines: dict[UUID, DecidedLine] = {}
    for decision, explained in zip(decisions, explain_decisions(decisions, terms), strict=True):
        service_id = decision.candidate.visit_service_id
        wanted = expected[service_id]
        assert (decision.refusal is not None) == wanted.is_refused
        line = explained.line
        assert _facts(line) == (
            wanted.rate_cents, wanted.source, wanted.units, wanted.client_cents, wanted.insurance_cents,
            wanted.copay_cents, wanted.modifiers, wanted.place,
        ), (decision, wanted)  # fmt: skip
        assert [price.cents for price in explained.prices if price.is_billed] == [line.rate_cents]
        assert explained.prices[0].is_billed
        followed = [rule for rule in explained.payer_rules if rule.is_followed]
        assert len(followed) == min(1, len(explained.payer_rules))
        if decision.line is not None:
            assert decision.line == line
            lines[service_id] = line
    return lines


def _bill(biller: Actor, selection: Selection, shown: dict[UUID, DecidedLine]) -> int:
    """Everything in one call; returns how many lines were billed and equal what was shown, field by field."""
    issued = issue_invoices(biller, selection=selection, door=Invoice.Door.BATCH, grouping="date")
    refused = {service_id for each in issued.refused for service_id in each.visit_service_ids}
    assert set(selection.visit_service_ids) - set(shown) <= refused
    billed = {
        line.visit_service_id: line
        for line in InvoiceLine.objects.filter(visit_service_id__in=selection.visit_service_ids, ended_at=None)
    }
    assert set(billed) == set(shown) - refused
    for service_id, line in billed.items():
        decided = shown[service_id]  # type: ignore[index]
        assert _facts(line) == _facts(decided)
        assert (line.amount_cents, line.coverage_id, line.rendering_name, line.billing_npi, line.code) == (
            decided.amount_cents, decided.coverage_id, decided.rendering_name, decided.billing_npi, decided.code,
        )  # fmt: skip
    assert sum(invoice.total_cents for invoice in issued.created) == sum(line.amount_cents for line in billed.values())
    return len(billed)


def _facts(line: DecidedLine | InvoiceLine) -> Facts:
    return (
        line.rate_cents, line.price_source, line.units, line.client_cents, line.insurance_cents, line.copay_cents,
        tuple(line.modifiers), line.place_of_service,
    )  # fmt: skip


def _copay_taken() -> dict[tuple[UUID, date], int]:
    lines = InvoiceLine.objects.filter(ended_at=None).values_list("client_id", "service_on")
    return {(client, day): cents for client, day, cents in lines.annotate(cents=Sum("copay_cents")) if cents}


KINDS = {
    *("edited", "visit", "client", "payer", "income", "service"), "copay", "copay shared", "insured", "refused",
    "several units", "four modifiers", "telehealth", "nothing to pay",
}  # fmt: skip


def _kinds(lines: object) -> Counter[str]:
    """What was met: each kind of price and of line."""
    met: Counter[str] = Counter()
    for line in lines:  # type: ignore[attr-defined]
        met[line.source] += 1
        met["copay"] += line.copay_cents > 0
        met["copay shared"] += 0 < line.copay_cents < line.rate_cents * line.units
        met["insured"] += line.insurance_cents > 0
        met["refused"] += line.is_refused
        met["several units"] += line.units > 1
        met["four modifiers"] += len(line.modifiers) == 4
        met["telehealth"] += line.place in ("02", "10")
        met["nothing to pay"] += line.rate_cents == 0
    return met


def _no_copay(amount_cents: int, *given: Any, **also: Any) -> tuple[int, int, int]:
    return 0, amount_cents, 0


#: Where a rule stands, and what it is broken into.
BROKEN: dict[str, tuple[str, Callable[..., Any]]] = {
    "units": ("units_for", lambda rule, count, minutes: 1),
    "prices": ("ranked_prices", lambda **prices: list(reversed(RANKED(**prices)))),
    "fee schedule": ("_payer_rate", lambda case, terms: None),
    "income": ("_income_amount", lambda case, terms: None),
    "modifiers": ("with_added", lambda modifiers, added: modifiers),
    "place": ("place_of", lambda case: "11"),
    "copay": ("split_sides", _no_copay),
}
RANKED = rules.ranked_prices


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_rule_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    name, broken = BROKEN[what]
    monkeypatch.setattr(rules, name, broken)
    with pytest.raises(AssertionError):
        compare(cast, 40)


def test_a_door_that_bills_other_than_it_shows_is_found(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = door.decide_lines

    def other(*given: Any) -> Any:
        lines, refused = decide(*given)
        return [line._replace(modifiers=("ZZ",)) for line in lines], refused

    monkeypatch.setattr(door, "decide_lines", other)
    with pytest.raises(AssertionError):
        compare(cast, 40)

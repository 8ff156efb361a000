"""Why a line is what it is, in words: every price there was and the one that won, the rule of units, the sides with the
copay, the modifiers and the place of service, the providers. Plain Python.

It is given the door's own decision and asks the functions of `rules` that made it, so that an explanation can never
tell of another line than is billed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from daysheet.clients.rules import IncomeFacts, income_on, newest_income
from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.services.rules import (
    ALWAYS,
    CPT,
    PayerRuleTerms,
    PriceRule,
    income_step_for,
    service_label,
    standing_on,
    unit_rule_label,
)

from .rules import decide_line, prices_of
from .selection import Refused
from .terms import Case, DecidedLine, Decision, Terms


@dataclass(frozen=True, slots=True)
class PriceOption:
    """A price of one unit that there was, in cents; the first of a line is the one that is billed."""

    words: str
    cents: int
    is_billed: bool


@dataclass(frozen=True, slots=True)
class RuleOption:
    """An insurer's rule that fits the line; only the first is followed."""

    words: str
    added_modifiers: tuple[str, ...]
    billed_place: str
    is_followed: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """One line with its reasons. `refusal`: it is not billed as things stand; then the line is what it would be.
    `price_notes` say of prices that might have been expected why there is none."""

    line: DecidedLine
    refusal: Refused | None
    prices: tuple[PriceOption, ...]
    price_notes: tuple[str, ...]
    units: str
    sides: str
    payer_rules: tuple[RuleOption, ...]
    modifiers: str
    place: str
    rendering: str
    billing: str
    license: str

    @property
    def label(self) -> str:
        """`90001 Long session`."""
        return service_label(self.line.code, self.line.name)


def explain(decision: Decision, terms: Terms, payers: Mapping[UUID, str]) -> Explanation:
    """The reasons of one line. `payers`: names of insurers by id."""
    case, used_cents = decision.case, decision.copay_used_cents
    line = decision.line or decide_line(case, terms, used_cents)
    payer = payers.get(case.coverage.payer_id, "The insurer") if case.coverage else ""
    prices = prices_of(case, terms)
    return Explanation(
        line=line,
        refusal=decision.refusal,
        prices=tuple(
            PriceOption(_price_words(rule, case, terms, payer), cents, rule is prices[0][0]) for rule, cents in prices
        ),
        price_notes=tuple(_price_notes(case, terms, payer, {rule for rule, _ in prices})),
        units=_units_words(case, line.units),
        sides=_sides_words(case, line, payer, used_cents, terms),
        payer_rules=tuple(
            RuleOption(_rule_words(rule, case, payer), rule.added_modifiers, rule.billed_place, position == 0)
            for position, rule in enumerate(case.payer_rules)
        ),
        modifiers=_modifiers_words(case, payer),
        place=_place_words(case, payer),
        rendering=_rendering_words(case),
        billing=_billing_words(case, terms),
        license=_license_words(case, terms),
    )


def _price_words(rule: PriceRule, case: Case, terms: Terms, payer: str) -> str:
    day = case.candidate.service_on
    if rule is PriceRule.PAYER and case.coverage:
        standing = standing_on(terms.payer_rates.get((case.coverage.payer_id, case.service.id), ()), day)
        return f"Fee schedule of {payer}, from {us_date(standing.starts_on)}" if standing else ""
    if rule is PriceRule.INCOME:
        income, scale = income_on(case.client.incomes, day), standing_on(terms.income_scales, day)
        assert income and scale
        return f"Income Based Payment Amount from {us_date(scale.starts_on)}: {_income_words(income)}"
    return {
        PriceRule.EDITED: "Typed before billing",
        PriceRule.VISIT: "The visit’s own price",
        PriceRule.CLIENT_SERVICE: "Set Payment Amount of the client for this service type",
        PriceRule.CLIENT: "Set Payment Amount of the client",
        PriceRule.SERVICE: "Rate of the service type",
    }[rule]


def _income_words(income: IncomeFacts) -> str:
    household = "household of 1" if income.household_size == 1 else f"household of {income.household_size}"
    return f"{Money(income.yearly_cents or 0)} a year, {household}, given {us_date(income.given_on)}"


def _price_notes(case: Case, terms: Terms, payer: str, given: set[PriceRule]) -> Iterable[str]:
    """Prices that there might have been: an insurer's without a rate, an income that does not count or falls short."""
    day = case.candidate.service_on
    if case.coverage and PriceRule.PAYER not in given:
        yield f"{payer} has no rate for this service type on {us_date(day)}."
    if PriceRule.INCOME in given or not case.client.incomes:
        return
    income, scale = income_on(case.client.incomes, day), standing_on(terms.income_scales, day)
    newest = newest_income(case.client.incomes, day)
    if newest is None:
        yield f"No income of the client was on record by {us_date(day)}."
    elif newest.yearly_cents is None:
        yield f"The client’s income was taken back on {us_date(newest.given_on)}."
    elif income is None:
        yield f"The client’s income had to be renewed on {us_date(newest.renew_on or day)} and counts no longer."
    elif scale is None:
        yield f"No Income Based Payment Amounts were in force on {us_date(day)}."
    else:
        step = income_step_for(scale.steps, income, case.service.id)
        which = "a step without an amount" if step else "no step"
        yield f"The client’s income ({_income_words(income)}) falls on {which} of the amounts in force."


def _units_words(case: Case, units: int) -> str:
    if case.edit.units:
        return "Typed before billing."
    if case.candidate.own_units:
        return "The visit’s own units."
    rule = unit_rule_label(case.service.unit_rule, case.service.unit_count)
    if case.service.unit_rule == ALWAYS:
        return f"{rule}."
    return (
        f"{rule}: {case.candidate.minutes} minutes are {units}. A unit counts once more than half of it has passed, "
        "and there is always one."
    )


def _sides_words(case: Case, line: DecidedLine, payer: str, copay_used_cents: int, terms: Terms) -> str:
    day = us_date(case.candidate.service_on)
    if not case.service.bills_insurance:
        return "This service type never bills insurance: all of it is the client’s."
    if not case.client.pays_by_insurance:
        return "The client pays by self: all of it is the client’s."
    if case.coverage is None:
        return f"No coverage is in force on {day}: all of it is the client’s."
    if case.coverage.copay_cents is None:
        return f"{payer} pays first, and no copay is known: all of it is the insurer’s."
    copay = f"{payer} pays first. The copay of {Money(case.coverage.copay_cents)} is taken once on {day}"
    billed = terms.copay_taken.get((case.client.id, case.candidate.service_on), 0)
    used = [f"{Money(billed)} by lines billed already"] if billed else []
    before = copay_used_cents - billed
    used += [f"{Money(before)} by other services of this bill"] if before else []
    if used:
        copay += f", of it {' and '.join(used)}"
    return f"{copay}: {Money(line.copay_cents)} of this line is the client’s, the rest the insurer’s."


def _rule_words(rule: PayerRuleTerms, case: Case, payer: str) -> str:
    service = service_label(case.service.code, case.service.name) if rule.service_type_id else "all service types"
    place = f"place {rule.place}" if rule.place else "any place"
    return f"{payer}, from {us_date(rule.starts_on)}: {service} at {place}"


def _modifiers_words(case: Case, payer: str) -> str:
    if case.edit.modifiers is not None:
        return "Typed before billing: they stand as they are."
    if case.candidate.own_modifiers is not None:
        return "The visit’s own: they stand as they are."
    if case.payer_rules and case.payer_rules[0].added_modifiers:
        return f"The service type’s own, then those of the rule of {payer}."
    return "The service type’s own." if case.service.modifiers else "The service type has none."


def _place_words(case: Case, payer: str) -> str:
    if case.edit.place_of_service is not None:
        return "Typed before billing."
    if case.payer_rules and case.payer_rules[0].billed_place:
        return f"By the rule of {payer}; the visit took place at {case.candidate.place_of_service}."
    return "Where the visit took place: the appointment’s, else its location’s."


def _rendering_words(case: Case) -> str:
    if case.edit.rendering_staff_member_id:
        return "Chosen before billing."
    if case.client.rendering_override_id:
        return "The client’s rendering provider, under Bill To & Insurance Info."
    return "The appointment’s staff member."


def _billing_words(case: Case, terms: Terms) -> str:
    if case.client.billing_staff_member_id in terms.staff:
        return "Bill with selected staff NPI, under Bill To & Insurance Info."
    return "The practice’s own NPI."


def _license_words(case: Case, terms: Terms) -> str:
    if case.service.kind != CPT:
        return "No license is needed: the service type is not CPT-coded."
    if case.person is None:
        return f"An AMA CPT license for {terms.year} is needed, and nobody is named as rendering."
    has = "has an" if case.person.is_licensed else "has no"
    return f"{case.person.name} {has} AMA CPT license for {terms.year}."

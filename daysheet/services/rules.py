"""Decisions about services: how many units, at which rate, with which modifiers, and what a code must look like.

No database, no clock. What is in force from a day holds until the next of its kind begins: no range is ever stored, so
none can overlap. Worked rows: docs/money/prices.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from daysheet.clients.rules import IncomeFacts

ALWAYS, PER_MINUTES = "always", "per_minutes"
CPT, HCPCS, NON_CPT = "cpt", "hcpcs", "non_cpt"

_CPT_CODE = re.compile(r"^[0-9][0-9A-Z]{4}$")
_HCPCS_CODE = re.compile(r"^[A-Z][0-9]{4}$")
_PERCENT = re.compile(r"^([-−+]?)\s*(\d{1,3})(?:\.(\d{1,2}))?$")
_MODIFIER = re.compile(r"^[A-Z0-9]{2}$")
#: 837P SV101 and CMS-1500 box 24D hold this many modifiers.
MOST_MODIFIERS = 4


def service_label(code: str, name: str) -> str:
    """`90001 Long session`: code and name as the practice typed them."""
    return f"{code} {name}"


def units_for(unit_rule: str, unit_count: int, minutes: int) -> int:
    """S2. *Always Bill For n* gives n; *1 Unit per m minutes* gives the whole units attained, never 0.

    A unit is attained when its midpoint is **passed**: exactly half is not enough. That is the time rule of the CPT
    code book ("a unit of time is attained when the mid-point is passed": an hour with 31 minutes, the second hour with
    91), and it agrees with Medicare's 8-minute rule for a single 15-minute service. Worked: m = 15: 7 → 1 (never 0),
    8 → 1, 22 → 1, 23 → 2, 37 → 2, 38 → 3; m = 60: 30 → 1 (never 0), 90 → 1, 91 → 2; m = 30: 45 → 1, 46 → 2.
    """
    if unit_rule == ALWAYS:
        return unit_count
    return max(1, (2 * minutes + unit_count - 1) // (2 * unit_count))


class PriceRule(StrEnum):
    """Who may say what a unit costs, the first to be asked first (B10). `source` is what a line keeps of it."""

    EDITED = "edited"
    VISIT = "visit"
    CLIENT_SERVICE = "client_service"
    CLIENT = "client"
    PAYER = "payer"
    INCOME = "income"
    SERVICE = "service"

    @property
    def source(self) -> str:
        """The word that a line freezes: both of a client's amounts are `client`."""
        return "client" if self is PriceRule.CLIENT_SERVICE else self.value


def ranked_prices(
    *,
    service: int,
    edited: int | None = None,
    visit: int | None = None,
    client_service: int | None = None,
    client: int | None = None,
    payer: int | None = None,
    income: int | None = None,
) -> list[tuple[PriceRule, int]]:
    """B10: every price of one unit that was given, in cents; the first one is billed, the others lost to it.

    What was typed before billing wins; then the visit's own price; the client's Set Payment Amount, for this service
    before the general one; the payer's fee schedule (`payer` is given for insured lines only); the amount by income;
    the service's rate. Zero is a price.
    """
    ranked = (
        (PriceRule.EDITED, edited),
        (PriceRule.VISIT, visit),
        (PriceRule.CLIENT_SERVICE, client_service),
        (PriceRule.CLIENT, client),
        (PriceRule.PAYER, payer),
        (PriceRule.INCOME, income),
        (PriceRule.SERVICE, service),
    )
    return [(rule, cents) for rule, cents in ranked if cents is not None]


class _Begins(Protocol):
    @property
    def starts_on(self) -> date: ...


Step = TypeVar("Step", bound=_Begins)


def standing_on(steps: Sequence[Step], day: date) -> Step | None:
    """The step that holds on `day`: the last one begun by then. None before the first."""
    best = None
    for step in steps:
        if step.starts_on <= day and (best is None or step.starts_on > best.starts_on):
            best = step
    return best


@dataclass(frozen=True, slots=True)
class PayerRateTerms:
    """A payer's rate per unit in force from `starts_on` until the next; None: no rate of its own."""

    rate_cents: int | None
    starts_on: date


def percent_in_hundredths(typed: str) -> int | None:
    """`2.5` → 250, `-3` → -300: a change in hundredths of a percent. None where it is none, or takes more than all."""
    match = _PERCENT.match(typed.strip().removesuffix("%").strip())
    if match is None:
        return None
    sign, whole, part = match.groups()
    hundredths = int(whole) * 100 + int((part or "").ljust(2, "0"))
    hundredths = -hundredths if sign in ("-", "−") else hundredths
    return hundredths if hundredths >= -10_000 else None


def rate_changed_by(cents: int, hundredths: int) -> int:
    """A rate changed by hundredths of a percent, rounded half up: 100.00 with 250 more is 102.50."""
    return (cents * (10_000 + hundredths) * 2 + 10_000) // 20_000


@dataclass(frozen=True, slots=True)
class IncomeStepTerms:
    """Households of `household_from` and more, yearly incomes from `yearly_from_cents` on; amount None: no amount."""

    service_type_id: UUID | None
    household_from: int
    yearly_from_cents: int
    amount_cents: int | None


@dataclass(frozen=True, slots=True)
class IncomeScaleTerms:
    """Income Based Payment Amounts from `starts_on` until the next scale."""

    starts_on: date
    steps: tuple[IncomeStepTerms, ...]


def income_step_for(
    steps: Sequence[IncomeStepTerms], income: IncomeFacts, service_type_id: UUID | None
) -> IncomeStepTerms | None:
    """The step of a scale that an income falls on. A service type with steps of its own is priced by those alone; of
    them the largest household that is not larger than the client's, and in it the highest income that is reached.
    `service_type_id` None: a service type without steps of its own."""
    if income.yearly_cents is None:
        return None
    own = [step for step in steps if step.service_type_id == service_type_id]
    meant = own or [step for step in steps if step.service_type_id is None]
    sizes = [step.household_from for step in meant if step.household_from <= income.household_size]
    reached = [
        step
        for step in meant
        if sizes and step.household_from == max(sizes) and step.yearly_from_cents <= income.yearly_cents
    ]
    return max(reached, key=lambda step: step.yearly_from_cents) if reached else None


@dataclass(frozen=True, slots=True)
class PayerRuleTerms:
    """Modifiers and place of service that a payer wants, from `starts_on` until the next for the same case.

    `service_type_id` None: all service types; `place` empty: any place. `is_end`: from here on there is no such rule.
    """

    service_type_id: UUID | None
    place: str
    starts_on: date
    added_modifiers: tuple[str, ...]
    billed_place: str
    is_end: bool = False


#: A payer's rules by what they are for: (service type or None, place or "").
PayerRules = Mapping[tuple[UUID | None, str], Sequence[PayerRuleTerms]]


def payer_rules_for(rules: PayerRules, service_type_id: UUID, place: str, day: date) -> list[PayerRuleTerms]:
    """The rules that fit a service at a place on a day, the narrowest first: it alone is followed, the others lost.

    The service type's own before those for all; of these the one for the very place before the one for any.
    """
    cases: tuple[tuple[UUID | None, str], ...] = (
        (service_type_id, place),
        (service_type_id, ""),
        (None, place),
        (None, ""),
    )
    standing = (standing_on(rules[case], day) for case in dict.fromkeys(cases) if case in rules)
    return [rule for rule in standing if rule is not None and not rule.is_end]


def with_added(modifiers: tuple[str, ...], added: tuple[str, ...]) -> tuple[str, ...]:
    """The service's modifiers and after them those of the payer's rule, none twice. May be more than fit on a claim."""
    return modifiers + tuple(each for each in added if each not in modifiers)


def code_problem(kind: str, code: str) -> str:
    """What is wrong with a code for its kind, as a sentence; empty where nothing is. Codes are given in capitals."""
    if kind == CPT and not _CPT_CODE.match(code):
        return "A CPT code has five characters, digits and letters, and begins with a digit."
    if kind == HCPCS and not _HCPCS_CODE.match(code):
        return "A HCPCS code is a letter and four digits."
    if not code:
        return "Enter a code; for a service of your own, any short name will do."
    return ""


def modifiers_from(typed: str) -> tuple[str, ...] | None:
    """`95, hj` → `("95", "HJ")`; None where one is not two characters, is repeated, or there are more than four."""
    modifiers = tuple(part.upper() for part in re.split(r"[\s,;]+", typed) if part)
    if len(modifiers) > MOST_MODIFIERS or len(set(modifiers)) < len(modifiers):
        return None
    return modifiers if all(_MODIFIER.match(modifier) for modifier in modifiers) else None


def unit_rule_label(unit_rule: str, unit_count: int) -> str:
    """`Always Bill For 1`, `1 Unit per 15 minutes`: the exact labels with their number."""
    return f"Always Bill For {unit_count}" if unit_rule == ALWAYS else f"1 Unit per {unit_count} minutes"

"""Decisions about services: how many units, at which rate, and what a code must look like. No database, no clock."""

from __future__ import annotations

import re

ALWAYS, PER_MINUTES = "always", "per_minutes"
CPT, HCPCS, NON_CPT = "cpt", "hcpcs", "non_cpt"

_CPT_CODE = re.compile(r"^[0-9][0-9A-Z]{4}$")
_HCPCS_CODE = re.compile(r"^[A-Z][0-9]{4}$")
_MODIFIER = re.compile(r"^[A-Z0-9]{2}$")
#: 837P SV101 and CMS-1500 box 24D hold this many modifiers.
MOST_MODIFIERS = 4


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


def rate_for(
    *,
    service_rate_cents: int,
    visit_rate_cents: int | None = None,
    client_service_amount_cents: int | None = None,
    client_amount_cents: int | None = None,
    payer_rate_cents: int | None = None,
) -> tuple[int, str]:
    """B10: the rate of one unit in cents, and which rule gave it (`visit`, `client`, `payer` or `service`).

    The visit's own price wins; then the client's Set Payment Amount, for this service before the general one; then the
    payer's fee schedule; then the service's rate. `payer_rate_cents` is given for insured lines only. Zero is a price.
    """
    ranked = (
        (visit_rate_cents, "visit"),
        (client_service_amount_cents, "client"),
        (client_amount_cents, "client"),
        (payer_rate_cents, "payer"),
    )
    for cents, source in ranked:
        if cents is not None:
            return cents, source
    return service_rate_cents, "service"


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

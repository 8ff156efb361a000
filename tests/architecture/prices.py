"""Prices of every kind, for the world and its matrix of roles."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from daysheet.clients.actions import record_income
from daysheet.practices.actor import Actor
from daysheet.services.actions import NewStep, add_income_scale, add_payer_rate, add_payer_rule


def prices_of(owner: Actor, *, client: UUID, payer: UUID, service_type: UUID, since: date) -> dict[str, UUID]:
    """A rate and a rule of the insurer, amounts by income, and the income of the client."""
    rate = add_payer_rate(owner, payer, service_type, rate_cents=14000, starts_on=since)
    rule = add_payer_rule(owner, payer, service_type_id=service_type, place_of_service="10", starts_on=since)
    steps = [NewStep(service_type, 1, 0, 2000)]
    scale = add_income_scale(owner, starts_on=since, period="year", steps=steps)
    record_income(owner, client, income_cents=3_000_000, period="year", household_size=2, given_on=since)
    return {"rate": rate.pk, "payer_rule": rule.pk, "scale": scale.pk}

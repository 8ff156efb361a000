"""An insurer with prices of its own, and clients whose prices are looked into: a day of its own that no other journey
looks at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .practice import _Builder

#: Days before today of what "What would it bill?" is asked about.
PRICED = 640


def priced_clients(builder: _Builder) -> None:
    """Peony is insured by Cedar Mutual, which pays $110, wants modifier 95, and has a copay of $25; Ivo's income is on
    record; Willow Health has no prices yet."""
    from daysheet.clients.actions import edit_coverage, record_income
    from daysheet.clients.models import Coverage
    from daysheet.services.actions import add_payer_rate, add_payer_rule

    since = builder.practice.today - timedelta(days=700)
    cedar = builder.insurer("Cedar Mutual")
    builder.insurer("Willow Health")
    add_payer_rate(builder.owner, cedar, builder.talk, rate_cents=11000, starts_on=since)
    add_payer_rule(builder.owner, cedar, starts_on=since, added_modifiers=["95"])
    peony = builder.client("Peony", "Priced", insurer=cedar, copay_cents=2500)
    edit_coverage(builder.owner, Coverage.objects.get(client_id=peony).pk, starts_on=since)
    builder.visit("priced", peony, builder.talk, builder.letter, days_ago=PRICED)
    ivo = builder.client("Ivo", "Income")
    record_income(builder.owner, ivo, income_cents=1_500_000, period="year", household_size=1, given_on=since)

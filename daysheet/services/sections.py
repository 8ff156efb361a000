"""What services shows on the pages of clients: per-service amounts, and fee schedules."""

from __future__ import annotations

from uuid import UUID

from daysheet.clients.queries import income_history
from daysheet.clients.registry import Section
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .queries import amounts_by_income, client_services, payer_rates, payer_rules


def client_services_section(actor: Actor, client_id: UUID) -> Section:
    """Default services and Set Payment Amounts per service, on Bill To & Insurance Info."""
    rows = client_services(actor, client_id)
    return Section("services/client_services_section.html", {"client_id": client_id, "rows": rows})


def income_section(actor: Actor, client_id: UUID) -> Section:
    """The income of the household and what it comes to today, on Bill To & Insurance Info."""
    history = income_history(actor, client_id)
    counting = next((row for row in history if row.counts), None)
    # The newest was neither taken back nor counts: it has to be renewed.
    expired = history[0] if history and not history[0].is_taken_back and counting is None else None
    context = {
        "client_id": client_id,
        "history": history,
        "counts": counting is not None,
        "expired_on": expired.renew_on if expired else None,
        "amounts": amounts_by_income(actor, counting.facts) if counting else [],
    }
    return Section("services/income_section.html", context)


def payer_prices_section(actor: Actor, payer_id: UUID) -> Section:
    """What holds or will of the fee schedule and the rules, on the insurer's page."""
    context = {
        "payer_id": payer_id,
        "rates": [rate for rate in payer_rates(actor, payer_id) if not rate.is_over],
        "rules": [rule for rule in payer_rules(actor, payer_id) if not rule.is_over],
        "may_change": actor.may(Permission.ADMINISTRATOR),
    }
    return Section("services/fee_schedule_section.html", context)

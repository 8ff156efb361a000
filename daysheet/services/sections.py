"""What services shows on the pages of clients: per-service amounts, and fee schedules."""

from __future__ import annotations

from uuid import UUID

from daysheet.clients.registry import Section
from daysheet.practices.actor import Actor

from .queries import client_services, payer_rates


def client_services_section(actor: Actor, client_id: UUID) -> Section:
    """Default services and Set Payment Amounts per service, on Bill To & Insurance Info."""
    rows = client_services(actor, client_id)
    return Section("services/client_services_section.html", {"client_id": client_id, "rows": rows})


def fee_schedule_section(actor: Actor, payer_id: UUID) -> Section:
    """The fee schedule, on the insurer's page."""
    return Section("services/fee_schedule_section.html", {"payer_id": payer_id, "rows": payer_rates(actor, payer_id)})

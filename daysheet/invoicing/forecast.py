"""What a selection would become: how many invoices, for how much, and what would be refused. No database, no clock.

Invariant: it groups and holds back exactly as the door does, so that the confirm dialogue promises what is billed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID


@dataclass(frozen=True, slots=True)
class ForecastLine:
    """One visit service of a selection; `is_refused` as things stand."""

    client_id: UUID
    visit_id: UUID
    service_on: date
    amount_cents: int
    is_refused: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """Amounts in cents. `refused_count` counts dates of service, those held back with a refused one included."""

    invoice_count: int = 0
    client_count: int = 0
    date_count: int = 0
    total_cents: int = 0
    refused_count: int = 0


def forecast(lines: Iterable[ForecastLine], *, by_date: bool) -> Forecast:
    """One refused line stops its whole invoice, whether that is a client's or a date's."""
    invoices: dict[tuple[UUID, date | None], list[ForecastLine]] = defaultdict(list)
    for line in lines:
        invoices[line.client_id, line.service_on if by_date else None].append(line)
    good = {key: group for key, group in invoices.items() if not any(line.is_refused for line in group)}
    stopped = [group for key, group in invoices.items() if key not in good]
    return Forecast(
        invoice_count=len(good),
        client_count=len({client_id for client_id, _ in good}),
        date_count=len({line.visit_id for group in good.values() for line in group}),
        total_cents=sum(line.amount_cents for group in good.values() for line in group),
        refused_count=len({line.visit_id for group in stopped for line in group}),
    )

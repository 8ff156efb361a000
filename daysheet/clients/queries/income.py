"""What a client's household lives on, as it was given over time. Needs Billing (P1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from daysheet.clients.models import ClientIncome
from daysheet.clients.rules import IncomeFacts, income_on, yearly_cents
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .access import get_client


@dataclass(frozen=True, slots=True)
class IncomeRow:
    """One income as it was recorded. `counts`: it is the one that decides today."""

    id: UUID
    income_cents: int | None
    period: str
    period_label: str
    household_size: int | None
    given_on: date
    renew_on: date | None
    note: str
    recorded_at: datetime
    recorded_by_name: str
    counts: bool

    @property
    def is_taken_back(self) -> bool:
        """Whether it says no more than that the earlier ones count no longer."""
        return self.income_cents is None

    @property
    def facts(self) -> IncomeFacts:
        """What the rules need of it."""
        return _facts(self)


@query(Permission.BILLING)
def income_history(actor: Actor, client_id: UUID) -> list[IncomeRow]:
    """Everything that was recorded, the newest first. Raises NotFound."""
    get_client(actor, client_id)
    rows = list(ClientIncome.objects.filter(client_id=client_id).order_by("given_on", "recorded_at", "pk"))
    facts = [_facts(row) for row in rows]
    counting = income_on(facts, actor.today)
    return [
        IncomeRow(
            row.pk, row.income_cents, row.period, row.get_period_display().lower(), row.household_size, row.given_on,
            row.renew_on, row.note, row.recorded_at, row.recorded_by_name, counts=each is counting,
        )
        for row, each in reversed(list(zip(rows, facts, strict=True)))
    ]  # fmt: skip


def _facts(row: ClientIncome | IncomeRow) -> IncomeFacts:
    yearly = None if row.income_cents is None else yearly_cents(row.income_cents, row.period)
    return IncomeFacts(yearly, row.household_size or 1, row.given_on, row.renew_on)

"""Charges, payments and adjustments month by month: the Day Sheets of each month together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from django.db import connection

from daysheet.kit.dates import month_bounds
from daysheet.ledger.rules import EntryClass, change_cents, classify
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .scope import scope_of


@dataclass(frozen=True, slots=True)
class MonthFigures:
    """A month by posting date, in cents; the first and the last may be parts of months."""

    from_on: date
    to_on: date
    charges_cents: int
    payments_cents: int
    adjustments_cents: int


@query(Permission.BILLING)
def collections(actor: Actor, from_on: date, to_on: date) -> tuple[MonthFigures, ...]:
    """Every month of the range, empty ones too. One statement."""
    scope = scope_of(actor)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT date_trunc('month', e.effective_on)::date, {scope.account("debit_account")},
                    {scope.account("credit_account")}, sum(e.amount_cents)::bigint
                FROM ledger_entry e
                WHERE e.practice_id = %s AND e.effective_on BETWEEN %s AND %s AND {scope.condition}
                GROUP BY 1, 2, 3""",
            [scope.practice_id, from_on, to_on, *scope.params],
        )
        sums: dict[tuple[date, EntryClass], int] = defaultdict(int)
        for month, debit, credit, cents in cursor.fetchall():
            sums[month, classify(debit, credit)] += change_cents(debit, credit, cents)
    return tuple(
        MonthFigures(
            max(first, from_on), min(month_bounds(first)[1], to_on), sums[first, EntryClass.CHARGE],
            -sums[first, EntryClass.PAYMENT], -sums[first, EntryClass.ADJUSTMENT],
        )
        for first in _months(from_on, to_on)
    )  # fmt: skip


def _months(from_on: date, to_on: date) -> Iterator[date]:
    first = from_on.replace(day=1)
    while first <= to_on:
        yield first
        first = date(first.year + first.month // 12, first.month % 12 + 1, 1)

"""Money that came in and was given back: Payments, and Payment Methods (the deposit slip). By posting date, so that the
sums are those of the Day Sheets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.ledger.day import Scope
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .scope import scope_of

_LABELS = dict(Payment.Method.choices)


@dataclass(frozen=True, slots=True)
class ReceiptFilters:
    """What is asked for, days included. `source` is `client`, `insurer`, or empty for both."""

    from_on: date
    to_on: date
    method: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Money in (above zero) or back out (below zero: refund or reversal), in cents."""

    posted_on: date
    received_on: date
    payment_id: UUID
    client_id: UUID | None
    name: str
    method: str
    number: str
    what: str
    actor_name: str
    cents: int

    @property
    def method_label(self) -> str:
        return _LABELS.get(self.method, self.method)


@dataclass(frozen=True, slots=True)
class MethodTotal:
    """One method over the days asked for: in cents, and how many payments came in."""

    method: str
    label: str
    count: int
    received_cents: int
    returned_cents: int

    @property
    def deposit_cents(self) -> int:
        return self.received_cents - self.returned_cents


@query(Permission.BILLING)
def receipts(
    actor: Actor, filters: ReceiptFilters, *, limit: int, offset: int = 0
) -> tuple[tuple[Receipt, ...], int, int]:
    """Rows by posting date, with the sum in cents and the number of all of them. Two statements."""
    where, params = _where(scope_of(actor), filters)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(sum({_CENTS}), 0)::bigint, count(*) {_FROM} WHERE {where}", params)
        total, count = cursor.fetchone() or (0, 0)
        cursor.execute(
            f"""SELECT e.effective_on, p.received_on, p.id, p.client_id,
                    coalesce(c.last_name || ', ' || c.first_name, y.name), p.method, p.number, {_WHAT}, e.actor_name,
                    {_CENTS}
                {_FROM}
                LEFT JOIN clients_client c ON c.practice_id = p.practice_id AND c.id = p.client_id
                LEFT JOIN clients_payer y ON y.practice_id = p.practice_id AND y.id = p.payer_id
                WHERE {where} ORDER BY e.effective_on, e.posted_at, e.id LIMIT %s OFFSET %s""",
            [*params, limit, offset],
        )
        return tuple(Receipt(*row) for row in cursor.fetchall()), total, count


@query(Permission.BILLING)
def method_totals(actor: Actor, filters: ReceiptFilters) -> tuple[MethodTotal, ...]:
    """The deposit by method, in the methods' fixed order. One statement."""
    where, params = _where(scope_of(actor), filters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT p.method, count(*) FILTER (WHERE e.debit_account = 'cash'),
                    coalesce(sum(e.amount_cents) FILTER (WHERE e.debit_account = 'cash'), 0)::bigint,
                    coalesce(sum(e.amount_cents) FILTER (WHERE e.credit_account = 'cash'), 0)::bigint
                {_FROM} WHERE {where} GROUP BY 1""",
            params,
        )
        found = {method: (count, received, returned) for method, count, received, returned in cursor.fetchall()}
    return tuple(MethodTotal(method, label, *found[method]) for method, label in _LABELS.items() if method in found)


_CENTS = "(e.amount_cents * ((e.debit_account = 'cash')::int - (e.credit_account = 'cash')::int))"
_WHAT = """CASE WHEN e.debit_account = 'cash' THEN CASE WHEN e.reverses_id IS NULL THEN 'Payment'
        ELSE 'Refund taken back' END
    ELSE CASE WHEN e.reverses_id IS NULL THEN 'Refund' ELSE 'Payment reversed' END END"""
_FROM = """
    FROM ledger_entry e JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id"""


def _where(scope: Scope, filters: ReceiptFilters) -> tuple[str, list[Any]]:
    parts = [
        "e.practice_id = %s", "e.effective_on BETWEEN %s AND %s", "'cash' IN (e.debit_account, e.credit_account)",
        scope.condition,
    ]  # fmt: skip
    params: list[Any] = [scope.practice_id, filters.from_on, filters.to_on, *scope.params]
    if filters.method:
        parts.append("p.method = %s")
        params.append(filters.method)
    if filters.source:
        parts.append("p.client_id IS NOT NULL" if filters.source == "client" else "p.payer_id IS NOT NULL")
    return " AND ".join(parts), params

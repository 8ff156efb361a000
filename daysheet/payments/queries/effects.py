"""The figures that a correction changes, read before and after it: its effect in numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db import connection
from django.db.models import BigIntegerField, Sum
from django.db.models.functions import Coalesce

from daysheet.clients.queries import get_client
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import us_date
from daysheet.ledger.books import closed_through
from daysheet.ledger.queries import client_balances, payment_movements
from daysheet.ledger.rules import posting_day
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Payment


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in cents. `is_detail`: shown only where it changes. `is_shared`: others' money is in it."""

    label: str
    cents: int
    is_detail: bool = False
    is_shared: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What a correction does: the same figures before and after it."""

    before: tuple[Figure, ...]
    after: tuple[Figure, ...]

    @property
    def rows(self) -> list[tuple[str, int, int]]:
        """(figure, cents before, cents after) of those that are shown."""
        return [
            (old.label, old.cents, new.cents)
            for old, new in zip(self.before, self.after, strict=True)
            if not old.is_detail or old.cents != new.cents
        ]

    @property
    def mark(self) -> str:
        """The same for the same effect: what somebody agreed to. Of a shared figure its change counts: what others do
        meanwhile is nothing to ask about."""
        parts = [
            [old.label, new.cents - old.cents, 0 if old.is_shared else old.cents]
            for old, new in zip(self.before, self.after, strict=True)
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@query(Permission.BILLING)
def client_figures(actor: Actor, client_id: UUID) -> list[Figure]:
    """What a client's tiles show, and what is billed to the client in all. Raises NotFound."""
    get_client(actor, client_id)
    balances = client_balances(actor, client_id)
    live = InvoiceLine.objects.filter(client_id=client_id, ended_at=None)
    return [
        Figure("Client Balance Due", balances.client_due_cents),
        Figure("Insurance Balance Due", balances.insurance_due_cents),
        Figure("Client Credit", balances.credit_cents),
        Figure("Billed to the client in all", live.aggregate(cents=_sum("amount_cents"))["cents"], is_detail=True),
    ]


@query(Permission.BILLING)
def insurer_figures(actor: Actor, payer_id: UUID) -> list[Figure]:
    """What an insurer owes on open lines, and what of its money is on none."""
    owed = InvoiceLine.objects.filter(coverage__payer_id=payer_id, insurance_open_cents__gt=0)
    kept = Payment.objects.filter(payer_id=payer_id, unapplied_cents__gt=0)
    return [
        Figure("Due from the insurer", owed.aggregate(cents=_sum("insurance_open_cents"))["cents"], is_shared=True),
        Figure("The insurer’s credit", kept.aggregate(cents=_sum("unapplied_cents"))["cents"], is_shared=True),
    ]


@query(Permission.BILLING)
def payment_days(actor: Actor, payment_id: UUID) -> set[date]:
    """The days on which anything of a payment moved: its receipts are on some of them."""
    return {row.effective_on for row in payment_movements(actor, payment_id)}


@query(Permission.BILLING)
def possible_days(actor: Actor, days: Collection[date], new_on: date) -> set[date]:
    """Where the receipts of a payment of these days may stand once its date is `new_on` (redating.py)."""
    closed_on = closed_through(actor)
    return {day for each in (*days, new_on) for day in (each, posting_day(each, closed_on))}


@query(Permission.BILLING)
def deposits(actor: Actor, days: Collection[date], methods: Collection[str]) -> list[Figure]:
    """What each of these methods comes to in the deposit of each of these days. One statement. A deposit is of all
    clients: people limited to some are not shown it."""
    if actor.limited_to_assigned:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_DEPOSITS, [actor.practice.id, list(days), list(methods)])
        cents = {(day, method): amount for day, method, amount in cursor.fetchall()}
    return [
        Figure(
            f"Deposit of {us_date(day)}, {Payment.Method(method).label}",
            cents.get((day, method), 0),
            is_detail=True,
            is_shared=True,
        )
        for day in sorted(days)
        for method in sorted(methods)
    ]


_DEPOSITS = """
    SELECT e.effective_on, p.method,
        sum(e.amount_cents * (CASE WHEN e.debit_account = 'cash' THEN 1 ELSE -1 END))::bigint
    FROM ledger_entry e JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
    WHERE e.practice_id = %s AND e.effective_on = ANY(%s) AND p.method = ANY(%s)
      AND 'cash' IN (e.debit_account, e.credit_account)
    GROUP BY 1, 2"""


def _sum(column: str) -> Coalesce:
    return Coalesce(Sum(column), 0, output_field=BigIntegerField())

"""The figures beside the client's that a correction of a payment changes: the insurer's, and the deposits."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db import connection

from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.queries.effects import Figure, sum_of
from daysheet.kit.dates import us_date
from daysheet.ledger.books import closed_through
from daysheet.ledger.queries import payment_movements
from daysheet.ledger.rules import posting_day
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Payment


@query(Permission.BILLING)
def insurer_figures(actor: Actor, payer_id: UUID) -> list[Figure]:
    """What an insurer owes on open lines, and what of its money is on none."""
    owed = InvoiceLine.objects.filter(coverage__payer_id=payer_id, insurance_open_cents__gt=0)
    kept = Payment.objects.filter(payer_id=payer_id, unapplied_cents__gt=0)
    return [
        Figure("Due from the insurer", owed.aggregate(cents=sum_of("insurance_open_cents"))["cents"], is_shared=True),
        Figure("The insurer’s credit", kept.aggregate(cents=sum_of("unapplied_cents"))["cents"], is_shared=True),
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

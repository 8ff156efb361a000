"""What very many clients owe at the end of a statement's period, without reading their history."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..rules import Basis
from .statements import LISTED_ON, StatementChoices, visible_ids


@query(Permission.BILLING)
def ending_balances(actor: Actor, client_ids: Collection[UUID], choices: StatementChoices) -> dict[UUID, int]:
    """The client's side of each of these clients in cents, less the client's credit: what `statement_figures` sums from
    the entries, gone back to from what lines and payments keep now. Two statements; who has nothing, or may not be seen
    by the actor, is left out."""
    as_of = choices.as_of or date.max
    params: dict[str, Any] = {
        "practice": actor.practice.id, "clients": visible_ids(actor, client_ids), "as_of": as_of,
        "last": choices.period.last_on, "until": min(choices.period.last_on, as_of),
        "by_service": choices.basis is Basis.SERVICE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, params)
        return dict(cursor.fetchall())


_SIDE = """(e.debit_account = 'client_receivable' OR e.debit_account = 'credit' AND e.coverage_id IS NULL)::int
        - (e.credit_account = 'client_receivable' OR e.credit_account = 'credit' AND e.coverage_id IS NULL)::int"""
#: Kept now, less the entries that the statement does not count: those posted after it, and those it would list later.
#: Of the latter what was posted before stands on lines whose service lies ahead.
_BALANCES = f"""
    SELECT client_id, sum(cents)::bigint FROM (
        SELECT l.client_id, l.client_open_cents AS cents FROM invoicing_invoiceline l
        WHERE l.practice_id = %(practice)s AND l.client_open_cents > 0
        UNION ALL
        SELECT p.client_id, -p.unapplied_cents FROM payments_payment p
        WHERE p.practice_id = %(practice)s AND p.unapplied_cents > 0 AND p.client_id IS NOT NULL
        UNION ALL
        SELECT e.client_id, -e.amount_cents * ({_SIDE}) FROM ledger_entry e
        LEFT JOIN invoicing_invoiceline l ON l.practice_id = %(practice)s AND l.id = e.line_id
        WHERE e.practice_id = %(practice)s AND e.client_id IS NOT NULL AND e.effective_on > %(until)s
          AND (e.effective_on > %(as_of)s OR {LISTED_ON} > %(last)s)
        UNION ALL
        SELECT e.client_id, -e.amount_cents * ({_SIDE}) FROM invoicing_invoiceline l
        JOIN ledger_entry e ON e.practice_id = l.practice_id AND e.line_id = l.id
        WHERE %(by_service)s AND l.practice_id = %(practice)s AND l.client_id = ANY(%(clients)s)
          AND l.service_on > %(last)s AND e.effective_on <= %(until)s
    ) b WHERE client_id = ANY(%(clients)s) GROUP BY 1"""

"""What lines and payments had open at the end of a day (M8): SQL for reports to build on.

The amounts kept on them answer for the present. Of a past day the entries answer, from the nearer end: what is kept
now less everything posted since, or the sum of everything posted until then. The answers are the same, and a test
compares them; a report of last month does not read ten years for it.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any

from django.db import connection

from daysheet.ledger.day import Scope

#: SQL and the values of its placeholders.
Sql = tuple[str, list[Any]]


class Way(StrEnum):
    """How the amounts of a day are found."""

    KEPT = "kept"  # nothing was posted later
    BACK = "back"
    FORWARD = "forward"


def way_to(scope: Scope, as_of: date) -> Way:
    """The way that reads fewer entries, supposing as many on each day: two probes of an index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT min(effective_on), max(effective_on) FROM ledger_entry WHERE practice_id = %s", [scope.practice_id]
        )
        first, last = cursor.fetchone() or (None, None)
    if first is None or last is None or last <= as_of:
        return Way.KEPT
    return Way.BACK if last - as_of <= as_of - first else Way.FORWARD


def open_on(scope: Scope, as_of: date, way: Way) -> Sql:
    """SQL with lines and what each side had open at the end of the day, in cents, zeros among them: id, client_id,
    coverage_id, invoice_id, service_on, name, client_cents, insurance_cents."""
    line = "l.id, l.client_id, l.coverage_id, l.invoice_id, l.service_on, l.name"
    amounts = "l.client_open_cents AS client_cents, l.insurance_open_cents AS insurance_cents"
    open_now = f"l.practice_id = %s AND (l.client_open_cents > 0 OR l.insurance_open_cents > 0) AND {_of('l', scope)}"
    if way is Way.KEPT:
        return f"SELECT {line}, {amounts} FROM invoicing_invoiceline l WHERE {open_now}", _own(scope)
    kept = f"SELECT l.id AS line_id, {amounts} FROM invoicing_invoiceline l WHERE {open_now}"
    client, insurance = _change("client_receivable", "debit"), _change("insurance_receivable", "debit")
    sums = {"client_cents": client, "insurance_cents": insurance}
    then, params = _standing(scope, as_of, way, "line_id", kept, sums)
    return (
        f"""SELECT {line}, b.client_cents, b.insurance_cents FROM ({then}) b
            JOIN invoicing_invoiceline l ON l.practice_id = %s AND l.id = b.line_id""",
        [*params, scope.practice_id],
    )


def unapplied_on(scope: Scope, as_of: date, way: Way) -> Sql:
    """SQL with payments, all their columns, and cents: what was not applied at the end of the day, zeros among them.
    Somebody limited to assigned clients gets no insurer's payment: its money belongs to no client."""
    visible = f"p.practice_id = %s AND {_of('p', scope)}"
    unapplied = f"FROM payments_payment p WHERE {visible} AND p.unapplied_cents > 0"
    if way is Way.KEPT:
        return f"SELECT p.*, p.unapplied_cents AS cents {unapplied}", _own(scope)
    kept = f"SELECT p.id AS payment_id, p.unapplied_cents AS cents {unapplied}"
    then, params = _standing(scope, as_of, way, "payment_id", kept, {"cents": _change("credit", "credit")})
    # An entry that applies an insurer's money names the client; the payment does not.
    return (
        f"SELECT p.*, u.cents FROM ({then}) u JOIN payments_payment p ON p.id = u.payment_id AND {visible}",
        [*params, *_own(scope)],
    )


def _standing(scope: Scope, as_of: date, way: Way, key: str, kept: str, sums: dict[str, str]) -> Sql:
    """The sums of a past day by `key`. `sums`: each amount, and an entry's part in it; `kept` has them as of now."""
    sign, sense = ("-", ">") if way is Way.BACK else ("", "<=")
    parts = ", ".join(f"sum({sign}e.amount_cents * ({part})) AS {name}" for name, part in sums.items())
    moved = f"""SELECT e.{key}, {parts} FROM ledger_entry e
        WHERE e.practice_id = %s AND e.effective_on {sense} %s AND e.{key} IS NOT NULL AND {scope.condition}
        GROUP BY e.{key}"""
    of_entries = [scope.practice_id, as_of, *scope.params]
    if way is Way.FORWARD:
        return moved, of_entries
    names = ", ".join(f"sum({name}) AS {name}" for name in sums)
    return f"SELECT {key}, {names} FROM ({kept} UNION ALL {moved}) s GROUP BY {key}", [*_own(scope), *of_entries]


def _own(scope: Scope) -> list[Any]:
    return [scope.practice_id, *scope.params]


def _change(account: str, grows_by: str) -> str:
    """SQL for 1 where an entry adds to the account, -1 where it takes from it."""
    shrinks_by = "credit" if grows_by == "debit" else "debit"
    return f"(e.{grows_by}_account = '{account}')::int - (e.{shrinks_by}_account = '{account}')::int"


def _of(table: str, scope: Scope) -> str:
    return scope.condition.replace("e.client_id", f"{table}.client_id")

"""Payments of a bill: what clients paid for each invoice, and insurers' transfers over about a hundred lines each.

Three invoices in a hundred are never paid; one client payment in a hundred is ten dollars too much and leaves credit;
every other insurer allows four fifths and the rest is adjusted by contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from daysheet.audit.models import AuditEvent
from daysheet.ledger.models import Entry, MoneyRequest
from daysheet.payments.models import Payment

from ..sql import Connection, insert
from .people import Loaded


def pay_invoices(connection: Connection, loaded: Loaded, first: date, last: date) -> None:
    """Pay for the invoices issued in [first, last)."""
    params = {**loaded.params, "first": first, "last": last, "payers": list(loaded.payers)}
    _pay_by_clients(connection, params)
    _pay_by_insurers(connection, params)


_DUE = """
    CREATE TEMP TABLE due ON COMMIT DROP AS
    SELECT l.id AS line_id, l.client_id, l.invoice_id, i.number, l.coverage_id, k.payer_id, l.client_open_cents,
        l.insurance_open_cents, i.number * 1000 + l.position AS no,
        i.issued_on + (5 + i.number %% 20)::int AS client_paid_on,
        i.issued_on + (10 + b.no %% 15)::int AS insurer_paid_on
    FROM invoicing_invoice i
    JOIN invoicing_invoiceline l ON l.practice_id = i.practice_id AND l.invoice_id = i.id
    LEFT JOIN clients_coverage k ON k.practice_id = l.practice_id AND k.id = l.coverage_id
    LEFT JOIN bench_client b ON b.id = l.client_id
    WHERE i.practice_id = %(practice)s AND i.issued_on >= %(first)s AND i.issued_on < %(last)s
      AND i.number * 7919 %% 100 >= 3 AND (l.client_open_cents > 0 OR l.insurance_open_cents > 0)"""
_CLIENT_PAYMENTS = """
    CREATE TEMP TABLE paying ON COMMIT DROP AS
    SELECT *, pg_temp.new_id(paid_on + time '15:00', %(practice)s, number) AS payment_id, cents + extra AS amount_cents
    FROM (
        SELECT number, client_id, client_paid_on AS paid_on, sum(client_open_cents)::bigint AS cents,
            CASE WHEN number %% 100 = 1 THEN 1000 ELSE 0 END AS extra, count(*) AS lines
        FROM due WHERE client_open_cents > 0 GROUP BY 1, 2, 3
    ) d"""


def _pay_by_clients(connection: Connection, params: Mapping[str, Any]) -> None:
    for table in ("due", "paying"):
        connection.execute(f"DROP TABLE IF EXISTS pg_temp.{table}")
    connection.execute(_DUE, params)
    connection.execute(_CLIENT_PAYMENTS, params)
    insert(connection, Payment, {
        "practice_id": "%(practice)s", "id": "payment_id", "client_id": "client_id",
        "method": "(ARRAY['card', 'check', 'cash', 'hsa'])[1 + number %% 4]", "amount_cents": "amount_cents",
        "unapplied_cents": "extra", "received_on": "paid_on", "number": "'C' || number",
        "created_at": "paid_on + time '15:00'", "created_by_name": "'Bea Biller'", "request_key": "payment_id",
        "request_digest": "md5(number::text) || md5(number::text)",
    }, "FROM paying ORDER BY payment_id", params)  # fmt: skip
    received = {"n": "2 * p.number", "cents": "p.amount_cents", "client": "p.client_id"}
    _receive(connection, received, params)
    _post(connection, "d.no * 4", ("'credit'", "'client_receivable'", "d.client_open_cents"),
          "JOIN paying p ON p.number = d.number WHERE d.client_open_cents > 0", params, coverage="NULL")  # fmt: skip
    _audit(connection, "p.number * 2", params)
    connection.execute(
        "UPDATE invoicing_invoiceline l SET client_open_cents = 0 FROM due d "
        "WHERE l.practice_id = %(practice)s AND l.id = d.line_id AND d.client_open_cents > 0",
        params,
    )


_INSURER_PAYMENTS = """
    CREATE TEMP TABLE paying ON COMMIT DROP AS
    SELECT *, pg_temp.new_id(paid_on + time '16:00', %(practice)s, no) AS payment_id FROM (
        SELECT payer_id, insurer_paid_on AS paid_on, sum(paid_cents)::bigint AS amount_cents, count(*) AS lines,
            min(no) AS no
        FROM due WHERE insurance_open_cents > 0 GROUP BY 1, 2
    ) d"""
_ALLOWED = """
    ALTER TABLE due ADD paid_cents bigint;
    UPDATE due SET paid_cents = CASE WHEN array_position(%(payers)s::uuid[], payer_id) %% 2 = 0
        THEN insurance_open_cents * 4 / 5 ELSE insurance_open_cents END"""


def _pay_by_insurers(connection: Connection, params: Mapping[str, Any]) -> None:
    connection.execute("DROP TABLE pg_temp.paying")
    connection.execute(_ALLOWED, params)
    connection.execute(_INSURER_PAYMENTS, params)
    insert(connection, MoneyRequest, {
        "practice_id": "%(practice)s", "id": "payment_id", "verb": "'accept_insurance_payment'",
        "digest": "md5(no::text) || md5(no::text)", "posted_at": "paid_on + time '16:00'",
    }, "FROM paying ORDER BY payment_id", params)  # fmt: skip
    insert(connection, Payment, {
        "practice_id": "%(practice)s", "id": "payment_id", "payer_id": "payer_id", "method": "'eft'",
        "amount_cents": "amount_cents", "unapplied_cents": "0", "received_on": "paid_on", "number": "'E' || no",
        "created_at": "paid_on + time '16:00'", "created_by_name": "'Bea Biller'", "request_key": "payment_id",
        "request_digest": "md5(no::text) || md5(no::text)",
    }, "FROM paying ORDER BY payment_id", params)  # fmt: skip
    _receive(connection, {"n": "2 * p.no + 1", "cents": "p.amount_cents", "client": "NULL"}, params)
    joined = (
        "JOIN paying p ON p.payer_id = d.payer_id AND p.paid_on = d.insurer_paid_on WHERE d.insurance_open_cents > 0"
    )
    _post(connection, "d.no * 4 + 1", ("'credit'", "'insurance_receivable'", "d.paid_cents"), joined, params)
    _post(connection, "d.no * 4 + 2", ("'contractual'", "'insurance_receivable'",
          "d.insurance_open_cents - d.paid_cents"), f"{joined} AND d.insurance_open_cents > d.paid_cents", params,
          payment="NULL", reason="'Contractual adjustment'")  # fmt: skip
    _audit(connection, "p.no * 2 + 1", params)
    connection.execute(
        "UPDATE invoicing_invoiceline l SET insurance_open_cents = 0 FROM due d "
        "WHERE l.practice_id = %(practice)s AND l.id = d.line_id AND d.insurance_open_cents > 0",
        params,
    )


def _receive(connection: Connection, of: Mapping[str, str], params: Mapping[str, Any]) -> None:
    """The entries of the money that came in."""
    insert(connection, Entry, {
        "practice_id": "%(practice)s", "id": f"pg_temp.new_id(p.paid_on + time '15:30', %(practice)s, {of['n']})",
        "debit_account": "'cash'", "credit_account": "'credit'", "amount_cents": of["cents"], "client_id": of["client"],
        "payment_id": "p.payment_id", **_ENTRY,
    }, "FROM paying p ORDER BY p.paid_on", params)  # fmt: skip


_ENTRY = {
    "effective_on": "p.paid_on", "posted_at": "p.paid_on + time '16:00'", "actor_name": "'Bea Biller'",
    "event_id": "p.payment_id",
}  # fmt: skip


def _post(
    connection: Connection, n: str, moved: tuple[str, str, str], source: str, params: Mapping[str, Any], *,
    payment: str = "p.payment_id", coverage: str = "d.coverage_id", reason: str = "''",
) -> None:  # fmt: skip
    """An entry for each line that is paid or adjusted."""
    debit, credit, cents = moved
    insert(connection, Entry, {
        "practice_id": "%(practice)s", "id": f"pg_temp.new_id(p.paid_on + time '16:00', %(practice)s, {n})",
        "debit_account": debit, "credit_account": credit, "amount_cents": cents, "client_id": "d.client_id",
        "line_id": "d.line_id", "payment_id": f"{payment}::uuid", "coverage_id": f"{coverage}::uuid", "reason": reason,
        **_ENTRY,
    }, f"FROM due d {source} ORDER BY p.paid_on, d.no", params)  # fmt: skip


def _audit(connection: Connection, n: str, params: Mapping[str, Any]) -> None:
    insert(connection, AuditEvent, {
        "practice_id": "%(practice)s", "id": f"pg_temp.new_id(p.paid_on + time '16:00', %(practice)s, {n})",
        "at": "p.paid_on + time '16:00'", "actor_kind": "'person'", "actor_name": "'Bea Biller'",
        "verb": "'accept_payment'", "object_type": "'payment'", "object_id": "p.payment_id::text",
        "details": "jsonb_build_object('amount_cents', p.amount_cents, 'lines', p.lines)",
    }, "FROM paying p ORDER BY p.paid_on", params)  # fmt: skip

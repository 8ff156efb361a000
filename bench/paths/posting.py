"""An insurer's payment over 500 lines: four fifths paid, the rest adjusted by contract; beside plain SQL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from daysheet.audit.models import AuditEvent
from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.ledger.models import Entry, MoneyRequest
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.models import Payment

from ..measuring import Budget, Path, Work
from ..sql import in_practice, insert, owner
from .bench import Bench

LINES = 500


def posting_paths(bench: Bench) -> Iterator[Path]:
    """After the batches, which leave enough open lines."""
    yield Path(
        "insurance_payment", f"insurance payment over {LINES} lines", lambda number: _action(bench),
        lambda number: _plain(bench), Budget(ratio=2.0, seconds=1.0), most_rounds=7,
    )  # fmt: skip


def _open_lines(bench: Bench) -> tuple[UUID, list[tuple[UUID, int]]]:
    """The insurer with the most open lines, and the newest of them with what is open."""
    with owner() as connection:
        rows = connection.execute(_OPEN, {"practice": bench.practice_id, "limit": LINES}).fetchall()
    assert rows, "no insurer owes anything"
    return rows[0][0], [(line_id, cents) for _, line_id, cents in rows]


_OPEN = """
    SELECT k.payer_id, l.id, l.insurance_open_cents FROM invoicing_invoiceline l
    JOIN clients_coverage k ON k.practice_id = l.practice_id AND k.id = l.coverage_id
    WHERE l.practice_id = %(practice)s AND l.insurance_open_cents > 0 AND k.payer_id = (
        SELECT x.payer_id FROM invoicing_invoiceline o
        JOIN clients_coverage x ON x.practice_id = o.practice_id AND x.id = o.coverage_id
        WHERE o.practice_id = %(practice)s AND o.insurance_open_cents > 0 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1)
    ORDER BY l.id DESC LIMIT %(limit)s"""


def _action(bench: Bench) -> Work:
    payer_id, lines = _open_lines(bench)
    postings = {line_id: LinePosting(cents * 4 // 5, cents - cents * 4 // 5) for line_id, cents in lines}

    def work() -> None:
        with practice_transaction(bench.practice_id):
            posted = accept_insurance_payment(
                bench.actor, request_key=new_id(), payer_id=payer_id, amount_cents=None, method="eft",
                received_on=bench.shape.today, postings=postings, number="BENCH",
            )  # fmt: skip
        assert posted.paid_cents

    return work


def _plain(bench: Bench) -> Work:
    payer_id, lines = _open_lines(bench)
    paid = sum(cents * 4 // 5 for _, cents in lines)
    params = {
        "practice": bench.practice_id, "payer": payer_id, "payment": new_id(), "amount": paid, "lines": len(lines),
        "today": bench.shape.today, "ids": [line_id for line_id, _ in lines],
    }  # fmt: skip

    def work() -> None:
        with in_practice(bench.connection, bench.practice_id):
            _post(bench, {**params, "now": datetime.now(bench.loaded.now.tzinfo)})

    return work


_EACH = """
    FROM (SELECT l.*, l.insurance_open_cents * 4 / 5 AS paid, row_number() OVER (ORDER BY l.id) AS no
        FROM invoicing_invoiceline l WHERE l.practice_id = %(practice)s AND l.id = ANY(%(ids)s::uuid[])) l
    CROSS JOIN LATERAL (VALUES (0, 'credit', l.paid), (1, 'contractual', l.insurance_open_cents - l.paid))
        part (no, account, cents)
    WHERE part.cents > 0 ORDER BY l.no, part.no"""


def _post(bench: Bench, params: dict[str, Any]) -> None:
    connection = bench.connection
    insert(connection, MoneyRequest, {
        "practice_id": "%(practice)s", "id": "%(payment)s", "verb": "'accept_insurance_payment'",
        "digest": "md5('') || md5('')", "posted_at": "%(now)s",
    }, "", params)  # fmt: skip
    insert(connection, Payment, {
        "practice_id": "%(practice)s", "id": "%(payment)s", "payer_id": "%(payer)s", "method": "'eft'",
        "amount_cents": "%(amount)s", "unapplied_cents": "0", "received_on": "%(today)s", "number": "'BENCH'",
        "created_at": "%(now)s", "created_by_name": "'Bea Biller'", "request_key": "%(payment)s",
        "request_digest": "md5('') || md5('')",
    }, "", params)  # fmt: skip
    same = {
        "practice_id": "%(practice)s", "effective_on": "%(today)s", "posted_at": "%(now)s",
        "actor_name": "'Bea Biller'", "event_id": "%(payment)s",
    }  # fmt: skip
    insert(connection, Entry, {
        **same, "id": "pg_temp.new_id(%(now)s, %(practice)s, 0)", "debit_account": "'cash'",
        "credit_account": "'credit'", "amount_cents": "%(amount)s", "payment_id": "%(payment)s",
    }, "", params)  # fmt: skip
    insert(connection, Entry, {
        **same, "id": "pg_temp.new_id(%(now)s, %(practice)s, l.no * 2 + part.no)", "debit_account": "part.account",
        "credit_account": "'insurance_receivable'", "amount_cents": "part.cents", "client_id": "l.client_id",
        "line_id": "l.id", "coverage_id": "l.coverage_id",
        "payment_id": "CASE part.no WHEN 0 THEN %(payment)s::uuid END",
    }, _EACH, params)  # fmt: skip
    connection.execute(
        "UPDATE invoicing_invoiceline SET insurance_open_cents = 0 "
        "WHERE practice_id = %(practice)s AND id = ANY(%(ids)s::uuid[])",
        params,
    )
    insert(connection, AuditEvent, {
        "practice_id": "%(practice)s", "id": "pg_temp.new_id(%(now)s, %(practice)s, 0)", "at": "%(now)s",
        "actor_kind": "'person'", "actor_name": "'Bea Biller'", "verb": "'accept_insurance_payment'",
        "object_type": "'payment'", "object_id": "%(payment)s::uuid::text",
        "details": "jsonb_build_object('amount_cents', %(amount)s, 'lines', %(lines)s)",
    }, "", params)  # fmt: skip

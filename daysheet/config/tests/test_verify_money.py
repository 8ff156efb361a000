"""`daysheet verify` on money and on the database itself: each kind of damage has its name in the report."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

import psycopg
import pytest

from daysheet.config import verify_views
from daysheet.config.verify import CLEAN, DIFFERENT
from daysheet.documents.queries.statements import StatementChoices, statement_figures
from daysheet.documents.rules import SideFigures
from daysheet.practices.actor import Actor
from tests.people import Cast

from .damage import damage, part_of, verified

_CYD = "(SELECT id FROM clients_client WHERE last_name = 'Stone')"
_CYDS_LINE = f"(SELECT id FROM invoicing_invoiceline WHERE client_id = {_CYD})"
_LETTER = "(SELECT id FROM invoicing_invoiceline WHERE code = 'LETTER')"
_REFUNDED = "(SELECT payment_id FROM ledger_entry WHERE debit_account = 'credit' AND credit_account = 'cash')"


def test_a_history_with_all_kinds_of_money_is_clean(money_history: Cast) -> None:
    code, report = verified()
    assert (code, "FAIL" in report) == (CLEAN, False), report


@pytest.mark.parametrize(
    ("check", "words", "statements"),
    [
        (
            "of every payment, what is applied, given back and credit",
            "of 90.00: given back 95.00, standing on lines 0.00, credit -5.00",
            ["UPDATE ledger_entry SET amount_cents = 9500 WHERE debit_account = 'credit' AND credit_account = 'cash'"],
        ),
        (
            "a client's money is on client sides",
            "60.00 of an insurer on a client side or on a line that it does not cover",
            [
                "UPDATE payments_payment p SET payer_id = (SELECT id FROM clients_payer o WHERE o.id <> p.payer_id) "
                "WHERE payer_id IS NOT NULL"
            ],
        ),
        (
            "every client's balance is one sum",
            "credit 70.00 by entries, 69.99 by the payments",
            [f"UPDATE payments_payment SET unapplied_cents = unapplied_cents - 1 WHERE id = {_REFUNDED}"],
        ),
        (
            "every insurer's balance is one sum",
            "by its open lines",
            [
                "UPDATE ledger_entry e SET coverage_id = "
                "(SELECT id FROM clients_coverage c WHERE c.id <> e.coverage_id) "
                f"WHERE line_id = {_CYDS_LINE} AND debit_account = 'insurance_receivable'"
            ],
        ),
        (
            "every payment has one receipt, of its own date or the first open day after",
            "is dated 2026-11-15, its receipt 2026-11-16",
            [f"UPDATE payments_payment SET received_on = '2026-11-15' WHERE id = {_REFUNDED}"],
        ),
        (
            "every invoice's lines come to what was created",
            "its lines come to 191.00, it was created at 190.00",
            [
                "UPDATE invoicing_invoiceline SET rate_cents = 4100, amount_cents = 4100, client_cents = 4100, "
                f"client_open_cents = client_open_cents + 100 WHERE id = {_LETTER}",
                f"UPDATE ledger_entry SET amount_cents = 4100 WHERE line_id = {_LETTER} AND credit_account = 'revenue'",
            ],
        ),
        (
            "every invoice's lines come to what was created",
            "its creation is not in the Activity Log",
            ["DELETE FROM audit_auditevent WHERE verb = 'issue_invoice' AND details->>'number' = '1'"],
        ),
        (
            "every payment is what was accepted",
            "is 95.00, it was accepted as 90.00",
            [
                "UPDATE payments_payment SET amount_cents = 9500, unapplied_cents = unapplied_cents + 500 "
                f"WHERE id = {_REFUNDED}",
                "UPDATE ledger_entry SET amount_cents = 9500 "
                f"WHERE payment_id = {_REFUNDED} AND debit_account = 'cash'",
            ],
        ),
        (
            "Invoice Aging less credit is the balance, by client and by insurer",
            "$69.99, by the entries",
            [f"UPDATE payments_payment SET unapplied_cents = unapplied_cents - 1 WHERE id = {_REFUNDED}"],
        ),
        (
            "Invoice Aging less credit is the balance, by client and by insurer",
            "as of 2026-11-16 by insurer, ",
            [
                "UPDATE invoicing_invoiceline l SET coverage_id = "
                f"(SELECT id FROM clients_coverage c WHERE c.id <> l.coverage_id) WHERE id = {_CYDS_LINE}"
            ],
        ),
        (
            "every Day Sheet proves, and its tables add up to the proof",
            ", Invoice Aging comes to ",
            [f"UPDATE invoicing_invoiceline SET client_open_cents = client_open_cents - 1 WHERE id = {_CYDS_LINE}"],
        ),
        (
            "every batch counts the invoices it made",
            "2 invoices counted, 1 made",
            ["UPDATE invoicing_batchitem SET created_count = 2"],
        ),
    ],
)
def test_damage_to_money_is_found_and_named(money_history: Cast, check: str, words: str, statements: list[str]) -> None:
    damage(*statements)
    code, report = verified("alder")
    assert code == DIFFERENT
    assert words in part_of(report, check), report
    assert verified("birch")[0] == CLEAN


def test_a_day_sheet_whose_tables_part_from_its_proof_is_found_and_named(money_history: Cast) -> None:
    """A payment by no known method is in the proof and in no row of the deposit."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        [definition] = owner.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'payment_method_known'"
        ).fetchone() or ("",)
    damage(
        "ALTER TABLE payments_payment DROP CONSTRAINT payment_method_known",
        "UPDATE payments_payment SET method = 'shells' WHERE method = 'eft'",
    )
    try:
        code, report = verified("alder")
    finally:
        damage(
            "UPDATE payments_payment SET method = 'eft' WHERE method = 'shells'",
            f"ALTER TABLE payments_payment ADD CONSTRAINT payment_method_known {definition}",
        )
    assert code == DIFFERENT
    words = "the deposit by method is $320.00, the proof says payments of $390.00"
    assert words in part_of(report, "every Day Sheet proves"), report


def test_a_statement_that_parts_from_the_entries_is_found_and_named(
    money_history: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Statements are sums over the entries themselves, so no damage to the database parts the two; a wrong sum does."""

    def without_insurers_entries(actor: Actor, clients: Collection[UUID], choices: StatementChoices) -> Any:
        figures = statement_figures(actor, clients, choices)
        return {key: replace(each, insurance=SideFigures()) for key, each in figures.items()}

    monkeypatch.setattr(verify_views, "statement_figures", without_insurers_entries)
    code, report = verified("alder")
    assert code == DIFFERENT
    words = "by service date, "
    assert words in part_of(report, "every statement leads to the client's balance"), report


_POLICY = "practice_id = nullif(current_setting('app.practice_id', true), '')::bigint"


@pytest.mark.parametrize(
    ("check", "words", "broken", "mended"),
    [
        (
            "the database refuses what it must",
            "the constraint line_one_live of invoicing_invoiceline is missing",
            "DROP INDEX line_one_live",
            "CREATE UNIQUE INDEX line_one_live ON invoicing_invoiceline (practice_id, visit_service_id) "
            "WHERE ended_at IS NULL AND visit_service_id IS NOT NULL",
        ),
        (
            "the database refuses what it must",
            "the constraint ledger_entry_payment_id_fk of ledger_entry is missing",
            "ALTER TABLE ledger_entry DROP CONSTRAINT ledger_entry_payment_id_fk",
            "ALTER TABLE ledger_entry ADD CONSTRAINT ledger_entry_payment_id_fk "
            "FOREIGN KEY (practice_id, payment_id) REFERENCES payments_payment (practice_id, id)",
        ),
        (
            "row security keeps",
            "ledger_entry has not exactly the one policy that names the practice",
            "ALTER POLICY ledger_entry_practice ON ledger_entry USING (true)",
            f"ALTER POLICY ledger_entry_practice ON ledger_entry USING ({_POLICY})",
        ),
        (
            "row security keeps",
            "payments_payment has not exactly the one policy that names the practice",
            "CREATE POLICY another ON payments_payment USING (true)",
            "DROP POLICY another ON payments_payment",
        ),
    ],
)
def test_what_the_database_no_longer_refuses_is_found(
    history: Cast, check: str, words: str, broken: str, mended: str
) -> None:
    damage(broken)
    try:
        code, report = verified("alder")
    finally:
        damage(mended)
    assert code == DIFFERENT
    assert words in part_of(report, check), report
    assert verified()[0] == CLEAN

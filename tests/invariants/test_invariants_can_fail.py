"""Each invariant of books.py holds, and fails on a ledger that was broken on purpose, as the database's owner."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from daysheet.claims.actions import queue_claims
from daysheet.clients.models import Coverage
from daysheet.config.tests.damage import damage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.payments.corrections import refund_payment
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.tests.desk import TODAY, pay
from daysheet.practices.actor import Actor
from tests.billing import build_clinic
from tests.people import Cast

from .books import (
    INVARIANTS,
    claims_stand_on_live_lines,
    every_service_is_billed_at_most_once,
    figures_are_their_entries,
    no_day_counts_a_receipt_twice,
    no_past_day_is_negative,
    no_payment_is_overspent,
    no_side_is_negative,
    nothing_is_given_back_twice,
    verified,
    views_agree,
)
from .report_books import ageing_agrees, day_sheets_add_up, statements_agree

_COPY = (
    "INSERT INTO ledger_entry (practice_id, id, debit_account, credit_account, amount_cents, client_id, line_id, "
    "payment_id, coverage_id, effective_on, posted_at, actor_name, reason, reverses_id, event_id) "
    "SELECT practice_id, gen_random_uuid(), debit_account, credit_account, amount_cents, client_id, line_id, "
    "payment_id, coverage_id, effective_on, posted_at, actor_name, reason, {reverses}, gen_random_uuid() "
    "FROM ledger_entry e WHERE {where}"
)
_APPLIED = "debit_account = 'credit' AND credit_account = 'client_receivable'"
_REFUND = "debit_account = 'credit' AND credit_account = 'cash'"


@pytest.fixture
def books(live_cast: Cast) -> Actor:
    """A line paid in part by client and insurer, a payment refunded in part."""
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        client = clinic.client(insured=True, copay_cents=7_000)
        visit, _ = clinic.visit(client, clinic.talk)
        bill_visit(clinic.biller, visit_id=visit)
        line = InvoiceLine.objects.get()
        pay(clinic.biller, client, 5_000)
        paid = pay(clinic.biller, client, 6_000, applications={}).payment_id
        refund_payment(
            clinic.biller, request_key=uuid4(), payment_id=paid, amount_cents=3_500, refunded_on=TODAY, reason="Moved"
        )
        payer = Coverage.objects.get().payer_id
        accept_insurance_payment(
            clinic.biller, request_key=uuid4(), payer_id=payer, amount_cents=None, method="eft", received_on=TODAY,
            postings={line.pk: LinePosting(5_000)},
        )  # fmt: skip
        queue_claims(clinic.biller, invoice_id=line.invoice_id)
    return replace(clinic.biller)


def _failing(actor: Actor) -> set[str]:
    with practice_transaction(actor.practice.id):
        return {invariant.__name__ for invariant in INVARIANTS if invariant(actor)}


@pytest.mark.parametrize(
    ("invariant", "statements"),
    [
        (no_side_is_negative, [_COPY.format(reverses="NULL", where=_APPLIED)]),
        (
            no_payment_is_overspent,
            [f"UPDATE ledger_entry SET amount_cents = amount_cents * 2 WHERE {_APPLIED}"],
        ),
        (nothing_is_given_back_twice, [_COPY.format(reverses="NULL", where=_REFUND)]),
        (
            nothing_is_given_back_twice,
            [
                "DROP INDEX entry_reversed_once",
                _COPY.format(reverses=f"(SELECT id FROM ledger_entry WHERE {_REFUND})", where="e.amount_cents = 3500"),
                _COPY.format(reverses=f"(SELECT id FROM ledger_entry WHERE {_REFUND} LIMIT 1)",
                             where="e.amount_cents = 3500 AND e.reverses_id IS NOT NULL"),
            ],
        ),
        (no_past_day_is_negative, [f"UPDATE ledger_entry SET effective_on = '2026-11-01' WHERE {_REFUND}"]),
        (no_past_day_is_negative, [f"UPDATE ledger_entry SET effective_on = '2026-11-01' WHERE {_APPLIED}"]),
        (
            every_service_is_billed_at_most_once,
            ["UPDATE schedule_visitservice SET line_id = NULL WHERE line_id IS NOT NULL"],
        ),
        (views_agree, ["UPDATE payments_payment SET unapplied_cents = unapplied_cents - 1 WHERE unapplied_cents > 0"]),
        (views_agree, ["UPDATE invoicing_invoiceline SET insurance_open_cents = insurance_open_cents - 1"]),
        (views_agree, [f"UPDATE ledger_entry SET coverage_id = (SELECT id FROM clients_coverage) WHERE {_APPLIED}"]),
        (
            figures_are_their_entries,
            ["UPDATE payments_payment SET unapplied_cents = unapplied_cents - 1 WHERE unapplied_cents > 0"],
        ),
        (figures_are_their_entries, ["UPDATE invoicing_invoiceline SET client_open_cents = client_open_cents + 1"]),
        (no_day_counts_a_receipt_twice, [_COPY.format(reverses="NULL", where="debit_account = 'cash'")]),
        (ageing_agrees, ["UPDATE invoicing_invoiceline SET client_open_cents = client_open_cents + 1"]),
        (ageing_agrees, ["UPDATE payments_payment SET unapplied_cents = unapplied_cents + 1"]),
        (statements_agree, ["UPDATE invoicing_invoiceline SET client_open_cents = client_open_cents + 1"]),
        (
            statements_agree,
            [f"UPDATE ledger_entry SET coverage_id = (SELECT id FROM clients_coverage) WHERE {_REFUND}"],
        ),
        (claims_stand_on_live_lines, ["UPDATE claims_claimline SET left_at = now()"]),
        (claims_stand_on_live_lines, ["UPDATE claims_claim SET withdrawn_at = now(), withdrawn_reason = 'Lost'"]),
        (verified, ["UPDATE invoicing_invoicecounter SET next_number = next_number + 1"]),
    ],
)  # fmt: skip
def test_an_invariant_fails_on_a_broken_ledger(books: Actor, invariant: object, statements: list[str]) -> None:
    assert _failing(books) == set()
    try:
        damage(*statements)
        assert invariant.__name__ in _failing(books)  # type: ignore[attr-defined]
    finally:
        if "DROP INDEX entry_reversed_once" in statements:
            damage(
                "DELETE FROM ledger_entry WHERE reverses_id IS NOT NULL",
                "CREATE UNIQUE INDEX entry_reversed_once ON ledger_entry (practice_id, reverses_id) "
                "WHERE reverses_id IS NOT NULL",
            )


def test_the_day_sheets_fail_where_money_came_by_no_known_method(books: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'payment_method_known'")
        [definition] = cursor.fetchone() or ("",)
    try:
        damage(
            "ALTER TABLE payments_payment DROP CONSTRAINT payment_method_known",
            "UPDATE payments_payment SET method = 'nothing' WHERE method = 'eft'",
        )
        assert day_sheets_add_up.__name__ in _failing(books)
    finally:
        damage(
            "UPDATE payments_payment SET method = 'eft' WHERE method = 'nothing'",
            f"ALTER TABLE payments_payment ADD CONSTRAINT payment_method_known {definition}",
        )

"""`daysheet verify`: silent on a true history, and loud on every kind of damage, named."""

from __future__ import annotations

import pytest

from daysheet.config.verify import CLEAN, DIFFERENT, NO_SUCH_PRACTICE
from tests.people import Cast

from .damage import damage, part_of, verified


def test_a_true_history_is_clean_and_counted(history: Cast) -> None:
    code, report = verified()
    assert code == CLEAN, report
    assert "FAIL" not in report
    assert "Alder Clinic (alder)\n  3 dates of service, 4 lines, $490.00 charged, 2 clients, 3 invoices" in report
    assert "Birch Practice (birch)\n  0 dates of service, 0 lines, $0.00 charged, 0 clients, 0 invoices" in report
    assert report.endswith("2 practices verified: everything agrees.\n")


def test_one_practice_can_be_asked_for(history: Cast) -> None:
    code, report = verified("birch")
    assert (code, "Alder" in report) == (CLEAN, False)
    assert report.endswith("1 practice verified: everything agrees.\n")
    assert verified("nowhere") == (NO_SUCH_PRACTICE, "There is no practice with the address “nowhere”.\n")


@pytest.mark.parametrize(
    ("words", "statement"),
    [
        (
            "the day 2026-11-16 was closed at ",
            "UPDATE ledger_entry SET effective_on = '2026-11-15' WHERE debit_account = 'cash'",
        ),
        (
            "the books are closed through no day, the last closed day is 2026-11-16",
            "UPDATE ledger_books SET closed_through_on = NULL",
        ),
    ],
)
def test_a_closed_day_that_changed_is_named(closed_history: Cast, words: str, statement: str) -> None:
    assert verified()[0] == CLEAN
    damage(statement)
    code, report = verified()
    assert code == DIFFERENT
    assert words in part_of(report, "every closed day is what it was")


_ONE_LINE = "(SELECT id FROM invoicing_invoiceline WHERE ended_at IS NULL AND client_cents > 0 ORDER BY id LIMIT 1)"
_ENDED_LINE = "(SELECT id FROM invoicing_invoiceline WHERE ended_at IS NOT NULL)"


@pytest.mark.parametrize(
    ("check", "words", "statements"),
    [
        (
            "the open amounts of every line",
            "by its entries",
            ["UPDATE invoicing_invoiceline SET client_open_cents = client_open_cents - 1 WHERE client_open_cents > 0"],
        ),
        (
            "every line was charged once",
            "of invoice 1: billed",
            [f"DELETE FROM ledger_entry WHERE credit_account = 'revenue' AND line_id = {_ONE_LINE}"],
        ),
        (
            "every payment came in once",
            "unapplied",
            ["UPDATE payments_payment SET unapplied_cents = unapplied_cents + 1 WHERE unapplied_cents < amount_cents"],
        ),
        (
            "every entry is of the client",
            "another client",
            [
                "UPDATE ledger_entry e SET client_id = (SELECT id FROM clients_client c WHERE c.id <> e.client_id) "
                f"WHERE line_id = {_ONE_LINE}"
            ],
        ),
        (
            "every reversal mirrors",
            "is no mirror of",
            ["UPDATE ledger_entry SET amount_cents = amount_cents + 1 WHERE reverses_id IS NOT NULL"],
        ),
        (
            "every live line and its service point at each other",
            "is marked as unbilled",
            [f"UPDATE schedule_visitservice SET line_id = NULL WHERE line_id = {_ONE_LINE}"],
        ),
        (
            "every live line and its service point at each other",
            "which is not live or not its own",
            [f"UPDATE schedule_visitservice SET line_id = {_ENDED_LINE} WHERE line_id IS NULL"],
        ),
        (
            "appointments, visits, services and lines agree",
            "its appointment 2026-11-12",
            ["UPDATE schedule_visit SET service_on = '2026-11-13' WHERE service_on = '2026-11-12'"],
        ),
        (
            "appointments, visits, services and lines agree",
            "2026-11-04, its service 2026-11-03",
            ["UPDATE invoicing_invoiceline SET service_on = '2026-11-04' WHERE service_on = '2026-11-03'"],
        ),
        (
            "invoice numbers run from 1",
            "after invoice 4 comes 9",
            ["UPDATE invoicing_invoice SET number = 9 WHERE number = 2"],
        ),
        (
            "invoice numbers run from 1",
            "the next number is 12, the highest given is 4",
            ["UPDATE invoicing_invoicecounter SET next_number = 12"],
        ),
        (
            "no line is live on a void invoice",
            "on invoice 3, which is void",
            [f"UPDATE invoicing_invoiceline SET ended_at = NULL, visit_service_id = NULL WHERE id = {_ENDED_LINE}"],
        ),
        (
            "every invoice has lines",
            "invoice 2 has a line of another client",
            [
                "UPDATE invoicing_invoiceline l SET client_id = (SELECT id FROM clients_client c WHERE c.id <> "
                "l.client_id) WHERE service_on = '2026-11-03'"
            ],
        ),
        (
            "trial balance",
            "the entries come to",
            ["UPDATE payments_payment SET unapplied_cents = unapplied_cents + 1 WHERE unapplied_cents < amount_cents"],
        ),
    ],
)
def test_damage_is_found_and_named(history: Cast, check: str, words: str, statements: list[str]) -> None:
    damage(*statements)
    code, report = verified("alder")
    assert code == DIFFERENT
    assert words in part_of(report, check), report
    assert verified("birch")[0] == CLEAN


@pytest.mark.parametrize(
    ("given", "taken_back", "words"),
    [
        (
            "GRANT UPDATE (amount_cents) ON ledger_entry TO daysheet_app",
            "REVOKE UPDATE (amount_cents) ON ledger_entry FROM daysheet_app",
            "daysheet_app may change ledger_entry.amount_cents",
        ),
        (
            "GRANT DELETE ON invoicing_invoice TO daysheet_app",
            "REVOKE DELETE ON invoicing_invoice FROM daysheet_app",
            "daysheet_app may DELETE invoicing_invoice",
        ),
        (
            "GRANT UPDATE ON payments_payment TO daysheet_app",
            "REVOKE UPDATE ON payments_payment FROM daysheet_app; "
            "GRANT UPDATE (unapplied_cents, method, received_on, number, notes) ON payments_payment TO daysheet_app",
            "daysheet_app may change payments_payment.amount_cents",
        ),
        (
            "ALTER TABLE audit_auditevent DISABLE ROW LEVEL SECURITY",
            "ALTER TABLE audit_auditevent ENABLE ROW LEVEL SECURITY",
            "audit_auditevent has no row security",
        ),
    ],
)
def test_rights_that_facts_must_not_have_are_found(history: Cast, given: str, taken_back: str, words: str) -> None:
    damage(given)
    try:
        code, report = verified("alder")
    finally:
        damage(*taken_back.split("; "))
    assert (code, words in report) == (DIFFERENT, True), report
    assert verified("alder")[0] == CLEAN


def test_many_differences_are_counted_and_only_the_first_are_named(history: Cast) -> None:
    damage(
        "INSERT INTO invoicing_invoice (practice_id, id, number, client_id, issued_on, created_at, created_by_name, "
        "door, note, client_name, client_address, practice_name, practice_address, practice_phone, practice_tax_id) "
        f"SELECT {history.alder.id}, gen_random_uuid(), n * 10, (SELECT id FROM clients_client LIMIT 1), "
        "'2026-11-02', now(), 'x', "
        "'ledger', '', '', '', '', '', '', '' FROM generate_series(1, 12) n"
    )
    _, report = verified("alder")
    assert "and 7 more" in report.split("every invoice has lines")[1]

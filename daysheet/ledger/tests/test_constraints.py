"""What the database itself refuses, tried in raw SQL as the application's role."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import post, reverse
from daysheet.ledger.models import Entry
from tests.people import NOW, Cast

from .rows import SERVICE_ON, a_client, a_line, a_payment, application


def _insert(cast: Cast, **changes: object) -> None:
    """An entry that is right but for `changes`."""
    row: dict[str, object] = {
        "practice_id": cast.alder.id,
        "id": uuid4(),
        "debit_account": "write_off",
        "credit_account": "revenue",
        "amount_cents": 100,
        "effective_on": SERVICE_ON,
        "posted_at": NOW,
        "actor_name": "Bob Biller",
        "reason": "",
        "event_id": uuid4(),
    } | changes
    columns = ", ".join(row)
    with transaction.atomic(), connection.cursor() as cursor:
        places = ", ".join(["%s"] * len(row))
        cursor.execute(f"INSERT INTO ledger_entry ({columns}) VALUES ({places})", list(row.values()))


@pytest.mark.parametrize(
    ("constraint", "changes"),
    [
        ("entry_amount_positive", {"amount_cents": 0}),
        ("entry_amount_positive", {"amount_cents": -100}),
        ("entry_accounts_differ", {"credit_account": "write_off"}),
        ("entry_accounts_known", {"debit_account": "petty_cash"}),
        ("entry_accounts_known", {"credit_account": "petty_cash"}),
        ("entry_receivable_has_line", {"debit_account": "client_receivable"}),
        ("entry_receivable_has_line", {"credit_account": "insurance_receivable"}),
        ("entry_money_has_payment", {"debit_account": "cash"}),
        ("entry_money_has_payment", {"credit_account": "credit"}),
        ("ledger_entry_line_id_fk", {"line_id": uuid4()}),
        ("ledger_entry_payment_id_fk", {"payment_id": uuid4()}),
        ("ledger_entry_reverses_id_fk", {"reverses_id": uuid4()}),
        ("ledger_entry_pkey", None),
    ],
)
def test_a_wrong_entry_is_refused_by_name(cast: Cast, constraint: str, changes: dict[str, object] | None) -> None:
    with practice_transaction(cast.alder.id):
        if changes is None:
            changes = {"id": uuid4()}
            _insert(cast, **changes)
        with pytest.raises(IntegrityError, match=constraint):
            _insert(cast, **changes)


def test_the_right_entry_is_accepted(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        _insert(cast)
        assert Entry.objects.count() == 1


def test_an_entry_is_reversed_once_at_most(cast: Cast) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 500), a_payment(bob, client, 500)
        [entry_id] = post(bob, [application(client, payment, line, 500)], event_id=new_id())
        reverse(bob, [entry_id], event_id=new_id(), reason="Once")
        with pytest.raises(IntegrityError, match="entry_reversed_once"):
            _insert(cast, reverses_id=entry_id)


def test_an_entry_for_another_practice_is_refused(cast: Cast) -> None:
    with practice_transaction(cast.birch.id), pytest.raises(ProgrammingError, match="row-level security"):
        _insert(cast)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET amount_cents = 1",
        "UPDATE ledger_entry SET reason = 'tidied'",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_entry",
    ],
)
def test_the_past_is_neither_changed_nor_deleted(cast: Cast, statement: str) -> None:
    with practice_transaction(cast.alder.id):
        _insert(cast)
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


@pytest.mark.parametrize(
    ("constraint", "statement"),
    [
        ("line_open_not_negative", "UPDATE invoicing_invoiceline SET client_open_cents = -1"),
        ("line_open_within_amount", "UPDATE invoicing_invoiceline SET client_open_cents = 501"),
        ("line_ended_owes_nothing", "UPDATE invoicing_invoiceline SET ended_at = now()"),
        ("payment_unapplied_within_amount", "UPDATE payments_payment SET unapplied_cents = -1"),
        ("payment_unapplied_within_amount", "UPDATE payments_payment SET unapplied_cents = 501"),
    ],
)
def test_the_guarded_amounts_cannot_leave_their_bounds(cast: Cast, constraint: str, statement: str) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client = a_client()
        a_line(bob, client, 500)
        a_payment(bob, client, 500)
        with (
            pytest.raises(IntegrityError, match=constraint),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

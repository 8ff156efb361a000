"""What the database itself refuses, tried in raw SQL as the application's role."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from daysheet.clients import actions
from daysheet.database.scope import practice_transaction
from tests.people import Cast


@pytest.fixture
def rows(cast: Cast) -> Iterator[None]:
    """One row in each table, and a second client and insurer."""
    with practice_transaction(cast.alder.id):
        alice = cast.actor(cast.alice)
        ana = actions.add_client(alice, first_name="Ana", last_name="Ruiz", external_id="1")
        actions.add_client(alice, first_name="Bea", last_name="Ortiz", external_id="2")
        payer = actions.add_payer(alice, name="Blue Plan")
        actions.add_payer(alice, name="Green Plan")
        actions.add_coverage(alice, ana.pk, payer_id=payer.pk, insured_id="X1", starts_on=date(2026, 1, 1))
        actions.add_diagnosis(alice, ana.pk, code="X99", starts_on=date(2026, 1, 1))
        actions.add_billing_note(alice, ana.pk, text="Hello")
        actions.assign_staff(alice, ana.pk, cast.carol.staff_member_id)
        yield


@pytest.mark.parametrize(
    ("table", "change", "constraint"),
    [
        ("client", "external_id = '1'", "client_external_id_once"),
        ("client", "sex = 'Q'", "client_sex_known"),
        ("client", "pays_by = 'barter'", "client_pays_by_known"),
        ("client", "set_payment_amount_cents = -1", "client_set_amount_not_negative"),
        ("client", "rendering_override_id = gen_random_uuid()", "clients_client_rendering_override_id_fk"),
        ("client", "billing_staff_member_id = gen_random_uuid()", "clients_client_billing_staff_member_id_fk"),
        ("payer", "name = 'BLUE PLAN'", "payer_name_once"),
        ("payer", "external_id = 'p'", "payer_external_id_once"),
        ("coverage", "copay_cents = -1", "coverage_copay_not_negative"),
        ("coverage", "ends_on = starts_on", "coverage_ends_after_start"),
        ("coverage", "rank = 0", "coverage_rank_sane"),
        ("coverage", "rank = 10", "coverage_rank_sane"),
        ("coverage", "payer_id = gen_random_uuid()", "clients_coverage_payer_id_fk"),
        ("coverage", "client_id = gen_random_uuid()", "clients_coverage_client_id_fk"),
        ("diagnosis", "code = 'x99'", "diagnosis_code_shape"),
        ("diagnosis", "position = 13", "diagnosis_position_sane"),
        ("diagnosis", "client_id = gen_random_uuid()", "clients_diagnosis_client_id_fk"),
    ],
)
def test_the_database_refuses_a_wrong_fact(cast, rows, table, change, constraint):
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE clients_{table} SET {change} WHERE practice_id = %s", [cast.alder.id])


def test_a_staff_member_is_assigned_once_in_the_database(cast, rows):
    refused = pytest.raises(IntegrityError, match="assignment_once")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO clients_clientassignment (practice_id, id, client_id, staff_member_id) "
            "SELECT practice_id, gen_random_uuid(), client_id, staff_member_id FROM clients_clientassignment "
            "WHERE practice_id = %s",
            [cast.alder.id],
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE clients_billingnotetext SET text = 'X'",
        "DELETE FROM clients_billingnotetext",
        "DELETE FROM clients_billingnote",
        "UPDATE clients_billingnote SET created_at = now()",
        "DELETE FROM clients_client",
        "DELETE FROM clients_payer",
        "DELETE FROM clients_coverage",
        "DELETE FROM clients_diagnosis",
        "UPDATE clients_clientassignment SET client_id = client_id",
        "TRUNCATE clients_client",
    ],
)
def test_the_application_may_not_rewrite_or_delete(rows, statement):
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

"""Practices kept apart: the filter, the joins, row security, and what raw SQL tries."""

from __future__ import annotations

import os

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import ProgrammingError

from daysheet.database.scope import NoPractice, practice_transaction
from daysheet.practices.models import Location
from daysheet.staff.models import CptLicense, StaffMember
from tests.people import NOW, Cast

#: What the scoping layer alone does; `make test-slow` runs the others without it.
of_the_scoping_layer = pytest.mark.skipif(
    bool(os.environ.get("TEST_WITHOUT_SCOPING")), reason="the scoping layer is switched off"
)


@of_the_scoping_layer
def test_without_a_practice_a_read_is_an_error(db: None) -> None:
    with pytest.raises(NoPractice):
        list(StaffMember.objects.all())


def test_rows_of_another_practice_are_neither_read_nor_counted_nor_changed(cast: Cast) -> None:
    with practice_transaction(cast.birch.id):
        assert StaffMember.objects.count() == 1
        assert not StaffMember.objects.filter(pk=cast.alice.staff_member_id).exists()
        assert StaffMember.objects.filter(pk=cast.alice.staff_member_id).update(last_name="Taken") == 0


@of_the_scoping_layer
def test_every_join_names_the_practice(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        sql = str(CptLicense.objects.filter(staff_member__last_name="Clinician").values("year").query)
    assert sql.count("practice_id") >= 3, sql


def test_raw_sql_sees_only_the_practice_set(cast: Cast) -> None:
    with practice_transaction(cast.birch.id), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM staff_staffmember")
        assert cursor.fetchone() == (1,)


def test_row_security_fails_closed_without_a_practice(cast: Cast) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM staff_staffmember")
        assert cursor.fetchone() == (0,)


def test_an_insert_for_another_practice_is_refused(cast: Cast) -> None:
    with (
        practice_transaction(cast.birch.id),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        Location.objects.create(practice_id=cast.alder.id, name="Elsewhere")


def test_a_row_cannot_point_into_another_practice(cast: Cast) -> None:
    with practice_transaction(cast.birch.id), pytest.raises(IntegrityError), transaction.atomic():
        CptLicense.objects.create(
            staff_member_id=cast.carol.staff_member_id, year=2026, fee_cents=0, assigned_at=NOW, assigned_by="x"
        )


def test_the_runtime_role_owns_nothing_and_cannot_bypass(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper, rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False, False, False)
        cursor.execute("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        assert cursor.fetchone() == (0,)


def test_the_setting_does_not_outlive_its_transaction(live_cast: Cast) -> None:
    with practice_transaction(live_cast.alder.id):
        assert StaffMember.objects.count() == 4
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM staff_staffmember")
        assert cursor.fetchone() == (0,)

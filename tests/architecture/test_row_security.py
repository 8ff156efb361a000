"""Row security alone: with the scoping layer switched off, another practice's rows are still neither read nor written.

`make test-slow` runs all the other tests in this way too (TEST_WITHOUT_SCOPING).
"""

from __future__ import annotations

import os

import psycopg
import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction

from daysheet.database.scope import practice_transaction
from daysheet.staff.models import CptLicense
from tests.people import Cast

from .test_role_matrix import objects_of_others_found, wrong_for_outsiders
from .unscoped import switch_scoping_off
from .world import World

TENANT_TABLES = [model for model in apps.get_models() if getattr(model, "is_tenant", False)]


@pytest.fixture
def unscoped(monkeypatch: pytest.MonkeyPatch) -> None:
    switch_scoping_off(monkeypatch)


def test_it_is_off(cast: Cast, unscoped: None) -> None:
    with practice_transaction(cast.alder.id):
        sql = str(CptLicense.objects.filter(staff_member__last_name="x").values("year").query)
    assert "practice_id" not in sql


def test_no_table_shows_takes_or_loses_a_row_of_another_practice(world: World, unscoped: None) -> None:
    alder, birch = world.cast.alder.id, world.cast.birch.id
    here = {model: model.objects.count() for model in TENANT_TABLES}  # type: ignore[attr-defined]
    # The world has rows of nearly all tables; of an empty one nothing could be shown.
    assert sum(count > 0 for count in here.values()) > len(TENANT_TABLES) * 4 // 5
    wrong = []
    for model in TENANT_TABLES:
        with practice_transaction(birch):
            seen = model.objects.filter(practice_id=alder).count()  # type: ignore[attr-defined]
            wrong += [(model.__name__, "read", seen)] if seen else []
            for what, changed in (("update", _update(model, alder)), ("delete", _delete(model, alder))):
                wrong += [(model.__name__, what, changed)] if changed else []
    assert wrong == []
    assert here == {model: model.objects.count() for model in TENANT_TABLES}  # type: ignore[attr-defined]


def test_no_row_is_put_into_another_practice(world: World, unscoped: None) -> None:
    """Each row of Alder, as it is, from a transaction of Birch."""
    taken = []
    for model in TENANT_TABLES:
        row = model.objects.order_by("pk").first()  # type: ignore[attr-defined]
        if row is None:
            continue
        with practice_transaction(world.cast.birch.id):
            try:
                with transaction.atomic():
                    model.objects.bulk_create([row])  # type: ignore[attr-defined]
                taken.append(model.__name__)
            except DatabaseError as error:
                if "row-level security" not in str(error):
                    taken.append(f"{model.__name__}: {error}")
    assert taken == []


def test_the_pages_show_a_stranger_nothing(world: World, unscoped: None) -> None:
    assert objects_of_others_found(world) == []
    assert wrong_for_outsiders(world, {"clients:details", "invoicing:invoice", "payments:ledger"}) == []


def test_every_table_with_a_practice_has_row_security() -> None:
    """Also one that no model describes."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        rows = owner.execute(
            "SELECT relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND attname = 'practice_id' "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND NOT relrowsecurity"
        ).fetchall()
    assert {name for (name,) in rows} == {"practices_membership"}


def _update(model: type[models.Model], practice_id: int) -> int:
    table = model._meta.db_table
    return _try(f'UPDATE "{table}" SET {{column}} = {{column}} WHERE practice_id = %s', model, practice_id)


def _delete(model: type[models.Model], practice_id: int) -> int:
    return _try(f'DELETE FROM "{model._meta.db_table}" WHERE practice_id = %s', model, practice_id)


def _try(sql: str, model: type[models.Model], practice_id: int) -> int:
    """Rows changed, in whatever column may be; taken back. 0 where the privilege is missing already."""
    most = 0
    for field in model._meta.local_fields:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(sql.replace("{column}", f'"{field.column}"'), [practice_id])
                most = max(most, cursor.rowcount)
                transaction.set_rollback(True)
        except DatabaseError as error:
            if "permission denied" not in str(error):
                raise
        if "{column}" not in sql:
            break
    return most

"""The planner knows at once of many rows that were just written, though the runtime role owns no table."""

from __future__ import annotations

import os

import psycopg
import pytest
from django.db import ProgrammingError, connection

from daysheet.clients.models import Client
from daysheet.config.tests.damage import owner_says
from daysheet.database import statistics
from daysheet.database.scope import practice_transaction
from daysheet.database.statistics import MANY_ROWS, count_again, count_again_after
from daysheet.imports.actions import import_file
from daysheet.practices.models import User
from tests.people import PASSWORD, Cast


def _rows_expected(table: str) -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
        [found] = cursor.fetchone() or (0,)
    return float(found)


def test_an_import_of_many_rows_is_known_when_it_is_over(live_cast: Cast) -> None:
    owner = live_cast.actor(live_cast.alice)
    rows = "".join(f"c{number},Ann,Number{number}\n" for number in range(MANY_ROWS))
    with practice_transaction(live_cast.alder.id):
        owner_says("ANALYZE clients_client")
        assert _rows_expected("clients_client") < MANY_ROWS
        import_file(owner, kind="clients", file_name="clients.csv", content=f"ID,First Name,Last Name\n{rows}".encode())
        assert _rows_expected("clients_client") == MANY_ROWS


def test_what_is_little_beside_what_is_known_already_is_left_to_the_night(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: list[tuple[str, ...]] = []
    monkeypatch.setattr(statistics, "count_again", lambda *apps: counted.append(apps))
    with practice_transaction(live_cast.alder.id):
        Client.objects.bulk_create([Client(first_name="Ann", last_name=f"Number{number}") for number in range(2_000)])
        for rows in (199, 200, 201):
            count_again_after(rows, Client, "clients")
    assert counted == [("clients",)], "201 of 2,000 are news, 200 are not, and 199 never are"


def test_it_counts_tables_of_practices_and_nothing_else(live_cast: Cast) -> None:
    owner_says("ANALYZE practices_user")
    User.objects.create_user("eve@alder.example", PASSWORD, name="Eve")
    before = _rows_expected("practices_user")
    with connection.cursor() as cursor:
        cursor.execute("SELECT daysheet_count_again(ARRAY['pg_authid', 'practices_user', 'x; DROP TABLE y'])")
    assert _rows_expected("practices_user") == before != User.objects.count()


def test_the_runtime_role_cannot_change_what_is_done_in_the_owners_name(live_cast: Cast) -> None:
    replaced = "CREATE OR REPLACE FUNCTION public.daysheet_count_again(names text[]) RETURNS void LANGUAGE sql AS ''"
    with connection.cursor() as cursor, pytest.raises(ProgrammingError, match="permission denied"):
        cursor.execute(replaced)


def test_a_table_that_is_being_counted_is_left_to_them(live_cast: Cast) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as other:
        other.execute("LOCK TABLE ledger_entry IN SHARE UPDATE EXCLUSIVE MODE")
        count_again("ledger")  # no error, and no waiting for the other's end, which comes after it

"""`id__in=[…]` is one array, whatever its length, and finds what Django's own finds."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg.adapt import PyFormat

from daysheet.clients.models import Client, ClientAssignment
from daysheet.database.backend.arrays import IdListDumper
from daysheet.database.scope import practice_transaction
from tests.people import Cast


@pytest.fixture
def clients(cast: Cast) -> list[Client]:
    with practice_transaction(cast.alder.id):
        found = [Client.objects.create(first_name="Ana", last_name=f"Ruiz {n}") for n in range(3)]
        ClientAssignment.objects.create(client=found[0], staff_member_id=cast.carol.staff_member_id)
    return found


def test_ids_are_one_array(cast: Cast, clients: list[Client]) -> None:
    wanted = [clients[0].pk, clients[1].pk, clients[1].pk, uuid4()]
    with practice_transaction(cast.alder.id), CaptureQueriesContext(connection) as asked:
        assert set(Client.objects.filter(pk__in=wanted)) == set(clients[:2])
    (sql,) = (each["sql"] for each in asked.captured_queries if "clients_client" in each["sql"])
    assert "= ANY(" in sql
    assert " IN (" not in sql
    assert sql.count(str(clients[1].pk.hex)) == 1


def test_references_are_found_by_ids_rows_and_sub_queries(cast: Cast, clients: list[Client]) -> None:
    with practice_transaction(cast.alder.id):
        for wanted in ([clients[0].pk], clients, {clients[0].pk}, Client.objects.filter(last_name="Ruiz 0")):
            assert ClientAssignment.objects.filter(client__in=wanted).count() == 1
        assert ClientAssignment.objects.filter(client_id__in=[clients[1].pk]).count() == 0
        assert ClientAssignment.objects.exclude(client__in=clients).count() == 0


@pytest.mark.parametrize("nobody", [[], [None]])
def test_of_nobody_the_database_is_not_asked(cast: Cast, clients: list[Client], nobody: list[UUID | None]) -> None:
    with practice_transaction(cast.alder.id), CaptureQueriesContext(connection) as asked:
        assert list(Client.objects.filter(pk__in=nobody)) == []
    assert not [each for each in asked.captured_queries if "clients_client" in each["sql"]]


def test_ids_as_text_are_found_too(cast: Cast, clients: list[Client]) -> None:
    with practice_transaction(cast.alder.id):
        assert list(Client.objects.filter(pk__in=[str(clients[0].pk)])) == clients[:1]


def test_lists_reach_the_database_as_they_are(cast: Cast) -> None:
    one, other = uuid4(), uuid4()
    with connection.cursor() as cursor:
        assert cursor.adapters.get_dumper(list, PyFormat.TEXT) is IdListDumper
        for wanted, kind in (
            ([one, other], "uuid[]"), ([one, None], "uuid[]"), ([[one], [other]], "uuid[]"), ([], "uuid[]"),
            (["a b", 'c"', "NULL", None], "text[]"), ([1, None], "bigint[]"),
        ):  # fmt: skip
            cursor.execute(f"SELECT %s::{kind}", [wanted])
            assert cursor.fetchone() == (wanted,)

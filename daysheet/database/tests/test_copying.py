"""Rows by COPY: a handful and many are the same rows, whatever their types."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db import DataError, IntegrityError, models, transaction
from psycopg.types.json import Jsonb

from daysheet.audit.models import AuditEvent
from daysheet.clients.models import Client
from daysheet.database.copying import copy_rows
from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.services.models import ServiceType
from tests.people import NOW, Cast


def _copy(model: type[models.Model], rows: list[dict[str, Any]]) -> int:
    """Rows with every column of the table, what is not given by its default."""
    fields = [field for field in model._meta.concrete_fields if field.column != "practice_id"]
    columns = [field.column for field in fields]
    given = [{**{field.column: field.get_default() for field in fields}, **row} for row in rows]
    return copy_rows(model, columns, ([row[column] for column in columns] for row in given))


def _service(number: int) -> dict[str, Any]:
    return {
        "id": new_id(), "code": f"Ñ{number}", "name": "Tab\tand \\ and\nline “x”", "kind": "non_cpt",
        "rate_cents": 2**40 + number, "modifiers": ["95", "HJ"], "archived_at": NOW if number % 2 else None,
    }  # fmt: skip


@pytest.mark.parametrize("count", [1, 20, 21, 500])
def test_every_value_comes_back(cast: Cast, count: int) -> None:
    rows = [_service(number) for number in range(count)]
    with practice_transaction(cast.alder.id):
        assert _copy(ServiceType, rows) == count
        assert copy_rows(ServiceType, ["id"], []) == 0
        found = ServiceType.objects.order_by("pk").values(*rows[0])
        assert sorted(found, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])


@pytest.mark.parametrize("count", [2, 30])
def test_json_nulls_and_dates(cast: Cast, count: int) -> None:
    event = {"at": NOW, "actor_kind": "job", "actor_name": "x", "verb": "v", "object_type": "o", "object_id": "1"}
    with practice_transaction(cast.alder.id):
        _copy(AuditEvent, [{**event, "details": Jsonb({"a": [1, "ü"]})} for _ in range(count)])
        assert AuditEvent.objects.filter(details={"a": [1, "ü"]}, actor_user_id=None, at=NOW).count() == count
        _copy(Client, [{"birth_on": date(1980, 1, day), "created_at": NOW} for day in range(1, count + 1)])
        days = Client.objects.order_by("birth_on").values_list("birth_on", flat=True)
        assert list(days) == [date(1980, 1, day) for day in range(1, count + 1)]


def test_many_sets_in_one_transaction_and_what_breaks_a_rule(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        for first in (0, 100, 200):
            assert _copy(ServiceType, [_service(first + number) for number in range(30)]) == 30
        with pytest.raises(IntegrityError, match="service_code_once"), transaction.atomic():
            _copy(ServiceType, [_service(number) for number in range(30)])
        with pytest.raises(DataError), transaction.atomic():
            _copy(ServiceType, [{**_service(300 + number), "code": "x" * 21} for number in range(30)])
        assert ServiceType.objects.count() == 90

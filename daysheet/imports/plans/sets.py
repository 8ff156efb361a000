"""Reads and writes of many rows at once, by external id. Raw SQL here names the practice itself (tenancy rule 5)."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, models

from daysheet.clients.models import Client, Payer
from daysheet.database.copying import copy_rows
from daysheet.database.scope import current_practice_id
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

#: Rows of one UPDATE: its JSON stays a few megabytes.
_CHUNK = 5000

_MODELS: dict[str, type[models.Model]] = {
    "locations": Location,
    "staff": StaffMember,
    "payers": Payer,
    "service_types": ServiceType,
    "clients": Client,
}


def find_rows(
    model: type[models.Model], column: str, values: Collection[Any], wanted: Sequence[str], *, lock: bool = False
) -> list[dict[str, Any]]:
    """Rows whose `column` is one of `values`, with the columns `wanted`; one statement, in order of id."""
    names = ", ".join(f'"{name}"' for name in wanted)
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT {names} FROM "{model._meta.db_table}" '
            f'WHERE practice_id = %s AND "{column}" = ANY(%s) ORDER BY id{" FOR UPDATE" if lock else ""}',
            [current_practice_id(), list(values)],
        )
        return [dict(zip(wanted, found, strict=True)) for found in cursor.fetchall()]


def find_by_external_id(
    model: type[models.Model], external_ids: Collection[str], wanted: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Rows by external id, with `id`, `external_id` and the columns `wanted`."""
    columns = list(dict.fromkeys(["id", "external_id", *wanted]))
    return {row["external_id"]: row for row in find_rows(model, "external_id", external_ids, columns)}


def resolve(kind: str, external_ids: Iterable[str]) -> dict[str, UUID]:
    """The ids behind external ids of one template."""
    wanted = set(external_ids)
    return {key: row["id"] for key, row in find_by_external_id(_MODELS[kind], wanted, ()).items()} if wanted else {}


def insert_rows(model: type[models.Model], rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    """Write new rows by COPY. What a row does not give gets the model's default, and moments of creation `now`."""
    fields = [field for field in model._meta.concrete_fields if field.column != "practice_id"]
    defaults: dict[str, Any] = {
        str(field.column): now if getattr(field, "auto_now_add", False) else field.get_default() for field in fields
    }
    columns = list(defaults)
    copy_rows(model, columns, ([{**defaults, **row}[column] for column in columns] for row in rows))


def update_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Set `columns` of rows given by `id`; returns how many were found."""
    if not columns:
        return 0
    types = {field.column: field.db_type(connection) for field in model._meta.concrete_fields}
    record = ", ".join(f'"{name}" {types[name]}' for name in ("id", *columns))
    assignments = ", ".join(f'"{name}" = d."{name}"' for name in columns)
    table, remaining, count = model._meta.db_table, iter(rows), 0
    with connection.cursor() as cursor:
        while chunk := list(islice(remaining, _CHUNK)):
            given = [{name: _plain(row[name]) for name in ("id", *columns)} for row in chunk]
            cursor.execute(
                f'UPDATE "{table}" t SET {assignments} FROM json_to_recordset(%s::json) AS d({record}) '
                "WHERE t.practice_id = %s AND t.id = d.id",
                [json.dumps(given), current_practice_id()],
            )
            count += cursor.rowcount
    return count


def _plain(value: Any) -> Any:
    """A value as JSON has it; PostgreSQL reads it back by the column's type."""
    return value if value is None or isinstance(value, bool | int | str | list) else str(value)

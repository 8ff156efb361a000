"""Reads and writes of many rows at once, by external id. Raw SQL here names the practice itself (tenancy rule 5)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, models

from daysheet.clients.models import Client, Payer
from daysheet.database.copying import copy_rows
from daysheet.database.scope import current_practice_id
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.staff.models import StaffMember

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

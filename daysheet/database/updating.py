"""One UPDATE for many rows that each get values of their own. It names the practice itself (tenancy rule 5)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from django.db import connection, models

from .scope import current_practice_id

#: Rows of one UPDATE: its JSON stays a few megabytes.
_CHUNK = 5000


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

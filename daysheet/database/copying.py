"""Bulk writes by COPY for many rows, one INSERT for a handful. Every row gets the practice of the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, islice
from typing import Any

from django.db import connection, models

from .scope import current_practice_id

#: Up to this many rows one INSERT costs less than setting up a COPY.
_HANDFUL = 20


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write `rows` (values in the order of `columns`, database column names without practice_id); returns how many.

    JSON values are given as `psycopg.types.json.Jsonb`. Constraint violations surface as Django's IntegrityError.
    """
    practice_id = current_practice_id()
    table = model._meta.db_table
    names = ", ".join(f'"{name}"' for name in ("practice_id", *columns))
    remaining = iter(rows)
    first = list(islice(remaining, _HANDFUL + 1))
    if not first:
        return 0
    with connection.cursor() as cursor:
        if len(first) <= _HANDFUL:
            placeholder = f"({', '.join(['%s'] * (len(columns) + 1))})"
            values: list[Any] = [value for row in first for value in (practice_id, *row)]
            cursor.execute(f'INSERT INTO "{table}" ({names}) VALUES {", ".join([placeholder] * len(first))}', values)
            return len(first)
        count = 0
        with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as copy:
            for row in chain(first, remaining):
                copy.write_row((practice_id, *row))
                count += 1
        return count

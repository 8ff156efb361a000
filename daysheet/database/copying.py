"""Bulk writes by COPY for many rows, one INSERT for a handful. Every row gets the practice of the transaction.

PostgreSQL refuses `COPY … FROM` on a table with row security, so rows go into a temporary table first and from there
by one INSERT … SELECT, which the policy checks like any other: 50,000 clients 0.5 s, by unnest 1.6 s, by VALUES 4 s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain, count, islice
from typing import Any

from django.db import connection, models

from .scope import current_practice_id

#: Up to this many rows one INSERT costs less than setting up a COPY.
_HANDFUL = 20
#: Temporary tables go when the transaction ends; until then each has a name of its own.
_numbers = count(1)


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Write `rows` (values in the order of `columns`, database column names without practice_id); returns how many.

    JSON values are given as `psycopg.types.json.Jsonb`. What the database refuses surfaces as Django's errors.
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
        incoming = f"daysheet_incoming_{next(_numbers)}"
        cursor.execute(
            f'CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {names} FROM "{table}" WITH NO DATA'
        )
        to = f"COPY {incoming} ({names}) FROM STDIN (FORMAT BINARY)"
        with connection.wrap_database_errors, cursor.copy(to) as copy:
            # In binary a row costs Python a third of what it costs as text; the values must be of the columns' types.
            copy.set_types(_types(model, tuple(columns)))
            for row in chain(first, remaining):
                copy.write_row((practice_id, *row))
        # PostgreSQL keeps the plan of a foreign key's check for as long as the connection lives. One made while the
        # table was small may use any index that begins with practice_id, and then walks through the whole practice
        # for every row: billing a year of visits took 80 s instead of 17. Planning anew costs microseconds.
        cursor.execute(f'DISCARD PLANS; INSERT INTO "{table}" ({names}) SELECT {names} FROM {incoming}')
        cursor.nextset()
        return int(cursor.rowcount)


@cache
def _types(model: type[models.Model], columns: tuple[str, ...]) -> list[str]:
    """The types of practice_id and `columns`, as the driver knows them: without lengths."""
    fields = {field.column: field for field in model._meta.concrete_fields}
    types = (fields[name].db_type(connection) for name in ("practice_id", *columns))
    return [_LENGTH.sub("", kind or "") for kind in types]


_LENGTH = re.compile(r"\(\d+\)")

"""Plain SQL connections beside Django's: the owner's, who loads, and the runtime role's, whose work is the floor."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection as django_connection
from django.db import models
from psycopg.types.json import Jsonb

Connection = psycopg.Connection[Any]

#: Ids as the application makes them: ordered by time, so that indexes grow at one end. `n` is unique for the moment.
_NEW_ID = """
    CREATE FUNCTION pg_temp.new_id(at timestamptz, practice bigint, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || lpad(to_hex(practice & 4095), 3, '0') || '8' || lpad(to_hex(n), 15, '0'))::uuid
    $$"""


class _Backends:
    """The server's processes that work for this one: Django's connection and the floors'."""

    floor: int = 0

    def cpu_seconds(self) -> float:
        """What processors have done for them so far. Only where the server runs on this Linux."""
        ours = django_connection.connection.info.backend_pid if django_connection.connection else 0
        return sum(self._of(pid) for pid in (ours, self.floor) if pid)

    @staticmethod
    def _of(pid: int) -> float:
        account = Path(f"/proc/{pid}/schedstat")
        return int(account.read_text().split()[0]) / 1e9 if account.exists() else 0.0


backends = _Backends()


@contextmanager
def owner() -> Iterator[Connection]:
    """The owner's connection, which loads. Row security does not hold for it; every constraint does."""
    with _connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        yield connection


@contextmanager
def runtime() -> Iterator[Connection]:
    """The application's role, with row security: what floors are measured with."""
    with _connect(os.environ["DATABASE_URL"]) as connection:
        backends.floor = connection.info.backend_pid
        yield connection


@contextmanager
def in_practice(connection: Connection, practice_id: int) -> Iterator[None]:
    """One transaction with the practice set, as a request has it."""
    with connection.transaction():
        connection.execute(f"SET LOCAL app.practice_id = '{int(practice_id)}'")
        yield


def insert(
    connection: Connection, model: type[models.Model], given: Mapping[str, str], source: str, params: Mapping[str, Any]
) -> int:
    """`INSERT … SELECT` of these columns `source`; a column that is not given gets its field's default, so that a new
    one of the application does not stop the benchmark. Returns how many rows."""
    # A foreign key's check may have been planned while its table was empty: see database/copying.py.
    connection.execute("DISCARD PLANS")
    defaults = defaults_of(model, given)
    columns = {**given, **{name: f"CAST(%(default_{name})s AS {kind})" for name, (kind, _) in defaults.items()}}
    names = ", ".join(f'"{name}"' for name in columns)
    values = {**params, **{f"default_{name}": value for name, (_, value) in defaults.items()}}
    done = connection.execute(
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {", ".join(columns.values())} {source}', values
    )
    return done.rowcount


def defaults_of(model: type[models.Model], given: Collection[str]) -> dict[str, tuple[str, Any]]:
    """Type and default of every column that is not given and whose default is not NULL."""
    found: dict[str, tuple[str, Any]] = {}
    for field in model._meta.local_concrete_fields:
        value = field.get_default() if field.column not in {*given, "practice_id"} else None
        if value is not None:
            kind = field.db_type(django_connection)
            assert kind is not None
            found[field.column] = kind, Jsonb(value) if kind == "jsonb" else value
    return found


def _connect(url: str) -> Connection:
    # As Django does: values are put into the statement here, and nothing is prepared.
    connection = psycopg.connect(url, cursor_factory=psycopg.ClientCursor)
    connection.execute("SET TIME ZONE 'UTC'")
    connection.execute(_NEW_ID)
    connection.commit()
    return connection

"""What the database holds, as one number a table: what was added, changed or taken away makes another."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db import connection

#: Written by looking alone: the session's last sign of life, and who looked at whose record.
_BY_LOOKING = {"django_session", "audit_recordview"}
_TABLES = """
    SELECT relname, EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'client_id')
    FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND has_table_privilege(oid, 'SELECT') ORDER BY 1
"""
#: Each foreign key: the table, the one it names, and the pairs of their columns.
_KEYS = """
    SELECT conrelid::regclass::text, confrelid::regclass::text, array_agg(ARRAY[one.attname::text, other.attname::text])
    FROM pg_constraint, unnest(conkey, confkey) AS pair (one, other)
    JOIN pg_attribute one ON one.attnum = pair.one
    JOIN pg_attribute other ON other.attnum = pair.other
    WHERE contype = 'f' AND one.attrelid = conrelid AND other.attrelid = confrelid
    GROUP BY oid, conrelid, confrelid ORDER BY 1, 2
"""
#: What is a client's because the client's row names it, and not the other way round.
_NAMED_BY = {"schedule_appointment": "schedule_visit", "schedule_series": "schedule_appointment"}
Digests = dict[str, int | None]
Keys = list[tuple[str, str, list[list[str]]]]


class Digester:
    """Reads all tables by one statement of some milliseconds. Rows that the transaction does not see do not count."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_TABLES)
            found = [(name, has_client) for name, has_client in cursor.fetchall() if name not in _BY_LOOKING]
            cursor.execute(_KEYS)
            keys = cursor.fetchall()
        self._all = {name: "true" for name, _ in found}
        self._of_clients = _rows_of_clients(keys, {name for name, has_client in found if has_client})

    def all(self) -> Digests:
        """Everything."""
        return self._read(self._all, [])

    def of_clients(self, clients: Collection[UUID]) -> Digests:
        """The rows that are one of these clients', themselves included."""
        return self._read(self._of_clients, clients)

    def _read(self, tables: dict[str, str], clients: Collection[UUID]) -> Digests:
        # A sum of the rows' hashes: in no order, and two alike do not cancel each other out.
        each = [
            f'(SELECT sum(hash_record_extended(t, 0)) FROM "{name}" t WHERE {rows})' for name, rows in tables.items()
        ]
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(each), {"clients": list(clients)})
            return dict(zip(tables, cursor.fetchone(), strict=True))


def _rows_of_clients(keys: Keys, direct: Collection[str]) -> dict[str, str]:
    """{table: what makes its row `t` one of these clients'}: it names the client itself, or a row that is theirs."""
    found = {"clients_client": "t.id = ANY(%(clients)s)", **dict.fromkeys(direct, "t.client_id = ANY(%(clients)s)")}
    links = [(one, other, [f"t.{mine} = named.{its}" for mine, its in pairs]) for one, other, pairs in keys]
    links += [
        (other, one, [f"named.{mine} = t.{its}" for mine, its in pairs])
        for one, other, pairs in keys
        if _NAMED_BY.get(other) == one
    ]
    while True:
        more = {
            one: f"EXISTS (SELECT FROM (SELECT * FROM {other} t WHERE {found[other]}) named WHERE {' AND '.join(on)})"
            for one, other, on in links
            if one not in found and other in found
        }
        if not more:
            return found
        found |= more


def changed(before: Digests, after: Digests) -> list[str]:
    """The tables that differ."""
    return [name for name, digest in before.items() if after[name] != digest]

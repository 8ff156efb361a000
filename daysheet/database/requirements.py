"""What Daysheet needs of a PostgreSQL server and of its two roles: asked before anything is done there, said in words.

Uses psycopg alone, so that a server that cannot be used is refused before Django has read its settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from daysheet.database.binaries import OLDEST_MAJOR
from daysheet.database.cluster import APP

_CONNECT_SECONDS = 10
#: Tables of practices are those with row security; the tables that they all refer to are copied to every node.
_NOT_DISTRIBUTED = """
    SELECT c.relname FROM pg_class c LEFT JOIN citus_tables t ON t.table_name = c.oid::regclass
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND (
        CASE WHEN c.relname IN ('practices_practice', 'practices_user', 'practices_membership')
            THEN t.citus_table_type IS DISTINCT FROM 'reference'
            ELSE c.relrowsecurity AND (t.citus_table_type IS DISTINCT FROM 'distributed'
                OR t.distribution_column IS DISTINCT FROM 'practice_id') END)
    ORDER BY 1"""


class DatabaseUnusable(Exception):
    """The server, or a role on it, cannot be used; the message says why and what to do."""


class DatabaseUnreachable(DatabaseUnusable):
    """No connection came about."""


class ServerTooOld(DatabaseUnusable):
    """Older than the oldest PostgreSQL that the migrations run on."""


class RightsMissing(DatabaseUnusable):
    """A role lacks what Daysheet does with it."""


class UnsafeMix(DatabaseUnusable):
    """The parts do not belong together: two databases, a server that only follows another, half a cluster."""


class UnsafeRole(DatabaseUnusable):
    """The role that serves pages could see every practice (tenancy rule 6)."""


def check_server(owner_url: str, runtime_url: str) -> None:
    """Refuse a server or a role that will not do. Changes nothing. Raises DatabaseUnusable."""
    with _connected("DATABASE_OWNER_URL", owner_url) as connection:
        refuse_old_server(connection.info.server_version)
        _refuse_other_encoding(connection)
        owner, database = _check_owner(connection)
        migrated = _where(connection)
    with _connected("DATABASE_URL", runtime_url) as connection:
        _refuse_other_database(migrated, _where(connection))
        _refuse_unsafe_role(connection, owner)
        _check_runtime_role(connection, database)


def check_distribution(owner_url: str) -> None:
    """On Citus every table of a practice is distributed by practice_id and every shared one is on each node: a mix
    would answer some questions from a part of the rows. Nothing to ask on plain PostgreSQL. Raises UnsafeMix."""
    with _connected("DATABASE_OWNER_URL", owner_url) as connection:
        if not _one(connection, "SELECT to_regclass('citus_tables') IS NOT NULL"):
            return
        wrong = [row[0] for row in connection.execute(_NOT_DISTRIBUTED).fetchall()]
    if wrong:
        raise UnsafeMix(
            f"the database is a Citus cluster, and these tables are not distributed as they have to be: "
            f"{', '.join(wrong[:5])}{' …' if len(wrong) > 5 else ''}. docs/scale.md has the statements."
        )


def refuse_old_server(version: int) -> None:
    """`version` as PostgreSQL counts: 150020 is 15.20. Raises ServerTooOld."""
    if version < OLDEST_MAJOR * 10_000:
        said = f"{version // 10_000}.{version % 10_000}"
        raise ServerTooOld(
            f"the server is PostgreSQL {said}, and Daysheet needs {OLDEST_MAJOR} or newer. Nothing was changed. "
            "Upgrade the server, or unset DATABASE_URL and DATABASE_OWNER_URL to use the embedded one."
        )


@contextmanager
def _connected(variable: str, url: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A connection of its own, read only; what goes wrong in making it names the variable and never the password."""
    if not url.startswith(("postgres://", "postgresql://")):
        raise DatabaseUnreachable(f"{variable} must begin with postgresql:// (Daysheet runs on PostgreSQL only).")
    try:
        address = conninfo_to_dict(url)
        connection = psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_SECONDS)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnreachable(
            f"{variable} is no address of a database ({error}). One looks like "
            "postgresql://role:password@host:5432/database; letters such as @ and / in a password are written %40, %2F."
        ) from None
    except psycopg.OperationalError as error:
        raise DatabaseUnreachable(_why_not_connected(variable, address, str(error))) from error
    with connection:
        connection.read_only = True
        yield connection


def _why_not_connected(variable: str, address: dict[str, Any], said: str) -> str:
    host, port = address.get("host") or "this machine", address.get("port") or 5432
    role, database = address.get("user", "nobody"), address.get("dbname", "")
    words = " ".join(said.split())
    if "permission denied for database" in words:
        advice = f"As the owner of the database: GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role};"
    elif "does not exist" in words:
        advice = (
            "Make the two roles and the database first: docs/runbook.md, “A PostgreSQL of your own”, has the words."
        )
    elif "password" in words or "pg_hba" in words:
        advice = "Check the password in the address, and that the server lets this role in from this machine."
    elif "too many" in words or "connection slots" in words:
        advice = "The server has no connection left: end some, or raise its max_connections."
    else:
        advice = "Check that the server runs, that the address is right, and that nothing on the way blocks it."
    return f"{variable}: no connection to {database!r} at {host}:{port} as {role}. {advice} It said: {words}"


def _refuse_other_encoding(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    encoding = _one(connection, "SHOW server_encoding")
    if encoding != "UTF8":
        raise RightsMissing(
            f"the database's encoding is {encoding}, and names need UTF8. Make another: CREATE DATABASE daysheet "
            "OWNER daysheet_owner ENCODING 'UTF8' TEMPLATE template0;"
        )


def _where(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[object, ...]:
    """Which database of which server this is, also behind a pooler. Raises UnsafeMix for one that cannot be written."""
    if _one(connection, "SELECT pg_is_in_recovery()"):
        raise UnsafeMix(
            "the address leads to a server that only follows another one (a read replica): nothing can be written "
            "there. Use the address of the first one."
        )
    question = (
        "SELECT current_database(), (SELECT oid FROM pg_database WHERE datname = current_database()), "
        "pg_postmaster_start_time()"
    )
    return connection.execute(question).fetchone() or ()


def _refuse_other_database(migrated: tuple[object, ...], served: tuple[object, ...]) -> None:
    if migrated != served:
        raise UnsafeMix(
            f"DATABASE_OWNER_URL leads to the database {migrated[0]!r} and DATABASE_URL to {served[0]!r} of another "
            "server or another name: one would be migrated and the other served. Both have to lead to the same."
        )


def _check_owner(connection: psycopg.Connection[tuple[Any, ...]]) -> tuple[str, str]:
    """The owner's name and the database's. Raises RightsMissing where the owner could not migrate."""
    owner, database = str(_one(connection, "SELECT current_user")), str(_one(connection, "SELECT current_database()"))
    if not _one(connection, "SELECT has_schema_privilege('public', 'CREATE')"):
        raise RightsMissing(
            f"{owner} may not make tables in {database}. Let it own the database: ALTER DATABASE {database} OWNER TO "
            f"{owner}; and, where the schema belongs to somebody else: ALTER SCHEMA public OWNER TO {owner};"
        )
    if not _one(connection, f"SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP}')"):
        raise RightsMissing(
            f"there is no role {APP}, to which the tables are granted. As a superuser: CREATE ROLE "
            f"{APP} LOGIN PASSWORD '…' NOSUPERUSER NOBYPASSRLS;"
        )
    return owner, database


def _refuse_unsafe_role(connection: psycopg.Connection[tuple[Any, ...]], owner: str) -> None:
    """Row security does not hold superusers, owners of tables, their members, and those who bypass it."""
    if _one(
        connection,
        "SELECT r.rolsuper OR r.rolbypassrls OR pg_has_role(%s::name, 'MEMBER') OR EXISTS (SELECT FROM pg_tables "
        "WHERE schemaname = 'public' AND pg_has_role(tableowner, 'MEMBER')) FROM pg_roles r "
        "WHERE r.rolname = current_user",
        owner,
    ):
        raise UnsafeRole(
            f"DATABASE_URL signs in with a role that can see every practice. Use the role {APP}, which is no "
            "superuser, owns nothing, is no member of the owner and does not bypass row security."
        )


def _check_runtime_role(connection: psycopg.Connection[tuple[Any, ...]], database: str) -> None:
    """Raises RightsMissing. Rows are written through temporary tables (see copying.py), hence TEMPORARY."""
    role = str(_one(connection, "SELECT current_user"))
    if not _one(connection, f"SELECT pg_has_role('{APP}', 'USAGE')"):
        raise RightsMissing(f"DATABASE_URL signs in as {role}, and the tables are granted to {APP}. Use that.")
    if not _one(connection, "SELECT has_database_privilege(current_database(), 'TEMPORARY')"):
        raise RightsMissing(
            f"{role} may not make temporary tables, through which many rows at once are written. As the owner of the "
            f"database: GRANT TEMPORARY ON DATABASE {database} TO {role};"
        )
    if not _one(connection, "SELECT has_schema_privilege('public', 'USAGE')"):
        raise RightsMissing(
            f"{role} may not use the schema public. As its owner: GRANT USAGE ON SCHEMA public TO {role};"
        )


def _one(connection: psycopg.Connection[tuple[Any, ...]], question: str, *values: object) -> object:
    row = connection.execute(question, values).fetchone()
    return row[0] if row else None

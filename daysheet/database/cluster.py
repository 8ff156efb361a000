"""A running PostgreSQL server of ours: its addresses for each role, and databases made and dropped on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

ADMIN = "daysheet_admin"
OWNER = "daysheet_owner"
APP = "daysheet_app"
ROLES = (ADMIN, OWNER, APP)
DATABASE = "daysheet"


@dataclass(frozen=True)
class Cluster:
    host: str
    port: int
    passwords: Mapping[str, str] = field(repr=False)

    def owner_url(self, dbname: str = DATABASE) -> str:
        return self._url(OWNER, dbname)

    def app_url(self, dbname: str = DATABASE) -> str:
        return self._url(APP, dbname)

    def admin_url(self, dbname: str = "postgres") -> str:
        return self._url(ADMIN, dbname)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database that belongs to the owner role. Nobody may be connected to the template meanwhile."""
        create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            create += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
            connection.execute(create)
        if not template:
            with psycopg.connect(self.owner_url(name), autocommit=True) as connection:
                connection.execute(f"ALTER SCHEMA public OWNER TO {OWNER}")
                connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    def drop_database(self, name: str) -> None:
        """Drop a database, if it exists, and end the connections to it."""
        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
            connection.execute(drop)

    def database_exists(self, name: str) -> bool:
        with psycopg.connect(self.owner_url("postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        return found is not None

    def _url(self, role: str, dbname: str) -> str:
        # Passwords are made of URL-safe characters only.
        return f"postgresql://{role}:{self.passwords[role]}@{self.host}:{self.port}/{dbname}"


def prepare_roles(cluster: Cluster) -> None:
    """Make the owner and runtime roles and the first database. Harmless when repeated."""
    attributes = {
        OWNER: "LOGIN CREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS",
        APP: "LOGIN NOCREATEDB NOSUPERUSER NOCREATEROLE NOBYPASSRLS",
    }
    with psycopg.connect(cluster.admin_url(), autocommit=True) as connection:
        for role, rights in attributes.items():
            exists = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = "ALTER" if exists else "CREATE"
            statement = sql.SQL("{} ROLE {} {} PASSWORD {}").format(
                sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), sql.Literal(cluster.passwords[role])
            )
            connection.execute(statement)
        # The owner drops test databases to which the runtime role is still connected.
        connection.execute(f"GRANT pg_signal_backend TO {OWNER}")
    if not cluster.database_exists(DATABASE):
        cluster.create_database(DATABASE)

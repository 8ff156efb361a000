"""Daysheet outgrows one machine by distributing its tables by practice_id: nothing in the schema stands in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from daysheet.backup.programs import with_database
from daysheet.database.requirements import UnsafeMix, check_distribution, check_server

from .distributable import QUESTIONS, SHARED, problems

ROOT = Path(__file__).resolve().parents[2]
OWNER = os.environ["DATABASE_OWNER_URL"]
#: A table as it should be, and one damage after the other.
_GOOD = """
    CREATE TABLE zz_thing (practice_id bigint NOT NULL, id uuid NOT NULL, client_id uuid, n int,
        PRIMARY KEY (practice_id, id),
        FOREIGN KEY (practice_id, client_id) REFERENCES clients_client (practice_id, id));
    ALTER TABLE zz_thing ENABLE ROW LEVEL SECURITY;
    CREATE POLICY zz ON zz_thing USING (true);"""
_DAMAGE = {
    "has no practice_id that is always there": "CREATE TABLE zz_bare (id uuid PRIMARY KEY)",
    "has another primary key than (practice_id, id)": "ALTER TABLE zz_thing DROP CONSTRAINT zz_thing_pkey",
    "has a unique key without practice_id": "CREATE UNIQUE INDEX zz_ix ON zz_thing (n)",
    "has an exclusion constraint": "ALTER TABLE zz_thing ADD EXCLUDE (n WITH =)",
    "has a foreign key that could leave the practice": """
        CREATE TABLE zz_target (practice_id bigint, id uuid PRIMARY KEY);
        ALTER TABLE zz_thing ADD FOREIGN KEY (client_id) REFERENCES zz_target (id)""",
    "has a deferrable constraint": """
        ALTER TABLE zz_thing ADD CONSTRAINT zz FOREIGN KEY (practice_id, client_id)
        REFERENCES clients_client (practice_id, id) DEFERRABLE""",
    "has a foreign key that changes rows by itself": """
        ALTER TABLE zz_thing ADD FOREIGN KEY (practice_id, client_id) REFERENCES clients_client (practice_id, id)
        ON DELETE CASCADE""",
    "is referred to by a table of another kind": """
        CREATE TABLE django_zz (practice_id bigint, thing_id uuid,
            FOREIGN KEY (practice_id, thing_id) REFERENCES zz_thing (practice_id, id))""",
    "has a trigger": """
        CREATE TRIGGER zz BEFORE UPDATE ON zz_thing FOR EACH ROW EXECUTE FUNCTION
        suppress_redundant_updates_trigger()""",
    "counts by a sequence": "ALTER TABLE zz_thing ADD COLUMN number bigserial",
    "has a rule": "CREATE RULE zz AS ON DELETE TO zz_thing DO INSTEAD NOTHING",
    "inherits, or is a part of another": "CREATE TABLE zz_child () INHERITS (zz_thing)",
    "would not survive a crash": "ALTER TABLE zz_thing SET UNLOGGED",
    "has no row security, or forces it upon the owner": "ALTER TABLE zz_thing DISABLE ROW LEVEL SECURITY",
    "is a view": "CREATE VIEW zz_view AS SELECT n FROM zz_thing",
}


@pytest.fixture
def connection() -> Iterator[psycopg.Connection[tuple[str, ...]]]:
    """As the owner, in a transaction that is rolled back."""
    with psycopg.connect(OWNER) as connection:
        yield connection
        connection.rollback()


def test_every_table_could_be_distributed_by_practice(connection: psycopg.Connection[tuple[str, ...]]) -> None:
    assert problems(connection) == []


@pytest.mark.parametrize("what", QUESTIONS)
def test_each_obstacle_is_found(connection: psycopg.Connection[tuple[str, ...]], what: str) -> None:
    connection.execute(_GOOD)
    assert problems(connection) == []
    connection.execute(_DAMAGE[what])
    assert [problem for problem in problems(connection) if problem.endswith(what)]


@pytest.fixture(scope="module")
def cluster_like() -> Iterator[str]:
    """A database with functions of the cluster's names, which note what they are asked for: the nearest to Citus that
    can be had where Citus itself cannot be installed. All migrations have run there."""
    name = f"{psycopg.conninfo.conninfo_to_dict(OWNER)['dbname']}_cluster"
    _execute(OWNER, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _execute(OWNER, f'CREATE DATABASE "{name}" TEMPLATE template0')
    owner = with_database(OWNER, name)
    _execute(owner, _CITUS_LIKE)
    environment = os.environ | {
        "DATABASE_OWNER_URL": owner,
        "DATABASE_URL": with_database(os.environ["DATABASE_URL"], name),
    }
    command = [sys.executable, "-m", "django", "migrate", "--database=owner", "-v0"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    yield owner
    _execute(OWNER, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.system
def test_migrations_distribute_every_table_before_its_foreign_keys(cluster_like: str) -> None:
    with psycopg.connect(cluster_like) as connection:
        rows = connection.execute(
            "SELECT table_name::text, citus_table_type, foreign_keys FROM citus_tables"
        ).fetchall()
        kinds = dict(
            connection.execute("SELECT relname::text, relrowsecurity FROM pg_class WHERE relkind = 'r'").fetchall()
        )
    asked = {name: kind for name, kind, _ in rows}
    assert {name for name, kind in asked.items() if kind == "reference"} == set(SHARED)
    distributed = {name for name, kind in asked.items() if kind == "distributed"}
    assert distributed == {name for name, has_row_security in kinds.items() if has_row_security} - set(SHARED)
    assert len(distributed) > 40
    assert {keys for _, kind, keys in rows if kind == "distributed"} == {0}
    check_distribution(cluster_like)


def test_a_cluster_of_which_a_part_is_not_distributed_is_refused(cluster_like: str) -> None:
    with psycopg.connect(cluster_like, autocommit=True) as connection:
        gone = connection.execute(
            "DELETE FROM citus_tables WHERE table_name = 'ledger_entry'::regclass RETURNING *"
        ).fetchone()
        try:
            with pytest.raises(UnsafeMix, match="ledger_entry"):
                check_distribution(cluster_like)
        finally:
            connection.execute("INSERT INTO citus_tables VALUES (%s, %s, %s, %s)", gone)


def test_two_addresses_of_two_databases_are_refused(cluster_like: str) -> None:
    with pytest.raises(UnsafeMix, match="have to lead to the same"):
        check_server(cluster_like, os.environ["DATABASE_URL"])


def test_the_addresses_may_be_written_differently() -> None:
    """A pooler, another name of the same host, more words of the connection: it is the database that counts."""
    check_server(OWNER, os.environ["DATABASE_URL"] + "?application_name=another")


_CITUS_LIKE = """
    CREATE TABLE citus_tables
        (table_name regclass, citus_table_type text, distribution_column text, foreign_keys bigint);
    CREATE FUNCTION create_distributed_table(t regclass, c text) RETURNS void LANGUAGE sql AS $$
        INSERT INTO citus_tables SELECT t, 'distributed', c,
            (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = t) $$;
    CREATE FUNCTION create_reference_table(t regclass) RETURNS void LANGUAGE sql AS $$
        INSERT INTO citus_tables VALUES (t, 'reference', '<none>', 0) $$;"""


def _execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)

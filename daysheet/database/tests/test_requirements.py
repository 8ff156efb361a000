"""A server or role that will not do is refused in words; the statement that the words name mends it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from daysheet.database.binaries import find_binaries
from daysheet.database.cluster import APP, OWNER
from daysheet.database.requirements import (
    DatabaseUnreachable,
    DatabaseUnusable,
    RightsMissing,
    ServerTooOld,
    UnsafeRole,
    check_server,
    refuse_old_server,
)
from tests.plugin import CLUSTER

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).parents[3]
NAME = f"daysheet_requirements_{os.getpid()}"
ROLE = f"daysheet_somebody_{os.getpid()}"


@pytest.fixture
def database() -> Iterator[str]:
    """An empty database of the owner's."""
    CLUSTER.drop_database(NAME)
    CLUSTER.create_database(NAME)
    yield NAME
    CLUSTER.drop_database(NAME)


@pytest.fixture
def somebody(database: str) -> Iterator[str]:
    """Address of another role on the same database."""
    _as_admin(f"CREATE ROLE {ROLE} LOGIN PASSWORD 'secret'")
    yield CLUSTER.app_url(database).replace(f"{APP}:{CLUSTER.passwords[APP]}", f"{ROLE}:secret")
    _as_admin(f"DROP ROLE {ROLE}")


def _as_admin(*statements: str) -> None:
    with psycopg.connect(CLUSTER.admin_url(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _as_owner(database: str, *statements: str) -> None:
    with psycopg.connect(CLUSTER.owner_url(database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def _check(database: str) -> None:
    check_server(CLUSTER.owner_url(database), CLUSTER.app_url(database))


@pytest.mark.parametrize(
    ("taken", "advice"),
    [
        (f"REVOKE TEMPORARY ON DATABASE {NAME} FROM PUBLIC", rf"GRANT TEMPORARY ON DATABASE {NAME} TO {APP};"),
        (f"REVOKE ALL ON DATABASE {NAME} FROM PUBLIC", rf"GRANT CONNECT, TEMPORARY ON DATABASE {NAME} TO {APP};"),
        ("REVOKE ALL ON SCHEMA public FROM PUBLIC", rf"GRANT USAGE ON SCHEMA public TO {APP};"),
    ],
    ids=["temporary", "connect", "usage"],
)
def test_what_the_runtime_role_lacks_is_named_with_the_grant_that_mends_it(
    database: str, taken: str, advice: str
) -> None:
    _check(database)
    _as_owner(database, taken)
    with pytest.raises(DatabaseUnusable) as refused:
        _check(database)
    (statement,) = re.findall(advice, str(refused.value))
    _as_owner(database, statement)
    _check(database)


def test_an_owner_who_may_not_make_tables_is_refused(database: str) -> None:
    with psycopg.connect(CLUSTER.admin_url(database), autocommit=True) as connection:
        connection.execute("ALTER SCHEMA public OWNER TO daysheet_admin")
        connection.execute("REVOKE ALL ON SCHEMA public FROM daysheet_owner")
    with pytest.raises(RightsMissing, match="ALTER SCHEMA public OWNER TO daysheet_owner"):
        _check(database)


def test_a_role_to_which_nothing_is_granted_is_refused(database: str, somebody: str) -> None:
    with pytest.raises(RightsMissing, match=f"signs in as {ROLE}"):
        check_server(CLUSTER.owner_url(database), somebody)
    _as_admin(f"GRANT {APP} TO {ROLE}")
    check_server(CLUSTER.owner_url(database), somebody)


@pytest.mark.parametrize("power", [f"GRANT {OWNER} TO {ROLE}", f"ALTER ROLE {ROLE} BYPASSRLS"], ids=["owner", "bypass"])
def test_a_role_that_could_see_every_practice_is_refused_before_any_table_is_made(
    database: str, somebody: str, power: str
) -> None:
    _as_admin(f"GRANT {APP} TO {ROLE}", power)
    with pytest.raises(UnsafeRole):
        check_server(CLUSTER.owner_url(database), somebody)
    for url in (CLUSTER.owner_url(database), CLUSTER.admin_url(database)):
        with pytest.raises(UnsafeRole):
            check_server(CLUSTER.owner_url(database), url)


def test_an_unreachable_server_is_named_without_its_password(database: str) -> None:
    for url, words in {
        "postgresql://daysheet_owner:secret@127.0.0.1:1/daysheet": "127.0.0.1:1 as daysheet_owner. Check that the",
        CLUSTER.owner_url("nowhere"): "docs/runbook.md",
        CLUSTER.owner_url(database).replace(CLUSTER.passwords[OWNER], "secret"): "Check the password",
        "mysql://daysheet:secret@127.0.0.1/daysheet": "must begin with postgresql://",
        "postgresql://a:secret@b:c/d?nonsense=1": "is no address of a database",
    }.items():
        with pytest.raises(DatabaseUnreachable) as refused:
            check_server(url, CLUSTER.app_url(database))
        assert words in str(refused.value)
        assert "DATABASE_OWNER_URL" in str(refused.value)
        assert "secret" not in str(refused.value)
        assert CLUSTER.passwords[OWNER] not in str(refused.value)


def test_a_database_in_another_encoding_is_refused() -> None:
    name = f"{NAME}_latin"
    _as_admin(f"CREATE DATABASE {name} OWNER {OWNER} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(RightsMissing, match="ENCODING 'UTF8'"):
            _check(name)
    finally:
        CLUSTER.drop_database(name)


def test_a_server_before_15_is_refused_with_its_version() -> None:
    refuse_old_server(150_000)
    refuse_old_server(180_001)
    with pytest.raises(ServerTooOld, match=r"PostgreSQL 14\.11, and Daysheet needs 15"):
        refuse_old_server(140_011)


def test_the_version_is_asked_before_anything_else(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda self: 130_004))
    with pytest.raises(ServerTooOld):
        _check(database)


def test_the_grants_of_the_runbook_are_enough_on_a_closed_database(database: str, tmp_path: Path) -> None:
    """Nothing for PUBLIC, the runbook's grants for the runtime role: migrated, filled through COPY, verified. Then its
    backup, restored into another database, agrees too."""
    _as_owner(
        database,
        f"REVOKE ALL ON DATABASE {database} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        *_grants_of_the_runbook(database),
    )
    _daysheet(database, tmp_path, "demo", "--visits", "60", "--no-serve")
    said = _daysheet(database, tmp_path, "verify")
    copy = f"{database}_copy"
    CLUSTER.drop_database(copy)
    CLUSTER.create_database(copy)
    try:
        programs, dump = find_binaries(), str(tmp_path / "daysheet.dump")
        restore = ["--no-owner", "--exit-on-error", f"--dbname={CLUSTER.owner_url(copy)}", dump]
        for command in (
            [programs.program("pg_dump"), "--format=custom", f"--file={dump}", CLUSTER.owner_url(database)],
            [programs.program("pg_restore"), *restore],
        ):
            done = subprocess.run(command, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
        assert _daysheet(copy, tmp_path, "verify") == said
    finally:
        CLUSTER.drop_database(copy)
    assert "everything agrees" in said


def _grants_of_the_runbook(database: str) -> list[str]:
    runbook = (REPOSITORY / "docs" / "runbook.md").read_text(encoding="utf-8")
    grants = re.findall(r"^    (GRANT .*);$", runbook, re.M)
    assert len(grants) == 2
    return [grant.replace("ON DATABASE daysheet ", f"ON DATABASE {database} ") for grant in grants]


def _daysheet(database: str, home: Path, *words: str) -> str:
    environment = os.environ | {
        "DATABASE_URL": CLUSTER.app_url(database),
        "DATABASE_OWNER_URL": CLUSTER.owner_url(database),
        "DAYSHEET_HOME": str(home),
    }
    command = [sys.executable, "-m", "daysheet", *words]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

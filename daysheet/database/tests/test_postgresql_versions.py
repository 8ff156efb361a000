"""All migrations and the work of a small practice on every PostgreSQL that this machine has: the oldest that Daysheet
supports (15, from the system's packages), the one it brings (16), and the newest that a package index offers (18)."""

from __future__ import annotations

import importlib.util
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from daysheet.database.binaries import installed_folders, major_of
from daysheet.database.cluster import APP, OWNER
from daysheet.database.postmaster import free_port

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534


def _folders() -> dict[int, Path]:
    return {major_of(folder / "postgres"): folder for folder in installed_folders() if (folder / "postgres").exists()}


@pytest.mark.parametrize("major", [15, 16])
def test_a_small_practice_on_an_installed_server(major: int, place: Path) -> None:
    folder = _folders().get(major)
    if folder is None:
        pytest.skip(f"this machine has no PostgreSQL {major} (the packages of requirements bring 16)")
    environment = _environment() | {
        "PG_BIN": str(folder),
        "DAYSHEET_HOME": str(place / "home"),
        "DAYSHEET_PG_FAST": "1",
    }
    try:
        assert _work(environment) == major
    finally:
        subprocess.run([sys.executable, "-m", "daysheet", "db", "stop"], cwd=ROOT, env=environment, check=True)


def test_a_small_practice_on_the_newest_server(place: Path) -> None:
    if importlib.util.find_spec("pg0") is None:
        pytest.skip("the package with the newest PostgreSQL is built for Linux on x86-64 only")
    with _newest(place) as (owner, runtime):
        environment = _environment() | {
            "DATABASE_OWNER_URL": owner, "DATABASE_URL": runtime, "DAYSHEET_HOME": str(place / "home"),
        }  # fmt: skip
        assert _work(environment) >= 18


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the account of the server may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="daysheet-versions-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _environment() -> dict[str, str]:
    ours = ("DATABASE_URL", "DATABASE_OWNER_URL", "DAYSHEET_TESTING", "PG_BIN")
    return {name: value for name, value in os.environ.items() if name not in ours}


def _work(environment: dict[str, str]) -> int:
    """Migrate, load a practice through the real actions, verify it; returns the server's major version."""
    for words in (("demo", "--no-serve", "--visits", "120"), ("verify",)):
        command = [sys.executable, "-m", "daysheet", *words]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "everything agrees" in done.stdout
    url = environment.get("DATABASE_OWNER_URL")
    if url is None:
        command = [sys.executable, "-m", "daysheet", "db", "url"]
        url = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout
    with psycopg.connect(url.strip()) as connection:
        return connection.info.server_version // 10_000


@contextmanager
def _newest(place: Path) -> Iterator[tuple[str, str]]:
    """The packaged server, as an account that is not root, with our two roles and an empty database."""
    spec = importlib.util.find_spec("pg0")
    assert spec is not None and spec.origin is not None
    home = place / "pg0"
    home.mkdir()
    program = home / "server"
    shutil.copy(Path(spec.origin).parent / "bin" / "pg0", program)
    program.chmod(0o755)
    account = {}
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        account = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    port, password = free_port("127.0.0.1"), secrets.token_urlsafe(12)

    def run(*words: str) -> None:
        environment = _environment() | {"HOME": str(home)}
        log = (place / "pg0.log").open("ab")  # never a pipe: the server would inherit it
        subprocess.run([program, *words], env=environment, stdout=log, stderr=log, check=True, cwd=home, **account)  # type: ignore[call-overload]

    run("start", "--port", str(port), "--password", password)
    try:
        yield _roles(f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", password, port)
    finally:
        run("stop")


def _roles(superuser: str, password: str, port: int) -> tuple[str, str]:
    with psycopg.connect(superuser, autocommit=True) as connection:
        for role in (OWNER, APP):
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}' NOSUPERUSER NOBYPASSRLS")
        connection.execute(f"CREATE DATABASE daysheet OWNER {OWNER} ENCODING 'UTF8' TEMPLATE template0")
    address = f"{password}@127.0.0.1:{port}/daysheet"
    return f"postgresql://{OWNER}:{address}", f"postgresql://{APP}:{address}"

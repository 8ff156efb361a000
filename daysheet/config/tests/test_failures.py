"""Commands that cannot go on: under real conditions where this machine allows, each with its code and what to do."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError, ProgrammingError

from daysheet.config import cli, preparing
from daysheet.config.failures import CommandFailed, ExitCode, explained
from daysheet.database.binaries import DiskFull, EmbeddedServerError, FolderRefused, OtherVersion, PostgresNotFound
from daysheet.database.requirements import DatabaseUnreachable, RightsMissing, ServerTooOld, UnsafeRole
from daysheet.database.server import EmbeddedServer
from tests.plugin import CLUSTER

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[3]
NOBODY = 65534
MEBIBYTE = 1024 * 1024


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account may pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="daysheet failures "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def small_disk(place: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of so many MiB, with an embedded server's home on it."""
    disk = place / "disk"
    disk.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small disk is a file system of its own, which only root may mount")
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={request.param}m", "tmpfs", str(disk)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"this root may not mount a file system: {mounted.stderr.strip()}")
    disk.chmod(0o755)
    yield disk
    EmbeddedServer(disk / "home").stop()
    for _ in range(100):  # what is left of the server may still be on its way out
        if subprocess.run(["umount", str(disk)], capture_output=True).returncode == 0:
            return
        time.sleep(0.1)
    pytest.fail(f"something still runs on {disk}")


def _daysheet(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """As a person runs it, on the embedded server of this home."""
    left_out = {"DAYSHEET_TESTING", "DATABASE_URL", "DATABASE_OWNER_URL"}
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    return subprocess.run(
        [sys.executable, "-m", "daysheet", *words],
        cwd=ROOT, env=kept | {"DAYSHEET_HOME": str(home)}, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.parametrize("small_disk", [8], indirect=True)
def test_a_disk_too_small_to_begin_is_said_with_its_place(small_disk: Path) -> None:
    done = _daysheet(small_disk / "home", "verify")
    assert done.returncode == ExitCode.DISK_FULL, done.stderr
    assert str(small_disk) in done.stderr
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("small_disk", [160], indirect=True)
def test_a_disk_that_fills_up_stops_the_command_and_room_is_enough_to_go_on(small_disk: Path) -> None:
    home = small_disk / "home"
    assert _daysheet(home, "renew-licenses").returncode == 0
    ballast = small_disk / "ballast"
    free = shutil.disk_usage(small_disk).free
    ballast.write_bytes(bytes(free - MEBIBYTE))
    done = _daysheet(home, "demo", "--visits", "60", "--no-serve")
    assert done.returncode == ExitCode.DISK_FULL, done.stderr
    assert "Free some space" in done.stderr
    assert "Traceback" not in done.stderr
    ballast.unlink()
    verified = _daysheet(home, "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_folder_that_may_not_be_written_is_said_to_an_ordinary_user(place: Path) -> None:
    home = place / "home"
    home.mkdir(mode=0o555)
    code, said = _as_ordinary_user(home, "verify")
    assert code == ExitCode.NO_PERMISSION, said
    assert str(home) in said
    assert "Set DAYSHEET_HOME" in said
    assert not list(home.iterdir())


def test_a_signing_key_that_may_not_be_read_is_said_to_an_ordinary_user(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYSHEET_HOME", str(place))
    with pytest.raises(PermissionError) as refused, monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", _refused)
        cli.environment.secret_key()
    failure = explained(refused.value)
    assert failure is not None
    assert failure.code == ExitCode.NO_PERMISSION
    assert "secret-key" in str(failure)


def _refused(path: Path, *_: object, **__: object) -> str:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _as_ordinary_user(home: Path, *words: str) -> tuple[int, str]:
    """Code and error output of a command run by somebody who is not root, in a forked process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            os.dup2(writing, 2)
            sys.stderr = os.fdopen(2, "w")
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            os.environ.pop("DATABASE_URL", None)
            os.environ.pop("DATABASE_OWNER_URL", None)
            os.environ["DAYSHEET_HOME"] = str(home)
            code = cli.main(list(words))
            sys.stderr.flush()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as output:
        said = output.read()
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended), said


def test_data_of_another_postgresql_are_left_alone(place: Path) -> None:
    home = place / "home"
    server = EmbeddedServer(home)
    server.ensure_running()
    server.stop()
    version = next(place.glob("home/postgres/data/PG_VERSION"), None)
    if version is None:  # root in a place that the server's account cannot enter
        version = server._data_folder() / "PG_VERSION"
    made_by = version.read_text()
    version.write_text("14\n")
    done = _daysheet(home, "verify")
    version.write_text(made_by)
    assert done.returncode == ExitCode.WRONG_VERSION, done.stderr
    assert "made by PostgreSQL 14" in done.stderr
    assert "PG_BIN" in done.stderr


def test_an_old_server_is_refused_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(psycopg.ConnectionInfo, "server_version", property(lambda self: 140_011))
    assert cli.main(["renew-licenses"]) == ExitCode.WRONG_VERSION
    assert "PostgreSQL 14.11" in capsys.readouterr().err


def test_an_unreachable_database_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
        monkeypatch.setenv(name, "postgresql://daysheet_app:secret@127.0.0.1:1/daysheet")
    assert cli.main(["verify"]) == ExitCode.DATABASE_FAILED
    said = capsys.readouterr().err
    assert "127.0.0.1:1" in said
    assert "secret" not in said


def test_an_empty_database_is_not_verified_but_explained() -> None:
    name = f"daysheet_empty_{os.getpid()}"
    CLUSTER.drop_database(name)
    CLUSTER.create_database(name)
    environment = os.environ | {"DATABASE_URL": CLUSTER.app_url(name), "DATABASE_OWNER_URL": CLUSTER.owner_url(name)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "daysheet", "verify"], cwd=ROOT, env=environment, capture_output=True, text=True
        )
    finally:
        CLUSTER.drop_database(name)
    assert done.returncode == ExitCode.DATABASE_FAILED
    assert "Start `daysheet serve` once" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [["--host", "203.0.113.7"], ["--host", "no.such.host.example"], ["--port", "99999"]])
def test_an_address_that_cannot_be_listened_on_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", *words]) == ExitCode.PORT_TAKEN
    assert "--host" in capsys.readouterr().err


def test_what_nobody_foresaw_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "check_server", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.main(["verify"])


def _from(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CommandFailed("no"), ExitCode.FAILED),
        (DiskFull("x"), ExitCode.DISK_FULL),
        (FolderRefused("x"), ExitCode.NO_PERMISSION),
        (OtherVersion("x"), ExitCode.WRONG_VERSION),
        (PostgresNotFound("x"), ExitCode.DATABASE_FAILED),
        (EmbeddedServerError("x"), ExitCode.DATABASE_FAILED),
        (ServerTooOld("x"), ExitCode.WRONG_VERSION),
        (RightsMissing("x"), ExitCode.RIGHTS_MISSING),
        (UnsafeRole("x"), ExitCode.UNSAFE_ROLE),
        (DatabaseUnreachable("x"), ExitCode.DATABASE_FAILED),
        (OSError(errno.ENOSPC, "full", "/there"), ExitCode.DISK_FULL),
        (OSError(errno.EDQUOT, "quota", "/there"), ExitCode.DISK_FULL),
        (OSError(errno.EROFS, "read-only", "/there"), ExitCode.NO_PERMISSION),
        (_from(OperationalError(), psycopg.errors.DiskFull("full")), ExitCode.DISK_FULL),
        (_from(OperationalError(), psycopg.OperationalError("lost")), ExitCode.DATABASE_FAILED),
        (_from(InterfaceError(), psycopg.InterfaceError("closed")), ExitCode.DATABASE_FAILED),
        (_from(ProgrammingError(), psycopg.errors.UndefinedTable("none")), ExitCode.DATABASE_FAILED),
        (_from(ProgrammingError(), psycopg.errors.InsufficientPrivilege("no")), ExitCode.RIGHTS_MISSING),
        (_from(IntegrityError(), psycopg.errors.UniqueViolation("twice")), None),
        (OSError(errno.EIO, "broken", "/there"), None),
        (ValueError("a mistake of ours"), None),
    ],
    ids=str,
)
def test_each_cause_has_its_code_and_a_mistake_of_ours_has_none(error: Exception, code: ExitCode | None) -> None:
    failure = explained(error)
    assert (failure.code if failure else None) == code
    assert failure is None or str(failure)

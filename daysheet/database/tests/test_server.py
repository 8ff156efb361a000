"""The embedded server's life: first start, restarts after accidents, other accounts, and what it says when it cannot.

Run as root these tests also play the ordinary user, in a forked process that gives its rights away.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from daysheet.database import server as server_module
from daysheet.database.account import account_for
from daysheet.database.binaries import find_binaries, runnable_by
from daysheet.database.postmaster import read_postmaster
from daysheet.database.server import Cluster, EmbeddedServer, EmbeddedServerError, PostgresNotFound

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).parents[3]
NOBODY = 65534


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a space in its path that every account may pass through, unlike pytest's own."""
    monkeypatch.setenv("DAYSHEET_PG_FAST", "1")
    monkeypatch.delenv("PG_BIN", raising=False)
    folder = Path(tempfile.mkdtemp(prefix="daysheet server "))
    folder.chmod(0o755)
    shared_state = folder / "shared state"
    monkeypatch.setattr(server_module, "SHARED_STATE", shared_state)
    yield folder
    for home in folder.glob("**/postgres/lock"):
        EmbeddedServer(home.parents[1]).stop()
    shutil.rmtree(folder)


@pytest.fixture
def server(place: Path) -> EmbeddedServer:
    return EmbeddedServer(place / "home")


def answer(url: str, question: str = "SELECT 1") -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    assert row
    return row[0]


def pid_of(server: EmbeddedServer) -> int:
    running = read_postmaster(server._data_folder())
    assert running
    return running.pid


def as_ordinary_user(work: Callable[[], None]) -> None:
    """Run the work as somebody who is not root; a failure in it is printed and fails the test."""
    if os.geteuid() != 0:
        work()
        return
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            work()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(ended) == 0


def test_first_start_makes_a_closed_server_with_three_roles(server: EmbeddedServer) -> None:
    assert server.status() is None
    assert server.stop() is False
    cluster = server.ensure_running()
    assert server.status() == cluster
    assert answer(cluster.admin_url(), "SELECT current_setting('listen_addresses')") == "127.0.0.1"
    assert answer(cluster.admin_url(), "SELECT current_setting('unix_socket_directories')") == ""
    assert answer(cluster.app_url(), "SELECT current_setting('timezone')") == "UTC"
    for role, rights in {"daysheet_owner": (False, True, False), "daysheet_app": (False, False, False)}.items():
        with psycopg.connect(cluster.admin_url()) as connection:
            found = connection.execute(
                "SELECT rolsuper, rolcreatedb, rolbypassrls FROM pg_roles WHERE rolname = %s", [role]
            ).fetchone()
        assert found == rights
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        answer(cluster.app_url(), "CREATE TABLE mine (id int)")
    without_password = cluster.app_url().replace(f":{cluster.passwords['daysheet_app']}@", "@")
    with pytest.raises(psycopg.OperationalError):
        answer(without_password)
    for secret in [*server.folder.glob("*.password"), server.log]:
        assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert str(cluster.passwords["daysheet_app"]) not in repr(cluster)
    assert server.stop() is True
    assert server.status() is None


def test_what_fails_is_logged_without_what_was_typed(server: EmbeddedServer) -> None:
    url = server.ensure_running().owner_url()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE client (name text PRIMARY KEY, age int CHECK (age > 0))")
        connection.execute("INSERT INTO client VALUES ('Xanthippe Ruiz', 1)")
        for wrong in ("'Xanthippe Ruiz', 1", "'Xanthippe', -1", "'Xanthippe', 1 / 0"):
            with pytest.raises(psycopg.Error):
                connection.execute(f"INSERT INTO client VALUES ({wrong})")
    log = server.log.read_text(encoding="utf-8")
    assert "client_pkey" in log and "division by zero" in log
    assert "Xanthippe" not in log


def test_databases_are_copied_and_dropped_under_open_connections(server: EmbeddedServer) -> None:
    cluster = server.ensure_running()
    cluster.create_database("template_of_tests")
    with psycopg.connect(cluster.owner_url("template_of_tests")) as connection:
        connection.execute("CREATE TABLE kept (id int)")
    cluster.create_database("copy", template="template_of_tests")
    assert answer(cluster.owner_url("copy"), "SELECT count(*) FROM kept") == 0
    with psycopg.connect(cluster.app_url("copy")):
        cluster.drop_database("copy")
    assert not cluster.database_exists("copy")
    cluster.drop_database("copy")


def test_committed_rows_survive_a_kill(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    # The fast settings of the other tests give exactly this up.
    monkeypatch.delenv("DAYSHEET_PG_FAST")
    cluster = server.ensure_running()
    with psycopg.connect(cluster.owner_url()) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (7)")
    # A connection that stays open keeps a child of the killed server alive for a moment.
    with psycopg.connect(cluster.owner_url()):
        os.kill(pid_of(server), signal.SIGKILL)
        while server.status():
            time.sleep(0.01)
        again = server.ensure_running()
    assert answer(again.owner_url(), "SELECT id FROM kept") == 7


def test_a_pid_file_that_names_another_program_is_no_obstacle(server: EmbeddedServer) -> None:
    server.ensure_running()
    pid_file = server._data_folder() / "postmaster.pid"
    left_behind = pid_file.read_text()
    server.stop()
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        pid_file.write_text(left_behind.replace(left_behind.split()[0], str(stranger.pid), 1))
        account_for(server._data_folder()).own(pid_file)
        assert server.status() is None
        assert answer(server.ensure_running().app_url()) == 1
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_two_processes_may_start_it_at_once(server: EmbeddedServer) -> None:
    program = (
        "import sys, pathlib; from daysheet.database.server import EmbeddedServer;"
        "print(EmbeddedServer(pathlib.Path(sys.argv[1])).ensure_running().port)"
    )
    command = [sys.executable, "-c", program, str(server.folder.parent)]
    starters = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ports = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    running = server.status()
    assert running
    assert ports == {str(running.port)}


def test_a_server_that_is_still_recovering_is_waited_for(server: EmbeddedServer) -> None:
    cluster = server.ensure_running()
    pid_file = server._data_folder() / "postmaster.pid"
    content = pid_file.read_text()
    pid_file.write_text(content.replace("ready", "starting"))
    assert server.status() is None
    threading.Timer(0.5, pid_file.write_text, [content]).start()
    assert server.ensure_running() == cluster


def test_the_port_is_kept_unless_somebody_took_it(server: EmbeddedServer) -> None:
    first = server.ensure_running()
    server.stop()
    assert server.ensure_running().port == first.port
    server.stop()
    with socket.create_server(("127.0.0.1", first.port)):
        second = server.ensure_running()
        assert second.port != first.port
        assert answer(second.app_url()) == 1


def test_an_interrupted_first_start_is_finished_by_the_next(server: EmbeddedServer) -> None:
    (server.folder / "data.unfinished").mkdir(parents=True)
    (server.folder / "data.unfinished" / "half").touch()
    server.ensure_running()
    (server._data_folder().parent / "roles-ready").unlink()
    assert answer(server.ensure_running().app_url()) == 1


def test_an_ordinary_user_keeps_everything_in_the_home(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The interpreter's own folder may be closed to that user, so the programs are named.
    programs = runnable_by(account_for(place), find_binaries(), copies=place / "shared state")
    monkeypatch.setenv("PG_BIN", str(programs.folder))
    home = place / "an ordinary home"
    home.mkdir()
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        home.chmod(0o700)

    def live() -> None:
        server = EmbeddedServer(home)
        assert answer(server.ensure_running().app_url()) == 1
        assert (home / "postgres" / "data" / "PG_VERSION").exists()
        assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
        assert server.stop()

    as_ordinary_user(live)
    # Root may look after another account's server without taking its files away from it.
    assert answer(EmbeddedServer(home).ensure_running().app_url()) == 1
    assert EmbeddedServer(home).stop()
    as_ordinary_user(live)


def test_a_home_the_servers_account_cannot_enter_keeps_its_permissions(place: Path) -> None:
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedServer(closed / "home")
    cluster = server.ensure_running()
    assert answer(cluster.app_url()) == 1
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert (server.folder / "data-folder.txt").exists() == (os.geteuid() == 0)
    server.stop()
    assert server.ensure_running().port == cluster.port
    # Deleting the home and beginning again gives an empty server; the old data are only set aside.
    shutil.rmtree(closed / "home")
    assert answer(EmbeddedServer(closed / "home").ensure_running().app_url()) == 1


def test_only_roots_borrowed_account_gets_copies_of_programs_out_of_its_reach(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = find_binaries().folder
    closed = place / "root only" / "package"
    closed.parent.mkdir(mode=0o700)
    shutil.copytree(found.parent, closed / "pginstall", ignore=shutil.ignore_patterns("include"))
    libraries = found.parents[1].with_name(f"{found.parents[1].name}.libs")
    if libraries.is_dir():
        # The programs look for their libraries by this very name.
        shutil.move(closed, closed.with_name(found.parents[1].name))
        closed = closed.with_name(found.parents[1].name)
        shutil.copytree(libraries, closed.with_name(libraries.name))
    monkeypatch.setenv("PG_BIN", str(closed / "pginstall" / "bin"))
    assert answer(EmbeddedServer(place / "home").ensure_running().app_url()) == 1
    copies = list((place / "shared state").glob("postgres-*"))
    assert bool(copies) == (os.geteuid() == 0)


def test_a_wrong_pg_bin_is_named_and_nothing_else_is_taken(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PG_BIN", "/nowhere/bin")
    with pytest.raises(PostgresNotFound, match=r"/nowhere/bin \(PG_BIN\) has no initdb"):
        server.ensure_running()


def test_no_postgres_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr("daysheet.database.binaries.WHEEL", "no_such_package")
    monkeypatch.setattr("daysheet.database.binaries.SYSTEM_FOLDERS", Path("/nowhere"))
    with pytest.raises(PostgresNotFound, match=r"requirements/run\.txt.*PG_BIN.*DATABASE_URL"):
        find_binaries()


def test_data_of_another_major_version_are_left_alone(server: EmbeddedServer) -> None:
    server.ensure_running()
    server.stop()
    version = server._data_folder() / "PG_VERSION"
    version.write_text("14\n")
    with pytest.raises(EmbeddedServerError, match=r"made by PostgreSQL 14.*PG_BIN"):
        server.ensure_running()


def test_a_full_disk_is_called_a_full_disk(
    server: EmbeddedServer, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = {"postgres": "echo 'postgres (PostgreSQL) 16.1'", "pg_ctl": "exit 1"}
    programs["initdb"] = "echo 'could not write file: No space left on device'; exit 1"
    for name, script in programs.items():
        (place / name).write_text(f"#!/bin/sh\n{script}\n")
        (place / name).chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(place))
    with pytest.raises(EmbeddedServerError, match="full"):
        server.ensure_running()


def test_lost_passwords_are_asked_back(server: EmbeddedServer) -> None:
    server.ensure_running()
    (server.folder / "daysheet_app.password").unlink()
    with pytest.raises(EmbeddedServerError, match=r"daysheet_app\.password is missing"):
        server.ensure_running()
    (server.folder / "daysheet_app.password").write_text("put back")
    assert isinstance(server.status(), Cluster)


def test_a_home_that_may_not_be_written_is_explained(place: Path) -> None:
    place.chmod(0o555)

    def start() -> None:
        with pytest.raises(EmbeddedServerError, match="DAYSHEET_HOME"):
            EmbeddedServer(place / "home").ensure_running()

    as_ordinary_user(start)
    place.chmod(0o755)

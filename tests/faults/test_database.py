"""PostgreSQL killed, its disk full, its tables changed beside a batch: a server of the tests' own, on a small disk."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import OperationalError, connections

from daysheet.backup.programs import program, server_major
from daysheet.backup.taking import KEYS, take_backup
from daysheet.config import environment
from daysheet.database.cluster import Cluster
from daysheet.database.postmaster import read_postmaster
from daysheet.database.scope import practice_transaction
from daysheet.database.server import EmbeddedServer
from daysheet.database.trouble import Trouble, trouble_of
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.jobs import jobs
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import utc_now
from daysheet.mailings import files
from daysheet.payments.models import Payment
from tests.billing import Clinic

from .scene import (
    ROOT,
    Process,
    Visitor,
    a_batch,
    a_visit,
    again,
    check_books,
    count_of,
    has_finished,
    is_waiting_for_a_lock,
    last_client,
    let_time_pass,
    present_clinic,
    row_held,
    run_of,
    running,
    serving_pages,
    today,
    wait_for,
    working,
)

CLIENTS = 30
_DISK_MB = 500
#: So many payments use up what room the tables have left in their files.
_MANY = 150
pytestmark = [pytest.mark.system, pytest.mark.xdist_group("own_server"), pytest.mark.timeout(240)]


class Machine:
    """A disk and the PostgreSQL on it."""

    def __init__(self, disk: Path, *, is_small: bool) -> None:
        self.disk, self.is_small = disk, is_small
        self.server = EmbeddedServer(disk)
        self._filler = disk / "filler"

    @contextmanager
    def disk_full(self) -> Iterator[None]:
        """Not a byte is left."""
        if not self.is_small:
            pytest.skip("needs the right to mount a small disk (root)")
        try:
            with self._filler.open("wb", buffering=0) as filler, suppress(OSError):
                for size in (1 << 20, 1 << 12, 1):
                    with suppress(OSError):
                        while filler.write(b"\0" * size):
                            pass
            yield
        finally:
            self._filler.unlink()

    def start_again(self) -> None:
        connections.close_all()
        self.server.ensure_running()

    def kill(self) -> None:
        data = self.server._data_folder()
        postmaster = read_postmaster(data)
        assert postmaster
        os.kill(postmaster.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    """The test process and the processes that it starts work on this one, as long as this module's tests run."""
    disk = Path(tempfile.mkdtemp(prefix="daysheet-faults-"))
    disk.chmod(0o755)  # PostgreSQL's account has to get in
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MB}m,mode=755", "tmpfs", str(disk)]
    is_small = bool(shutil.which("mount")) and not subprocess.run(mount, capture_output=True).returncode
    here = dict(os.environ)
    machine = Machine(disk, is_small=is_small)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DAYSHEET_PG_FAST", raising=False)
        try:
            cluster = machine.server.ensure_running()
            _copy_tables(here["DATABASE_OWNER_URL"], cluster)
            for key in KEYS:  # so that sessions of the test process are good for its servers
                if (kept := Path(here["DAYSHEET_HOME"]) / key).exists():
                    shutil.copy(kept, disk / key)
            _work_on(cluster.app_url(), cluster.owner_url(), str(disk))
            yield machine
        finally:
            _work_on(here["DATABASE_URL"], here["DATABASE_OWNER_URL"], here["DAYSHEET_HOME"])
            machine.server.stop()
            if is_small:
                subprocess.run(["umount", "-l", str(disk)], check=True)
            shutil.rmtree(disk)


@pytest.fixture
def clinic(machine: Machine, live_db: None) -> Iterator[Clinic]:
    yield present_clinic()
    machine.start_again()


@again
def test_a_killed_database_process_is_told_to_the_person_and_the_same_form_then_goes_through(
    machine: Machine, clinic: Clinic, tmp_path: Path, number: int
) -> None:
    """PostgreSQL throws everybody out, recovers and goes on."""
    client, visit = a_visit(clinic)
    with serving_pages(tmp_path / "serve.log") as server:
        bob = Visitor.signed_in(server.port, clinic.cast.bob.user_id)
        answers: list[tuple[int, str]] = []
        with suppress(psycopg.OperationalError), row_held("clients_client", client):
            click = threading.Thread(target=lambda: answers.append(bob.post(f"/alder/visits/{visit}/invoice/", {})))
            click.start()
            wait_for(is_waiting_for_a_lock)
            os.kill(_who_waits(), signal.SIGKILL)
            click.join()
        status, words = answers[0]
        assert status == 503
        assert "The database does not answer" in words
        assert "send the same form again" in words
        machine.start_again()
        wait_for(lambda: bob.get("/alder/agenda/")[0] == 200, alive=server)
        assert count_of(clinic, Invoice) == 0
        assert bob.post(f"/alder/visits/{visit}/invoice/", {})[0] == 303
    check_books(clinic, lines=1)


@again
def test_serve_starts_a_killed_server_again_and_the_batch_goes_on(
    machine: Machine, clinic: Clinic, tmp_path: Path, number: int
) -> None:
    batch_id = a_batch(clinic, CLIENTS)
    log = tmp_path / "serve.log"
    held = last_client(clinic)
    with suppress(psycopg.OperationalError), row_held("clients_client", held), _serving_embedded(log) as server:
        wait_for(is_waiting_for_a_lock, alive=server)
        machine.kill()
        wait_for(lambda: "the database server ended; starting it again" in server.words(), alive=server)
        wait_for(lambda: machine.server.status() is not None)
        connections.close_all()
        assert run_of(clinic, batch_id).state == JobRun.State.RUNNING
        let_time_pass(timedelta(minutes=5))
        jobs.sweep_stalled_jobs(utc_now())
        wait_for(lambda: has_finished(clinic, batch_id), alive=server)
    check_books(clinic, lines=CLIENTS)


@again
def test_a_batch_on_a_full_disk_refuses_nobody_and_goes_on_when_there_is_room(
    machine: Machine, clinic: Clinic, number: int
) -> None:
    batch_id = a_batch(clinic, CLIENTS)
    run = run_of(clinic, batch_id)
    with machine.disk_full(), pytest.raises(OperationalError):
        jobs.run_job(clinic.cast.alder.id, run.pk)
    machine.start_again()
    assert run_of(clinic, batch_id).state in {JobRun.State.QUEUED, JobRun.State.RUNNING}
    check_books(clinic, lines=0)
    let_time_pass(timedelta(minutes=5))
    jobs.run_job(clinic.cast.alder.id, run.pk)
    assert has_finished(clinic, batch_id)
    check_books(clinic, lines=CLIENTS)


@again
def test_a_payment_on_a_full_disk_says_so_and_is_taken_once_when_there_is_room(
    machine: Machine, clinic: Clinic, tmp_path: Path, number: int
) -> None:
    client, visit = a_visit(clinic)
    path, taken = f"/alder/clients/{client}/payments/new/", 0
    with serving_pages(tmp_path / "serve.log") as server:
        bob = Visitor.signed_in(server.port, clinic.cast.bob.user_id)
        assert bob.post(f"/alder/visits/{visit}/invoice/", {})[0] == 303
        with practice_transaction(clinic.cast.alder.id):
            line = InvoiceLine.objects.get().pk
        with machine.disk_full():
            for _each in range(_MANY):
                facts = {"request_key": str(uuid4()), "amount": "1.00", "method": "check", f"apply-{line}": "1.00",
                         "received_on": today(clinic).isoformat()}  # fmt: skip
                status, words = bob.post(path, facts)
                if status != 303:
                    break
                taken += 1
            assert status == 503, words
            assert "The disk of the server is full" in words or "The database does not answer" in words
        machine.start_again()
        wait_for(lambda: bob.get("/alder/agenda/")[0] == 200, alive=server)
        for _ in range(2):
            status, words = bob.post(path, facts)
            assert status == 303, words
    assert count_of(clinic, Payment) == taken + 1
    check_books(clinic, lines=1)


@again
def test_files_on_a_full_disk_leave_nothing_behind(
    machine: Machine, clinic: Clinic, settings: Any, number: int
) -> None:
    """A backup, and the PDF of a run."""
    settings.DATA_FOLDER = machine.disk
    backup = machine.disk / "backup"
    with machine.disk_full():
        with pytest.raises(OSError) as failed:
            take_backup(
                backup, owner_url=os.environ["DATABASE_OWNER_URL"], home=machine.disk, passphrase="p" * 12,
                now=utc_now(),
            )  # fmt: skip
        assert failed.value.errno == errno.ENOSPC
        command = [sys.executable, "-m", "daysheet", "backup", str(backup)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 9, done.stderr
        assert "Free some space" in done.stderr
        with pytest.raises(OSError) as failed, files.new_file(clinic.cast.alder.id, "key") as (file, complete):
            file.write(b"%PDF" * 100_000)
            complete()
        assert trouble_of(failed.value) is Trouble.DISK_FULL
    assert not list(machine.disk.glob("backup*"))
    assert not files.file_path(clinic.cast.alder.id, "key").exists()
    machine.start_again()
    check_books(clinic, lines=0)


@again
def test_an_upgrade_waits_for_a_running_batch_and_lets_its_old_worker_end_it(
    machine: Machine, clinic: Clinic, tmp_path: Path, number: int
) -> None:
    """The batch holds the tables while the upgrade begins; the upgrade lets others through meanwhile."""
    batch_id = a_batch(clinic, CLIENTS)
    held = last_client(clinic)
    _, visit = a_visit(clinic)
    upgrade, pages = tmp_path / "upgrade.log", tmp_path / "serve.log"
    next_version = running(upgrade, "tests.faults.next_version", ends=-signal.SIGTERM)
    try:
        with row_held("clients_client", held) as let_go, working(tmp_path / "worker.log") as worker:
            wait_for(is_waiting_for_a_lock, alive=worker)
            with serving_pages(pages) as server, next_version as started:
                bob = Visitor.signed_in(server.port, clinic.cast.bob.user_id)
                wait_for(lambda: "Waiting for work that is running" in started.words(), alive=started)
                assert bob.post(f"/alder/visits/{visit}/invoice/", {})[0] == 303, "others are let through"
                assert started.popen.poll() is None
            let_go()
            wait_for(lambda: has_finished(clinic, batch_id), alive=worker)
        with running(upgrade, "tests.faults.next_version") as again_started:
            assert again_started.popen.wait(timeout=60) == 0, again_started.words()
        check_books(clinic, lines=CLIENTS + 1)
        with working(tmp_path / "worker.log") as worker:
            later = a_batch(clinic, 3)
            wait_for(lambda: has_finished(clinic, later), alive=worker)
        check_books(clinic, lines=CLIENTS + 4)
    finally:
        _take_back_the_upgrade()


@contextmanager
def _serving_embedded(log: Path) -> Iterator[Process]:
    """`daysheet serve --only worker` that looks after the embedded server itself: no address is given."""
    own = ("DATABASE_URL", "DATABASE_OWNER_URL")
    with running(log, "daysheet", "serve", "--only", "worker", without=own) as process:
        yield process


def _take_back_the_upgrade() -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute("ALTER TABLE clients_client DROP COLUMN IF EXISTS of_next_version")
        owner.execute("DELETE FROM django_migrations WHERE app = 'next_version'")


def _copy_tables(owner_url: str, cluster: Cluster) -> None:
    """The migrated, empty tables of this test process, without migrating again."""
    major = server_major(owner_url)
    dump = [str(program("pg_dump", major)), "--format=custom", "--no-owner", owner_url]
    done = subprocess.run(dump, capture_output=True, check=True)
    fill = [str(program("pg_restore", major)), "--no-owner", "--dbname", cluster.owner_url()]
    subprocess.run(fill, input=done.stdout, capture_output=True, check=False)


def _work_on(app_url: str, owner_url: str, home: str) -> None:
    connections.close_all()
    os.environ.update(DATABASE_URL=app_url, DATABASE_OWNER_URL=owner_url, DAYSHEET_HOME=home)
    for alias, found in environment.databases().items():
        connections.settings[alias].update({name: found[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")})


def _who_waits() -> int:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        row = owner.execute("SELECT pid FROM pg_locks WHERE NOT granted").fetchone()
    assert row
    return int(row[0])

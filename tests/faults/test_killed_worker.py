"""`daysheet serve` with a worker that is really killed in the middle of a batch, and one whose connections all break:
the batch finishes, once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connections

from daysheet.database.cluster import APP
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.batches import CLIENTS_PER_CHUNK, BatchRequest, start_batch
from daysheet.invoicing.models import Batch, BatchItem, BatchProblem, Invoice, InvoiceLine
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import local_date, utc_now
from daysheet.schedule.models import VisitService
from daysheet.staff.models import CptLicense
from tests.billing import Clinic, build_clinic
from tests.faults.scene import again
from tests.people import build_cast
from tests.plugin import CLUSTER

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = CLIENTS_PER_CHUNK + 5
#: Start, restart, and the sweep that comes every minute.
PATIENCE_SECONDS = 150


@pytest.fixture
def clinic(live_db: None) -> Clinic:
    """Committed, and in the present: the processes of the server read the real clock."""
    cast = build_cast(now=utc_now())
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        CptLicense.objects.get_or_create(
            staff_member_id=cast.carol.staff_member_id,
            year=_today(clinic).year,
            defaults={"fee_cents": 0, "assigned_at": utc_now(), "assigned_by": "Alice"},
        )
    return clinic


def _today(clinic: Clinic) -> date:
    return local_date(utc_now(), clinic.cast.alder.time_zone)


@again
@pytest.mark.timeout(400)
def test_a_killed_worker_is_started_again_and_the_batch_finishes_once(
    clinic: Clinic, tmp_path: Path, number: int
) -> None:
    batch_id, last_client = _queue_batch(clinic, CLIENTS)
    log = tmp_path / "serve.log"
    with _row_held(last_client) as let_go, _serving(log) as server:
        _wait_for(lambda: _done(clinic, batch_id) == CLIENTS_PER_CHUNK, server, log)
        killed = _worker_of(server)
        assert killed
        os.kill(killed, signal.SIGKILL)
        let_go()
        _wait_for(lambda: _worker_of(server) not in {None, killed}, server, log)
        assert "the worker process ended with -9; starting it again" in log.read_text()
        assert _done(clinic, batch_id) == CLIENTS_PER_CHUNK, "the chunk that was killed is rolled back whole"
        _let_time_pass(timedelta(minutes=5))
        _wait_for(lambda: _has_finished(clinic, batch_id), server, log)
    _check_books(clinic)


@again
@pytest.mark.timeout(400)
def test_a_worker_whose_connections_broke_does_the_next_batch(clinic: Clinic, tmp_path: Path, number: int) -> None:
    """As after a restart of PostgreSQL."""
    log = tmp_path / "serve.log"
    first, _ = _queue_batch(clinic, 3)
    with _serving(log) as server:
        _wait_for(lambda: _has_finished(clinic, first), server, log)
        _break_connections()
        second, _ = _queue_batch(clinic, 3)
        _wait_for(lambda: _has_finished(clinic, second), server, log)
    with practice_transaction(clinic.cast.alder.id):
        assert Invoice.objects.count() == 6


def _break_connections() -> None:
    """End every connection to this database but our own."""
    connections.close_all()
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner, psycopg.connect(CLUSTER.admin_url()) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
            [owner.info.dbname, APP],
        )


def _queue_batch(clinic: Clinic, clients: int) -> tuple[UUID, UUID]:
    """A batch of so many clients; its id, and the client who comes last."""
    day = _today(clinic) - timedelta(days=1)
    items = []
    with practice_transaction(clinic.cast.alder.id):
        for number in range(clients):
            client = clinic.client(f"Client{number:03d}")
            items.append(BatchRequest(client, clinic.visit(client, clinic.talk, day=day)[1]))
        batch_id = start_batch(
            clinic.cast.actor(clinic.cast.bob, now=utc_now()), batch_id=uuid4(), from_on=day, to_on=day, items=items,
            expected_count=clients, expected_cents=0,
        )  # fmt: skip
    return batch_id, items[-1].client_id


@contextmanager
def _row_held(client_id: UUID) -> Iterator[Callable[[], None]]:
    """Somebody else holds a client's row, so that the chunk with this client stands still in its middle."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as other:
        other.execute("SELECT 1 FROM clients_client WHERE id = %s FOR UPDATE", [client_id])
        yield other.rollback


@contextmanager
def _serving(log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {name: value for name, value in os.environ.items() if name != "DAYSHEET_TESTING"}
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "daysheet", "serve", "--port", str(port)],
            cwd=ROOT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield server
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=60) == 0


def _worker_of(server: subprocess.Popen[bytes]) -> int | None:
    """The worker among the processes that this server started."""
    for child in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split():
        if b"procrastinate" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    return None


def _wait_for(what: Callable[[], bool], server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def _let_time_pass(passed: timedelta) -> None:
    """As if the run had last moved so long ago: nobody waits here until it counts as abandoned."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute("UPDATE jobs_jobrun SET heartbeat_at = heartbeat_at - %s", [passed])


def _done(clinic: Clinic, batch_id: UUID) -> int:
    with practice_transaction(clinic.cast.alder.id):
        return BatchItem.objects.filter(batch_id=batch_id, done_at__isnull=False).count()


def _has_finished(clinic: Clinic, batch_id: UUID) -> bool:
    with practice_transaction(clinic.cast.alder.id):
        is_done = JobRun.objects.filter(subject_id=batch_id, state=JobRun.State.DONE).exists()
        return is_done and Batch.objects.filter(pk=batch_id, finished_at__isnull=False).exists()


def _check_books(clinic: Clinic) -> None:
    with practice_transaction(clinic.cast.alder.id):
        assert not BatchProblem.objects.exists()
        assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, CLIENTS + 1))
        live = InvoiceLine.objects.filter(ended_at=None)
        assert live.values("visit_service").distinct().count() == live.count() == CLIENTS
        assert not VisitService.objects.filter(line_id=None).exists()
        assert JobRun.objects.count() == 1, "the same run, by another worker"

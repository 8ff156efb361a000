"""`daysheet serve` with a worker that is really killed in the middle of a batch, and one whose connections all break:
the batch finishes, once."""

from __future__ import annotations

import os
import signal
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.db import connections

from daysheet.database.cluster import APP
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.batches import CLIENTS_PER_CHUNK
from daysheet.invoicing.models import BatchItem, BatchProblem, Invoice
from daysheet.jobs.models import JobRun
from tests.billing import Clinic
from tests.plugin import CLUSTER
from tests.processes import worker_of

from .scene import (
    a_batch,
    again,
    check_books,
    has_finished,
    last_client,
    let_time_pass,
    present_clinic,
    row_held,
    serving,
    wait_for,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(400)]

CLIENTS = CLIENTS_PER_CHUNK + 5
#: The sweep comes every minute; then the batch has to finish.
PATIENCE_SECONDS = 150


@pytest.fixture
def clinic(live_db: None) -> Clinic:
    return present_clinic()


@again
def test_a_killed_worker_is_started_again_and_the_batch_finishes_once(
    clinic: Clinic, tmp_path: Path, number: int
) -> None:
    batch_id = a_batch(clinic, CLIENTS)
    held = last_client(clinic)
    with row_held("clients_client", held) as let_go, serving(tmp_path / "serve.log") as server:
        wait_for(lambda: _done(clinic, batch_id) == CLIENTS_PER_CHUNK, alive=server)
        killed = worker_of(server.popen.pid)
        assert killed
        os.kill(killed, signal.SIGKILL)
        let_go()
        wait_for(lambda: worker_of(server.popen.pid) not in {None, killed}, alive=server)
        assert "the worker process ended with -9; starting it again" in server.words()
        assert _done(clinic, batch_id) == CLIENTS_PER_CHUNK, "the chunk that was killed is rolled back whole"
        let_time_pass(timedelta(minutes=5))
        wait_for(lambda: has_finished(clinic, batch_id), alive=server, seconds=PATIENCE_SECONDS)
    check_books(clinic, lines=CLIENTS)
    with practice_transaction(clinic.cast.alder.id):
        assert not BatchProblem.objects.exists()
        assert sorted(Invoice.objects.values_list("number", flat=True)) == list(range(1, CLIENTS + 1))
        assert JobRun.objects.filter(subject_id=batch_id).count() == 1, "the same run, by another worker"


@again
def test_a_worker_whose_connections_broke_does_the_next_batch(clinic: Clinic, tmp_path: Path, number: int) -> None:
    """As after a restart of PostgreSQL."""
    first = a_batch(clinic, 3)
    with serving(tmp_path / "serve.log") as server:
        wait_for(lambda: has_finished(clinic, first), alive=server, seconds=PATIENCE_SECONDS)
        _break_connections()
        second = a_batch(clinic, 3)
        wait_for(lambda: has_finished(clinic, second), alive=server, seconds=PATIENCE_SECONDS)
    check_books(clinic, lines=6)


def _break_connections() -> None:
    """End every connection to this database but our own."""
    connections.close_all()
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner, psycopg.connect(CLUSTER.admin_url()) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = %s",
            [owner.info.dbname, APP],
        )


def _done(clinic: Clinic, batch_id: UUID) -> int:
    with practice_transaction(clinic.cast.alder.id):
        return BatchItem.objects.filter(batch_id=batch_id, done_at__isnull=False).count()

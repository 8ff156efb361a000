"""Locks that last, statements that take too long, connections that break in the middle of COPY, a clock that jumps, two
workers: what people are told, and that the work is done once in the end."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection
from django.test import Client as Browser

from daysheet.database.scope import practice_transaction
from daysheet.imports.actions import import_file
from daysheet.jobs import jobs
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import utc_now
from daysheet.operations.metrics import workers_alive
from daysheet.practices.models import User
from daysheet.schedule.models import VisitService
from daysheet.staff import middleware
from tests.billing import Clinic
from tests.pages import words_of
from tests.plugin import CLUSTER

from .scene import (
    a_batch,
    again,
    check_books,
    has_finished,
    is_waiting_for_a_lock,
    last_client,
    let_time_pass,
    present_clinic,
    row_held,
    run_of,
    today,
    wait_for,
    working,
)

CLIENTS = 30
pytestmark = pytest.mark.system


@pytest.fixture
def clinic(live_db: None) -> Clinic:
    return present_clinic()


class _GivenUp:
    """The statements that the database gave up."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        try:
            return execute(sql, params, many, context)
        except OperationalError:
            self.statements.append(sql)
            raise


@again
@pytest.mark.parametrize(
    ("locks", "statements", "words"),
    [(1, 9, "Somebody else is working on the same thing Nothing was changed."), (9, 1, "This took too long")],
)
def test_a_form_that_waits_too_long_says_so_and_goes_through_later(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, locks: int, statements: int, words: str, number: int
) -> None:
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client()
        visit, _ = clinic.visit(client, clinic.talk, day=today(clinic))
    bob = Browser(raise_request_exception=False)
    bob.force_login(User.objects.get(pk=clinic.cast.bob.user_id))
    with row_held("clients_client", client), monkeypatch.context() as impatient:
        impatient.setattr(middleware, "LOCK_SECONDS", locks)
        impatient.setattr(middleware, "STATEMENT_SECONDS", statements)
        answer = bob.post(f"/alder/visits/{visit}/invoice/")
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        assert words in words_of(answer)
        asked = time.monotonic()
        given_up = _GivenUp()
        with connection.execute_wrapper(given_up):
            click = bob.post(f"/alder/visits/{visit}/invoice/", headers={"HX-Request": "true"})
        assert time.monotonic() - asked < max(locks, statements), "the first of the two limits"
        assert len(given_up.statements) == 1, "and not tried again while somebody waits"
        assert (click.status_code, click["Content-Type"]) == (503, "text/plain")
        assert words.split(" Nothing")[0] in click.content.decode()
    assert bob.post(f"/alder/visits/{visit}/invoice/").status_code == 303
    check_books(clinic, lines=1)


@again
def test_a_batch_whose_connection_breaks_in_the_middle_of_copy_goes_on_by_itself(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    batch_id = a_batch(clinic, CLIENTS)
    run = run_of(clinic, batch_id)
    with _connection_breaks_in_copy(monkeypatch) as broken, pytest.raises(OperationalError):
        jobs.run_job(clinic.cast.alder.id, run.pk)
    assert broken
    assert run_of(clinic, batch_id).state == JobRun.State.RUNNING, "not failed: nobody has to press Continue"
    check_books(clinic, lines=0)
    _sweep_and_run(clinic, run)
    assert has_finished(clinic, batch_id)
    check_books(clinic, lines=CLIENTS)


@again
def test_an_import_whose_connection_breaks_in_the_middle_of_copy_leaves_nothing_and_is_taken_in_later(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    rows = "".join(f"X{each},Given{each},Name{each}\n" for each in range(200))
    content = f"ID,First Name,Last Name\n{rows}".encode()
    given: dict[str, Any] = {"kind": "clients", "file_name": "clients.csv", "content": content}
    owner = clinic.cast.actor(clinic.cast.alice, now=utc_now())
    taking_in = practice_transaction(clinic.cast.alder.id)
    with _connection_breaks_in_copy(monkeypatch) as broken, pytest.raises(OperationalError), taking_in:
        import_file(owner, **given)
    assert broken
    with practice_transaction(clinic.cast.alder.id):
        assert import_file(owner, **given).created_count == 200
        assert import_file(owner, **given).unchanged_count == 200
    check_books(clinic, lines=0)


@again
def test_a_run_that_lost_its_worker_is_woken_although_the_clock_was_put_back(clinic: Clinic, number: int) -> None:
    """The machine believed to be in the next year, a worker died there, and then somebody set the clock right."""
    batch_id = a_batch(clinic, CLIENTS)
    run = run_of(clinic, batch_id)
    with practice_transaction(clinic.cast.alder.id):
        JobRun.objects.filter(pk=run.pk).update(
            state=JobRun.State.RUNNING, heartbeat_at=utc_now() + timedelta(days=60), fruitless_starts=1
        )
    assert jobs.sweep_stalled_jobs(utc_now()) == 1
    jobs.run_job(clinic.cast.alder.id, run.pk)
    assert has_finished(clinic, batch_id)
    check_books(clinic, lines=CLIENTS)


@again
def test_two_workers_at_once_bill_every_visit_once(clinic: Clinic, tmp_path: Path, number: int) -> None:
    """Three batches, two of them with the same visits. A worker does one thing at a time here: both are at it."""
    first = a_batch(clinic, CLIENTS)
    held = last_client(clinic)
    with practice_transaction(clinic.cast.alder.id):
        same = {
            service.visit.client_id: (service.pk,) for service in VisitService.objects.select_related("visit").all()
        }
    rivals = [first, a_batch(clinic, 0, visits=same)]
    batches = [*rivals, a_batch(clinic, CLIENTS)]
    workers = [working(tmp_path / f"worker{each}.log", at_once=1) for each in (1, 2)]
    with row_held("clients_client", held) as let_go, workers[0] as one, workers[1] as other:
        wait_for(lambda: all(run_of(clinic, each).state == JobRun.State.RUNNING for each in rivals), alive=other)
        let_go()
        wait_for(lambda: all(has_finished(clinic, each) for each in batches), alive=one)
    check_books(clinic, lines=2 * CLIENTS)


@again
def test_a_worker_killed_while_another_runs_leaves_no_trace(clinic: Clinic, tmp_path: Path, number: int) -> None:
    """The first stands in the middle of a batch and is killed; the second, there before that, ends it."""
    batch_id = a_batch(clinic, CLIENTS)
    killed = working(tmp_path / "first.log", ends=-signal.SIGKILL)
    with row_held("clients_client", last_client(clinic)) as let_go, killed as first:
        wait_for(is_waiting_for_a_lock, alive=first)
        with working(tmp_path / "second.log") as second:
            wait_for(lambda: workers_alive() == 2, alive=second)
            assert run_of(clinic, batch_id).state == JobRun.State.RUNNING
            first.kill()
            let_go()
            let_time_pass(timedelta(minutes=5))
            jobs.sweep_stalled_jobs(utc_now())
            wait_for(lambda: has_finished(clinic, batch_id), alive=second)
    check_books(clinic, lines=CLIENTS)


@contextmanager
def _connection_breaks_in_copy(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """PostgreSQL ends our connection when half of the rows of a COPY are on their way."""
    write_row = psycopg.Copy.write_row
    rows = [0]
    broken: list[int] = []

    def write(copy: psycopg.Copy, row: Any) -> None:
        rows[0] += 1
        if rows[0] == CLIENTS // 2:
            broken.append(copy.connection.info.backend_pid)
            with psycopg.connect(CLUSTER.admin_url(), autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(%s, 5000)", broken)
        write_row(copy, row)

    with monkeypatch.context() as patched:
        patched.setattr(psycopg.Copy, "write_row", write)
        yield broken
    assert not connection.in_atomic_block


def _sweep_and_run(clinic: Clinic, run: JobRun) -> None:
    """What the next minute does."""
    let_time_pass(timedelta(minutes=5))
    assert jobs.sweep_stalled_jobs(utc_now()) == 1
    jobs.run_job(clinic.cast.alder.id, run.pk)

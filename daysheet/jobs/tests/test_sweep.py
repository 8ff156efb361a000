"""The sweep: wakes what lost its worker, gives up on what always does, and a failed run can be continued once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection

from daysheet.database.scope import practice_transaction
from daysheet.jobs import registry
from daysheet.jobs.actions import advance_job, continue_job, start_job
from daysheet.jobs.jobs import MOST_FRUITLESS_STARTS, STALE_AFTER, run_job, sweep_stalled_jobs
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.practices.actor import Actor
from tests.people import NOW, Cast

KIND = "test_kind"


@pytest.fixture
def bob(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Iterator[Actor]:
    monkeypatch.setitem(registry._runners, KIND, _killed)
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


def _killed(job: RunningJob) -> None:
    raise KeyboardInterrupt


def _broken(job: RunningJob) -> None:
    raise ValueError("nobody expected this")


def _start(bob: Actor) -> JobRun:
    return start_job(bob, kind=KIND, subject_id=uuid4(), unit="clients", total_count=3)


def _start_and_kill(bob: Actor, run: JobRun, moment: datetime) -> None:
    """A worker claims the run and dies; its last sign of life is `moment`."""
    with pytest.raises(KeyboardInterrupt):
        run_job(bob.practice.id, run.pk)
    JobRun.objects.filter(pk=run.pk).update(heartbeat_at=moment)


def _wake_ups() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'daysheet.run_job'")
        return int(cursor.fetchone()[0])


def test_a_run_that_lost_its_worker_is_woken_and_one_at_work_is_not(bob: Actor) -> None:
    run = _start(bob)
    _start_and_kill(bob, run, NOW)
    assert sweep_stalled_jobs(NOW + STALE_AFTER / 2) == 0
    before = _wake_ups()
    assert sweep_stalled_jobs(NOW + 2 * STALE_AFTER) == 1
    assert _wake_ups() == before + 1


def test_the_sweep_gives_up_on_a_run_that_kills_every_worker(bob: Actor) -> None:
    run = _start(bob)
    for _ in range(MOST_FRUITLESS_STARTS):
        assert sweep_stalled_jobs(NOW) == (1 if run.fruitless_starts else 0)
        _start_and_kill(bob, run, NOW - 2 * STALE_AFTER)
        run.refresh_from_db()
    assert sweep_stalled_jobs(NOW) == 0
    run.refresh_from_db()
    assert (run.state, run.error, run.finished_at) == ("failed", "WorkerLost", NOW)


def test_a_finished_piece_counts_against_giving_up(bob: Actor) -> None:
    run = _start(bob)
    for _ in range(2 * MOST_FRUITLESS_STARTS):
        _start_and_kill(bob, run, NOW - 2 * STALE_AFTER)
        advance_job(run.pk, by=0, now=NOW - 2 * STALE_AFTER)
        assert sweep_stalled_jobs(NOW) == 1


def test_a_failed_run_is_continued_by_another_and_only_once(bob: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry._runners, KIND, _broken)
    run = _start(bob)
    assert not continue_job(bob, subject_id=run.subject_id), "it waits already"
    with pytest.raises(ValueError, match="nobody expected"):
        run_job(bob.practice.id, run.pk)
    before = _wake_ups()
    assert continue_job(bob, subject_id=run.subject_id)
    assert not continue_job(bob, subject_id=run.subject_id), "the second click"
    states = list(JobRun.objects.filter(subject_id=run.subject_id).order_by("pk").values_list("state", "error"))
    assert states == [("failed", "ValueError"), ("queued", "")]
    assert _wake_ups() == before + 1


def test_a_run_nobody_claims_is_woken_again_and_never_given_up(bob: Actor) -> None:
    run = _start(bob)
    for minutes in range(1, 3 * MOST_FRUITLESS_STARTS):
        assert sweep_stalled_jobs(NOW + timedelta(minutes=minutes + 1)) == 1
    run.refresh_from_db()
    assert run.state == "queued"

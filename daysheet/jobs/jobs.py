"""Running jobs, and the sweep that wakes what a killed worker left behind."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, Q
from procrastinate.contrib.django import app

from daysheet.database.scope import practice_transaction
from daysheet.database.trouble import trouble_of
from daysheet.kit.dates import utc_now
from daysheet.practices.actor import PracticeFacts
from daysheet.practices.models import Practice

from .models import JobRun
from .queue import wake
from .registry import RunningJob, runner_for

#: A running job that has not moved for this long has lost its worker.
STALE_AFTER = timedelta(seconds=60)
#: After so many starts that finished nothing, the run itself is what kills its worker: the sweep gives up.
MOST_FRUITLESS_STARTS = 5
_log = logging.getLogger("daysheet.jobs")


@app.task(name="daysheet.run_job", queue="default")
def run_job_task(practice_id: int, run_id: str) -> None:
    """The queue's entry point."""
    run_job(practice_id, UUID(run_id))


@app.periodic(cron="* * * * *")
@app.task(name="daysheet.sweep", queue="default", pass_context=False)
def sweep_task(timestamp: int) -> None:
    """Every minute: wake what has no live worker."""
    sweep_stalled_jobs(utc_now())


def run_job(practice_id: int, run_id: UUID) -> None:
    """Claim the run and carry it out. A run somebody else is working on, or that is over, is left alone."""
    facts = _facts(practice_id)
    kind_and_subject = _claim(facts, run_id, utc_now())
    if kind_and_subject is None:
        return
    kind, subject_id = kind_and_subject
    try:
        runner_for(kind)(RunningJob(facts, run_id, subject_id))
    except Exception as error:
        trouble = trouble_of(error)
        if trouble and trouble.is_outage:
            # Left as a killed worker leaves it: the sweep tries again, and gives up only after several starts.
            _log.warning("job %s of kind %s met trouble of the machine: %s", run_id, kind, trouble.value)
            raise
        _log.exception("job %s of kind %s failed", run_id, kind)
        _finish(facts, run_id, JobRun.State.FAILED, error=type(error).__name__)
        raise
    _finish(facts, run_id, JobRun.State.DONE)


def sweep_stalled_jobs(now: datetime) -> int:
    """Wake every run that is queued or has lost its worker, give up on one that always does; returns how many were
    woken. Waking twice is harmless."""
    woken = 0
    for practice_id in Practice.objects.values_list("pk", flat=True):
        with practice_transaction(practice_id):
            lost = Q(state=JobRun.State.RUNNING) & _is_stale(now)
            JobRun.objects.filter(lost, fruitless_starts__gte=MOST_FRUITLESS_STARTS).update(
                state=JobRun.State.FAILED, finished_at=now, error="WorkerLost"
            )
            stalled = JobRun.objects.filter(lost | Q(state=JobRun.State.QUEUED, created_at__lt=now - STALE_AFTER))
            for run_id in stalled.values_list("pk", flat=True):
                wake(practice_id, run_id)
                woken += 1
    return woken


def _facts(practice_id: int) -> PracticeFacts:
    return Practice.objects.get(pk=practice_id).facts


def _is_stale(now: datetime) -> Q:
    """Not moved for long. One that moved in the future did so before the machine's clock was put back."""
    return Q(heartbeat_at__lt=now - STALE_AFTER) | Q(heartbeat_at__gt=now + STALE_AFTER)


def _claim(facts: PracticeFacts, run_id: UUID, now: datetime) -> tuple[str, UUID] | None:
    claimable = Q(state=JobRun.State.QUEUED) | (Q(state=JobRun.State.RUNNING) & _is_stale(now))
    with practice_transaction(facts.id):
        claimed = JobRun.objects.filter(claimable, pk=run_id).update(
            state=JobRun.State.RUNNING, started_at=now, heartbeat_at=now, fruitless_starts=F("fruitless_starts") + 1
        )
        if not claimed:
            return None
        return JobRun.objects.values_list("kind", "subject_id").get(pk=run_id)


def _finish(facts: PracticeFacts, run_id: UUID, state: JobRun.State, error: str = "") -> None:
    with practice_transaction(facts.id):
        JobRun.objects.filter(pk=run_id).update(state=state, finished_at=utc_now(), error=error)

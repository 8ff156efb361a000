"""Start a job and keep its progress. The row and the wake-up call are written in the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F

from daysheet.practices.actor import Actor

from .models import JobRun
from .queue import wake


def start_job(actor: Actor, *, kind: str, subject_id: UUID, unit: str, total_count: int, done_count: int = 0) -> JobRun:
    """Queue a job for a row of the caller's slice. The caller's action audits it."""
    run = JobRun.objects.create(
        kind=kind,
        subject_id=subject_id,
        unit=unit,
        total_count=total_count,
        done_count=done_count,
        created_at=actor.now,
        request_id=actor.request_id,
    )
    wake(actor.practice.id, run.pk)
    return run


def continue_job(actor: Actor, *, subject_id: UUID) -> bool:
    """Queue what a failed job left: a new run, which goes on from what the rows say is done. False, and nothing
    changed, while a run is waiting or at work. The caller holds the subject's lock and audits it."""
    runs = JobRun.objects.filter(subject_id=subject_id).order_by("created_at", "pk")
    last = runs.last()
    if last is None or last.is_live:
        return False
    start_job(
        actor, kind=last.kind, subject_id=subject_id, unit=last.unit, total_count=last.total_count,
        done_count=last.done_count,
    )  # fmt: skip
    return True


def set_job_progress(run_id: UUID, *, done_count: int, now: datetime) -> None:
    """Say how far the work is, where a start begins a part of it anew. A start alone is no finished piece."""
    JobRun.objects.filter(pk=run_id).update(done_count=done_count, heartbeat_at=now)


def advance_job(run_id: UUID, *, by: int, now: datetime) -> None:
    """Count finished pieces, in the transaction that finished them."""
    JobRun.objects.filter(pk=run_id).update(done_count=F("done_count") + by, heartbeat_at=now, fruitless_starts=0)

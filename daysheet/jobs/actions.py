"""Start a job and keep its progress. The row and the wake-up call are written in the caller's transaction."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import F

from daysheet.practices.actor import Actor

from .models import JobRun
from .queue import wake


def start_job(actor: Actor, *, kind: str, subject_id: UUID, unit: str, total_count: int) -> JobRun:
    """Queue a job for a row of the caller's slice. The caller's action audits it."""
    run = JobRun.objects.create(
        kind=kind,
        subject_id=subject_id,
        unit=unit,
        total_count=total_count,
        created_at=actor.now,
        request_id=actor.request_id,
    )
    wake(actor.practice.id, run.pk)
    return run


def advance_job(run_id: UUID, *, by: int, now: datetime) -> None:
    """Count finished pieces, in the transaction that finished them."""
    JobRun.objects.filter(pk=run_id).update(done_count=F("done_count") + by, heartbeat_at=now)

"""The claims of a night, invoice by invoice: each in a transaction of its own, which also marks it done."""

from __future__ import annotations

import logging
import time
from uuid import UUID

from django.db import DatabaseError, OperationalError

from daysheet.claims.actions import queue_claims
from daysheet.database.scope import practice_transaction
from daysheet.jobs.actions import advance_job
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import Refusal
from daysheet.practices.actor import system_actor

from .models import NightClaim
from .nights import NAME, go_on

_TRIES = 3
_UNEXPECTED = "Something unexpected stopped it. No claim was queued; the next night tries again."
_log = logging.getLogger("daysheet.automation")


def run_night(job: RunningJob) -> None:
    """Queue what the night has not queued yet. Safe to call again after a kill."""
    while True:
        with practice_transaction(job.practice.id):
            waiting = NightClaim.objects.filter(night_id=job.subject_id, done_at=None).order_by("pk")
            claim_id = waiting.values_list("pk", flat=True).first()
        if claim_id is None:
            break
        _queue_one(job, claim_id)
    go_on(job.practice, job.subject_id, job.clock())


def _queue_one(job: RunningJob, claim_id: UUID) -> None:
    for attempt in range(_TRIES):
        try:
            _try_one(job, claim_id)
            return
        except OperationalError:  # somebody else is at the same client
            _log.warning("night %s: a claim met a lock, try %s", job.subject_id, attempt + 1)
            time.sleep(0.2 * (attempt + 1))
        except (DatabaseError, ArithmeticError, LookupError, ValueError):
            _log.exception("night %s: an invoice's claims failed", job.subject_id)
            break
    with practice_transaction(job.practice.id):
        _finish(job, claim_id, code="unexpected", message=_UNEXPECTED)


def _try_one(job: RunningJob, claim_id: UUID) -> None:
    with practice_transaction(job.practice.id):
        claim = NightClaim.objects.select_for_update(no_key=True).filter(pk=claim_id, done_at=None).first()
        if claim is None:  # another worker was here
            return
        actor = system_actor(job.practice, job.clock(), name=NAME)
        try:
            count = queue_claims(actor, invoice_id=claim.invoice_id)
        except Refusal as refusal:  # voided since, or no insurer owes anything any more
            _finish(job, claim_id, code=refusal.code, message=refusal.message)
        else:
            _finish(job, claim_id, claim_count=count)


def _finish(job: RunningJob, claim_id: UUID, *, claim_count: int = 0, code: str = "", message: str = "") -> None:
    done = NightClaim.objects.filter(pk=claim_id, done_at=None).update(
        done_at=job.clock(), claim_count=claim_count, code=code, message=message[:400]
    )
    advance_job(job.run_id, by=done, now=job.clock())

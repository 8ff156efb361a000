"""Every minute: charges and refunds whose answer never came are asked for, practice by practice."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Exists, OuterRef
from procrastinate.contrib.django import app

from daysheet.database.scope import practice_transaction
from daysheet.jobs.everywhere import in_every_practice
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import utc_now
from daysheet.practices.actor import PracticeFacts

from .charging import ASK_AFTER, close_unsent, processor_actor, resolve_charges
from .models import Charge, ChargeRun
from .refunding import carry_out_refund
from .settling import open_refunds


def close_stopped_runs(practice: PracticeFacts, now: datetime) -> None:
    """What a run that broke off has not sent is not charged: its clients are free to be charged again."""
    with practice_transaction(practice.id):
        live = JobRun.objects.filter(subject_id=OuterRef("pk"), state__in=["queued", "running", "done"])
        for run in ChargeRun.objects.filter(~Exists(live), finished_at=None):
            for charge in Charge.objects.filter(run=run).order_by("client_id").select_related("card"):
                close_unsent(processor_actor(practice, now), charge, "The run stopped before it was sent.")
            ChargeRun.objects.filter(pk=run.pk).update(finished_at=now)


@app.periodic(cron="* * * * *")
@app.task(name="daysheet.resolve_cards", queue="default", pass_context=False)
def resolve_cards_task(timestamp: int) -> None:
    """The queue's entry point."""
    resolve_everywhere(utc_now())


def resolve_everywhere(now: datetime) -> int:
    """Ask for what is not known; returns how many charges are decided now. One practice cannot stop the others."""
    return sum(in_every_practice(lambda practice: _resolve(practice, now), doing="asking for card charges").values())


def _resolve(practice: PracticeFacts, now: datetime) -> int:
    close_stopped_runs(practice, now)
    decided = resolve_charges(practice, now, sent_before=now - ASK_AFTER)
    with practice_transaction(practice.id):
        waiting = open_refunds().filter(requested_at__lt=now - ASK_AFTER)
        refund_ids = list(waiting.values_list("pk", flat=True)[:100])
    for refund_id in refund_ids:
        carry_out_refund(practice, refund_id, now)
    return decided

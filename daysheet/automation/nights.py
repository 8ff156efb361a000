"""Nights are made up for in order, each once, whatever slept or died (B12).

A night is decided in one transaction: its row, what it leaves out, the invoice batch and the list of claims. The batch
and the claims job carry it out, each resumable; whichever ends last closes the night, and the next missed one begins.
"""

from __future__ import annotations

import logging
from datetime import date, datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max

from daysheet.audit.actions import record
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.batches import BatchRequest, continue_batch, start_batch
from daysheet.invoicing.models import Batch, Invoice
from daysheet.invoicing.queries.batch_search import plan_batch
from daysheet.jobs.actions import continue_job, start_job
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import last_night
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor, PracticeFacts, system_actor
from daysheet.practices.permissions import Permission
from daysheet.staff.licenses.actions import renew_if_due

from .choosing import ChosenDates, choose_claims, choose_dates, standing_rules
from .models import AutomationPlan, LeftOut, Night, NightClaim
from .rules import looked_at, next_night
from .summaries import send_summary

JOB_KIND = "automation_night"
#: After so many failed jobs for one piece of a night, the night is closed without it.
MOST_FAILURES = 3
NAME = "Automation"
_log = logging.getLogger("daysheet.automation")


def tend(practice: PracticeFacts, now: datetime) -> list[date]:
    """What the clock does: help an open night on whose job failed or whose end went unnoticed, then make up for what
    was missed. Returns the nights begun."""
    with practice_transaction(practice.id):
        open_id = Night.objects.filter(finished_at=None).values_list("pk", flat=True).first()
    if open_id:
        close_night(practice, open_id, now, helps=True)
    return catch_up(practice, now)


def catch_up(practice: PracticeFacts, now: datetime) -> list[date]:
    """Begin the nights that are due, in order, until one is left to its jobs, which come back here when it is over."""
    begun: list[date] = []
    while True:
        with practice_transaction(practice.id):
            night = begin_night(system_actor(practice, now, name=NAME))
        if night is None:
            return begun
        begun.append(night.night_on)
        if not close_night(practice, night.pk, now):
            return begun


def batch_finished(practice: PracticeFacts, batch_id: UUID, now: datetime) -> None:
    """A batch is over: if it is a night's, the night may be."""
    with practice_transaction(practice.id):
        night_id = Night.objects.filter(batch_id=batch_id).values_list("pk", flat=True).first()
    if night_id:
        go_on(practice, night_id, now)


def go_on(practice: PracticeFacts, night_id: UUID, now: datetime) -> None:
    """A piece of a night is done: close it if that was the last, and begin the next one."""
    if close_night(practice, night_id, now):
        catch_up(practice, now)


@action(Permission.BILLING, audited=False)
def begin_night(actor: Actor) -> Night | None:
    """Decide the next night that is due; None where none is, where one is still open, or where another worker has it.

    Licences come first: bills of January need those of January (L2). Invoices are issued today, whichever night is
    made up for, and claims wait for a day that was really there for review.
    """
    plan = AutomationPlan.objects.order_by("-version").first()
    if plan is None or not plan.is_on or Night.objects.filter(finished_at=None).exists():
        return None
    last_on = Night.objects.aggregate(last=Max("night_on"))["last"]
    night_on = next_night(last_on, plan.first_night_on)
    if night_on > last_night(actor.now, actor.practice.time_zone):
        return None
    from_on, to_on = looked_at(night_on, starts_on=plan.starts_on, look_back_days=plan.look_back_days)
    renew_if_due(actor.practice, actor.now)
    rules = standing_rules()
    chosen = ChosenDates()
    if plan.creates_invoices:
        chosen = choose_dates(actor, from_on=from_on, to_on=to_on, rules=rules, at=actor.now)
    night = _write(actor, plan, night_on, from_on, to_on, chosen)
    if night is None:
        return None
    left_out = chosen.left_out
    invoice_count = 0
    if plan.queues_claims:
        claims = choose_claims(actor, since=from_on, before=actor.today, rules=rules)
        NightClaim.objects.bulk_create(NightClaim(night=night, invoice_id=each) for each in claims.invoice_ids)
        invoice_count, left_out = len(claims.invoice_ids), left_out + claims.left_out
        if invoice_count:
            start_job(actor, kind=JOB_KIND, subject_id=night.pk, unit="invoices", total_count=invoice_count)
    LeftOut.objects.bulk_create(
        LeftOut(
            night=night, kind=each.kind, rule_id=each.rule.id if each.rule else None, client_id=each.client_id,
            visit_id=each.visit_id, invoice_id=each.invoice_id, service_on=each.service_on,
        )
        for each in left_out
    )  # fmt: skip
    record(
        actor, "begin_night", "automation_night", night.pk, night_on=night_on.isoformat(), dates=len(chosen.dates),
        left_out=len(left_out), invoices=invoice_count,
    )  # fmt: skip
    return night


@action(Permission.BILLING, audited=False)
def finish_night(actor: Actor, *, night_id: UUID, helps: bool = False) -> bool:
    """Close a night whose batch and claims are done; False where something is left, or where it is closed already.

    `helps`: a job that failed is started again, and after MOST_FAILURES the night is closed without it.
    """
    night = Night.objects.select_related("plan").select_for_update(no_key=True, of=("self",)).get(pk=night_id)
    if night.finished_at is not None:
        return False
    has_stopped = False
    for subject_id in _unfinished(night):
        if not helps or _help_on(actor, night, subject_id):
            return False
        has_stopped = True
    night.finished_at, night.has_stopped = actor.now, has_stopped
    Night.objects.filter(pk=night_id).update(finished_at=actor.now, has_stopped=has_stopped)
    summaries = send_summary(actor, night)
    record(actor, "finish_night", "automation_night", night_id, stopped=has_stopped, summaries=summaries)
    return True


def close_night(practice: PracticeFacts, night_id: UUID, now: datetime, *, helps: bool = False) -> bool:
    """`finish_night` in a transaction of its own."""
    with practice_transaction(practice.id):
        return finish_night(system_actor(practice, now, name=NAME), night_id=night_id, helps=helps)


def _write(
    actor: Actor, plan: AutomationPlan, night_on: date, from_on: date, to_on: date, chosen: ChosenDates
) -> Night | None:
    """The night's row with its batch; None where another worker wrote the night at the same moment."""
    try:
        with transaction.atomic():
            batch_id = _start_batch(actor, plan, from_on, to_on, chosen) if chosen.dates else None
            return Night.objects.create(
                night_on=night_on, plan=plan, started_at=actor.now, from_on=from_on, to_on=to_on, batch_id=batch_id
            )
    except IntegrityError as error:
        if "automation_night_once" not in str(error):
            raise
        return None


def _start_batch(actor: Actor, plan: AutomationPlan, from_on: date, to_on: date, chosen: ChosenDates) -> UUID:
    batch = plan_batch(actor, [each.visit_id for each in chosen.dates], {}, grouping=plan.grouping)
    return start_batch(
        actor, batch_id=new_id(), from_on=from_on, to_on=to_on, grouping=plan.grouping,
        items=[BatchRequest(client_id, ids) for client_id, ids in batch.services.items()],
        expected_count=batch.forecast.invoice_count, expected_cents=batch.forecast.total_cents,
        door=Invoice.Door.AUTOMATION,
    )  # fmt: skip


def _unfinished(night: Night) -> list[UUID]:
    """What the night still waits for, as subjects of jobs: its batch, and itself for its claims."""
    pieces = []
    if night.batch_id and Batch.objects.filter(pk=night.batch_id, finished_at=None).exists():
        pieces.append(night.batch_id)
    if NightClaim.objects.filter(night=night, done_at=None).exists():
        pieces.append(night.pk)
    return pieces


def _help_on(actor: Actor, night: Night, subject_id: UUID) -> bool:
    """Start a failed job again. False: it failed too often."""
    if JobRun.objects.filter(subject_id=subject_id, state=JobRun.State.FAILED).count() >= MOST_FAILURES:
        _log.error("night %s of practice %s: gave up on %s", night.night_on, actor.practice.id, subject_id)
        return False
    if subject_id == night.batch_id:
        continue_batch(actor, batch_id=subject_id)
    else:
        continue_job(actor, subject_id=subject_id)
    return True

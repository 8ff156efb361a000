"""Batches: start one, carry it out in chunks of clients, continue one that stopped, retry what was refused (B4,
B5).

The truth is in BatchItem rows: an item is done in the very transaction that wrote its invoices, so that a killed worker
loses at most one chunk's work and a rerun bills every visit once.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from psycopg.types.json import Jsonb

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.database.copying import copy_rows
from daysheet.database.scope import practice_transaction
from daysheet.database.statistics import count_again_after
from daysheet.database.trouble import Trouble, trouble_of
from daysheet.jobs.actions import advance_job, continue_job, start_job
from daysheet.jobs.pace import Pace
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor, system_actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService
from daysheet.staff.actors import Entrance, person_actor
from daysheet.staff.models import StaffMember

from .actions import issue_invoices
from .models import Batch, BatchItem, BatchProblem, Invoice, InvoiceLine
from .queries.access import visible_batch
from .registry import tell_batch_finished
from .selection import Issued, LineEdit, Selection

JOB_KIND = "invoice_batch"
#: Billed in one transaction: as many clients, but of many services only so many that nobody waits long for the counter
#: of numbers, and of fewer while people are at work. Measured in docs/performance.md.
CLIENTS_PER_CHUNK, SERVICES_PER_CHUNK, SERVICES_BESIDE_PEOPLE = 250, 2_000, 200
_TRIES = 3
_log = logging.getLogger("daysheet.invoicing")


class BatchEmpty(Refusal):
    """Nothing was ticked, or nothing refused is left to retry."""

    code = "batch_empty"


class BatchStillRunning(Refusal):
    """The batch has not finished, so it cannot be retried or undone yet."""

    code = "batch_still_running"


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """The ticked visit services of one client, with the edits made in the preview."""

    client_id: UUID
    visit_service_ids: tuple[UUID, ...]
    edits: Mapping[UUID, LineEdit] = field(default_factory=dict)


@action(Permission.BILLING, audited=False)
def start_batch(
    actor: Actor,
    *,
    batch_id: UUID,
    from_on: date,
    to_on: date,
    items: Sequence[BatchRequest],
    grouping: str = Batch.Grouping.CLIENT,
    expected_count: int,
    expected_cents: int,
    door: Invoice.Door = Invoice.Door.BATCH,
    retry_of_id: UUID | None = None,
) -> UUID:
    """Queue a batch. The same `batch_id` again (a second click) is the same batch. Raises BatchEmpty, NotFound."""
    if Batch.objects.filter(pk=batch_id).exists():
        return batch_id
    ticked = [item for item in items if item.visit_service_ids]
    if not ticked:
        raise BatchEmpty("Nothing is ticked. Tick at least one date of service.")
    client_ids = {item.client_id for item in ticked}
    if visible_clients(actor).filter(pk__in=client_ids).count() != len(client_ids):
        raise NotFound("There is no such client, or you are not assigned to the client.")
    try:
        with transaction.atomic():
            Batch.objects.create(
                pk=batch_id, created_at=actor.now, created_by_name=actor.person_name[:120],
                created_by_staff_member_id=actor.staff_member_id, from_on=from_on, to_on=to_on, grouping=grouping,
                expected_count=expected_count, expected_cents=expected_cents, door=door, retry_of_id=retry_of_id,
            )  # fmt: skip
    except IntegrityError:  # the same form at the same moment: its batch is there now, and is this one
        if Batch.objects.filter(pk=batch_id).exists():
            return batch_id
        raise
    copy_rows(
        BatchItem, ("id", "batch_id", "client_id", "visit_service_ids", "edits", "created_count"),
        ((new_id(), batch_id, i.client_id, list(i.visit_service_ids), Jsonb(_stored(i.edits)), 0) for i in ticked),
    )  # fmt: skip
    start_job(actor, kind=JOB_KIND, subject_id=batch_id, unit="clients", total_count=len(ticked))
    record(actor, "start_batch", "batch", batch_id, clients=len(ticked), expected_cents=expected_cents)
    return batch_id


@action(Permission.BILLING, audited=False)
def retry_refused(actor: Actor, *, batch_id: UUID, new_batch_id: UUID) -> UUID:
    """A new batch of what this one refused and is still unbilled, of clients the actor may still see (B5, P1). Raises
    NotFound, BatchStillRunning, BatchEmpty."""
    if Batch.objects.filter(pk=new_batch_id).exists():
        return new_batch_id
    batch = finished_batch(actor, batch_id)
    refused = BatchProblem.objects.filter(
        batch=batch, kind=BatchProblem.Kind.REFUSED, client__in=visible_clients(actor)
    )
    wanted: dict[UUID, list[UUID]] = defaultdict(list)
    for client_id, ids in refused.values_list("client_id", "visit_service_ids"):
        wanted[client_id] += ids
    every = [service_id for ids in wanted.values() for service_id in ids]
    unbilled = set(VisitService.objects.filter(pk__in=every, line_id=None).values_list("pk", flat=True))
    edits = dict(BatchItem.objects.filter(batch=batch, client_id__in=wanted).values_list("client_id", "edits"))
    items = [
        BatchRequest(client_id, tuple(i for i in dict.fromkeys(ids) if i in unbilled), _restored(edits[client_id]))
        for client_id, ids in wanted.items()
    ]
    return start_batch(
        actor, batch_id=new_batch_id, from_on=batch.from_on, to_on=batch.to_on, items=items, grouping=batch.grouping,
        expected_count=0, expected_cents=0, retry_of_id=batch.pk,
    )  # fmt: skip


@action(Permission.BILLING, audited=False)
def continue_batch(actor: Actor, *, batch_id: UUID) -> bool:
    """Let a batch whose job failed go on where it stopped: what is done stays done, and nothing is billed twice (B5).
    False where it has finished, waits or runs, so that a second click changes nothing. Raises NotFound."""
    visible_batch(actor, batch_id)
    batch = Batch.objects.select_for_update(no_key=True).get(pk=batch_id)
    if batch.finished_at is not None or not continue_job(actor, subject_id=batch_id):
        return False
    record(actor, "continue_batch", "batch", batch_id)
    return True


def run_batch(job: RunningJob) -> None:
    """Carry a batch out, chunk by chunk, until no item is left. Safe to call again after a kill."""
    pace = Pace(small=SERVICES_BESIDE_PEOPLE, large=SERVICES_PER_CHUNK)
    while _run_chunk(job, pace):
        pass
    with practice_transaction(job.practice.id):
        Batch.objects.filter(pk=job.subject_id, finished_at=None).update(finished_at=job.clock())
        line_count = InvoiceLine.objects.filter(invoice__batch_id=job.subject_id).count()
    with practice_transaction(job.practice.id):
        count_again_after(line_count, InvoiceLine, "invoicing", "ledger", "schedule")
    tell_batch_finished(job.practice, job.subject_id, job.clock())


def _run_chunk(job: RunningJob, pace: Pace) -> bool:
    """One transaction for many clients; where it fails, each client by itself, so that one cannot stop the others.
    False: nothing is left."""
    for attempt in range(_TRIES):
        try:
            with pace.piece() as services:
                return _bill_chunk(job, services)
        except OperationalError as error:
            _stop_in_an_outage(error)
            _log.warning("batch %s: a chunk met a lock, try %s", job.subject_id, attempt + 1)
            time.sleep(0.2 * (attempt + 1))
        except (Refusal, DatabaseError, ArithmeticError, LookupError, ValueError):
            _log.exception("batch %s: a chunk failed, going on client by client", job.subject_id)
            break
    return _bill_one_client(job)


def _bill_one_client(job: RunningJob) -> bool:
    try:
        return _bill_chunk(job, 1)
    except (Refusal, DatabaseError, ArithmeticError, LookupError, ValueError) as error:
        _stop_in_an_outage(error)
        _log.exception("batch %s: a client failed", job.subject_id)
        code, words = _reason(error)
    with practice_transaction(job.practice.id):
        item = _next_items(job.subject_id, 1)[0]
        _write_problem(item, BatchProblem.Kind.REFUSED, tuple(item.visit_service_ids), None, code, words)
        _finish_items(job, [item], Counter())
    return True


def _stop_in_an_outage(error: Exception) -> None:
    """A full disk or a lost database says nothing about a client: the job stops, and the sweep lets it go on (B5)."""
    trouble = trouble_of(error)
    if trouble and trouble.is_outage:
        raise error


def _reason(error: Exception) -> tuple[str, str]:
    """Code and words of a client that could not be billed."""
    if isinstance(error, Refusal):
        return error.code, str(error)
    if trouble_of(error) is Trouble.BUSY:
        return "busy", "Somebody else was working on this client all the while. Nothing was billed. Retry it."
    return "unexpected", "Something unexpected stopped it. Nothing was billed."


def _bill_chunk(job: RunningJob, services: int) -> bool:
    """Bill the next clients with at most so many services in all, or one client. False: nothing is left."""
    with practice_transaction(job.practice.id):
        items = _next_items(job.subject_id, services)
        if not items:
            return False
        batch = Batch.objects.get(pk=job.subject_id)
        selection = Selection(
            tuple(service_id for item in items for service_id in item.visit_service_ids),
            {key: edit for item in items for key, edit in _restored(item.edits).items()},
            client_ids=frozenset(item.client_id for item in items),
        )
        issued = issue_invoices(
            _actor_of(job, batch), selection=selection, door=Invoice.Door(batch.door), grouping=batch.grouping,
            batch_id=batch.pk,
        )  # fmt: skip
        _write_problems({item.client_id: item for item in items}, issued)
        _finish_items(job, items, Counter(invoice.client_id for invoice in issued.created))
    return True


def _next_items(batch_id: UUID, services: int) -> list[BatchItem]:
    """Clients who have at most `services` together, and no more than CLIENTS_PER_CHUNK; one in any case."""
    waiting = BatchItem.objects.filter(batch_id=batch_id, done_at=None).order_by("pk").select_for_update()
    items: list[BatchItem] = []
    for item in waiting[: min(services, CLIENTS_PER_CHUNK)]:
        services -= len(item.visit_service_ids)
        if items and services < 0:
            break
        items.append(item)
    return items


def _finish_items(job: RunningJob, items: Sequence[BatchItem], created: Counter[UUID]) -> None:
    now = job.clock()
    by_count: dict[int, list[UUID]] = defaultdict(list)
    for item in items:
        by_count[created[item.client_id]].append(item.pk)
    for count, ids in by_count.items():
        BatchItem.objects.filter(pk__in=ids).update(done_at=now, created_count=count)
    advance_job(job.run_id, by=len(items), now=now)


def _actor_of(job: RunningJob, batch: Batch) -> Actor:
    """The person who confirmed, with the permissions of this moment (B5: everything is checked again)."""
    if batch.created_by_staff_member_id is None:
        return system_actor(job.practice, job.clock(), name=batch.created_by_name)
    user_id = StaffMember.objects.values_list("user_id", flat=True).get(pk=batch.created_by_staff_member_id)
    entrance = Entrance(job.practice, batch.created_by_staff_member_id)
    actor = person_actor(entrance, user_id, now=job.clock()) if user_id else None
    if actor is None:
        raise NotFound(f"{batch.created_by_name} no longer works here, so the batch was stopped.")
    return actor


def _write_problems(items: Mapping[UUID, BatchItem], issued: Issued) -> None:
    for skipped in issued.skipped:
        _write_problem(
            items[skipped.client_id], BatchProblem.Kind.SKIPPED, skipped.visit_service_ids, skipped.service_on,
            "already_billed", f"Already on invoice {skipped.invoice_number}.", number=skipped.invoice_number,
        )  # fmt: skip
    for refused in issued.refused:
        _write_problem(
            items[refused.client_id], BatchProblem.Kind.REFUSED, refused.visit_service_ids, refused.service_on,
            refused.code, refused.message, staff_member_id=refused.staff_member_id,
        )  # fmt: skip


def _write_problem(
    item: BatchItem,
    kind: BatchProblem.Kind,
    visit_service_ids: Sequence[UUID],
    service_on: date | None,
    code: str,
    message: str,
    *,
    number: int | None = None,
    staff_member_id: UUID | None = None,
) -> None:
    BatchProblem.objects.create(
        batch_id=item.batch_id, client_id=item.client_id, visit_service_ids=list(visit_service_ids), kind=kind,
        service_on=service_on, code=code, message=message[:400], other_invoice_number=number,
        staff_member_id=staff_member_id,
    )  # fmt: skip


def finished_batch(actor: Actor, batch_id: UUID) -> Batch:
    """Raises NotFound, BatchStillRunning."""
    batch = visible_batch(actor, batch_id)
    if batch.finished_at is None:
        raise BatchStillRunning("The batch is still running. Wait until it has finished.")
    return batch


def _stored(edits: Mapping[UUID, LineEdit]) -> dict[str, dict[str, Any]]:
    """Edits as JSON, without what was left alone."""
    stored: dict[str, dict[str, Any]] = {}
    for service_id, edit in edits.items():
        given = {name: getattr(edit, name) for name in LineEdit.__dataclass_fields__}
        kept = {name: value for name, value in given.items() if value is not None and value is not False}
        if "rendering_staff_member_id" in kept:
            kept["rendering_staff_member_id"] = str(kept["rendering_staff_member_id"])
        if kept:
            stored[str(service_id)] = kept
    return stored


def _restored(edits: Mapping[str, dict[str, Any]]) -> dict[UUID, LineEdit]:
    restored: dict[UUID, LineEdit] = {}
    for service_id, kept in edits.items():
        values = dict(kept)
        if "rendering_staff_member_id" in values:
            values["rendering_staff_member_id"] = UUID(values["rendering_staff_member_id"])
        if "modifiers" in values:
            values["modifiers"] = tuple(values["modifiers"])
        restored[UUID(service_id)] = LineEdit(**values)
    return restored

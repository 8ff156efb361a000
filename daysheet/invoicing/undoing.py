"""Undo a batch: void what it created and nothing has touched since (B6), of clients the actor may see (P1)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import Refusal
from daysheet.ledger.requests import claim_request
from daysheet.practices.action import action, query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .batches import finished_batch
from .models import Batch, Invoice, InvoiceVoid
from .queries.effects import Effect, batch_figures
from .voiding import left_by_undo, void_invoices

_TOUCHED = "It has payments, adjustments or a claim on it, or a statement told of it."


class BatchUndone(Refusal):
    """The batch has been undone before."""

    code = "batch_undone"


@dataclass(frozen=True, slots=True)
class Undone:
    """Numbers of the invoices voided, and of those that remain with the reason. None at all: the same request had been
    carried out before."""

    voided: tuple[int, ...] = ()
    remaining: tuple[tuple[int, str], ...] = ()


@action(Permission.BILLING, audited=False)
def undo_batch(actor: Actor, *, batch_id: UUID, reason: str, request_key: UUID | None = None) -> Undone:
    """Void what the batch created, where nothing has touched it since (B6) and the actor may still see the client (P1).
    `request_key` is the form's id: the same form sent twice is one undoing.

    Raises NotFound, RequestKeyReused, BatchStillRunning, ReasonMissing, BatchUndone.
    """
    content = {"batch": batch_id, "reason": reason.strip()}
    is_new = request_key is None or claim_request(actor, request_key, "undo_batch", content)
    batch = finished_batch(actor, batch_id)
    if not is_new:
        return Undone()
    claimed = Batch.objects.filter(pk=batch_id, undone_at=None).update(
        undone_at=actor.now, undone_by_name=actor.person_name[:120]
    )
    if not claimed:
        raise _undone(Batch.objects.get(pk=batch_id))
    outcome = void_invoices(actor, list(_visible(actor, batch_id)), reason=reason, leave_touched=True)
    hidden = Invoice.objects.filter(batch=batch).exclude(client__in=visible_clients(actor))
    standing = hidden.exclude(pk__in=InvoiceVoid.objects.values("invoice_id"))
    remaining = [
        *((invoice.number, _TOUCHED) for invoice in outcome.touched),
        *((number, "You are not assigned to its client.") for number in standing.values_list("number", flat=True)),
    ]
    record(actor, "undo_batch", "batch", batch_id, voided=len(outcome.voided), remaining=len(remaining))
    return Undone(tuple(invoice.number for invoice in outcome.voided), tuple(sorted(remaining)))


@query(Permission.BILLING)
def effect_of_undo(actor: Actor, batch_id: UUID) -> Effect:
    """What undoing would do now, by the rules that undoing goes by. It is not done and taken back as other corrections
    are: for as long as that takes nobody could work on any client of the batch.

    Raises NotFound, BatchStillRunning, BatchUndone.
    """
    batch = finished_batch(actor, batch_id)
    if batch.undone_at is not None:
        raise _undone(batch)
    left = left_by_undo(list(_visible(actor, batch_id)))
    return Effect(tuple(batch_figures(actor, batch_id)), tuple(batch_figures(actor, batch_id, among=left)))


@query(Permission.BILLING)
def clients_of_batch(actor: Actor, batch_id: UUID) -> set[UUID]:
    """Whose invoices undoing may void. Raises NotFound, BatchStillRunning."""
    finished_batch(actor, batch_id)
    return set(_visible(actor, batch_id).values_list("client_id", flat=True))


def _visible(actor: Actor, batch_id: UUID) -> QuerySet[Invoice]:
    return Invoice.objects.filter(batch_id=batch_id, client__in=visible_clients(actor)).order_by("number")


def _undone(batch: Batch) -> BatchUndone:
    return BatchUndone(f"This batch was undone by {batch.undone_by_name}. Nothing was changed.")

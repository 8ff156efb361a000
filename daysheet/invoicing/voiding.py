"""Voiding, one invoice or a whole batch of them, as sets (C3, B6).

A void never rewrites: it inserts InvoiceVoid, reverses the charges, ends the lines, and frees the visit services.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef

from daysheet.audit.actions import Happening, record_many
from daysheet.clients.queries import lock_clients
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import reverse
from daysheet.ledger.models import Account, Entry
from daysheet.practices.actor import Actor

from .models import Invoice, InvoiceLine, InvoiceVoid
from .registry import claim_keeper, claimed_lines, on_statements


class ReasonMissing(Refusal):
    """A void needs a reason (C3)."""

    code = "reason_missing"


@dataclass(frozen=True, slots=True)
class Voided:
    """What became of each invoice: voided, void before, or left because of what is on it."""

    voided: tuple[Invoice, ...]
    already_void: tuple[Invoice, ...]
    touched: tuple[Invoice, ...]


def void_invoices(actor: Actor, invoices: Sequence[Invoice], *, reason: str, leave_touched: bool = False) -> Voided:
    """Void invoices in the caller's transaction (C3): their charges are reversed, client money on them becomes credit
    again, write-offs and moved responsibility are reversed, claims go. Those with insurance money are left.

    `leave_touched`: leave what a claim, a statement or an entry beside the charge touched (undo, B6).
    Raises ReasonMissing.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonMissing("Say why the invoice is voided: the reason stays with it.")
    lock_clients({invoice.client_id for invoice in invoices})
    found = _look_at(invoices, leave_touched=leave_touched, locks=True)
    void_before, touched, lines = found.void_before, found.touched, found.lines
    free = [invoice for invoice in invoices if invoice.pk not in void_before | touched]
    if free:
        freed = [line_id for invoice in free for line_id in lines[invoice.pk]]
        _void(actor, free, freed, [entry.id for line_id in freed for entry in found.standing[line_id]], reason)
    return Voided(
        tuple(free),
        tuple(invoice for invoice in invoices if invoice.pk in void_before),
        tuple(invoice for invoice in invoices if invoice.pk in touched),
    )


def left_by_undo(invoices: Sequence[Invoice]) -> set[UUID]:
    """Those of the invoices that stand and that undoing would leave, as things are now (B6). Locks nothing."""
    return _look_at(invoices, leave_touched=True, locks=False).touched


class _Posted(NamedTuple):
    """An entry that still counts. Of thousands of lines no more is read than this."""

    id: UUID
    debit: str
    credit: str


@dataclass(frozen=True, slots=True)
class _Found:
    """What was void before, the live lines of each of the others, what stands on each line, and which invoices are left
    because of it."""

    void_before: set[UUID]
    lines: dict[UUID, list[UUID]]
    standing: dict[UUID, list[_Posted]]
    touched: set[UUID]


def _look_at(invoices: Sequence[Invoice], *, leave_touched: bool, locks: bool) -> _Found:
    ids = [invoice.pk for invoice in invoices]
    void_before = set(InvoiceVoid.objects.filter(invoice_id__in=ids).values_list("invoice_id", flat=True))
    lines: dict[UUID, list[UUID]] = defaultdict(list)
    live = InvoiceLine.objects.filter(invoice_id__in=ids, ended_at=None).order_by("pk")
    live = live.select_for_update(no_key=True) if locks else live
    for invoice_id, line_id in live.values_list("invoice_id", "pk"):
        lines[invoice_id].append(line_id)
    standing = _standing([line_id for its_lines in lines.values() for line_id in its_lines])
    holds = _moved if leave_touched else _insurance_paid
    touched = {
        invoice_id
        for invoice_id, its_lines in lines.items()
        if any(holds(entry) for line_id in its_lines for entry in standing[line_id])
    }
    if leave_touched:
        touched |= _claimed(lines) | on_statements(lines)
    return _Found(void_before, lines, standing, touched - void_before)


def _standing(line_ids: Collection[UUID]) -> dict[UUID, list[_Posted]]:
    """The entries of lines that still count: no reversal, and not reversed."""
    reversals = Entry.objects.filter(reverses_id=OuterRef("pk"))
    entries = Entry.objects.filter(~Exists(reversals), line_id__in=line_ids, reverses_id=None)
    found: dict[UUID, list[_Posted]] = defaultdict(list)
    for line_id, entry_id, debit, credit in entries.values_list("line_id", "pk", "debit_account", "credit_account"):
        assert line_id is not None
        found[line_id].append(_Posted(entry_id, debit, credit))
    return found


def _moved(entry: _Posted) -> bool:
    """Anything but the charge itself."""
    return entry.credit != Account.REVENUE


def _insurance_paid(entry: _Posted) -> bool:
    """An insurer's money or contractual adjustment: those are taken off where they were posted (C3)."""
    return entry.debit == Account.CONTRACTUAL or (
        entry.debit == Account.CREDIT and entry.credit == Account.INSURANCE_RECEIVABLE
    )


def _claimed(lines: Mapping[UUID, Collection[UUID]]) -> set[UUID]:
    """The invoices with a line in a claim."""
    claimed = claimed_lines([line_id for its_lines in lines.values() for line_id in its_lines])
    return {invoice_id for invoice_id, its_lines in lines.items() if not claimed.isdisjoint(its_lines)}


def _void(
    actor: Actor,
    invoices: Sequence[Invoice],
    line_ids: Collection[UUID],
    entry_ids: Collection[UUID],
    reason: str,
) -> None:
    InvoiceVoid.objects.bulk_create(
        [
            InvoiceVoid(
                invoice=invoice, voided_at=actor.now, voided_by_name=actor.person_name[:120], reason=reason[:400]
            )
            for invoice in invoices
        ],
        batch_size=5000,
    )
    end_lines(actor, line_ids, entry_ids, reason=f"Voided: {reason}")
    if keeper := claim_keeper():
        keeper.withdraw(actor, line_ids, f"Voided: {reason}")
    record_many(
        actor,
        (
            Happening(
                "void_invoice", "invoice", invoice.pk, invoice.client_id, {"number": invoice.number, "reason": reason}
            )
            for invoice in invoices
        ),
    )


def end_lines(actor: Actor, line_ids: Collection[UUID], entry_ids: Collection[UUID], *, reason: str) -> None:
    """Reverse what stands on lines, end them, and make their visit services unbilled again."""
    reverse(actor, entry_ids, event_id=new_id(), reason=reason[:400])
    InvoiceLine.objects.filter(pk__in=line_ids).update(ended_at=actor.now)
    _unclaim(actor.practice.id, line_ids)


def _unclaim(practice_id: int, line_ids: Collection[UUID]) -> None:
    """Make the visit services of ended lines unbilled again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE schedule_visitservice s SET line_id = NULL FROM invoicing_invoiceline l "
            "WHERE l.practice_id = %s AND l.id = ANY(%s) "
            "AND s.practice_id = l.practice_id AND s.id = l.visit_service_id AND s.line_id = l.id",
            [practice_id, list(line_ids)],
        )

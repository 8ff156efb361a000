"""The verbs of claims: put an invoice's insured lines into Claims Awaiting Submission, and take a claim back (B3, C3).

Every verb locks the client first, like all doors: an invoice cannot be voided while its claims are being made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.invoicing.actions import InvoiceAlreadyVoid
from daysheet.invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.payments.receiving import lock_visible_clients
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Claim, ClaimLine
from .queries import claimed_lines


class NothingToClaim(Refusal):
    """No insurer owes anything on the invoice (I2: claims come only from invoices with an insured part)."""

    code = "nothing_to_claim"


@action(Permission.BILLING, audited=False)
def queue_claims(actor: Actor, *, invoice_id: UUID) -> int:
    """Put what insurers owe on an invoice into Claims Awaiting Submission; returns how many claims that made.

    Lines that wait already stay where they are, so the same request twice makes nothing new.
    Raises NotFound, InvoiceAlreadyVoid, NothingToClaim.
    """
    invoice = Invoice.objects.filter(pk=invoice_id, client__in=visible_clients(actor)).first()
    if invoice is None:
        raise NotFound("There is no such invoice in this practice.")
    lock_visible_clients(actor, [invoice.client_id])
    if InvoiceVoid.objects.filter(invoice=invoice).exists():
        raise InvoiceAlreadyVoid(f"Invoice {invoice.number} is void: there is nothing to claim. Bill the dates again.")
    insured = list(
        InvoiceLine.objects.filter(Q(insurance_cents__gt=0) | Q(insurance_open_cents__gt=0))
        .filter(invoice=invoice, ended_at=None, coverage__isnull=False)
        .select_related("coverage")
        .order_by("position")
    )
    if not insured:
        raise NothingToClaim(f"No insurer owes anything on invoice {invoice.number}, so it needs no claim.")
    waiting = claimed_lines([line.pk for line in insured])
    groups: dict[tuple[object, ...], list[InvoiceLine]] = defaultdict(list)
    for line in insured:
        if line.pk not in waiting:
            assert line.coverage is not None
            key = (line.coverage.payer_id, line.billing_npi, line.billing_name, line.rendering_staff_member_id)
            groups[key].append(line)
    for lines in groups.values():
        _make(actor, invoice, lines)
    return len(groups)


def _make(actor: Actor, invoice: Invoice, lines: list[InvoiceLine]) -> None:
    first = lines[0]
    assert first.coverage is not None
    claim = Claim.objects.create(
        id=new_id(), client_id=invoice.client_id, invoice=invoice, payer_id=first.coverage.payer_id,
        billing_name=first.billing_name, billing_npi=first.billing_npi,
        rendering_staff_member_id=first.rendering_staff_member_id, rendering_name=first.rendering_name,
        queued_at=actor.now, queued_by_name=actor.person_name[:120],
    )  # fmt: skip
    ClaimLine.objects.bulk_create([ClaimLine(claim=claim, line=line) for line in lines])
    record(
        actor, "queue_claim", "claim", claim.pk, client_id=invoice.client_id, number=invoice.number, lines=len(lines),
        amount_cents=sum(line.amount_cents for line in lines),
    )  # fmt: skip


@action(Permission.BILLING, audited=False)
def withdraw_claim(actor: Actor, *, claim_id: UUID) -> bool:
    """Take a claim out of Claims Awaiting Submission by hand. False: it was out before. Raises NotFound."""
    claim = Claim.objects.filter(pk=claim_id, client__in=visible_clients(actor)).first()
    if claim is None:
        raise NotFound("There is no such claim in this practice.")
    lock_visible_clients(actor, [claim.client_id])
    ClaimLine.objects.filter(claim=claim, left_at=None).update(left_at=actor.now)
    return _withdraw_empty(actor, [claim.pk], "Taken back by hand") > 0


def withdraw_lines(actor: Actor, line_ids: Collection[UUID], reason: str) -> None:
    """Lines are voided: the claims that hold them go (C3). In the caller's transaction, its clients locked."""
    leaving = ClaimLine.objects.filter(line_id__in=line_ids, left_at=None)
    claim_ids = set(leaving.values_list("claim_id", flat=True))
    if claim_ids:
        leaving.update(left_at=actor.now)
        _withdraw_empty(actor, claim_ids, reason)


def replace_line(actor: Actor, old_line_id: UUID, new_line_id: UUID) -> None:
    """A line was changed (C1): the new one takes its place in the claim, unless no insurer owes any of it now."""
    place = ClaimLine.objects.filter(line_id=old_line_id, left_at=None).first()
    if place is None:
        return
    ClaimLine.objects.filter(pk=place.pk).update(left_at=actor.now)
    if InvoiceLine.objects.filter(pk=new_line_id, insurance_cents__gt=0).exists():
        ClaimLine.objects.create(claim_id=place.claim_id, line_id=new_line_id)
    _withdraw_empty(actor, [place.claim_id], "No insurer owes any of it since its line was changed")


def _withdraw_empty(actor: Actor, claim_ids: Collection[UUID], reason: str) -> int:
    """Withdraw those of the claims that stand without a line; returns how many."""
    held = ClaimLine.objects.filter(claim_id__in=claim_ids, left_at=None).values_list("claim_id", flat=True)
    empty = list(Claim.objects.filter(pk__in=set(claim_ids) - set(held), withdrawn_at=None))
    Claim.objects.filter(pk__in=[claim.pk for claim in empty]).update(
        withdrawn_at=actor.now, withdrawn_by_name=actor.person_name[:120], withdrawn_reason=reason[:400]
    )
    for claim in empty:
        record(actor, "withdraw_claim", "claim", claim.pk, client_id=claim.client_id, reason=reason[:400])
    return len(empty)

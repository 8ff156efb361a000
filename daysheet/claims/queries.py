"""Reads of claims."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, QuerySet, Sum

from daysheet.clients.queries import visible_clients
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Claim, ClaimLine

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class WaitingClaim:
    """A claim that waits. Amounts in cents: what is claimed (the full charge), and what the insurer owes of it now."""

    id: UUID
    client_id: UUID
    client_name: str
    payer_name: str
    rendering_name: str
    invoice_number: int
    first_on: date
    last_on: date
    line_count: int
    amount_cents: int
    insurance_open_cents: int
    queued_at: datetime
    queued_by_name: str


@dataclass(frozen=True, slots=True)
class WaitingClaims:
    """A page of them, oldest first, and the sums over all pages."""

    rows: tuple[WaitingClaim, ...]
    total_count: int
    total_cents: int
    has_next: bool


@query(Permission.BILLING)
def waiting_claims(actor: Actor, page: int = 1) -> WaitingClaims:
    """Claims Awaiting Submission of the clients that the actor may see, `page` from 1."""
    waiting = _waiting(actor)
    totals = ClaimLine.objects.filter(claim__in=waiting, left_at=None).aggregate(
        claims=Count("claim_id", distinct=True), cents=Sum("line__amount_cents")
    )
    start = (max(page, 1) - 1) * PAGE_SIZE
    ordered = waiting.select_related("client", "payer", "invoice").order_by("queued_at", "pk")
    found = list(ordered[start : start + PAGE_SIZE + 1])
    sums = {
        row["claim_id"]: row
        for row in ClaimLine.objects.filter(claim__in=[claim.pk for claim in found], left_at=None)
        .values("claim_id")
        .annotate(
            lines=Count("pk"), amount=Sum("line__amount_cents"), due=Sum("line__insurance_open_cents"),
            first=Min("line__service_on"), last=Max("line__service_on"),
        )
    }  # fmt: skip
    rows = tuple(_row(claim, sums[claim.pk]) for claim in found[:PAGE_SIZE])
    return WaitingClaims(rows, totals["claims"], totals["cents"] or 0, len(found) > PAGE_SIZE)


def claimed_lines(line_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the lines that are in a claim that stands."""
    live = ClaimLine.objects.filter(line_id__in=line_ids, left_at=None)
    return frozenset(live.values_list("line_id", flat=True))


def _waiting(actor: Actor) -> QuerySet[Claim]:
    return Claim.objects.filter(withdrawn_at=None, client__in=visible_clients(actor))


def _row(claim: Claim, sums: Mapping[str, Any]) -> WaitingClaim:
    return WaitingClaim(
        claim.pk, claim.client_id, claim.client.sort_name, claim.payer.name, claim.rendering_name,
        claim.invoice.number, sums["first"], sums["last"], sums["lines"], sums["amount"], sums["due"],
        claim.queued_at, claim.queued_by_name,
    )  # fmt: skip

"""The figures that a correction changes, read before and after it: its effect in numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db.models import BigIntegerField, Count, Sum
from django.db.models.functions import Coalesce

from daysheet.clients.queries import get_client, visible_clients
from daysheet.ledger.queries import client_balances
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure in cents, or a number of things (`is_count`). `is_detail`: shown only where it changes. `is_shared`:
    others' money is in it."""

    label: str
    value: int
    is_detail: bool = False
    is_shared: bool = False
    is_count: bool = False


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A figure that is shown, before and after."""

    label: str
    before: int
    after: int
    is_count: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What a correction does: the same figures before and after it."""

    before: tuple[Figure, ...]
    after: tuple[Figure, ...]

    @property
    def rows(self) -> list[EffectRow]:
        """Those that are shown."""
        return [
            EffectRow(old.label, old.value, new.value, old.is_count)
            for old, new in zip(self.before, self.after, strict=True)
            if not old.is_detail or old.value != new.value
        ]

    @property
    def mark(self) -> str:
        """The same for the same effect: what somebody agreed to. Of a shared figure its change counts: what others do
        meanwhile is nothing to ask about."""
        parts = [
            [old.label, new.value - old.value, 0 if old.is_shared else old.value]
            for old, new in zip(self.before, self.after, strict=True)
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


@query(Permission.BILLING)
def client_figures(actor: Actor, client_id: UUID) -> list[Figure]:
    """What a client's tiles show, and what is billed to the client in all. Raises NotFound."""
    get_client(actor, client_id)
    balances = client_balances(actor, client_id)
    live = InvoiceLine.objects.filter(client_id=client_id, ended_at=None)
    return [
        Figure("Client Balance Due", balances.client_due_cents),
        Figure("Insurance Balance Due", balances.insurance_due_cents),
        Figure("Client Credit", balances.credit_cents),
        Figure("Billed to the client in all", live.aggregate(cents=sum_of("amount_cents"))["cents"], is_detail=True),
    ]


@query(Permission.BILLING)
def batch_figures(actor: Actor, batch_id: UUID, *, among: Collection[UUID] | None = None) -> list[Figure]:
    """What stands of a batch: how many invoices, how much is billed on them; of clients the actor may see (P1).
    `among`: only these invoices."""
    invoices = Invoice.objects.filter(batch_id=batch_id, client__in=visible_clients(actor))
    lines = InvoiceLine.objects.filter(invoice__in=invoices, ended_at=None)
    if among is not None:
        lines = lines.filter(invoice_id__in=among)
    sums = lines.aggregate(cents=sum_of("amount_cents"), count=Count("invoice_id", distinct=True))
    return [
        Figure("Invoices of the batch", sums["count"], is_count=True),
        Figure("Billed on them", sums["cents"]),
    ]


def sum_of(column: str) -> Coalesce:
    """A sum of cents; nothing is 0."""
    return Coalesce(Sum(column), 0, output_field=BigIntegerField())

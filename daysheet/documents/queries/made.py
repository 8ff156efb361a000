"""The documents that were made of a client, and one of them as it was."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Subquery
from django.db.models.functions import Least

from daysheet.clients.queries import get_client, visible_clients
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..contents import paper_from
from ..models import MadeDocument
from ..papers import Kind, Paper
from .subjects import MOST_AT_ONCE

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class MadeRow:
    """One document of the list."""

    id: UUID
    kind: str
    title: str
    first_on: date | None
    last_on: date | None
    made_at: datetime
    made_by_name: str
    sha256: str
    page_count: int


@query(Permission.BILLING)
def made_documents(actor: Actor, client_id: UUID, *, page: int = 1) -> tuple[list[MadeRow], bool]:
    """One page of a client's documents, newest first, and whether there are more. Raises NotFound."""
    get_client(actor, client_id)
    start = (max(page, 1) - 1) * PAGE_SIZE
    rows = MadeDocument.objects.filter(client_id=client_id).defer("content").order_by("-made_at", "-pk")
    found = list(rows[start : start + PAGE_SIZE + 1])
    return [_row(each) for each in found[:PAGE_SIZE]], len(found) > PAGE_SIZE


def on_statements(invoice_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the invoices that a statement told their client of (B6): one made since they were issued that covers the
    date of service or of the invoice, be it in the balance it begins with."""
    line = InvoiceLine.objects.filter(invoice_id=OuterRef("pk")).order_by("service_on").values("service_on")[:1]
    told = MadeDocument.objects.filter(
        client_id=OuterRef("client_id"), kind=Kind.STATEMENT, made_at__gte=OuterRef("created_at"),
        last_on__gte=Least(OuterRef("issued_on"), OuterRef("first_service_on")),
    )  # fmt: skip
    invoices = Invoice.objects.filter(pk__in=invoice_ids).annotate(first_service_on=Subquery(line))
    return frozenset(invoices.filter(Exists(told)).values_list("pk", flat=True))


@query(Permission.BILLING)
def made_document(actor: Actor, document_id: UUID) -> tuple[MadeRow, Paper]:
    """One document, with the paper as it was kept. Raises NotFound."""
    visible = MadeDocument.objects.filter(pk=document_id, client__in=visible_clients(actor))
    made = visible.select_related("logo").first()
    if made is None:
        raise NotFound("There is no such document in this practice.")
    return _row(made), paper_of(made)


@query(Permission.BILLING)
def made_together(actor: Actor, made_in: UUID) -> list[Paper]:
    """The papers of one client that a request made, in order. A run over many clients is its own slice's business.
    Raises NotFound."""
    visible = MadeDocument.objects.filter(made_in=made_in, client__in=visible_clients(actor))
    found = list(visible.select_related("logo").order_by("position")[: MOST_AT_ONCE + 1])
    if not found or len(found) > MOST_AT_ONCE or len({each.client_id for each in found}) > 1:
        raise NotFound("There are no such documents in this practice.")
    return [paper_of(each) for each in found]


def paper_of(made: MadeDocument) -> Paper:
    """What a document said."""
    return paper_from(made.content, bytes(made.logo.png) if made.logo else None)


def _row(made: MadeDocument) -> MadeRow:
    return MadeRow(
        made.pk, Kind(made.kind).label, made.title, made.first_on, made.last_on, made.made_at, made.made_by_name,
        made.sha256, made.page_count,
    )  # fmt: skip

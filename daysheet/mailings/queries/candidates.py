"""Whom a run could go to: clients with their balances for statements, invoices by their day of creation. A fixed number
of statements to the database, whatever is found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum

from daysheet.clients.models import Client
from daysheet.clients.queries import matching_clients, visible_clients
from daysheet.documents.queries.balances import ending_balances
from daysheet.documents.queries.statements import StatementChoices, statement_figures
from daysheet.documents.rules import SideFigures
from daysheet.invoicing.models import Invoice, InvoiceLine, InvoiceVoid
from daysheet.invoicing.status import DUE_AFTER, InvoiceStatus, invoice_status
from daysheet.ledger.models import Entry
from daysheet.mail.actions import is_address
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..rules import unreachable


@dataclass(frozen=True, slots=True)
class StatementSearch:
    """Who gets a statement. `owing`: clients who owe at least `at_least_cents`; else everybody with activity in the
    period."""

    choices: StatementChoices
    owing: bool = True
    at_least_cents: int = 1
    pays_by: str = ""
    client_text: str = ""


@dataclass(frozen=True, slots=True)
class InvoiceSearch:
    """Days of creation, both included. `status`: open, overdue, paid, or empty for any. A batch
    is looked at whole, whatever the days."""

    first_on: date
    last_on: date
    client_text: str = ""
    status: str = ""
    batch_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """What both searches know of a row. `cents` is what the row adds to the total: a balance due, an invoice's open
    amount. `unreachable`: the code of why no e-mail goes there."""

    id: UUID
    client_id: UUID
    client_name: str
    address: str
    prefers: str
    unreachable: str
    cents: int
    is_possible: bool = True


@dataclass(frozen=True, slots=True)
class StatementCandidate(Candidate):
    """A client with the client's side of the period, in cents; `id` is the client's."""

    previous_cents: int = 0
    charges_cents: int = 0
    credits_cents: int = 0
    ending_cents: int = 0


@dataclass(frozen=True, slots=True)
class InvoiceCandidate(Candidate):
    """An invoice; a void one is listed and cannot be chosen."""

    number: int = 0
    issued_on: date = date.min
    created_by_name: str = ""
    total_cents: int = 0
    status: InvoiceStatus = InvoiceStatus.OPEN


@query(Permission.BILLING)
def statement_candidates(actor: Actor, search: StatementSearch) -> list[StatementCandidate]:
    """The clients who could get a statement, by name, with what they owe; `with_figures` has the rest."""
    clients = matching_clients(actor, search.client_text) if search.client_text else visible_clients(actor)
    if search.pays_by:
        clients = clients.filter(pays_by=search.pays_by)
    found = clients.filter(pk__in=_owing(search) if search.owing else _active(search))
    people = {client.pk: client for client in found.only(*_SHOWN)}
    balances = ending_balances(actor, list(people), search.choices)
    rows = []
    for client_id, client in people.items():
        ending = balances.get(client_id, 0)
        if not search.owing or ending >= max(search.at_least_cents, 1):
            rows.append(StatementCandidate(**_common(client, client_id, max(ending, 0)), ending_cents=ending))
    return sorted(rows, key=_by_name)


@query(Permission.BILLING)
def with_figures(actor: Actor, search: StatementSearch, rows: Sequence[StatementCandidate]) -> list[StatementCandidate]:
    """These rows of a page with the client's side of the period."""
    figures = statement_figures(actor, [row.client_id for row in rows], search.choices)
    return [_with_side(row, figures[row.client_id].client) for row in rows]


def _with_side(row: StatementCandidate, side: SideFigures) -> StatementCandidate:
    return replace(
        row,
        previous_cents=side.previous_cents,
        charges_cents=side.charges_cents + side.moved_cents,
        credits_cents=side.payments_cents + side.adjustments_cents,
        ending_cents=side.ending_cents,
    )


@query(Permission.BILLING)
def invoice_candidates(
    actor: Actor, search: InvoiceSearch, *, start: int = 0, size: int | None = None
) -> list[InvoiceCandidate]:
    """The invoices that were created in the days, newest first: all, or `size` of them from `start`."""
    invoices = _of_status(_created(actor, search), search.status, actor.today).select_related("client")
    rows = invoices.order_by("-issued_on", "-number")
    found = list(rows[start : start + size] if size is not None else rows)
    ids = [invoice.pk for invoice in found]
    lines = InvoiceLine.objects.filter(invoice_id__in=ids).values_list("invoice_id")
    sums = {
        pk: (total, client_open + insurance_open)
        for pk, total, client_open, insurance_open in lines.annotate(
            Sum("amount_cents"), Sum("client_open_cents"), Sum("insurance_open_cents")
        ).order_by()
    }
    void = set(InvoiceVoid.objects.filter(invoice_id__in=ids).values_list("invoice_id", flat=True))
    return [_invoice(actor, each, *sums.get(each.pk, (0, 0)), is_void=each.pk in void) for each in found]


def _created(actor: Actor, search: InvoiceSearch) -> QuerySet[Invoice]:
    invoices = Invoice.objects.filter(issued_on__range=(search.first_on, search.last_on))
    if search.batch_id:
        invoices = Invoice.objects.filter(batch_id=search.batch_id)
    clients = matching_clients(actor, search.client_text) if search.client_text else visible_clients(actor)
    if search.client_text or actor.limited_to_assigned:
        invoices = invoices.filter(client__in=clients.order_by().values("pk"))
    return invoices


def _of_status(invoices: QuerySet[Invoice], status: str, today: date) -> QuerySet[Invoice]:
    """The same as `invoice_status` says, in SQL."""
    is_void = Exists(InvoiceVoid.objects.filter(invoice_id=OuterRef("pk")))
    owed = Q(client_open_cents__gt=0) | Q(insurance_open_cents__gt=0)
    is_open = Exists(InvoiceLine.objects.filter(owed, invoice_id=OuterRef("pk")))
    match status:
        case "open":
            return invoices.filter(is_open)
        case "overdue":
            return invoices.filter(is_open, issued_on__lt=today - DUE_AFTER)
        case "paid":
            return invoices.filter(~is_open, ~is_void)
    return invoices


#: What a row shows of a client.
_SHOWN = ("practice_id", "first_name", "middle_name", "last_name", "preferred_name", "email", "documents_by")


def _owing(search: StatementSearch) -> QuerySet[Any, Any]:
    """Who owes something now is the most that can owe it in the period: small, whatever the practice's history."""
    return InvoiceLine.objects.filter(client_open_cents__gt=0).values("client_id")


def _active(search: StatementSearch) -> Iterable[UUID]:
    days = (search.choices.period.first_on, search.choices.period.last_on)
    entries = Entry.objects.filter(effective_on__range=days, client_id__isnull=False)
    lines = InvoiceLine.objects.filter(service_on__range=days)
    return {
        client_id
        for found in (entries, lines)
        for client_id in found.values_list("client_id", flat=True).distinct()
        if client_id
    }


def _invoice(actor: Actor, invoice: Invoice, total: int, open_cents: int, *, is_void: bool) -> InvoiceCandidate:
    return InvoiceCandidate(
        **_common(invoice.client, invoice.pk, open_cents, is_possible=not is_void),
        number=invoice.number,
        issued_on=invoice.issued_on,
        created_by_name=invoice.created_by_name,
        total_cents=total,
        status=invoice_status(
            is_void=is_void, open_cents=open_cents, issued_on=invoice.issued_on, today=actor.today
        ),
    )  # fmt: skip


def _common(client: Client, row_id: UUID, cents: int, *, is_possible: bool = True) -> dict[str, Any]:
    return {
        "id": row_id,
        "client_id": client.pk,
        "client_name": client.sort_name,
        "address": client.email,
        "prefers": client.documents_by,
        "unreachable": unreachable(prefers=client.documents_by, has_address=is_address(client.email)),
        "cents": cents,
        "is_possible": is_possible,
    }


def _by_name(row: Candidate) -> tuple[str, str]:
    return row.client_name.casefold(), str(row.client_id)

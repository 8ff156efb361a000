"""What the correction pages show: a line as it stands, its write-offs, and what a payment is on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import F, Q

from daysheet.clients.queries import get_client, visible_clients
from daysheet.invoicing.actions import NoLongerThere
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound
from daysheet.kit.money import Money
from daysheet.ledger.models import GIVEN_UP, Account
from daysheet.ledger.queries import StandingEntry, standing_entries
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A live line. Amounts in cents."""

    id: UUID
    client_id: UUID
    client_name: str
    invoice_id: UUID
    invoice_number: int
    service_on: date
    name: str
    units: int
    rate_cents: int
    amount_cents: int
    client_cents: int
    client_open_cents: int
    insurance_open_cents: int
    has_coverage: bool
    note: str
    visit_service_id: UUID | None
    service_type_id: UUID | None
    is_ended: bool


@dataclass(frozen=True, slots=True)
class WriteOff:
    """A write-off that stands."""

    entry: StandingEntry
    line: LineFacts
    side: str


@dataclass(frozen=True, slots=True)
class AppliedLine:
    """A line that a payment is on, in words with the amount."""

    id: UUID
    label: str


@query(Permission.BILLING)
def applied_lines(actor: Actor, payment_id: UUID) -> list[AppliedLine]:
    """The lines that a payment is on, oldest date of service first; the caller found that the actor may see it."""
    cents: dict[UUID, int] = {}
    for entry in standing_entries(actor, payment_id=payment_id, debit=Account.CREDIT):
        if entry.line_id:
            cents[entry.line_id] = cents.get(entry.line_id, 0) + entry.amount_cents
    return [
        AppliedLine(
            line.id,
            f"{Money(cents[line.id])} on {line.name} of {us_date(line.service_on)}, invoice {line.invoice_number}, "
            f"{line.client_name}",
        )
        for line in _lines(actor, Q(pk__in=cents))
    ]


@query(Permission.BILLING)
def line_facts(actor: Actor, line_id: UUID, *, even_ended: bool = False) -> LineFacts:
    """A live line of a client the actor may see; `even_ended`: also one that a twin of this request has just ended.
    Raises NotFound, NoLongerThere."""
    lines = _lines(actor, Q(pk=line_id), even_ended=True)
    if not lines:
        raise NotFound("There is no such line in this practice.")
    return _standing(lines, even_ended)[0]


@query(Permission.BILLING)
def invoice_lines(actor: Actor, number: int, *, even_ended: bool = False) -> list[LineFacts]:
    """The live lines of an invoice; `even_ended` as for line_facts. Raises NotFound, NoLongerThere."""
    lines = _lines(actor, Q(invoice__number=number), even_ended=True)
    if not lines:
        raise NotFound("There is no such invoice in this practice.")
    return _standing(lines, even_ended)


@query(Permission.BILLING)
def lines_to_write_off(actor: Actor, client_id: UUID) -> list[LineFacts]:
    """A client's lines on which something is open, oldest first. Raises NotFound."""
    get_client(actor, client_id)
    return _lines(actor, Q(client_id=client_id) & (Q(client_open_cents__gt=0) | Q(insurance_open_cents__gt=0)))


@query(Permission.BILLING)
def write_offs(actor: Actor, client_id: UUID) -> list[WriteOff]:
    """The write-offs and insurers' adjustments of a client that stand, oldest first. Raises NotFound."""
    get_client(actor, client_id)
    found = [entry for account in GIVEN_UP for entry in standing_entries(actor, client_id=client_id, debit=account)]
    entries = sorted(found, key=lambda entry: (entry.effective_on, entry.id))
    lines = {line.id: line for line in _lines(actor, Q(pk__in=[entry.line_id for entry in entries]))}
    return [
        WriteOff(entry, lines[entry.line_id], "client" if entry.credit is Account.CLIENT_RECEIVABLE else "insurance")
        for entry in entries
        if entry.line_id in lines
    ]


@query(Permission.BILLING)
def invoice_id_of(actor: Actor, number: int) -> UUID:
    """Raises NotFound."""
    found = (
        Invoice.objects.filter(number=number, client__in=visible_clients(actor)).values_list("pk", flat=True).first()
    )
    if found is None:
        raise NotFound("There is no such invoice in this practice.")
    return found


def _standing(lines: list[LineFacts], even_ended: bool) -> list[LineFacts]:
    standing = [line for line in lines if even_ended or not line.is_ended]
    if not standing:
        raise NoLongerThere(lines[0].invoice_number)
    return standing


def _lines(actor: Actor, wanted: Q, *, even_ended: bool = False) -> list[LineFacts]:
    found = InvoiceLine.objects.filter(wanted, client__in=visible_clients(actor))
    live = found if even_ended else found.filter(ended_at=None)
    rows = live.select_related("client", "invoice").order_by("service_on", F("invoice__number"), "position")
    return [
        LineFacts(
            row.pk, row.client_id, row.client.name, row.invoice_id, row.invoice.number, row.service_on,
            f"{row.code} {row.name}".strip(), row.units, row.rate_cents, row.amount_cents, row.client_cents,
            row.client_open_cents, row.insurance_open_cents, row.coverage_id is not None, row.note,
            row.visit_service_id, row.service_type_id, row.ended_at is not None,
        )
        for row in rows
    ]  # fmt: skip

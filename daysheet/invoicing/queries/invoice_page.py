"""The invoice page: the facts as they were frozen, what is still open, and the entries behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.ledger.queries import LineMovement, line_movements
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Invoice, InvoiceLine, InvoiceVoid
from ..status import InvoiceStatus, invoice_status


@dataclass(frozen=True, slots=True)
class InvoiceLineView:
    """One line as it was frozen (B9), with what each side still owes. Amounts in cents."""

    id: UUID
    service_on: date
    code: str
    name: str
    modifiers: str
    place_of_service: str
    rate_cents: int
    units: int
    amount_cents: int
    client_cents: int
    insurance_cents: int
    client_open_cents: int
    insurance_open_cents: int
    rendering_name: str
    rendering_npi: str
    billing_name: str
    billing_npi: str
    diagnosis_codes: str
    price_source: str
    note: str
    payer_name: str
    visit_id: UUID | None
    is_ended: bool


@dataclass(frozen=True, slots=True)
class VoidView:
    """By whom, when and why the invoice was voided."""

    voided_at: datetime
    voided_by_name: str
    reason: str


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice with everything its page and its print show."""

    id: UUID
    number: int
    client_id: UUID
    client_name: str
    client_address: str
    practice_name: str
    practice_address: str
    practice_phone: str
    practice_tax_id: str
    issued_on: date
    created_at: datetime
    created_by_name: str
    door: str
    batch_id: UUID | None
    note: str
    status: InvoiceStatus
    lines: tuple[InvoiceLineView, ...]
    void: VoidView | None
    entries: tuple[LineMovement, ...]

    def _sum(self, name: str) -> int:
        return sum(getattr(line, name) for line in self.lines)

    @property
    def total_cents(self) -> int:
        return self._sum("amount_cents")

    @property
    def client_cents(self) -> int:
        return self._sum("client_cents")

    @property
    def insurance_cents(self) -> int:
        return self._sum("insurance_cents")

    @property
    def client_open_cents(self) -> int:
        return self._sum("client_open_cents")

    @property
    def insurance_open_cents(self) -> int:
        return self._sum("insurance_open_cents")

    @property
    def open_cents(self) -> int:
        return self.client_open_cents + self.insurance_open_cents

    @property
    def settled_cents(self) -> int:
        """Paid, adjusted or written off: what of the total is no longer open."""
        return 0 if self.void else self.total_cents - self.open_cents

    @property
    def is_touched(self) -> bool:
        """Whether anything but the charges is on it: then it cannot be voided as it stands (C3)."""
        return any(
            (line.client_open_cents, line.insurance_open_cents) != (line.client_cents, line.insurance_cents)
            for line in self.lines
        )

    @property
    def visit_count(self) -> int:
        """Dates of service that a void makes unbilled again."""
        return len({line.visit_id for line in self.lines if line.visit_id})


@query(Permission.BILLING)
def invoice_by_number(actor: Actor, number: int) -> InvoiceView:
    """The invoice with its lines and entries. Raises NotFound. A fixed number of queries."""
    invoice = Invoice.objects.filter(number=number, client__in=visible_clients(actor)).first()
    if invoice is None:
        raise NotFound("There is no such invoice in this practice.")
    void = InvoiceVoid.objects.filter(invoice=invoice).first()
    lines = _current_lines(invoice, void)
    views = tuple(map(_line_view, lines))
    return InvoiceView(
        id=invoice.pk,
        number=invoice.number,
        client_id=invoice.client_id,
        client_name=invoice.client_name,
        client_address=invoice.client_address,
        practice_name=invoice.practice_name,
        practice_address=invoice.practice_address,
        practice_phone=invoice.practice_phone,
        practice_tax_id=invoice.practice_tax_id,
        issued_on=invoice.issued_on,
        created_at=invoice.created_at,
        created_by_name=invoice.created_by_name,
        door=invoice.get_door_display(),
        batch_id=invoice.batch_id,
        note=invoice.note,
        status=invoice_status(
            is_void=void is not None,
            open_cents=sum(line.client_open_cents + line.insurance_open_cents for line in lines),
            issued_on=invoice.issued_on,
            today=actor.today,
        ),
        lines=views,
        void=VoidView(void.voided_at, void.voided_by_name, void.reason) if void else None,
        entries=line_movements(actor, InvoiceLine.objects.filter(invoice=invoice).values_list("pk", flat=True)),
    )


def _current_lines(invoice: Invoice, void: InvoiceVoid | None) -> list[InvoiceLine]:
    """What stands on the invoice. A void ended its last lines with it: those are what it said when it was voided."""
    lines = InvoiceLine.objects.filter(invoice=invoice).select_related("visit_service", "coverage__payer")
    standing = lines.filter(ended_at=void.voided_at) if void else lines.filter(ended_at=None)
    return list(standing.order_by("position", "pk"))


def _line_view(line: InvoiceLine) -> InvoiceLineView:
    return InvoiceLineView(
        id=line.pk,
        service_on=line.service_on,
        code=line.code,
        name=line.name,
        modifiers=" ".join(line.modifiers),
        place_of_service=line.place_of_service,
        rate_cents=line.rate_cents,
        units=line.units,
        amount_cents=line.amount_cents,
        client_cents=line.client_cents,
        insurance_cents=line.insurance_cents,
        client_open_cents=line.client_open_cents,
        insurance_open_cents=line.insurance_open_cents,
        rendering_name=line.rendering_name,
        rendering_npi=line.rendering_npi,
        billing_name=line.billing_name,
        billing_npi=line.billing_npi,
        diagnosis_codes=", ".join(line.diagnosis_codes),
        price_source=_PRICE_SOURCES.get(line.price_source, line.price_source),
        note=line.note,
        payer_name=line.coverage.payer.name if line.coverage else "",
        visit_id=line.visit_service.visit_id if line.visit_service else None,
        is_ended=line.ended_at is not None,
    )


#: Where the rate came from, in words (B10).
_PRICE_SOURCES = {
    "visit": "from the visit's own price",
    "client": "from Set Payment Amount",
    "payer": "from the payer's fee schedule",
    "income": "by Income Based Payment Amounts",
    "service": "from the service type",
    "edited": "typed by hand",
}

"""What the pages that take an insurer's money show: the open lines of one insurer, over all clients or of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Q, Sum

from daysheet.clients.models import Payer
from daysheet.clients.queries import get_client, visible_clients
from daysheet.clients.rules import search_patterns
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Payment
from .ledger import PaymentRow, payment_row, with_returned
from .payment import seen_payments

#: Lines on one page: a cheque with more is found by its clients.
MOST_LINES = 200
#: Payments that are listed where the next one is begun.
LAST_PAYMENTS = 10


@dataclass(frozen=True, slots=True)
class InsuredLine:
    """A line whose insurance side is open. Amounts in cents."""

    id: UUID
    client_id: UUID
    client_name: str
    insured_id: str
    service_on: date
    service: str
    invoice_number: int
    amount_cents: int
    due_cents: int


@dataclass(frozen=True, slots=True)
class InsurerDesk:
    """`has_more`: the search found more lines than one page holds; `all_due_cents` is what is owed on all of them."""

    payer_id: UUID
    payer_name: str
    lines: tuple[InsuredLine, ...]
    has_more: bool
    all_due_cents: int

    @property
    def due_cents(self) -> int:
        """What is owed on the listed lines."""
        return sum(line.due_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class InsurerCredit:
    """An insurer's payment and what of it is on no line, in cents."""

    payer_id: UUID
    amount_cents: int
    credit_cents: int


@query(Permission.BILLING)
def insurer_credit(actor: Actor, payment_id: UUID) -> InsurerCredit:
    """For applying it later. Raises NotFound."""
    payment = Payment.objects.filter(seen_payments(actor), pk=payment_id, client=None).first()
    if payment is None or payment.payer_id is None:
        raise NotFound("There is no such insurer's payment in this practice.")
    return InsurerCredit(payment.payer_id, payment.amount_cents, payment.unapplied_cents)


@query(Permission.BILLING)
def insurer_desk(
    actor: Actor,
    payer_id: UUID,
    *,
    client_id: UUID | None = None,
    client_text: str = "",
) -> InsurerDesk:
    """The insurer's open lines, oldest date of service first. Raises NotFound."""
    payer = Payer.objects.filter(pk=payer_id).first()
    if payer is None:
        raise NotFound("There is no such insurer in this practice.")
    clients = visible_clients(actor)
    if client_id:
        get_client(actor, client_id)
        clients = clients.filter(pk=client_id)
    found = clients
    for pattern in search_patterns(client_text):
        found = found.filter(search_text__contains=pattern)
    open_lines = InvoiceLine.objects.filter(coverage__payer_id=payer_id, insurance_open_cents__gt=0, client__in=clients)
    wanted = open_lines.filter(client__in=found) if client_text.strip() else open_lines
    rows = list(
        wanted.select_related("client", "invoice", "coverage").order_by("service_on", "client__last_name", "pk")[
            : MOST_LINES + 1
        ]
    )
    listed = tuple(_line(row) for row in rows[:MOST_LINES])
    has_more = len(rows) > MOST_LINES
    due_cents = sum(line.due_cents for line in listed)
    if has_more:
        due_cents = wanted.aggregate(cents=Sum("insurance_open_cents"))["cents"]
    return InsurerDesk(payer.pk, payer.name, listed, has_more, due_cents)


@dataclass(frozen=True, slots=True)
class InsurerPaymentRow:
    """An insurer's payment that was entered before."""

    payer_name: str
    created_at: datetime
    row: PaymentRow


@query(Permission.BILLING)
def last_insurer_payments(actor: Actor) -> list[InsurerPaymentRow]:
    """The last that were entered, newest first: was this check posted, and what of it was mistyped? One statement."""
    payments = Payment.objects.filter(seen_payments(actor), payer__isnull=False).select_related("payer")
    found = with_returned(payments).order_by("-pk")[:LAST_PAYMENTS]
    return [InsurerPaymentRow(each.from_name, each.created_at, payment_row(each)) for each in found]


@query(Permission.BILLING)
def payers_with_open_lines(actor: Actor, client_id: UUID | None = None, *, also_id: str = "") -> list[tuple[UUID, str]]:
    """The insurers who owe something, of one client or of all the actor may see, by name; and `also_id`, who was
    chosen before a twin of this request paid everything. Raises NotFound."""
    lines = InvoiceLine.objects.filter(insurance_open_cents__gt=0, client__in=visible_clients(actor))
    if client_id:
        get_client(actor, client_id)
        lines = lines.filter(client_id=client_id)
    payers = Payer.objects.filter(Q(pk__in=lines.values("coverage__payer_id")) | Q(pk__in=_ids(also_id)))
    return list(payers.order_by("name").values_list("pk", "name"))


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []


def _line(row: InvoiceLine) -> InsuredLine:
    assert row.coverage is not None
    return InsuredLine(
        row.pk, row.client_id, row.client.sort_name, row.coverage.insured_id, row.service_on,
        f"{row.code} {row.name}".strip(), row.invoice.number, row.amount_cents, row.insurance_open_cents,
    )  # fmt: skip

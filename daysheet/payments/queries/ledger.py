"""The Ledger of one client: invoices open and fully paid, payments, all activity. A fixed number of queries each.

The page reads the client once, by `get_client`, which finds only whom the actor may see (P1), and passes them on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db.models import Count, Exists, F, Max, Min, OuterRef, QuerySet, Subquery, Sum

from daysheet.clients.models import Client
from daysheet.clients.queries import refuse_unseen
from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.status import InvoiceStatus, invoice_status
from daysheet.ledger.models import Account
from daysheet.ledger.queries import ActivityRow, client_activity, kept_cents_of
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService

from ..models import Payment, PaymentReversal
from .words import activity_words

PAGE_SIZE = 50
#: How many payments with credit are listed below the tabs; the rest are in Payment History.
MOST_CREDITS = 20
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class LedgerPage(Generic[Row]):
    """One page of a tab. `number` counts from 1."""

    rows: tuple[Row, ...]
    number: int
    has_next: bool


@dataclass(frozen=True, slots=True)
class InvoiceRow:
    """One invoice. Amounts in cents; `first_on` and `last_on` bound its dates of service."""

    number: int
    issued_on: date
    first_on: date
    last_on: date
    line_count: int
    total_cents: int
    client_open_cents: int
    insurance_open_cents: int
    status: InvoiceStatus


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment. Amounts in cents: `credit_cents` is what is not applied, `returned_cents` what was refunded
    or, where the payment was deleted, all of it."""

    id: UUID
    received_on: date
    method: str
    method_value: str
    number: str
    notes: str
    is_copay: bool
    amount_cents: int
    credit_cents: int
    returned_cents: int
    is_reversed: bool
    created_by_name: str

    @property
    def applied_cents(self) -> int:
        return self.amount_cents - self.credit_cents - self.returned_cents


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One entry as All Activity shows it. `charge_cents` and `paid_cents` are None where it moved no balance.

    `paid_cents` counts payments and adjustments: what makes the balance smaller.
    """

    entry: ActivityRow
    words: str
    hint: str
    invoice_number: int | None
    charge_cents: int | None
    paid_cents: int | None


@dataclass(frozen=True, slots=True)
class UnbilledDates:
    """How many dates of service up to today are not billed, and the oldest."""

    count: int
    oldest_on: date | None


@query(Permission.BILLING)
def ledger_invoices(actor: Actor, client: Client, *, is_open: bool, page: int = 1) -> LedgerPage[InvoiceRow]:
    """Invoices with something open on either side, or with nothing (C5), newest first. Void ones are in neither."""
    refuse_unseen(actor, client)
    lines = InvoiceLine.objects.filter(client_id=client.pk, ended_at=None)
    invoices = lines.values(number=F("invoice__number"), issued_on=F("invoice__issued_on")).annotate(
        first=Min("service_on"),
        last=Max("service_on"),
        lines=Count("pk"),
        total=Sum("amount_cents"),
        client=Sum("client_open_cents"),
        insurance=Sum("insurance_open_cents"),
        due=Sum(F("client_open_cents") + F("insurance_open_cents")),
    )
    wanted = invoices.filter(due__gt=0) if is_open else invoices.filter(due=0)
    number, start = _place(page)
    found = list(wanted.order_by("-number")[start : start + PAGE_SIZE + 1])
    return _page([_invoice_row(actor, **row) for row in found], number)


@query(Permission.BILLING)
def ledger_payments(actor: Actor, client: Client, *, page: int = 1) -> LedgerPage[PaymentRow]:
    """Payment History, newest first."""
    refuse_unseen(actor, client)
    number, start = _place(page)
    payments = with_returned(Payment.objects.filter(client_id=client.pk)).order_by("-received_on", "-pk")
    return _page([payment_row(each) for each in payments[start : start + PAGE_SIZE + 1]], number)


@query(Permission.BILLING)
def ledger_activity(actor: Actor, client: Client, *, page: int = 1) -> LedgerPage[LedgerEntry]:
    """All Activity with the balances after each entry, newest first."""
    refuse_unseen(actor, client)
    activity = client_activity(actor, client.pk, page=page, page_size=PAGE_SIZE)
    rows = tuple(explained(activity.rows))
    return LedgerPage(rows, activity.number, activity.has_next)


@query(Permission.BILLING)
def unapplied_payments(actor: Actor, client: Client) -> list[PaymentRow]:
    """The first payments with credit left, oldest first: the order in which credit is used."""
    refuse_unseen(actor, client)
    payments = with_returned(Payment.objects.filter(client_id=client.pk, unapplied_cents__gt=0))
    return [payment_row(each) for each in payments.order_by("received_on", "pk")[:MOST_CREDITS]]


@query(Permission.BILLING)
def unbilled_dates(actor: Actor, client: Client) -> UnbilledDates:
    """What of this client has been done and not billed."""
    refuse_unseen(actor, client)
    services = VisitService.objects.filter(
        visit__client_id=client.pk, line_id=None, is_suspended=False, service_on__lte=actor.today
    )
    found = services.aggregate(count=Count("visit_id", distinct=True), oldest=Min("service_on"))
    return UnbilledDates(found["count"], found["oldest"])


def explained(rows: Sequence[ActivityRow]) -> list[LedgerEntry]:
    """Entries in words, with the invoices and payments they are about. Two queries."""
    lines = _lines({row.line_id for row in rows if row.line_id})
    payments = {
        each.pk: each for each in Payment.objects.filter(pk__in={row.payment_id for row in rows if row.payment_id})
    }
    explained_rows = []
    for row in rows:
        number, service = lines.get(row.line_id, (None, "")) if row.line_id else (None, "")
        payment = payments.get(row.payment_id) if row.payment_id else None
        is_charge = Account.REVENUE in (row.debit, row.credit)
        moves = row.change_cents != 0
        explained_rows.append(
            LedgerEntry(
                entry=row,
                words=activity_words(row.debit, row.credit, is_reversal=row.reverses_id is not None),
                hint=" · ".join(part for part in (service, _payment_words(payment), row.reason) if part),
                invoice_number=number,
                charge_cents=row.change_cents if is_charge else None,
                paid_cents=-row.change_cents if moves and not is_charge else None,
            )
        )
    return explained_rows


def with_returned(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """`payments` with `kept` (cents the practice still has of each, by the entries) and `is_deleted`."""
    gone = Exists(PaymentReversal.objects.filter(payment=OuterRef("pk")))
    return payments.annotate(kept=Subquery(kept_cents_of(OuterRef("pk"))), is_deleted=gone)


def payment_row(payment: Any) -> PaymentRow:
    """A payment (read through `with_returned`) as lists show it."""
    return PaymentRow(
        id=payment.pk,
        received_on=payment.received_on,
        method=payment.get_method_display(),
        method_value=payment.method,
        number=payment.number,
        notes=payment.notes,
        is_copay=payment.is_copay,
        amount_cents=payment.amount_cents,
        credit_cents=payment.unapplied_cents,
        returned_cents=payment.amount_cents - (payment.kept or 0),
        is_reversed=payment.is_deleted,
        created_by_name=payment.created_by_name,
    )


def _lines(line_ids: Collection[UUID]) -> dict[UUID, tuple[int, str]]:
    """Invoice number, and service with its date, of each line."""
    rows = InvoiceLine.objects.filter(pk__in=line_ids).select_related("invoice")
    return {
        row.pk: (
            row.invoice.number,
            " ".join(part for part in (f"{row.service_on:%m/%d/%Y}", row.code, row.name) if part),
        )
        for row in rows
    }


def _payment_words(payment: Payment | None) -> str:
    if payment is None:
        return ""
    return f"{payment.get_method_display()} {payment.number}".strip()


def _invoice_row(
    actor: Actor, *, number: int, issued_on: date, first: date, last: date, lines: int, total: int, client: int,
    insurance: int, due: int,
) -> InvoiceRow:  # fmt: skip
    status = invoice_status(is_void=False, open_cents=due, issued_on=issued_on, today=actor.today)
    return InvoiceRow(number, issued_on, first, last, lines, total, client, insurance, status)


def _place(page: int) -> tuple[int, int]:
    number = min(max(page, 1), 100_000)
    return number, (number - 1) * PAGE_SIZE


def _page(found: list[Row], number: int) -> LedgerPage[Row]:
    return LedgerPage(tuple(found[:PAGE_SIZE]), number, len(found) > PAGE_SIZE)

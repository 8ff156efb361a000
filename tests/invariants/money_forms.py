"""The forms that move money, as a browser sends them: address, content, and the same form with other content."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.clients.models import Coverage
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.payments.tests.desk import pay
from tests.billing import DAY, Clinic

ON = "2026-11-16"


@dataclass(frozen=True)
class MoneyForm:
    """`typed` is sent to `url`; `other` replaces a part of it: another content under the same request key."""

    url: str
    typed: dict[str, str]
    other: dict[str, str]


@dataclass(frozen=True)
class Books:
    """One client of one insurer: a line of $150.00 with a copay of $70.00, and $60.00 of credit."""

    client: UUID
    payer: UUID
    line: UUID
    payment: UUID
    number: int = 0
    visit_service: UUID | None = None
    service_type: UUID | None = None


def open_books(clinic: Clinic, last_name: str = "Ruiz", *, day: date = DAY) -> Books:
    """Call inside Alder's transaction."""
    client = clinic.client(last_name, insured=True, copay_cents=7_000)
    visit, _ = clinic.visit(client, clinic.talk, day=day)
    invoice = bill_visit(clinic.biller, visit_id=visit).created[0]
    payment = pay(clinic.biller, client, 6_000, method="cash", applications={}).payment_id
    line = InvoiceLine.objects.get(invoice_id=invoice.id)
    payer = Coverage.objects.get(client_id=client).payer_id
    return Books(client, payer, line.pk, payment, invoice.number, line.visit_service_id, line.service_type_id)


def money_forms(books: Books) -> dict[str, MoneyForm]:
    """Each form twice payable: its amount fits at least twice into what is open."""
    because = {"reason": "Because", "confirmed": "yes"}
    insurer = {"amount": "", "method": "eft", "received_on": ON, f"paid-{books.line}": "30.00"}
    insurer |= {f"adjusted-{books.line}": "5.00", f"moved-{books.line}": "1.00"}
    other_insurer = {f"adjusted-{books.line}": "5.01"}
    return {
        "client payment": MoneyForm(
            f"/alder/clients/{books.client}/payments/new/",
            {"amount": "10.00", "method": "cash", "received_on": ON},
            {"amount": "9.00"},
        ),
        "insurance payment": MoneyForm(
            f"/alder/clients/{books.client}/insurance-payments/new/?payer={books.payer}", insurer, other_insurer
        ),
        "batch payment": MoneyForm(f"/alder/billing/batch-payments/?payer={books.payer}", insurer, other_insurer),
        "insurer's adjustment without money": MoneyForm(
            f"/alder/billing/batch-payments/?payer={books.payer}", insurer | {f"paid-{books.line}": ""}, other_insurer
        ),
        "apply credit": MoneyForm(
            f"/alder/clients/{books.client}/credit/",
            {f"apply-{books.line}": "10.00"},
            {f"apply-{books.line}": "9.00"},
        ),
        "refund": MoneyForm(
            f"/alder/payments/{books.payment}/refund/",
            {"amount": "10.00", "refunded_on": ON} | because,
            {"amount": "9.00"},
        ),
        "write-off": MoneyForm(
            f"/alder/lines/{books.line}/write-off/", {"side": "client", "amount": "10.00"} | because, {"amount": "9.00"}
        ),
        "change responsibility": MoneyForm(
            f"/alder/lines/{books.line}/responsibility/",
            {"to_side": "client", "amount": "10.00"} | because,
            {"to_side": "insurance"},
        ),
        "edit line": MoneyForm(
            f"/alder/lines/{books.line}/edit/",
            {"units": "1", "rate": "140.00", "client_part": "60.00"} | because,
            {"client_part": "59.00"},
        ),
        "void and rebill": MoneyForm(
            f"/alder/invoices/{books.number}/rebill/",
            {f"service-{books.visit_service}": str(books.service_type)} | because,
            {"reason": "Something else"},
        ),
    }


FORMS = tuple(money_forms(Books(*[UUID(int=0)] * 4)))
#: What replaces the line it works on, so that a second request with another key finds nothing to change.
REPLACING = {"edit line", "void and rebill"}

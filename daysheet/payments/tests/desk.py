"""Bills and payments made by the real actions, for the tests of this slice."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID, uuid4

from daysheet.clients.actions import add_client, add_coverage, add_payer, set_bill_to
from daysheet.clients.models import Client
from daysheet.invoicing.actions import issue_invoices
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.selection import CreatedInvoice, ManualLine, Selection
from daysheet.payments.actions import Accepted, accept_payment
from daysheet.practices.actor import Actor

DAY = date(2026, 11, 2)
TODAY = date(2026, 11, 16)


def a_client(actor: Actor, last_name: str = "Ruiz") -> Client:
    return add_client(actor, first_name="Ana", last_name=last_name)


def insure(actor: Actor, client_id: UUID, copay_cents: int | None = None) -> None:
    """The client pays by insurance from the beginning of the year on."""
    payer = add_payer(actor, name=f"Northern Health {client_id}")
    add_coverage(
        actor,
        client_id,
        payer_id=payer.pk,
        insured_id="X1",
        starts_on=date(2026, 1, 1),
        copay_cents=copay_cents,
    )
    set_bill_to(actor, client_id, pays_by="insurance")


def bill(
    actor: Actor, client_id: UUID, *cents: int, on: date = DAY, issued_on: date | None = None, side: str = "client"
) -> CreatedInvoice:
    """One invoice with a manual line for each amount."""
    lines = tuple(ManualLine(None, "Session", on, 1, amount, side=side) for amount in cents)
    issued = issue_invoices(
        actor,
        selection=Selection((), manual=lines, client_id=client_id),
        door=Invoice.Door.LEDGER,
        issued_on=issued_on or on,
    )
    return issued.created[0]


def lines_of(invoice: CreatedInvoice) -> list[UUID]:
    return list(InvoiceLine.objects.filter(invoice_id=invoice.id).order_by("position").values_list("pk", flat=True))


def open_of(invoice: CreatedInvoice) -> list[int]:
    rows = InvoiceLine.objects.filter(invoice_id=invoice.id).order_by("position")
    return list(rows.values_list("client_open_cents", flat=True))


def pay(actor: Actor, client_id: UUID, amount_cents: int | None, **facts: Any) -> Accepted:
    """A check received today, unless `facts` say otherwise."""
    given: dict[str, Any] = {"request_key": uuid4(), "method": "check", "received_on": TODAY}
    return accept_payment(actor, client_id=client_id, amount_cents=amount_cents, **(given | facts))

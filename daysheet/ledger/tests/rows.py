"""Lines and payments as bare rows, for tests of the ledger alone: it lies below the slices that make real ones."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

from daysheet.clients.models import Client, Coverage, Payer
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.payments.models import Payment
from daysheet.practices.actor import Actor

SERVICE_ON = date(2026, 11, 2)


def a_client(last_name: str = "Ruiz") -> Client:
    return Client.objects.create(first_name="Ana", last_name=last_name)


def coverage_of(client: Client) -> UUID:
    """The client's one coverage, made when it is first needed: an insurance side names it."""
    found = Coverage.objects.filter(client=client).first()
    if found is None:
        payer = Payer.objects.create(name=f"Payer {new_id()}")
        found = Coverage.objects.create(client=client, payer=payer, insured_id="X1", starts_on=date(2026, 1, 1))
    return found.pk


def a_line(
    actor: Actor, client: Client, client_cents: int, insurance_cents: int = 0, *, number: int = 1, on: date = SERVICE_ON
) -> UUID:
    """A billed line on an invoice of its own."""
    invoice = Invoice.objects.create(
        number=number,
        client=client,
        issued_on=on,
        created_at=actor.now,
        created_by_name="Bob Biller",
        door=Invoice.Door.LEDGER,
        client_name=client.name,
        practice_name=actor.practice.name,
    )
    amount_cents = client_cents + insurance_cents
    coverage_id = coverage_of(client) if insurance_cents else None
    line = InvoiceLine.objects.create(
        invoice=invoice,
        client=client,
        position=1,
        service_on=on,
        name="Session",
        is_cpt=False,
        rate_cents=amount_cents,
        units=1,
        amount_cents=amount_cents,
        client_cents=client_cents,
        insurance_cents=insurance_cents,
        client_open_cents=client_cents,
        insurance_open_cents=insurance_cents,
        price_source="edited",
        coverage_id=coverage_id,
        billing_name=actor.practice.name,
    )
    sides = ((Account.CLIENT_RECEIVABLE, client_cents), (Account.INSURANCE_RECEIVABLE, insurance_cents))
    charges = [
        Movement(side, Account.REVENUE, cents, client.pk, on, line_id=line.pk, coverage_id=coverage_id)
        for side, cents in sides
        if cents
    ]
    post(actor, charges, event_id=new_id(), opens_lines=True)
    return line.pk


def a_payment(actor: Actor, client: Client, cents: int, *, on: date = SERVICE_ON) -> UUID:
    """Money received and not applied."""
    payment = Payment.objects.create(
        client=client,
        method=Payment.Method.CHECK,
        amount_cents=cents,
        unapplied_cents=0,
        received_on=on,
        created_at=actor.now,
        created_by_name="Bob Biller",
        request_key=uuid4(),
        request_digest="raw",
    )
    post(
        actor,
        [Movement(Account.CASH, Account.CREDIT, cents, client.pk, on, payment_id=payment.pk)],
        event_id=new_id(),
    )
    return payment.pk


def application(
    client: Client,
    payment_id: UUID,
    line_id: UUID,
    cents: int,
    side: Account = Account.CLIENT_RECEIVABLE,
    *,
    on: date = SERVICE_ON,
) -> Movement:
    coverage_id = coverage_of(client) if side is Account.INSURANCE_RECEIVABLE else None
    return Movement(
        Account.CREDIT, side, cents, client.pk, on, line_id=line_id, payment_id=payment_id, coverage_id=coverage_id
    )


def open_cents(line_id: UUID) -> tuple[int, int]:
    """The guarded amounts on the line."""
    return InvoiceLine.objects.values_list("client_open_cents", "insurance_open_cents").get(pk=line_id)


def unapplied_cents(payment_id: UUID) -> int:
    return Payment.objects.values_list("unapplied_cents", flat=True).get(pk=payment_id)

"""Prepayments named for an appointment (M3), and the credit that is offered. What invoicing's registry is filled with.

A prepayment pays the lines of its own date of service and no others; what they leave of it stays credit, and that, like
all other credit, never applies itself. The caller holds the clients' locks, under which all client money moves.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from django.db.models import Sum

from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.registry import LineToPay, MoneyHeld, Prepaid
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import post
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Payment
from .receiving import application
from .rules import Credit, OpenLine, prepay


@query(Permission.BILLING)
def money_for_lines(actor: Actor, lines: Sequence[LineToPay]) -> MoneyHeld:
    """What of the clients' prepayments goes on these lines, and the credit that is left. Locks the payments."""
    unapplied = Payment.objects.filter(client_id__in={line.client_id for line in lines}, unapplied_cents__gt=0)
    rows = unapplied.order_by("pk").select_for_update(no_key=True)
    credit: dict[UUID, int] = defaultdict(int)
    named: dict[UUID, list[Credit]] = defaultdict(list)
    received = {}
    for payment in rows.only("client_id", "visit_id", "is_prepayment", "received_on", "unapplied_cents"):
        assert payment.client_id is not None
        credit[payment.client_id] += payment.unapplied_cents
        received[payment.pk] = payment.received_on
        if payment.is_prepayment and payment.visit_id:
            named[payment.visit_id].append(Credit(payment.pk, payment.received_on, payment.unapplied_cents))
    prepaid: list[Prepaid] = []
    for visit_id, credits in named.items():
        of_visit = {line.line_id: line for line in lines if line.visit_id == visit_id}
        open_lines = [
            OpenLine(line.line_id, line.service_on, 0, line.position, line.client_cents) for line in of_visit.values()
        ]
        for payment_id, line_id, cents in prepay(credits, open_lines):
            client_id = of_visit[line_id].client_id
            prepaid.append(Prepaid(payment_id, line_id, client_id, cents, received[payment_id]))
            credit[client_id] -= cents
    return MoneyHeld(tuple(prepaid), {client_id: cents for client_id, cents in credit.items() if cents})


def apply_rest(actor: Actor, invoice: Invoice) -> None:
    """After void and rebill has put the same payments back: what is left of prepayments for the dates on the new
    invoice applies itself as it would at any door."""
    lines = [
        LineToPay(
            line.pk, line.client_id, line.visit_service.visit_id, line.service_on, line.position,
            line.client_open_cents,
        )
        for line in InvoiceLine.objects.filter(invoice=invoice, client_open_cents__gt=0).select_related("visit_service")
        if line.visit_service
    ]  # fmt: skip
    held = money_for_lines(actor, lines) if lines else MoneyHeld()
    movements = [
        application(part.client_id, part.payment_id, part.line_id, part.cents, on=part.received_on,
                    issued_on=invoice.issued_on)
        for part in held.prepaid
    ]  # fmt: skip
    if movements:
        post(actor, movements, event_id=new_id())


def apply_more(actor: Actor, line: InvoiceLine, payment_ids: Collection[UUID]) -> None:
    """After a line was edited: what is left of the prepayments that paid it, and are named for its date, pays what it
    now owes more (M3). One that was taken off it by hand stays off."""
    open_cents = InvoiceLine.objects.values_list("client_open_cents", flat=True).get(pk=line.pk)
    if not open_cents or line.visit_service is None:
        return
    named = Payment.objects.filter(
        pk__in=payment_ids, is_prepayment=True, visit_id=line.visit_service.visit_id, unapplied_cents__gt=0
    )
    credits = [Credit(each.pk, each.received_on, each.unapplied_cents) for each in named]
    parts = prepay(credits, [OpenLine(line.pk, line.service_on, 0, line.position, open_cents)])
    movements = [
        application(line.client_id, payment_id, line_id, cents, on=actor.today, issued_on=actor.today)
        for payment_id, line_id, cents in parts
    ]
    if movements:
        post(actor, movements, event_id=new_id())


@query(Permission.BILLING)
def credit_by_client(actor: Actor, client_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """The credit of each of these clients whom the actor may see and who has any, in cents."""
    rows = Payment.objects.filter(client__in=visible_clients(actor).filter(pk__in=client_ids), unapplied_cents__gt=0)
    return dict(rows.values("client_id").annotate(cents=Sum("unapplied_cents")).values_list("client_id", "cents"))

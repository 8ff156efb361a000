"""What invoices say of an estimate that they come near to, or are so far above that the client may dispute the bill."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.registry import LineAmount, Warning
from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit
from daysheet.web.pages import practice_url

from .queries import billed_lines, estimate_facts
from .rules import DISPUTED_FROM_CENTS, BilledLine, Excess, Level, estimate_for, excesses


@query(Permission.BILLING)
def warnings_of_invoice(actor: Actor, invoice_id: UUID) -> list[Warning]:
    """Of one invoice: three statements and its own."""
    invoice = Invoice.objects.filter(pk=invoice_id, client__in=visible_clients(actor)).first()
    if invoice is None:
        return []
    facts = estimate_facts([invoice.client_id])
    billed = billed_lines(facts).get(invoice.client_id, [])
    own = [line for line, of_invoice in billed if of_invoice == invoice_id]
    found = excesses(facts[invoice.client_id], [line for line, _ in billed], own) if own else []
    return [_warning(actor, each, "The charges") for each in found if each.level is not Level.FINE]


@query(Permission.BILLING)
def warnings_of_lines(actor: Actor, client_id: UUID, lines: Sequence[LineAmount]) -> list[Warning]:
    """Of lines that are about to be billed on one invoice."""
    facts = estimate_facts([client_id])
    proposed = [
        BilledLine(line.service_on, line.service_type_id, line.code, line.units, line.amount_cents) for line in lines
    ]
    if not any(estimate_for(facts[client_id], line.service_on) for line in proposed):
        return []
    billed = [line for line, _ in billed_lines(facts).get(client_id, [])]
    found = excesses(facts[client_id], [*billed, *proposed], proposed)
    return [_warning(actor, each, "With these lines the charges") for each in found if each.level is not Level.FINE]


@query(Permission.BILLING)
def warnings_of_visits(actor: Actor, visit_ids: Collection[UUID]) -> Mapping[UUID, Warning]:
    """Of visits on the Agenda: where what is billed already comes near the estimate in force. Five statements."""
    visits = Visit.objects.filter(pk__in=visit_ids, client__in=visible_clients(actor))
    asked = list(visits.values_list("pk", "client_id", "service_on"))
    facts = estimate_facts({client_id for _, client_id, _ in asked})
    if not facts:
        return {}
    billed = billed_lines(facts)
    invoices = _invoices_of([visit_id for visit_id, _, _ in asked])
    found: dict[UUID, Warning] = {}
    for visit_id, client_id, service_on in asked:
        estimate = estimate_for(facts.get(client_id, []), service_on)
        lines = billed.get(client_id, [])
        invoice = invoices.get(visit_id)
        own = [line for line, invoice_id in lines if invoice_id == invoice] if invoice else None
        for each in excesses(facts.get(client_id, []), [line for line, _ in lines], own):
            if estimate and each.estimate_id == estimate.id and each.level is not Level.FINE:
                found[visit_id] = _warning(actor, each, "The charges")
    return found


def _invoices_of(visit_ids: Collection[UUID]) -> dict[UUID, UUID]:
    lines = InvoiceLine.objects.filter(visit_service__visit_id__in=visit_ids, ended_at=None)
    return dict(lines.values_list("visit_service__visit_id", "invoice_id"))


def _warning(actor: Actor, excess: Excess, what: str) -> Warning:
    """In words: how much above, and what follows."""
    is_of_period = excess.period_excess_cents >= excess.invoice_excess_cents
    sums = f"{Money(excess.billed_cents)} billed, {Money(excess.expected_cents)} expected"
    said = (
        f"{what} are {Money(excess.worst_cents)} above the Good Faith Estimate of {us_date(excess.given_on)} "
        f"({sums if is_of_period else 'this invoice alone'}). From {Money(DISPUTED_FROM_CENTS)} on the client may "
        "dispute the bill."
    )
    is_disputable = excess.level is Level.DISPUTABLE
    if not is_disputable:
        said += " Give a new estimate before the next service."
    url = practice_url(actor, "documents:estimate", estimate=excess.estimate_id)
    return Warning(said, "error" if is_disputable else "warning", url, "The estimate")

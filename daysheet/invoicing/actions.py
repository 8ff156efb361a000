"""The verbs of invoicing: issue and void. All doors call `issue_invoices` or one of its two short forms (B1, B2)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.db.models import Count, Sum

from daysheet.clients.queries import lock_clients, visible_clients
from daysheet.kit.errors import NotFound, Refusal
from daysheet.ledger.requests import claim_request
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit

from .door import Origin, issue, issue_visits
from .models import Batch, Invoice, InvoiceLine
from .selection import CreatedInvoice, Issued, Selection
from .voiding import void_invoices


class NothingToBill(Refusal):
    """The selection holds no date of service and no item."""

    code = "nothing_to_bill"


class InvoiceAlreadyVoid(Refusal):
    """The invoice was voided before."""

    code = "invoice_already_void"


class NoLongerThere(Refusal):
    """What is to be corrected was changed or voided since: somebody else was faster. `number`: the invoice's."""

    code = "no_longer_there"

    def __init__(self, number: int) -> None:
        super().__init__(
            "This was changed or voided meanwhile. Nothing was changed by you; "
            f"invoice {number} shows how it stands now."
        )
        self.number = number


class InvoiceHasInsuranceMoney(Refusal):
    """Insurance money is on the invoice: it has to be taken off first (C3)."""

    code = "invoice_has_insurance_money"


@action(Permission.BILLING, audited=False)
def issue_invoices(
    actor: Actor,
    *,
    selection: Selection,
    door: Invoice.Door,
    grouping: str = Batch.Grouping.CLIENT,
    request_key: UUID | None = None,
    batch_id: UUID | None = None,
    note: str = "",
    issued_on: date | None = None,
    with_prepayments: bool = True,
) -> Issued:
    """Bill a selection: what was created, skipped as already billed, and refused with reasons (architecture §5).

    `request_key` is the form's id: the same form sent twice answers with the first one's invoice. Nothing found to
    bill is an answer, not an error, so a retry leaves no audit event. Prepayments named for the dates apply themselves
    (M3) unless `with_prepayments` is False. Raises NothingToBill, NotFound.
    """
    if not selection.visit_service_ids and not selection.manual:
        raise NothingToBill("There is nothing on this invoice. Keep a date of service or add an item.")
    if request_key and selection.client_id:
        first = _issued_before(request_key, selection.client_id)
        if first:
            return first
    origin = Origin(door, batch_id, request_key, note, issued_on, with_prepayments)
    return issue(actor, selection, origin=origin, grouping=grouping)


@action(Permission.BILLING, audited=False)
def bill_visit(actor: Actor, *, visit_id: UUID) -> Issued:
    """Agenda, Add Invoice: all service types of the visit, in one click (B2). A second click, tab or person gets the
    same invoice back, as `skipped`. Raises NotFound, NothingToBill."""
    return _bill_visits(actor, [visit_id])


@action(Permission.BILLING, audited=False)
def bill_appointment(actor: Actor, *, appointment_id: UUID) -> Issued:
    """Agenda, Add Invoice → All: one invoice for each member of a group (B2). Raises NotFound, NothingToBill."""
    visits = Visit.objects.filter(appointment_id=appointment_id, client__in=visible_clients(actor))
    return _bill_visits(actor, list(visits.values_list("pk", flat=True)))


@action(Permission.BILLING, audited=False)
def void_invoice(actor: Actor, *, invoice_id: UUID, reason: str, request_key: UUID | None = None) -> None:
    """Void an invoice (C3): number and row stay, its charges are reversed, client money on it becomes credit,
    write-offs are reversed, its visits are unbilled again. `request_key` is the form's id: the same form sent twice is
    one void.

    Raises NotFound, RequestKeyReused, ReasonMissing, InvoiceAlreadyVoid, InvoiceHasInsuranceMoney.
    """
    content = {"invoice": invoice_id, "reason": reason.strip()}
    is_new = request_key is None or claim_request(actor, request_key, "void_invoice", content)
    invoice = Invoice.objects.filter(pk=invoice_id, client__in=visible_clients(actor)).first()
    if invoice is None:
        raise NotFound("There is no such invoice in this practice.")
    if not is_new:
        return
    outcome = void_invoices(actor, [invoice], reason=reason)
    if outcome.already_void:
        raise InvoiceAlreadyVoid(f"Invoice {invoice.number} has been voided already. Nothing was changed.")
    if outcome.touched:
        raise InvoiceHasInsuranceMoney(
            f"Invoice {invoice.number} has insurance money on it. Nothing was changed: "
            "unapply that payment and take its adjustments back under Write-Offs, then void it."
        )


def _bill_visits(actor: Actor, visit_ids: list[UUID]) -> Issued:
    issued = issue_visits(actor, visit_ids, origin=Origin(Invoice.Door.AGENDA))
    if issued == Issued():
        raise NothingToBill(
            "This visit has nothing to bill: it has no service type, or its status leaves no fee. "
            "Open the appointment and add one."
        )
    return issued


def _issued_before(request_key: UUID, client_id: UUID) -> Issued | None:
    """The answer that the same form got the first time; a twin that is still being saved is waited for."""
    lock_clients([client_id])
    invoice = Invoice.objects.filter(request_key=request_key).first()
    if invoice is None:
        return None
    sums = InvoiceLine.objects.filter(invoice=invoice).aggregate(
        total=Sum("amount_cents"), client=Sum("client_cents"), insurance=Sum("insurance_cents"), lines=Count("pk")
    )
    created = CreatedInvoice(
        invoice.pk, invoice.number, invoice.client_id, sums["total"], sums["client"], sums["insurance"], sums["lines"]
    )
    return Issued(created=(created,))

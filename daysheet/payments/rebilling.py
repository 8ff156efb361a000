"""Void and rebill in one step (C4), and editing a line of an invoice that stands (C1). The client's payments follow.

What was posted is never rewritten: the old lines are reversed and end, new ones are charged, and the same payments are
applied again, each first to the service it was on, at most what that now owes; the rest stays credit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.invoicing.actions import InvoiceHasInsuranceMoney, NoLongerThere, issue_invoices, void_invoice
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.registry import claim_keeper, claimed_lines
from daysheet.invoicing.selection import Issued, LineEdit, ManualLine, Selection
from daysheet.invoicing.voiding import end_lines
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.money import LARGEST_CENTS, Money
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.ledger.queries import StandingEntry, standing_entries
from daysheet.ledger.requests import claim_request
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService
from daysheet.services.models import ServiceType

from .corrections import ReasonMissing
from .prepayments import apply_more, apply_rest
from .receiving import lock_visible_clients


class RebillRefused(Refusal):
    """A rule refuses the new invoice; the old one stands as it was."""

    code = "rebill_refused"


class EditNotPossible(Refusal):
    """The amounts of the edit do not fit together, or insurance money is on the line."""

    code = "edit_not_possible"


@dataclass(frozen=True, slots=True)
class Rebilled:
    """The new invoice, in cents: its total, what of the old payments is on it again, and what of them is credit."""

    invoice_id: UUID
    number: int
    total_cents: int
    client_cents: int
    insurance_cents: int
    reapplied_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class _Applied:
    """A part of a payment that was on a line, and which service that line billed."""

    payment_id: UUID
    cents: int
    visit_service_id: UUID | None


@action(Permission.BILLING, audited=False)
def void_and_rebill(
    actor: Actor,
    *,
    request_key: UUID,
    invoice_id: UUID,
    reason: str,
    services: Mapping[UUID, UUID] | None = None,
    edits: Mapping[UUID, LineEdit] | None = None,
) -> Rebilled:
    """Void an invoice, correct what it billed, bill it again, and apply the same client payments (C4): all or nothing.

    `services`: {visit service: the service type it should have been}; `edits` as in a batch's preview. The same
    `request_key` twice is one rebilling. Raises NotFound, RequestKeyReused, NoLongerThere, ReasonMissing,
    InvoiceHasInsuranceMoney, RebillRefused.
    """
    content = {
        "invoice": invoice_id, "reason": reason.strip(), "services": sorted(map(str, (services or {}).items())),
        "edits": sorted(map(str, (edits or {}).items())),
    }  # fmt: skip
    is_new = claim_request(actor, request_key, "void_and_rebill", content)
    invoice = _visible_invoice(actor, invoice_id)
    lock_visible_clients(actor, [invoice.client_id])
    if not is_new:
        return _answer(Invoice.objects.get(request_key=request_key), 0, 0)
    lines = list(InvoiceLine.objects.filter(invoice=invoice, ended_at=None).order_by("position", "pk"))
    if not lines:
        raise NoLongerThere(invoice.number)
    applied = _applications(actor, lines)
    was_claimed = bool(claimed_lines([line.pk for line in lines]))
    void_invoice(actor, invoice_id=invoice.pk, reason=reason)
    _correct_services(services or {}, lines)
    issued = issue_invoices(
        actor, selection=_again(invoice, lines, edits or {}), door=Invoice.Door.LEDGER, request_key=request_key,
        note=f"Instead of invoice {invoice.number}", with_prepayments=False,
    )  # fmt: skip
    if issued.refused or len(issued.created) != 1:
        raise RebillRefused(f"{_why(issued)} Invoice {invoice.number} stands as it was; nothing was changed.")
    created = Invoice.objects.get(pk=issued.created[0].id)
    reapplied = _apply_again(actor, list(InvoiceLine.objects.filter(invoice=created)), applied, new_id())
    apply_rest(actor, created)
    if was_claimed:
        _claim_again(actor, created)
    record(
        actor, "void_and_rebill", "invoice", created.pk, client_id=invoice.client_id, instead_of=invoice.number,
        number=created.number, reapplied_cents=reapplied,
    )  # fmt: skip
    return _answer(created, reapplied, sum(each.cents for each in applied) - reapplied)


@action(Permission.BILLING, audited=False)
def edit_line(
    actor: Actor,
    *,
    request_key: UUID,
    line_id: UUID,
    rate_cents: int,
    units: int,
    client_cents: int,
    note: str,
    reason: str,
) -> None:
    """Change units, rate, sides or note of a line (C1): the old line is reversed and ends, the new one stands in its
    place on the same invoice. `client_cents` is the client's part; the insurer's is the rest.

    Raises NotFound, NoLongerThere, ReasonMissing, EditNotPossible, InvoiceHasInsuranceMoney.
    """
    content = {
        "line": line_id, "rate": rate_cents, "units": units, "client": client_cents, "note": note.strip(),
        "reason": reason.strip(),
    }  # fmt: skip
    is_new = claim_request(actor, request_key, "edit_line", content)
    seen = InvoiceLine.objects.filter(pk=line_id, client__in=visible_clients(actor)).select_related("invoice").first()
    if seen is None:
        raise NotFound("There is no such line in this practice.")
    if not is_new:
        return
    lock_visible_clients(actor, [seen.client_id])
    line = InvoiceLine.objects.select_for_update(no_key=True).get(pk=line_id)
    if line.ended_at is not None:
        raise NoLongerThere(seen.invoice.number)
    if not reason.strip():
        raise ReasonMissing("Say why the line is changed: the reason stays with it. Nothing was changed.")
    _check_edit(line, rate_cents, units, client_cents)
    standing = standing_entries(actor, line_id=line.pk)
    if any(_is_insurance_money(entry) for entry in standing):
        raise InvoiceHasInsuranceMoney("Insurance money is on this line. Take it off first; nothing was changed.")
    applied = _applications(actor, [line])
    end_lines(actor, [line.pk], [entry.id for entry in standing], reason=f"Changed: {reason.strip()}")
    anew = _replacement(line, rate_cents, units, client_cents, note)
    _charge(actor, anew, request_key, reason)
    if keeper := claim_keeper():
        keeper.replace(actor, line.pk, anew.pk)
    reapplied = _apply_again(actor, [anew], applied, new_id())
    apply_more(actor, anew, {part.payment_id for part in applied})
    record(
        actor, "edit_line", "line", anew.pk, client_id=line.client_id, reason=reason.strip(), instead_of=str(line.pk),
        before_cents=line.amount_cents, after_cents=anew.amount_cents, reapplied_cents=reapplied,
    )  # fmt: skip


def _claim_again(actor: Actor, invoice: Invoice) -> None:
    """The old invoice's claims waited: the new one's take their place, where an insurer still owes anything."""
    keeper = claim_keeper()
    insured = InvoiceLine.objects.filter(invoice=invoice, insurance_cents__gt=0, coverage__isnull=False)
    if keeper and insured.exists():
        keeper.queue(actor, invoice_id=invoice.pk)


def _visible_invoice(actor: Actor, invoice_id: UUID) -> Invoice:
    invoice = Invoice.objects.filter(pk=invoice_id, client__in=visible_clients(actor)).first()
    if invoice is None:
        raise NotFound("There is no such invoice in this practice.")
    return invoice


def _applications(actor: Actor, lines: Sequence[InvoiceLine]) -> list[_Applied]:
    """The client money on these lines, in the order in which it was put there."""
    return [
        _Applied(entry.payment_id, entry.amount_cents, line.visit_service_id)
        for line in lines
        for entry in standing_entries(actor, line_id=line.pk, debit=Account.CREDIT)
        if entry.credit is Account.CLIENT_RECEIVABLE and entry.payment_id
    ]


def _is_insurance_money(entry: StandingEntry) -> bool:
    return entry.debit is Account.CONTRACTUAL or (
        entry.debit is Account.CREDIT and entry.credit is Account.INSURANCE_RECEIVABLE
    )


def _correct_services(services: Mapping[UUID, UUID], lines: Sequence[InvoiceLine]) -> None:
    billed = {line.visit_service_id for line in lines}
    if ServiceType.objects.filter(pk__in=set(services.values()), archived_at=None).count() != len(
        set(services.values())
    ):
        raise NotFound("One of the service types is archived or does not exist.")
    for visit_service_id, service_type_id in services.items():
        if visit_service_id not in billed:
            raise NotFound("One of the services is not on this invoice.")
        VisitService.objects.filter(pk=visit_service_id).exclude(service_type_id=service_type_id).update(
            service_type_id=service_type_id, rate_cents=None, units=None, modifiers=None
        )


def _again(invoice: Invoice, lines: Sequence[InvoiceLine], edits: Mapping[UUID, LineEdit]) -> Selection:
    """What the old invoice billed, to be billed again: visit services by the rules of today, manual lines as typed."""
    manual = tuple(
        ManualLine(
            line.service_type_id, line.name, line.service_on, line.units, line.rate_cents,
            "client" if line.client_cents == line.amount_cents else "insurance", line.note,
            line.rendering_staff_member_id,
        )
        for line in lines
        if line.visit_service_id is None
    )  # fmt: skip
    linked = [line.visit_service_id for line in lines if line.visit_service_id]
    on_purpose = {
        pk: LineEdit(bill_although_suspended=True)
        for pk in VisitService.objects.filter(pk__in=linked, is_suspended=True).values_list("pk", flat=True)
    }
    return Selection(tuple(linked), {**on_purpose, **edits}, manual, invoice.client_id)


def _apply_again(actor: Actor, lines: Sequence[InvoiceLine], applied: Sequence[_Applied], event_id: UUID) -> int:
    """Put the same payments on the new lines, each first on the service it was on. Returns the cents applied."""
    due = {line.pk: line.client_open_cents for line in lines}
    movements: list[Movement] = []
    for part in applied:
        left = part.cents
        for line in sorted(lines, key=lambda each: (each.visit_service_id != part.visit_service_id, each.position)):
            cents = min(left, due[line.pk])
            if cents:
                movements.append(
                    Movement(
                        Account.CREDIT, Account.CLIENT_RECEIVABLE, cents, line.client_id, actor.today,
                        line_id=line.pk, payment_id=part.payment_id,
                    )
                )  # fmt: skip
                due[line.pk] -= cents
                left -= cents
    if movements:
        post(actor, movements, event_id=event_id)
    return sum(movement.amount_cents for movement in movements)


def _check_edit(line: InvoiceLine, rate_cents: int, units: int, client_cents: int) -> None:
    if rate_cents * units > LARGEST_CENTS:
        raise EditNotPossible(
            f"{Money(rate_cents * units)} is more than one line may be. Nothing was changed; enter it again."
        )
    if rate_cents < 0 or units < 1:
        raise EditNotPossible("The rate cannot be less than nothing, and there is at least one unit.")
    if not 0 <= client_cents <= rate_cents * units:
        raise EditNotPossible("The client's part is between nothing and the whole amount. Nothing was changed.")
    if client_cents < rate_cents * units and line.coverage_id is None:
        raise EditNotPossible("This line has no coverage, so the whole amount is the client's. Nothing was changed.")


def _replacement(line: InvoiceLine, rate_cents: int, units: int, client_cents: int, note: str) -> InvoiceLine:
    """A copy of the ended line with the new amounts, claimed for the same visit service."""
    amount_cents = rate_cents * units
    kept = {
        field.attname: getattr(line, field.attname)
        for field in InvoiceLine._meta.concrete_fields
        if field.name not in {"id", "practice", "ended_at"}
    }
    changed = {
        "rate_cents": rate_cents, "units": units, "amount_cents": amount_cents, "client_cents": client_cents,
        "insurance_cents": amount_cents - client_cents, "client_open_cents": client_cents,
        "insurance_open_cents": amount_cents - client_cents, "price_source": "edited", "note": note.strip()[:200],
        "copay_cents": min(line.copay_cents, client_cents),
    }  # fmt: skip
    anew = InvoiceLine(**{**kept, **changed})
    if line.visit_service_id:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE schedule_visitservice SET line_id = %s WHERE practice_id = %s AND id = %s AND line_id IS NULL",
                [anew.pk, line.practice_id, line.visit_service_id],
            )
            assert cursor.rowcount == 1
    anew.save(force_insert=True)
    return anew


def _charge(actor: Actor, line: InvoiceLine, event_id: UUID, reason: str) -> None:
    charges = [
        Movement(
            account, Account.REVENUE, cents, line.client_id, actor.today, line_id=line.pk,
            coverage_id=line.coverage_id, reason=reason.strip()[:400],
        )
        for account, cents in (
            (Account.CLIENT_RECEIVABLE, line.client_cents),
            (Account.INSURANCE_RECEIVABLE, line.insurance_cents),
        )
        if cents
    ]  # fmt: skip
    post(actor, charges, event_id=event_id, opens_lines=True)


def _why(issued: Issued) -> str:
    return issued.refused[0].message if issued.refused else "There is nothing left to bill."


def _answer(invoice: Invoice, reapplied_cents: int, credit_cents: int) -> Rebilled:
    lines = list(InvoiceLine.objects.filter(invoice=invoice, ended_at=None))
    return Rebilled(
        invoice.pk, invoice.number, sum(line.amount_cents for line in lines),
        sum(line.client_cents for line in lines), sum(line.insurance_cents for line in lines),
        reapplied_cents, credit_cents,
    )  # fmt: skip

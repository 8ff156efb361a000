"""The correction pages; each goes the way of correction_page.py."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.clients.queries import get_client
from daysheet.invoicing.actions import NoLongerThere
from daysheet.invoicing.forms import ReasonForm
from daysheet.invoicing.links import invoice_url
from daysheet.invoicing.queries.effects import Figure
from daysheet.invoicing.selection import LineEdit
from daysheet.invoicing.views.correction_page import Measure, Typed, correction_page, of_client
from daysheet.kit.dates import us_date
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.schedule.queries import staff_choices
from daysheet.services.queries import service_choices
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other

from .. import corrections, rebilling, redating
from ..correction_forms import (
    EditLineForm,
    EditPaymentForm,
    RebillForm,
    RefundForm,
    ResponsibilityForm,
    UnapplyForm,
    WriteOffForm,
)
from ..queries.correcting import (
    LineFacts,
    applied_lines,
    invoice_id_of,
    invoice_lines,
    line_facts,
    lines_to_write_off,
    write_offs,
)
from ..queries.effects import deposits, insurer_figures, payment_days, possible_days
from ..queries.payment import PaymentView, payment_view

any_method = require_http_methods(["GET", "HEAD", "POST"])


def of_what_stands(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A page of a line or invoice that somebody has changed or voided since leads to the invoice, and says so."""

    @wraps(view)
    def answer(request: HttpRequest, **of: Any) -> HttpResponse:
        try:
            return view(request, **of)
        except NoLongerThere as gone:
            messages.error(request, gone.message)
            return see_other(request, invoice_url(actor_of(request), gone.number))

    return answer


@any_method
def unapply(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Take a payment off the lines it is on, all or some."""
    actor, shown = actor_of(request), payment_view(actor_of(request), payment)
    form = UnapplyForm(request.POST or None, lines=applied_lines(actor, payment))
    return correction_page(
        request, form, shown.client_id, "Unapply payment", _payment_url(actor, payment),
        lambda typed: corrections.unapply(
            actor, request_key=typed["request_key"], payment_id=payment, reason=typed["reason"],
            line_ids=form.line_ids(),
        ),
        about=f"{Money(shown.row.applied_cents)} of this payment of {Money(shown.row.amount_cents)} is applied. What "
        "is taken off becomes credit, and its lines are due again.",
        measure=_of_payment(actor, shown),
    )  # fmt: skip


@any_method
def refund(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Give back credit."""
    actor, shown = actor_of(request), payment_view(actor_of(request), payment)
    form = RefundForm(request.POST or None, initial={"amount": shown.row.credit_cents, "refunded_on": actor.today})
    return correction_page(
        request, form, shown.client_id, "Refund", _payment_url(actor, payment),
        lambda typed: corrections.refund_payment(
            actor, request_key=typed["request_key"], payment_id=payment, amount_cents=typed["amount"],
            refunded_on=typed["refunded_on"], reason=typed["reason"],
        ),
        about=f"{Money(shown.row.credit_cents)} of this payment is not applied and can be refunded.",
        measure=_of_payment(actor, shown),
    )  # fmt: skip


@any_method
def delete_payment(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Delete, which is to reverse."""
    actor, shown = actor_of(request), payment_view(actor_of(request), payment)
    return correction_page(
        request, ReasonForm(request.POST or None), shown.client_id, "Delete payment", _payment_url(actor, payment),
        lambda typed: corrections.reverse_payment(
            actor, request_key=typed["request_key"], payment_id=payment, reason=typed["reason"]
        ),
        about=f"The payment of {Money(shown.row.amount_cents)} is reversed. Its row and both entries stay."
        + (" The card keeps its charge: to give the money back, refund it instead." if shown.charge_id else ""),
        danger=True,
        measure=_of_payment(actor, shown),
    )  # fmt: skip


@any_method
def edit_payment(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Method, date, number, notes."""
    actor, shown = actor_of(request), payment_view(actor_of(request), payment)
    row = shown.row
    initial = {
        "method": row.method_value, "received_on": row.received_on, "number": row.number, "notes": row.notes,
    }  # fmt: skip
    seen = redating.facts_mark(row.method_value, row.received_on, row.number, row.notes)
    form = EditPaymentForm(request.POST or None, initial=initial | {"seen": seen}, is_insurers=shown.client_id is None)
    return correction_page(
        request, form, shown.client_id, "Edit payment", _payment_url(actor, payment),
        lambda typed: redating.edit_payment(
            actor, payment_id=payment, **{name: typed[name] for name in (*initial, "seen", "reason", "request_key")}
        ),
        about="The amount is not edited: unapply, delete and enter it again. A new date moves the money to the deposit "
        "of that day, and what was applied before it along.",
        measure=_of_edited_payment(actor, shown, payment),
    )  # fmt: skip


@any_method
@of_what_stands
def write_off(request: HttpRequest, line: UUID) -> HttpResponse:
    """Write off a part of one side of a line."""
    actor, facts = actor_of(request), line_facts(actor_of(request), line)
    side = "client" if facts.client_open_cents else "insurance"
    initial = {"side": side, "amount": facts.client_open_cents or facts.insurance_open_cents}
    return correction_page(
        request, WriteOffForm(request.POST or None, initial=initial), facts.client_id, "Write off",
        practice_url(actor, "payments:write_offs", client=facts.client_id),
        lambda typed: corrections.write_off(
            actor, request_key=typed["request_key"], line_id=line, side=typed["side"], amount_cents=typed["amount"],
            reason=typed["reason"],
        ),
        about=_open_words(facts),
    )  # fmt: skip


@any_method
@of_what_stands
def remove_write_off(request: HttpRequest, line: UUID, entry: UUID) -> HttpResponse:
    """Take a write-off back."""
    actor, facts = actor_of(request), line_facts(actor_of(request), line)
    return correction_page(
        request, ReasonForm(request.POST or None), facts.client_id, "Take back write-off",
        practice_url(actor, "payments:write_offs", client=facts.client_id),
        lambda typed: corrections.remove_write_off(
            actor, request_key=typed["request_key"], line_id=line, entry_id=entry, reason=typed["reason"]
        ),
        about=f"The amount is due again on {_line_words(facts)}.",
    )  # fmt: skip


@any_method
@of_what_stands
def change_responsibility(request: HttpRequest, line: UUID) -> HttpResponse:
    """Move an unpaid amount to the other side."""
    actor, facts = actor_of(request), line_facts(actor_of(request), line)
    to_side = "client" if facts.insurance_open_cents else "insurance"
    initial = {"to_side": to_side, "amount": facts.insurance_open_cents or facts.client_open_cents}
    return correction_page(
        request, ResponsibilityForm(request.POST or None, initial=initial), facts.client_id, "Change responsibility",
        invoice_url(actor, facts.invoice_number),
        lambda typed: corrections.change_responsibility(
            actor, request_key=typed["request_key"], line_id=line, to_side=typed["to_side"],
            amount_cents=typed["amount"], reason=typed["reason"],
        ),
        about=_open_words(facts),
    )  # fmt: skip


@any_method
@of_what_stands
def edit_line(request: HttpRequest, line: UUID) -> HttpResponse:
    """Units, rate, sides and note of a line of an invoice that stands."""
    actor = actor_of(request)
    facts = line_facts(actor, line, even_ended=request.method == "POST")  # the second of two clicks finds it ended
    initial = {
        "units": facts.units, "rate": facts.rate_cents, "client_part": facts.client_cents, "note": facts.note,
    }  # fmt: skip
    return correction_page(
        request, EditLineForm(request.POST or None, initial=initial), facts.client_id, "Edit line",
        invoice_url(actor, facts.invoice_number),
        lambda typed: rebilling.edit_line(
            actor, request_key=typed["request_key"], line_id=line, rate_cents=typed["rate"], units=typed["units"],
            client_cents=typed["client_part"], note=typed["note"], reason=typed["reason"],
        ),
        about=f"{facts.name} on invoice {facts.invoice_number}: {Money(facts.amount_cents)}. The old line is reversed "
        "and the new one stands in its place; the client's payments follow.",
    )  # fmt: skip


@any_method
@of_what_stands
def void_and_rebill(request: HttpRequest, number: int) -> HttpResponse:
    """Void, correct, bill again and apply the same payments, in one step (C4)."""
    actor = actor_of(request)
    invoice_id = invoice_id_of(actor, number)
    lines = invoice_lines(actor, number, even_ended=request.method == "POST")
    form = RebillForm(
        request.POST or None, lines=lines, services=service_choices(actor), providers=staff_choices(actor)
    )

    def save(typed: Typed) -> rebilling.Rebilled:
        corrected = list(form.corrected())
        return rebilling.void_and_rebill(
            actor,
            request_key=typed["request_key"],
            invoice_id=invoice_id,
            reason=typed["reason"],
            services={key: service for key, service, _, _ in corrected},
            edits={
                key: LineEdit(units=units, rendering_staff_member_id=provider)
                for key, _, units, provider in corrected
                if units or provider
            },
        )

    return correction_page(
        request, form, lines[0].client_id, "Void and rebill", invoice_url(actor, number), save,
        about=f"Invoice {number} is voided and billed again as corrected here; the client's payments on it are applied "
        "to the new invoice. If a rule refuses the new invoice, nothing changes.",
        done_url=lambda rebilled: invoice_url(actor, rebilled.number),
    )  # fmt: skip


@require_safe
def write_off_list(request: HttpRequest, client: UUID) -> HttpResponse:
    """Write-Offs of a client: what can be written off, and what was."""
    actor = actor_of(request)
    context = {
        "client_id": client,
        "client_name": get_client(actor, client).name,
        "lines": lines_to_write_off(actor, client),
        "write_offs": write_offs(actor, client),
    }
    return render_page(request, "payments/write_offs.html", context)


def _of_payment(actor: Actor, shown: PaymentView) -> Measure:
    """The client's figures, or of an insurer's payment the insurer's."""
    if shown.payer_id is None:
        return of_client(actor, shown.client_id)
    payer_id = shown.payer_id
    return lambda _: insurer_figures(actor, payer_id)


def _of_edited_payment(actor: Actor, shown: PaymentView, payment_id: UUID) -> Measure:
    """And the deposits that a new date or method changes: those it may be in before and after."""
    figures = _of_payment(actor, shown)
    days = payment_days(actor, payment_id)
    possible: set[date] = set()

    def read(typed: Typed) -> list[Figure]:
        if not possible:  # the same days before and after, also where one is closed in between
            possible.update(possible_days(actor, days, typed["received_on"]))
        return [*figures(typed), *deposits(actor, possible, {shown.row.method_value, typed["method"]})]

    return read


def _payment_url(actor: Actor, payment: UUID) -> str:
    return practice_url(actor, "payments:payment", payment=payment)


def _line_words(facts: LineFacts) -> str:
    return f"{facts.name} of {us_date(facts.service_on)}, invoice {facts.invoice_number}"


def _open_words(facts: LineFacts) -> str:
    owed = f"the client still owes {Money(facts.client_open_cents)}, insurance {Money(facts.insurance_open_cents)}"
    return f"{_line_words(facts)}: {owed}."

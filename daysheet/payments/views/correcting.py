"""The correction pages. Each asks what and why, then shows its effect in numbers before it happens, then does it.

The effect is not computed a second way: the action itself runs in a savepoint that is rolled back, and the client's
figures are read on both sides of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.clients.queries import get_client
from daysheet.invoicing.links import invoice_url
from daysheet.invoicing.selection import LineEdit
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.schedule.queries import staff_choices
from daysheet.services.queries import service_choices
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from .. import corrections, rebilling, redating
from ..correction_forms import (
    EditLineForm,
    EditPaymentForm,
    ReasonForm,
    RebillForm,
    RefundForm,
    ResponsibilityForm,
    UnapplyForm,
    WriteOffForm,
)
from ..queries.correcting import applied_lines, invoice_id_of, invoice_lines, line_facts, lines_to_write_off, write_offs
from ..queries.effects import Figure, client_figures, deposits, insurer_figures, payment_days, possible_days
from ..queries.payment import PaymentView, payment_view
from .closed import posting_words

_PAGE = "payments/correct.html"
Typed = Mapping[str, Any]
Measure = Callable[[Typed], list[Figure]]
any_method = require_http_methods(["GET", "HEAD", "POST"])


@any_method
def unapply(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Take a payment off the lines it is on, all or some."""
    actor, shown = actor_of(request), payment_view(actor_of(request), payment)
    form = UnapplyForm(request.POST or None, lines=applied_lines(actor, payment))
    return _correct(
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
    return _correct(
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
    return _correct(
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
    form = EditPaymentForm(request.POST or None, initial=initial, is_insurers=shown.client_id is None)
    return _correct(
        request, form, shown.client_id, "Edit payment", _payment_url(actor, payment),
        lambda typed: redating.edit_payment(
            actor, payment_id=payment, **{name: typed[name] for name in (*initial, "reason", "request_key")}
        ),
        about="The amount is not edited: unapply, delete and enter it again. A new date moves the money to the deposit "
        "of that day, and what was applied before it along.",
        measure=_of_edited_payment(actor, shown, payment),
    )  # fmt: skip


@any_method
def write_off(request: HttpRequest, line: UUID) -> HttpResponse:
    """Write off a part of one side of a line."""
    actor, facts = actor_of(request), line_facts(actor_of(request), line)
    side = "client" if facts.client_open_cents else "insurance"
    initial = {"side": side, "amount": facts.client_open_cents or facts.insurance_open_cents}
    return _correct(
        request, WriteOffForm(request.POST or None, initial=initial), facts.client_id, "Write off",
        practice_url(actor, "payments:write_offs", client=facts.client_id),
        lambda typed: corrections.write_off(
            actor, request_key=typed["request_key"], line_id=line, side=typed["side"], amount_cents=typed["amount"],
            reason=typed["reason"],
        ),
        about=_open_words(facts.name, facts.client_open_cents, facts.insurance_open_cents),
    )  # fmt: skip


@any_method
def remove_write_off(request: HttpRequest, line: UUID, entry: UUID) -> HttpResponse:
    """Take a write-off back."""
    actor, facts = actor_of(request), line_facts(actor_of(request), line)
    return _correct(
        request, ReasonForm(request.POST or None), facts.client_id, "Take back write-off",
        practice_url(actor, "payments:write_offs", client=facts.client_id),
        lambda typed: corrections.remove_write_off(
            actor, request_key=typed["request_key"], line_id=line, entry_id=entry, reason=typed["reason"]
        ),
        about=f"The amount is due again on {facts.name}.",
    )  # fmt: skip


@any_method
def change_responsibility(request: HttpRequest, line: UUID) -> HttpResponse:
    """Move an unpaid amount to the other side."""
    actor, facts = actor_of(request), line_facts(actor_of(request), line)
    to_side = "client" if facts.insurance_open_cents else "insurance"
    initial = {"to_side": to_side, "amount": facts.insurance_open_cents or facts.client_open_cents}
    return _correct(
        request, ResponsibilityForm(request.POST or None, initial=initial), facts.client_id, "Change responsibility",
        invoice_url(actor, facts.invoice_number),
        lambda typed: corrections.change_responsibility(
            actor, request_key=typed["request_key"], line_id=line, to_side=typed["to_side"],
            amount_cents=typed["amount"], reason=typed["reason"],
        ),
        about=_open_words(facts.name, facts.client_open_cents, facts.insurance_open_cents),
    )  # fmt: skip


@any_method
def edit_line(request: HttpRequest, line: UUID) -> HttpResponse:
    """Units, rate, sides and note of a line of an invoice that stands."""
    actor = actor_of(request)
    facts = line_facts(actor, line, even_ended=request.method == "POST")  # the second of two clicks finds it ended
    initial = {
        "units": facts.units, "rate": facts.rate_cents, "client_part": facts.client_cents, "note": facts.note,
    }  # fmt: skip
    return _correct(
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

    return _correct(
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


def _correct(
    request: HttpRequest,
    form: Form,
    client_id: UUID | None,
    verb: str,
    back_url: str,
    save: Callable[[Typed], Any],
    *,
    about: str,
    danger: bool = False,
    done_url: Callable[[Any], str] | None = None,
    measure: Measure | None = None,
) -> HttpResponse:
    """Form → effect in numbers → done. A refusal is shown at either step with 422, and nothing was changed. `measure`
    reads the figures that the effect is shown in; the client's where it is None."""
    actor = actor_of(request)
    client_name = get_client(actor, client_id).name if client_id else ""
    context: dict[str, Any] = {
        "form": form, "client_id": client_id, "client_name": client_name, "verb": verb, "back_url": back_url,
        "about": about, "danger": danger,
    }  # fmt: skip
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        if "confirmed" not in request.POST:
            read = measure or _of_client(actor, client_id)
            effect = _dry_run(lambda: read(form.cleaned_data), lambda: save(form.cleaned_data))
            posted = posting_words(actor, _meant_for(actor, form.cleaned_data))
            return render_page(request, _PAGE, {**context, "effect": effect, "posted": posted})
        saved = save(form.cleaned_data)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal)
    messages.success(request, f"{verb}: done.")
    return see_other(request, done_url(saved) if done_url else back_url)


def _meant_for(actor: Actor, typed: Typed) -> date:
    """The day that was typed, or today."""
    for name in ("refunded_on", "received_on"):
        if name in typed:
            return cast(date, typed[name])
    return actor.today


def _dry_run(read: Callable[[], list[Figure]], save: Callable[[], Any]) -> list[tuple[str, int, int]]:
    """(figure, before, after) in cents, by doing it and taking it back."""
    before = read()
    with transaction.atomic():
        save()
        after = read()
        transaction.set_rollback(True)
    return [
        (old.label, old.cents, new.cents)
        for old, new in zip(before, after, strict=True)
        if not old.is_detail or old.cents != new.cents
    ]


def _of_client(actor: Actor, client_id: UUID | None) -> Measure:
    assert client_id is not None
    return lambda _: client_figures(actor, client_id)


def _of_payment(actor: Actor, shown: PaymentView) -> Measure:
    """The client's figures, or of an insurer's payment the insurer's."""
    if shown.payer_id is None:
        return _of_client(actor, shown.client_id)
    payer_id = shown.payer_id
    return lambda _: insurer_figures(actor, payer_id)


def _of_edited_payment(actor: Actor, shown: PaymentView, payment_id: UUID) -> Measure:
    """And the deposits that a new date or method changes: those it may be in before and after."""
    figures = _of_payment(actor, shown)
    days = payment_days(actor, payment_id)

    def read(typed: Typed) -> list[Figure]:
        possible = possible_days(actor, days, typed["received_on"])
        return [*figures(typed), *deposits(actor, possible, {shown.row.method_value, typed["method"]})]

    return read


def _payment_url(actor: Actor, payment: UUID) -> str:
    return practice_url(actor, "payments:payment", payment=payment)


def _open_words(name: str, client_cents: int, insurance_cents: int) -> str:
    return f"{name}: the client still owes {Money(client_cents)}, insurance {Money(insurance_cents)}."

"""Accept Payment (from the Ledger), Apply Payment (from the Agenda), Apply to Invoices, and the page of a payment."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.invoicing.links import agenda_url
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.money import Money
from daysheet.kit.numbers import whole_number
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import refused, render_page, see_other

from .. import actions
from ..forms import LinesForm, PaymentForm, initial_payment, ticked
from ..queries.accepting import Desk, payment_desk, payments_with_number, prepayment_cents, visit_desk
from ..queries.payment import payment_view
from ..registry import payment_notices
from .told import tell_posting_day, tell_same_number

_PAGE = "payments/accept_payment.html"


@require_http_methods(["GET", "HEAD", "POST"])
def accept_payment(request: HttpRequest, client: UUID) -> HttpResponse:
    """Money from the Ledger; `?invoice=` ticks the lines of one invoice."""
    actor = actor_of(request)
    back_url = practice_url(actor, "payments:ledger", client=client)
    return _take(request, payment_desk(actor, client), _asked_invoice(request), "Accept Payment", back_url)


@require_http_methods(["GET", "HEAD", "POST"])
def apply_payment(request: HttpRequest, visit: UUID) -> HttpResponse:
    """Money from the Agenda for one date of service: the full client amount of its invoice is there already (M1).
    Before it is billed the money is a prepayment named for it (M3), with what the client would owe."""
    actor = actor_of(request)
    desk = visit_desk(actor, visit)
    back_url = practice_url(actor, "payments:ledger", client=desk.client_id)
    if desk.visit_on:
        back_url = agenda_url(actor, desk.visit_on) or back_url
    if desk.visit_invoice_number is None:
        due = prepayment_cents(actor, visit)
        return _take(request, desk, None, "Accept Payment", back_url, amount_cents=due)
    return _take(request, desk, desk.visit_invoice_number, "Apply Payment", back_url)


@require_http_methods(["GET", "HEAD", "POST"])
def apply_credit(request: HttpRequest, client: UUID) -> HttpResponse:
    """Apply to Invoices: credit that is there already, put on open lines."""
    actor = actor_of(request)
    desk = payment_desk(actor, client)
    form = LinesForm(request.POST or None, desk=desk, initial=ticked(desk, _asked_invoice(request)))
    return form_page(
        request,
        form,
        "payments/apply_credit.html",
        {"desk": desk},
        save=lambda typed: actions.apply_credit(
            actor, request_key=typed["request_key"], client_id=client, applications=form.chosen()
        ),
        done="The credit was applied.",
        back_url=practice_url(actor, "payments:ledger", client=client),
    )


@require_safe
def payment(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Where a payment went, and the entries behind it."""
    actor = actor_of(request)
    shown = payment_view(actor, payment)
    shows_record_of(request, shown.client_id)
    is_whole = not shown.row.applied_cents and not shown.row.returned_cents
    context = {
        "payment": shown,
        "payment_id": payment,
        "same_number": payments_with_number(actor, payment),
        "notices": payment_notices(actor, payment),
        "may_delete": is_whole and (not shown.is_card or actor.may(Permission.ADMINISTRATOR)),
    }
    return render_page(request, "payments/payment.html", context)


def _asked_invoice(request: HttpRequest) -> int | None:
    """`?invoice=`: the invoice whose lines are ticked."""
    return whole_number(request.GET.get("invoice"), most=10**18)


def _take(
    request: HttpRequest, desk: Desk, number: int | None, title: str, back_url: str, amount_cents: int | None = None
) -> HttpResponse:
    actor = actor_of(request)
    shows_record_of(request, desk.client_id)
    initial = {"amount": amount_cents} | initial_payment(desk, number, actor.today)
    form = PaymentForm(request.POST or None, desk=desk, initial=initial)
    context: dict[str, Any] = {"desk": desk, "title": title, "back_url": back_url, "form": form, "number": number}
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        accepted = actions.accept_payment(actor, client_id=desk.client_id, **form.facts())
    except (NotFound, NotAllowed):
        raise
    except actions.SurplusNotConfirmed as told:
        return render_page(request, _PAGE, {**context, "surplus_cents": told.credit_cents})
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal)
    _say(request, actor, accepted)
    tell_posting_day(request, actor, form.cleaned_data["received_on"])
    return see_other(request, back_url)


def _say(request: HttpRequest, actor: Actor, accepted: actions.Accepted) -> None:
    """What was saved, and a warning where the number was used before (M5)."""
    amount = Money(accepted.applied_cents + accepted.credit_cents)
    if accepted.is_repeat:
        messages.info(request, f"This payment of {amount} had been saved already. Nothing was saved twice.")
        return
    parts = [f"{Money(accepted.applied_cents)} applied"] if accepted.applied_cents else []
    parts += [f"{Money(accepted.credit_cents)} kept as credit"] if accepted.credit_cents else []
    messages.success(request, f"Payment of {amount} saved: {', '.join(parts)}.")
    tell_same_number(request, actor, accepted.payment_id)

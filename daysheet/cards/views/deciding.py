"""A charge whose outcome is not known: its page, asking the processor again, and saying what became of it."""

from __future__ import annotations

from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daysheet.invoicing.forms import ReasonForm
from daysheet.invoicing.views.correction_page import correction_page
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import render_page, see_other

from .. import deciding
from ..forms import InquiryForm, MarkChargedForm
from ..queries.charge_page import ChargeView, charge_view


@require_safe
def charge(request: HttpRequest, charge: UUID) -> HttpResponse:
    """What was asked and heard."""
    actor = actor_of(request)
    shown = charge_view(actor, charge)
    shows_record_of(request, shown.client_id)
    context = {"charge": shown, "inquiry_id": uuid4(), "section": "Billing"}
    return render_page(request, "cards/charge.html", context)


@require_POST
def ask(request: HttpRequest, charge: UUID) -> HttpResponse:
    """Ask the processor again."""
    actor = actor_of(request)
    charge_view(actor, charge)
    form = InquiryForm(request.POST)
    inquiry_id = form.cleaned_data["inquiry_id"] if form.is_valid() else uuid4()
    try:
        deciding.ask_processor(actor, inquiry_id=inquiry_id, charge_id=charge)
        messages.info(request, "The processor is being asked. Its answer appears here in a moment.")
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.info(request, refusal.message)
    return see_other(request, _url(actor, charge))


@require_http_methods(["GET", "HEAD", "POST"])
def mark_not_charged(request: HttpRequest, charge: UUID) -> HttpResponse:
    """It was seen at the processor that no money came in."""
    actor, shown = _administrator(request, charge)
    return correction_page(
        request, ReasonForm(request.POST or None), shown.client_id, "Mark as not charged", _url(actor, charge),
        lambda typed: deciding.mark_not_charged(
            actor, request_key=typed["request_key"], charge_id=charge, reason=typed["reason"]
        ),
        about=f"{_about(shown)} Mark it as not charged once you have seen at the processor that no money came in: the "
        "client’s cards can be charged again. Should the processor say later that it came in, it becomes a payment by "
        "itself.",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def mark_charged(request: HttpRequest, charge: UUID) -> HttpResponse:
    """It was seen at the processor that the money came in."""
    actor, shown = _administrator(request, charge)
    initial = {"reference": shown.reference, "received_on": shown.sent_on or actor.today}
    return correction_page(
        request, MarkChargedForm(request.POST or None, initial=initial), shown.client_id, "Mark as charged",
        _url(actor, charge),
        lambda typed: deciding.mark_charged(
            actor, request_key=typed["request_key"], charge_id=charge, reference=typed["reference"],
            received_on=typed["received_on"], reason=typed["reason"],
        ),
        about=f"{_about(shown)} Mark it as charged once you have seen at the processor that the money came in: it "
        "becomes a payment, the oldest date of service first. Should the processor tell of it later, it stays this one "
        "payment.",
    )  # fmt: skip


def _administrator(request: HttpRequest, charge_id: UUID) -> tuple[Actor, ChargeView]:
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    actor.require(Permission.ADMINISTRATOR)
    return actor, charge_view(actor, charge_id)


def _about(shown: ChargeView) -> str:
    return f"{shown.card_label}, {Money(shown.amount_cents)}."


def _url(actor: Actor, charge_id: UUID) -> str:
    return practice_url(actor, "cards:charge", charge=charge_id)

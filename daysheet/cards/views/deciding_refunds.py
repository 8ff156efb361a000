"""A refund to a card: its page, and saying what became of it where the processor tells nothing."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.invoicing.forms import ReasonForm
from daysheet.invoicing.views.correction_page import correction_page
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import render_page

from .. import deciding_refunds
from ..forms import MarkRefundedForm
from ..queries.refund_page import RefundView, refund_view


@require_safe
def card_refund(request: HttpRequest, card_refund: UUID) -> HttpResponse:
    """What was asked and heard."""
    shown = refund_view(actor_of(request), card_refund)
    shows_record_of(request, shown.client_id)
    return render_page(request, "cards/card_refund.html", {"refund": shown, "section": "Clients"})


@require_http_methods(["GET", "HEAD", "POST"])
def mark_refunded(request: HttpRequest, card_refund: UUID) -> HttpResponse:
    """It was seen at the processor that the client has the money."""
    actor, shown = _administrator(request, card_refund)
    return correction_page(
        request, MarkRefundedForm(request.POST or None), shown.client_id, "Mark as refunded", _url(actor, card_refund),
        lambda typed: deciding_refunds.mark_refunded(
            actor, request_key=typed["request_key"], refund_id=card_refund, reference=typed["reference"],
            reason=typed["reason"],
        ),
        about=f"{_about(shown)} Mark it as refunded once you have seen at the processor that the client has the money. "
        "It left the client’s credit when it was asked for: no figure changes. Should the processor say later that it "
        "failed, it becomes credit again by itself.",
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def mark_not_refunded(request: HttpRequest, card_refund: UUID) -> HttpResponse:
    """It was seen at the processor that no money went back."""
    actor, shown = _administrator(request, card_refund)
    return correction_page(
        request, ReasonForm(request.POST or None), shown.client_id, "Mark as not refunded", _url(actor, card_refund),
        lambda typed: deciding_refunds.mark_not_refunded(
            actor, request_key=typed["request_key"], refund_id=card_refund, reason=typed["reason"]
        ),
        about=f"{_about(shown)} Mark it as not refunded once you have seen at the processor that no money went back: "
        "it is credit again and can be refunded anew. Should the processor say later that it was made, the money "
        "leaves the payment again by itself.",
    )  # fmt: skip


def _administrator(request: HttpRequest, refund_id: UUID) -> tuple[Actor, RefundView]:
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    actor.require(Permission.ADMINISTRATOR)
    return actor, refund_view(actor, refund_id)


def _about(shown: RefundView) -> str:
    return f"{Money(shown.amount_cents)} to {shown.card_label}."


def _url(actor: Actor, refund_id: UUID) -> str:
    return practice_url(actor, "cards:card_refund", card_refund=refund_id)

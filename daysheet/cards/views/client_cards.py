"""A client's stored cards, and refunds to a card."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from daysheet.invoicing.views.correction_page import correction_page
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.money import Money
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from .. import actions
from ..forms import CardRefundForm, SetupForm
from ..queries import client_cards as queries

_PAGE = "cards/client_cards.html"


@require_http_methods(["GET", "HEAD", "POST"])
def client_cards(request: HttpRequest, client: UUID) -> HttpResponse:
    """The list; POST opens the processor's page on which a card is typed, as a link: no card is typed here."""
    actor = actor_of(request)
    form = SetupForm(request.POST or None)
    context = {"found": queries.client_cards(actor, client), "form": form, "section": "Clients"}
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    back = request.build_absolute_uri(practice_url(actor, "cards:client_cards", client=client))
    try:
        url = actions.start_card_setup(actor, setup_id=form.cleaned_data["setup_id"], client_id=client, return_url=back)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal.message)
    context |= {"found": queries.client_cards(actor, client), "form": SetupForm(), "url": url}
    return render_page(request, _PAGE, context)


@require_POST
def look(request: HttpRequest, setup: UUID) -> HttpResponse:
    """Ask the processor for the card again."""
    actor = actor_of(request)
    client_id = queries.setup_client(actor, setup)
    actions.look_for_card(actor, setup_id=setup)
    messages.info(request, "The processor is being asked. The card appears here in a moment.")
    return see_other(request, practice_url(actor, "cards:client_cards", client=client_id))


@require_http_methods(["GET", "HEAD", "POST"])
def remove(request: HttpRequest, card: UUID) -> HttpResponse:
    """Asks once, then removes."""
    actor = actor_of(request)
    client_id, row = queries.card_of(actor, card)
    back = practice_url(actor, "cards:client_cards", client=client_id)
    if request.method == "POST" and request.POST.get("confirmed") == "yes":
        actions.remove_card(actor, card_id=card)
        messages.success(request, f"{row.label} was removed.")
        return see_other(request, back)
    context = {
        "title": f"Remove {row.label}?",
        "text": "It is not charged any more. What was charged with it stays as it is.",
        "action": request.path,
        "yes": "Yes, remove it",
        "cancel_url": back,
        "danger": True,
    }
    return render_page(request, "web/confirm.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def refund(request: HttpRequest, payment: UUID) -> HttpResponse:
    """Give back to the card, through the processor."""
    actor = actor_of(request)
    desk = queries.refund_desk(actor, payment)
    form = CardRefundForm(request.POST or None, initial={"amount": desk.unapplied_cents})
    card = f" ({desk.card_label})" if desk.card_label else ""
    return correction_page(
        request, form, desk.client_id, "Refund to the card", practice_url(actor, "payments:payment", payment=payment),
        lambda typed: actions.request_refund(
            actor, refund_id=typed["request_key"], payment_id=payment, amount_cents=typed["amount"],
            reason=typed["reason"],
        ),
        about=f"{Money(desk.unapplied_cents)} of this payment of {Money(desk.amount_cents)} is not applied and can go "
        f"back to the card{card}. It leaves the client’s credit at once, and comes back if the processor refuses.",
        done=lambda _: "The refund is on its way to the card.",
    )  # fmt: skip

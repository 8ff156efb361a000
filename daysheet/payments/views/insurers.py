"""Batch Payments: one insurer's cheque over many clients; and Accept Payment, Insurance Payment for one client (M1)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url, practice_url_or_none
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from .. import insurance
from ..actions import SurplusNotConfirmed
from ..insurer_forms import ChooseInsurerForm, InsurerLinesForm, InsurerPaymentForm, SearchForm
from ..queries.entries import Figure
from ..queries.insurer_desk import (
    InsurerDesk,
    insurer_credit,
    insurer_desk,
    last_insurer_payments,
    payers_with_open_lines,
)
from .told import tell_posting_day, tell_same_number

_PAGE = "payments/insurance_payment.html"


@require_http_methods(["GET", "HEAD", "POST"])
def batch_payments(request: HttpRequest) -> HttpResponse:
    """An insurer's cheque over many clients."""
    return _insurer_payment(request, None, practice_url(actor_of(request), "payments:batch_payments"))


@require_http_methods(["GET", "HEAD", "POST"])
def insurance_payment(request: HttpRequest, client: UUID) -> HttpResponse:
    """An insurer's money for one client, from the Ledger."""
    return _insurer_payment(request, client, practice_url(actor_of(request), "payments:ledger", client=client))


@require_http_methods(["GET", "HEAD", "POST"])
def apply_insurance_credit(request: HttpRequest, insurer_payment: UUID) -> HttpResponse:
    """What an insurer's payment still has, put on open lines of that insurer."""
    actor = actor_of(request)
    shown = insurer_credit(actor, insurer_payment)
    search = SearchForm(request.GET)
    text = search.data.get("client", "")[:60]
    desk = insurer_desk(actor, shown.payer_id, client_text=text)
    form = InsurerLinesForm(request.POST or None, desk=desk)
    return form_page(
        request,
        form,
        "payments/apply_insurance_credit.html",
        {
            "desk": desk, "search": search, "credit_cents": shown.credit_cents, "amount_cents": shown.amount_cents,
            "section": "Billing", "entries_url": _entries_url(actor, desk, client_text=text),
        },
        save=lambda typed: insurance.apply_insurance_credit(
            actor, request_key=typed["request_key"], payment_id=insurer_payment, postings=form.postings()
        ),
        done="The credit was applied.",
        back_url=practice_url(actor, "payments:payment", payment=insurer_payment),
    )  # fmt: skip


def _insurer_payment(request: HttpRequest, client: UUID | None, back_url: str) -> HttpResponse:
    actor = actor_of(request)
    asked = request.GET.get("payer", "") if request.method == "POST" else ""
    payers = payers_with_open_lines(actor, client, also_id=asked)
    chosen = _chosen(request, payers)
    is_asked = chosen["payer"] or "payer" in request.GET or request.method == "POST"
    choose = ChooseInsurerForm(chosen if is_asked else None, payers=payers)
    context: dict[str, Any] = {"choose": choose, "client_id": client, "back_url": back_url, "payers": payers}
    if client:
        context |= {"client_name": get_client(actor, client).name, "section": "Clients"}
    else:
        context |= {"tabs": _tabs(actor), "section": "Billing"}
    payer = choose.data.get("payer", "")
    if not client and "payer" not in request.GET:  # before an insurer is asked for, also where only one owes anything
        context["last"] = last_insurer_payments(actor)
    if not choose.is_valid():
        return render_page(request, _PAGE, context, status=422 if request.method == "POST" else 200)
    desk = insurer_desk(actor, UUID(payer), client_id=client, client_text=choose.cleaned_data["client"])
    context |= {"desk": desk, "entries_url": _entries_url(actor, desk, client, choose.cleaned_data["client"])}
    return _take(request, desk, context, back_url)


def _entries_url(actor: Actor, desk: InsurerDesk, client: UUID | None = None, client_text: str = "") -> str:
    """The entries behind what the insurer owes on the lines of the page, also those that it has no room for (M8)."""
    asked = {"figure": Figure.INSURANCE_DUE.value, "of_client": str(client or ""), "client": client_text.strip()}
    url = practice_url(actor, "payments:insurer_entries", payer=desk.payer_id)
    return f"{url}?{urlencode({name: value for name, value in asked.items() if value})}"


def _tabs(actor: Actor) -> list[dict[str, Any]]:
    """The other ways to take many payments, where a higher slice has them."""
    others = (("Charge Cards", "cards:charge_cards"), ("History", "cards:history"))
    links = [(label, practice_url_or_none(actor, name)) for label, name in others]
    first = {"label": "Insurance Payment", "url": practice_url(actor, "payments:batch_payments"), "active": True}
    return [first, *({"label": label, "url": url, "active": False} for label, url in links if url)]


def _chosen(request: HttpRequest, payers: list[tuple[UUID, str]]) -> dict[str, str]:
    """The insurer of the address; where only one owes anything, that one."""
    payer = request.GET.get("payer", "") or (str(payers[0][0]) if len(payers) == 1 else "")
    return {"payer": payer, "client": request.GET.get("client", "")}


def _take(request: HttpRequest, desk: InsurerDesk, context: dict[str, Any], back_url: str) -> HttpResponse:
    actor = actor_of(request)
    form = InsurerPaymentForm(request.POST or None, desk=desk, initial={"received_on": actor.today})
    context["form"] = form
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        posted = insurance.accept_insurance_payment(actor, payer_id=desk.payer_id, **form.facts())
    except (NotFound, NotAllowed):
        raise
    except SurplusNotConfirmed as told:
        return render_page(request, _PAGE, {**context, "surplus_cents": told.credit_cents})
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal)
    messages.success(request, _said(posted, desk))
    if posted.payment_id:
        tell_same_number(request, actor, posted.payment_id)
    tell_posting_day(request, actor, form.cleaned_data["received_on"])
    return see_other(request, back_url)


def _said(posted: insurance.InsurerPosted, desk: InsurerDesk) -> str:
    if posted.is_repeat:
        return f"This payment of {desk.payer_name} had been saved already. Nothing was saved twice."
    parts = [f"{Money(posted.paid_cents)} applied"]
    parts += [f"{Money(posted.adjusted_cents)} adjusted"] if posted.adjusted_cents else []
    parts += [f"{Money(posted.to_client_cents)} moved to clients"] if posted.to_client_cents else []
    parts += [f"{Money(posted.credit_cents)} kept as credit"] if posted.credit_cents else []
    return f"Payment of {desk.payer_name} saved: {', '.join(parts)}."

"""Batch Payments, Charge Cards: search, tick, amounts, the dialogue with count and total, progress, result, retry.

The server is the truth: it searches again with every form, and starts only what somebody said yes to, to the cent.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import is_htmx, render_page, see_other

from .. import actions
from ..forms import ChargeForm, ConfirmedForm, SearchForm
from ..queries.chargeable import Chargeable, find_chargeable
from ..queries.runs import run_exists, run_history, run_view

_PAGE = "cards/charge_cards.html"


def batch_tabs(actor: Actor, current: str) -> list[dict[str, Any]]:
    """The tabs of Batch Payments."""
    tabs = (
        ("insurer", "Insurance Payment", "payments:batch_payments"),
        ("cards", "Charge Cards", "cards:charge_cards"),
        ("history", "History", "cards:history"),
    )
    return [{"label": label, "url": practice_url(actor, name), "active": key == current} for key, label, name in tabs]


@require_http_methods(["GET", "HEAD", "POST"])
def charge_cards(request: HttpRequest) -> HttpResponse:
    """Many clients."""
    actor = actor_of(request)
    search = SearchForm(request.GET)
    text = search.cleaned_data["client"] if search.is_valid() else ""
    context = {"search": search, "tabs": batch_tabs(actor, "cards"), "section": "Billing"}
    return _charge(request, find_chargeable(actor, text), context)


@require_http_methods(["GET", "HEAD", "POST"])
def charge_client(request: HttpRequest, client: UUID) -> HttpResponse:
    """One client, whatever is due: the same page with one row."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    context = {"client": get_client(actor, client), "section": "Clients"}
    return _charge(request, find_chargeable(actor, client_id=client), context)


@require_safe
def charge_run(request: HttpRequest, run: UUID) -> HttpResponse:
    """Progress, and then what became of each charge. HTMX polls the same address."""
    actor = actor_of(request)
    context = {
        "run": run_view(actor, run),
        "tabs": batch_tabs(actor, "history"),
        "new_run_id": new_id(),
        "section": "Billing",
    }
    return render_page(request, "cards/charge_run.html", context, part="state")


@require_POST
def retry(request: HttpRequest, run: UUID) -> HttpResponse:
    """Retry declined: a new run of only those. The form carries the new run's id."""
    actor = actor_of(request)
    try:
        new_run_id = UUID(request.POST.get("new_run_id", ""))
    except ValueError:
        new_run_id = new_id()
    try:
        actions.retry_declined(actor, run_id=run, new_run_id=new_run_id)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return see_other(request, practice_url(actor, "cards:charge_run", run=run))
    return see_other(request, practice_url(actor, "cards:charge_run", run=new_run_id))


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    """Every run: who, when, how many, how much came in."""
    actor = actor_of(request)
    page = page_number(request)
    rows, has_next = run_history(actor, page=page)
    tabs = batch_tabs(actor, "history")
    context = {"runs": rows, "page": page, "has_next": has_next, "tabs": tabs, "section": "Billing"}
    return render_page(request, "cards/history.html", context)


def _charge(request: HttpRequest, found: Chargeable, context: dict[str, Any]) -> HttpResponse:
    form = ChargeForm(request.POST or None, rows=found.rows)
    context = {**context, "found": found, "form": form}
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return _refused(request, context, " ".join(str(e) for errors in form.errors.values() for e in errors))
    run_id = form.cleaned_data["run_id"]
    if run_exists(actor_of(request), run_id):  # the same form again: the same run
        return see_other(request, practice_url(actor_of(request), "cards:charge_run", run=run_id))
    said = ConfirmedForm(request.POST)
    requests, credit = form.requests(), form.credit_cents()
    total = sum(each.amount_cents for each in requests)
    agreed = said.is_valid() and tuple(said.cleaned_data.values()) == (len(requests), total, credit)
    if requests and not (request.POST.get("confirmed") == "yes" and agreed):
        return _confirm(request, form, total, credit)
    try:
        actions.start_charges(
            actor_of(request), run_id=run_id, requests=requests, expected_count=len(requests),
            expected_cents=total, told_credit_cents=credit,
        )  # fmt: skip
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _refused(request, context, refusal.message)
    return see_other(request, practice_url(actor_of(request), "cards:charge_run", run=run_id))


def _refused(request: HttpRequest, context: dict[str, Any], message: str) -> HttpResponse:
    return render_page(request, _PAGE, {**context, "error": message}, status=422, part="confirm_place")


def _confirm(request: HttpRequest, form: ChargeForm, total_cents: int, credit_cents: int) -> HttpResponse:
    """The dialogue with the exact count and total; without script a page of its own."""
    count = len(form.requests())
    cards = f"{count:,} card{'' if count == 1 else 's'}"
    text = f"{cards} {'is' if count == 1 else 'are'} charged {Money(total_cents)} in all."
    if credit_cents:
        text += f" {Money(credit_cents)} of it is more than is due and will be kept as credit."
    fields = [("expected_count", count), ("expected_cents", total_cents), ("told_credit", credit_cents)]
    dialogue = {"title": f"Charge {cards}?", "text": text, "fields": fields}
    if is_htmx(request):
        return render_page(request, "cards/parts/confirm.html", dialogue)
    sent = [(name, value) for name, value in request.POST.items() if name.startswith(("tick-", "card-", "amount-"))]
    here = request.get_full_path()
    carried = [("run_id", form.cleaned_data["run_id"]), *sent, *fields]
    confirm = {**dialogue, "action": here, "yes": "Yes, I'm sure", "cancel_url": here, "carried": carried}
    return render_page(request, "web/confirm.html", confirm)

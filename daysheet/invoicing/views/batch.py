"""Batch Invoicing, Create New Invoices: search, tick, edit, confirm (B4).

The server is the truth: it searches again with every form that is sent, and starts a batch only when the count and
total that somebody said yes to are still those.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.views import is_htmx, render_page, see_other

from .. import batches
from ..batch_form import EDIT_PREFIX, read_id
from ..batches import BatchRequest
from ..forms import BatchSearchForm, LineEditForm
from ..queries.batch_history import batch_exists
from ..queries.batch_search import BatchPlan, find_unbilled_date, plan_batch, price_dates
from ..queries.choices import filter_choices, provider_choices
from ..queries.lines import edits_on_purpose
from .batch_page import BatchPage, PageRow
from .requests import PracticeRequest

_PAGE = "invoicing/batch.html"


def batch_tabs(actor: Actor, current: str) -> list[dict[str, Any]]:
    """The tabs of Batch Invoicing, with their exact labels. The second one is a page of a higher slice."""
    tabs = (
        ("create", "Create New Invoices", "invoicing:batch"),
        ("existing", "Process Existing Invoices", "mailings:existing_invoices"),
        ("history", "History", "invoicing:batch_history"),
    )
    return [{"label": label, "url": practice_url(actor, name), "active": key == current} for key, label, name in tabs]


@require_http_methods(["GET", "HEAD", "POST"])
def batch(request: PracticeRequest) -> HttpResponse:
    """The search is in the address; ticks, edits and pages are sent by the form under it."""
    choices = filter_choices(request.actor)
    searched = "from_on" in request.GET
    form = BatchSearchForm(
        request.GET if searched else None,
        today=request.actor.today,
        staff=choices.staff,
        services=choices.services,
        locations=choices.locations,
    )
    context = {"form": form, "tabs": batch_tabs(request.actor, "create")}
    if not searched:
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return render_page(request, _PAGE, context, status=422)
    page = BatchPage(request.actor, form.filters(), request.POST if request.method == "POST" else None)
    if request.method == "POST" and ("create" in request.POST or "confirmed" in request.POST):
        return _create(request, page, context)
    return _show(request, page, context)


@require_safe
def batch_edit(request: PracticeRequest) -> HttpResponse:
    """The row of one date with its edit fields open: what HTMX puts in the place of the row."""
    request.actor.require(Permission.BILLING)
    visit_id = read_id(request.GET.get("edit", ""))
    if visit_id is None:
        raise NotFound("There is no such unbilled date of service.")
    found = find_unbilled_date(request.actor, visit_id)
    client = price_dates(request.actor, [found], {})[0]
    providers = provider_choices(request.actor)
    date = client.dates[0]
    forms = [
        LineEditForm(
            providers=providers,
            prefix=f"{EDIT_PREFIX}{line.visit_service_id}",
            initial=line.initial,
            line_label=line.label,
        )
        for line in date.lines
    ]
    row = PageRow(date, str(visit_id) in request.GET.getlist("visit"), tuple(zip(date.lines, forms, strict=True)))
    context = {"row": row, "client_name": client.name, "edit_url": request.path}
    return render_page(request, "invoicing/parts/batch_row.html", context)


def _show(
    request: PracticeRequest, page: BatchPage, context: dict[str, Any], *, status: int = 200, error: str = ""
) -> HttpResponse:
    more = {"batch": page.view(), "error": error, "batch_id": page.batch_id or new_id()}
    return render_page(request, _PAGE, {**context, **more}, status=status, part="confirm_place")


def _create(request: PracticeRequest, page: BatchPage, context: dict[str, Any]) -> HttpResponse:
    """Create Selected Invoices, and Yes, I'm sure."""
    batch_id = page.batch_id or new_id()
    is_sure = request.POST.get("confirmed") == "yes"
    if is_sure and batch_exists(request.actor, batch_id):
        return see_other(request, practice_url(request.actor, "invoicing:batch_run", batch=batch_id))
    if page.has_wrong_edits:
        return _show(request, page, context, status=422, error="An edit cannot be read. Mend it first.")
    chosen = page.chosen_visits
    if not chosen:
        return _show(request, page, context, status=422, error=_nothing_chosen(page))
    plan = plan_batch(request.actor, chosen, page.edits, grouping=page.grouping)
    if plan.forecast.invoice_count == 0:
        return _show(request, page, context, status=422, error=_nothing_possible(plan))
    if not (is_sure and page.was_shown(plan.forecast)):
        return _confirm(request, page, plan, batch_id, has_changed=is_sure)
    try:
        _start(request, page, plan, batch_id)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _show(request, page, context, status=422, error=refusal.message)
    return see_other(request, practice_url(request.actor, "invoicing:batch_run", batch=batch_id))


def _confirm(
    request: PracticeRequest, page: BatchPage, plan: BatchPlan, batch_id: UUID, *, has_changed: bool
) -> HttpResponse:
    """The dialogue with the exact count and total; without script a page of its own."""
    forecast = plan.forecast
    fields = [
        ("batch_id", str(batch_id)),
        ("expected_count", str(forecast.invoice_count)),
        ("expected_cents", str(forecast.total_cents)),
    ]
    dialogue = {
        "title": f"Create {forecast.invoice_count:,} invoice{'' if forecast.invoice_count == 1 else 's'}?",
        "text": _promise(plan, has_changed=has_changed),
        "fields": fields,
        "refused_count": forecast.refused_count,
    }
    if is_htmx(request):
        return render_page(request, "invoicing/parts/batch_confirm.html", dialogue)
    confirm = {
        **dialogue,
        "action": request.get_full_path(),
        "yes": "Yes, I'm sure",
        "cancel_url": request.get_full_path(),
        "carried": [*page.carried_fields(), *fields],
    }
    return render_page(request, "web/confirm.html", confirm)


def _promise(plan: BatchPlan, *, has_changed: bool) -> str:
    forecast = plan.forecast
    words = (
        f"{forecast.invoice_count:,} invoice{'' if forecast.invoice_count == 1 else 's'} for "
        f"{forecast.client_count:,} client{'' if forecast.client_count == 1 else 's'}, "
        f"{forecast.date_count:,} date{'' if forecast.date_count == 1 else 's'} of service, "
        f"{Money(forecast.total_cents)} in all."
    )
    if forecast.refused_count:
        words += (
            f" {forecast.refused_count:,} ticked date{'' if forecast.refused_count == 1 else 's'} of service cannot be "
            "billed as things stand: the result page will say why."
        )
    if has_changed:
        words = f"Something changed since you looked. Now it is {words}"
    return words


def _nothing_chosen(page: BatchPage) -> str:
    if page.was_overtaken:
        return "Everything that was ticked has been billed or taken off the schedule since you searched."
    return "Nothing is ticked. Tick at least one date of service."


def _nothing_possible(plan: BatchPlan) -> str:
    return (
        f"None of the {plan.forecast.refused_count:,} ticked dates of service can be billed as things stand: "
        "each row says why. Nothing was started."
    )


def _start(request: PracticeRequest, page: BatchPage, plan: BatchPlan, batch_id: UUID) -> None:
    held = dict.fromkeys(plan.suspended, True)
    items = []
    for client_id, service_ids in plan.services.items():
        services = {service_id: held.get(service_id, False) for service_id in service_ids}
        items.append(BatchRequest(client_id, service_ids, edits_on_purpose(services, page.edits)))
    batches.start_batch(
        request.actor,
        batch_id=batch_id,
        from_on=page.filters.from_on,
        to_on=page.filters.to_on,
        items=items,
        grouping=page.grouping,
        expected_count=plan.forecast.invoice_count,
        expected_cents=plan.forecast.total_cents,
    )

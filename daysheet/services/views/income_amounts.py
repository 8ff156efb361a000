"""Income Based Payment Amounts, under Organization."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.kit.dates import us_date
from daysheet.services import actions, queries
from daysheet.services.price_forms import IncomeScaleForm, NewIncomeScaleForm
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other

_SAVED = "The amounts were saved. They hold for what is billed from now on."


@require_safe
def income_amounts(request: HttpRequest) -> HttpResponse:
    """The amounts that hold today, those to come, and those that held before."""
    scales = queries.income_scales(actor_of(request))
    context = {
        "scales": [scale for scale in scales if not scale.is_over],
        "over": [scale for scale in scales if scale.is_over],
    }
    return render_page(request, "services/income_amounts.html", context)


def add_income_amounts(request: HttpRequest) -> HttpResponse:
    """Other amounts from a day on; the page begins with those of today."""
    actor = actor_of(request)
    current = next((scale for scale in queries.income_scales(actor) if scale.is_in_force), None)
    steps = queries.income_scale(actor, current.id)[1] if current else []
    initial = {"starts_on": actor.today, "period": current.period if current else "year"}
    return form_page(
        request,
        NewIncomeScaleForm(request.POST or None, initial=initial, services=queries.service_choices(actor), steps=steps),
        "services/add_income_amounts.html",
        {"current": current},
        save=lambda typed: actions.add_income_scale(actor, **typed),
        done=_SAVED,
        back_url=practice_url(actor, "services:income_amounts"),
    )


def edit_income_amounts(request: HttpRequest, scale: UUID) -> HttpResponse:
    """Correct the amounts that begin on one day."""
    actor = actor_of(request)
    row, steps = queries.income_scale(actor, scale)
    # One that was archived since stays with its steps.
    own = [(step.service_type.pk, step.service_type.label) for step in steps if step.service_type]
    services = dict([*queries.service_choices(actor), *own])
    return form_page(
        request,
        IncomeScaleForm(
            request.POST or None,
            initial={"starts_on": row.starts_on, "period": row.period},
            services=list(services.items()),
            steps=steps,
        ),
        "services/edit_income_amounts.html",
        {"scale": row},
        save=lambda typed: actions.edit_income_scale(actor, scale, **typed),
        done=_SAVED,
        back_url=practice_url(actor, "services:income_amounts"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove_income_amounts(request: HttpRequest, scale: UUID) -> HttpResponse:
    """Take the amounts that begin on one day away."""
    actor = actor_of(request)
    row, _ = queries.income_scale(actor, scale)
    back = practice_url(actor, "services:income_amounts")
    if request.method == "POST" and request.POST.get("confirmed") == "yes":
        actions.remove_income_scale(actor, scale)
        messages.success(request, f"The amounts from {us_date(row.starts_on)} were removed.")
        return see_other(request, back)
    context = {
        "title": f"Remove the amounts from {us_date(row.starts_on)}?",
        "text": "Those that held before hold on. What is billed already stays as it is.",
        "action": request.path,
        "yes": "Yes, remove them",
        "cancel_url": back,
        "danger": True,
    }
    return render_page(request, "web/confirm.html", context)

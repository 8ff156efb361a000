"""What insurers pay and want: fee schedules, modifiers and places of service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services import actions, queries
from daysheet.services.actions import Copied
from daysheet.services.price_forms import CopyScheduleForm, EditRateForm, EndForm, PayerRateForm, PayerRuleForm
from daysheet.web.downloads import asked_format, download
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other


@require_safe
def priced_payers(request: HttpRequest) -> HttpResponse:
    """Every insurer, with how much is agreed with it."""
    return render_page(request, "services/priced_payers.html", {"payers": queries.priced_payers(actor_of(request))})


@require_safe
def payer_prices(request: HttpRequest, payer: UUID) -> HttpResponse:
    """One insurer's prices; `?show=all` with what has ended; `?format=csv` the whole schedule as a file."""
    actor, asked = actor_of(request), asked_format(request)
    if asked:
        return download("fee_schedules", [queries.fee_schedule_table(actor, payer)], asked)
    show_all = request.GET.get("show") == "all"
    prices = queries.payer_prices(actor, payer, with_ended=show_all)
    return render_page(request, "services/payer_prices.html", {"prices": prices, "show_all": show_all})


def add_payer_rate(request: HttpRequest, payer: UUID) -> HttpResponse:
    """Add a rate to an insurer's fee schedule."""
    actor = actor_of(request)
    row = queries.priced_payer(actor, payer)
    services = queries.service_choices(actor)
    return form_page(
        request,
        PayerRateForm(request.POST or None, initial={"starts_on": actor.today}, services=services),
        "services/add_payer_rate.html",
        {"payer": row},
        save=lambda typed: actions.add_payer_rate(actor, payer, **typed),
        done="The rate was added. It holds for what is billed from now on.",
        back_url=_prices_url(actor, payer),
    )


def edit_payer_rate(request: HttpRequest, rate: UUID) -> HttpResponse:
    """Correct the amount of a rate."""
    actor = actor_of(request)
    row = queries.get_payer_rate(actor, rate)
    return form_page(
        request,
        EditRateForm(request.POST or None, initial={"rate_cents": row.rate_cents}),
        "services/edit_payer_rate.html",
        {"rate": row},
        save=lambda typed: actions.edit_payer_rate(actor, rate, **typed),
        done="The rate was corrected. It holds for what is billed from now on.",
        back_url=_prices_url(actor, row.payer_id),
    )


def end_payer_rate(request: HttpRequest, rate: UUID) -> HttpResponse:
    """End a rate."""
    actor = actor_of(request)
    row = queries.get_payer_rate(actor, rate)
    return form_page(
        request,
        EndForm(request.POST or None, initial={"ends_on": actor.today}),
        "services/end_payer_rate.html",
        {"rate": row},
        save=lambda typed: actions.end_payer_rate(actor, rate, **typed),
        done="The rate was ended.",
        back_url=_prices_url(actor, row.payer_id),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove_payer_rate(request: HttpRequest, rate: UUID) -> HttpResponse:
    """Take a rate, or its end, out of the schedule."""
    actor = actor_of(request)
    row = queries.get_payer_rate(actor, rate)
    what = "end" if row.rate_cents is None else "rate"
    if _is_confirmed(request):
        actions.remove_payer_rate(actor, rate)
        messages.success(request, f"The {what} was taken out of the fee schedule.")
        return see_other(request, _prices_url(actor, row.payer_id))
    words = f"Take this {what} of {row.service_type.label} out?"
    return _ask(request, words, _prices_url(actor, row.payer_id))


def copy_fee_schedule(request: HttpRequest, payer: UUID) -> HttpResponse:
    """Copy a schedule to a new date."""
    actor = actor_of(request)
    row = queries.priced_payer(actor, payer)
    payers = [(each.id, each.name) for each in queries.priced_payers(actor)]
    form = CopyScheduleForm(request.POST or None, initial={"from_payer_id": payer, "as_of": actor.today}, payers=payers)

    def save(typed: dict[str, Any]) -> Copied:
        return actions.copy_fee_schedule(actor, payer, hundredths=typed.pop("percent"), **typed)

    def back(copied: Copied) -> str:
        messages.success(request, _copied_words(copied))
        return _prices_url(actor, payer)

    return form_page(
        request, form, "services/copy_fee_schedule.html", {"payer": row}, save=save, done="", back_url=back
    )


def add_payer_rule(request: HttpRequest, payer: UUID) -> HttpResponse:
    """Add a rule on modifiers and place of service."""
    actor = actor_of(request)
    row = queries.priced_payer(actor, payer)
    services = queries.service_choices(actor)
    return form_page(
        request,
        PayerRuleForm(request.POST or None, initial={"starts_on": actor.today}, services=services),
        "services/add_payer_rule.html",
        {"payer": row},
        save=lambda typed: actions.add_payer_rule(actor, payer, **typed),
        done="The rule was added. It holds for what is billed from now on.",
        back_url=_prices_url(actor, payer),
    )


def end_payer_rule(request: HttpRequest, payer_rule: UUID) -> HttpResponse:
    """End a rule."""
    actor = actor_of(request)
    row = queries.get_payer_rule(actor, payer_rule)
    return form_page(
        request,
        EndForm(request.POST or None, initial={"ends_on": actor.today}),
        "services/end_payer_rule.html",
        {"rule": row},
        save=lambda typed: actions.end_payer_rule(actor, payer_rule, **typed),
        done="The rule was ended.",
        back_url=_prices_url(actor, row.payer_id),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def remove_payer_rule(request: HttpRequest, payer_rule: UUID) -> HttpResponse:
    """Take a rule, or its end, away."""
    actor = actor_of(request)
    row = queries.get_payer_rule(actor, payer_rule)
    what = "end of a rule" if row.is_end else "rule"
    if _is_confirmed(request):
        actions.remove_payer_rule(actor, payer_rule)
        messages.success(request, f"The {what} was removed.")
        return see_other(request, _prices_url(actor, row.payer_id))
    return _ask(request, f"Remove this {what}?", _prices_url(actor, row.payer_id))


def _is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("confirmed") == "yes"


def _ask(request: HttpRequest, title: str, back_url: str) -> HttpResponse:
    actor_of(request).require(Permission.ADMINISTRATOR)
    context = {
        "title": title,
        "text": "What was in force before it holds on. What is billed already stays as it is.",
        "action": request.path,
        "yes": "Yes, remove it",
        "cancel_url": back_url,
        "danger": True,
    }
    return render_page(request, "web/confirm.html", context)


def _copied_words(copied: Copied) -> str:
    rates = f"{copied.copied_count:,} rate{'' if copied.copied_count == 1 else 's'} copied."
    if not copied.kept_count:
        return rates
    kept = "1 service type has" if copied.kept_count == 1 else f"{copied.kept_count:,} service types have"
    return f"{rates} {kept} a rate from that day already: it stayed as it is."


def _prices_url(actor: Actor, payer: UUID) -> str:
    return practice_url(actor, "services:payer_prices", payer=payer)

"""The income of a client's household: recorded, and taken back. Bill To & Insurance Info shows its history."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from daysheet.clients import actions, queries
from daysheet.clients.forms import IncomeForm, TakeIncomeBackForm
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of


def record_income(request: HttpRequest, client: UUID) -> HttpResponse:
    """Record Income; the page begins with the household of the last one."""
    actor = actor_of(request)
    history = queries.income_history(actor, client)
    initial = {"given_on": actor.today, "renew_on": _a_year_after(actor.today), "period": "year"}
    if history and not history[0].is_taken_back:
        initial |= {"household_size": history[0].household_size, "period": history[0].period}
    return form_page(
        request,
        IncomeForm(request.POST or None, initial=initial),
        "clients/record_income.html",
        {"client": queries.get_client(actor, client)},
        save=lambda typed: actions.record_income(actor, client, **typed),
        done="The income was recorded. It holds for what is billed from now on.",
        back_url=practice_url(actor, "clients:bill_to", client=client),
    )


def take_income_back(request: HttpRequest, client: UUID) -> HttpResponse:
    """Take Back: from a day on no income counts."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    return form_page(
        request,
        TakeIncomeBackForm(request.POST or None, initial={"given_on": actor.today}),
        "clients/take_income_back.html",
        {"client": queries.get_client(actor, client)},
        save=lambda typed: actions.take_income_back(actor, client, **typed),
        done="The income was taken back. What was recorded stays readable.",
        back_url=practice_url(actor, "clients:bill_to", client=client),
    )


def _a_year_after(day: date) -> date:
    """The same day a year later; March 1 after February 29."""
    return day.replace(year=day.year + 1) if (day.month, day.day) != (2, 29) else day + timedelta(days=366)

"""The Agenda."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.practices.permissions import Permission
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

from .. import queries
from .days import day_of, day_url, filters_of


@require_safe
def agenda(request: HttpRequest) -> HttpResponse:
    """A day, with prev, next and today; filtered by staff and location in the address. HTMX gets the line
    of totals."""
    actor = actor_of(request)
    day = day_of(request, actor)
    filters, chosen = filters_of(request, actor)
    appointments = queries.agenda_day(actor, day, **chosen)
    context = {
        "day": day,
        "filters": filters,
        "appointments": appointments,
        "may_bill": actor.may(Permission.BILLING),
        "totals": queries.day_totals(appointments),
        "previous_url": day_url(request, "schedule:agenda", day - timedelta(days=1)),
        "next_url": day_url(request, "schedule:agenda", day + timedelta(days=1)),
        "today_url": day_url(request, "schedule:agenda", actor.today),
        "is_filtered": any(chosen.values()),
        "is_ahead": day > actor.today,
        "is_today": day == actor.today,
    }
    return render_page(request, "schedule/agenda.html", context, part="totals")

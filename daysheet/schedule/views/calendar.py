"""The Calendar."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from daysheet.kit.dates import week_start
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

from .. import queries
from .days import day_of, day_url, filters_of


@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    """A week from Sunday, with the same filters."""
    actor = actor_of(request)
    first = week_start(day_of(request, actor))
    filters, chosen = filters_of(request, actor)
    context = {
        "first": first,
        "last": first + timedelta(days=6),
        "filters": filters,
        "days": queries.calendar_week(actor, first, **chosen),
        "previous_url": day_url(request, "schedule:calendar", first - timedelta(days=7)),
        "next_url": day_url(request, "schedule:calendar", first + timedelta(days=7)),
        "today_url": day_url(request, "schedule:calendar", actor.today),
        "is_this_week": first == week_start(actor.today),
    }
    return render_page(request, "schedule/calendar.html", context)

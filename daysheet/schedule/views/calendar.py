"""The Calendar: a week or a month, with the Agenda's filters in the address."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.kit.dates import month_bounds, week_start
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

from .. import queries
from .days import day_of, day_url, filters_of

_PAGE = "schedule/calendar.html"


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    """`?view=month` is the month of `day`; otherwise its week, from Sunday."""
    actor, day = actor_of(request), day_of(request, actor_of(request))
    filters, chosen = filters_of(request, actor)
    is_month = request.GET.get("view") == "month"
    first, last = month_bounds(day) if is_month else (week_start(day), week_start(day) + timedelta(days=6))
    context = {
        "day": day,
        "first": first,
        "last": last,
        "filters": filters,
        "is_filtered": any(chosen.values()),
        "filter_query": _filter_query(request),
        "chosen_staff": chosen["staff_member_id"] or "",
        "show_staff": chosen["staff_member_id"] is None,
        "is_month": is_month,
        "tabs": _tabs(request, actor, day, is_month=is_month),
        "previous_url": day_url(request, "schedule:calendar", first - timedelta(days=1)),
        "next_url": day_url(request, "schedule:calendar", last + timedelta(days=1)),
        "today_url": day_url(request, "schedule:calendar", actor.today),
        "is_now": first <= actor.today <= last,
    }
    return render_page(request, _PAGE, context | (_month if is_month else _week)(actor, first, chosen))


def _month(actor: Actor, first: date, chosen: dict[str, Any]) -> dict[str, Any]:
    weeks = queries.calendar_month(actor, first, **chosen)
    return {"weeks": weeks, "count": sum(day.count for week in weeks for day in week if not day.is_outside)}


def _week(actor: Actor, first: date, chosen: dict[str, Any]) -> dict[str, Any]:
    week = queries.calendar_week(actor, first, **chosen)
    hours = [f"{time(hour):%-I %p}" for hour in range(week.first_hour, week.last_hour)]
    return {"week": week, "hours": hours, "count": week.count}


def _tabs(request: HttpRequest, actor: Actor, day: date, *, is_month: bool) -> list[dict[str, Any]]:
    here = f"{practice_url(actor, 'schedule:calendar')}?{_filter_query(request)}"
    return [
        {
            "label": label,
            "url": f"{here}{urlencode({'view': view, 'day': day.isoformat()})}",
            "active": is_month == (view == "month"),
        }
        for view, label in (("week", "Week"), ("month", "Month"))
    ]


def _filter_query(request: HttpRequest) -> str:
    """The filters of the address, to go before another parameter."""
    kept = {key: request.GET[key] for key in ("staff", "location") if key in request.GET}
    return f"{urlencode(kept)}&" if kept else ""

"""The Agenda, and a visit's status."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from daysheet.kit.dates import NotADate, parse_date
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page

from . import actions, queries
from .forms import AgendaFilterForm, StatusForm


@require_GET
def agenda(request: HttpRequest) -> HttpResponse:
    """A day, with prev, next and today; filtered by staff and location in the address."""
    actor = actor_of(request)
    day = _day(request, actor)
    sent = request.GET.copy()
    if "staff" not in sent and actor.may(Permission.PROVIDER) and not actor.may(Permission.BILLING):
        sent["staff"] = str(actor.staff_member_id)
    filters = AgendaFilterForm(sent, staff=queries.staff_choices(actor), locations=queries.location_choices(actor))
    chosen = filters.cleaned_data if filters.is_valid() else {}
    appointments = queries.agenda_day(
        actor, day, staff_member_id=_id(chosen.get("staff")), location_id=_id(chosen.get("location"))
    )
    context = {
        "day": day,
        "filters": filters,
        "appointments": appointments,
        "visit_count": sum(len(appointment.visits) for appointment in appointments),
        "previous_url": _day_url(request, actor, day - timedelta(days=1)),
        "next_url": _day_url(request, actor, day + timedelta(days=1)),
        "today_url": _day_url(request, actor, actor.today),
        "is_today": day == actor.today,
    }
    return render_page(request, "schedule/agenda.html", context)


def change_status(request: HttpRequest, visit: UUID) -> HttpResponse:
    """A visit's status, who initiated the change, and the fee."""
    actor = actor_of(request)
    row = queries.one_visit(actor, visit)
    return form_page(
        request,
        StatusForm(request.POST or None, initial={"status": row.status}),
        "schedule/change_status.html",
        {"visit": row},
        save=lambda typed: actions.set_status(actor, visit_id=visit, **typed),
        done="The status was changed.",
        back_url=f"{practice_url(actor, 'schedule:agenda')}?{urlencode({'day': row.service_on.isoformat()})}",
    )


def _day(request: HttpRequest, actor: Actor) -> date:
    typed = request.GET.get("day", "")
    try:
        return parse_date(typed) if typed else actor.today
    except NotADate as error:
        raise Http404(str(error)) from error


def _day_url(request: HttpRequest, actor: Actor, day: date) -> str:
    kept = {name: request.GET[name] for name in ("staff", "location") if name in request.GET}
    return f"{practice_url(actor, 'schedule:agenda')}?{urlencode({'day': day.isoformat(), **kept})}"


def _id(text: object) -> UUID | None:
    return UUID(str(text)) if text else None

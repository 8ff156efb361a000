"""What the pages of days have in common: the day and the filters in the address, and the ways to other days."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest

from daysheet.kit.dates import NotADate, parse_date
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of

from .. import queries
from ..forms import AgendaFilterForm


def filters_of(request: HttpRequest, actor: Actor) -> tuple[AgendaFilterForm, dict[str, UUID | None]]:
    """Staff and location from the address; a provider without Billing begins with the own schedule."""
    sent = request.GET.copy()
    staff = queries.staff_choices(actor)
    has_own = any(key == actor.staff_member_id for key, _ in staff)
    if "staff" not in sent and has_own and actor.may(Permission.PROVIDER) and not actor.may(Permission.BILLING):
        sent["staff"] = str(actor.staff_member_id)
    form = AgendaFilterForm(sent, staff=staff, locations=queries.location_choices(actor))
    chosen = form.cleaned_data if form.is_valid() else {}
    return form, {"staff_member_id": _id(chosen.get("staff")), "location_id": _id(chosen.get("location"))}


def day_of(request: HttpRequest, actor: Actor) -> date:
    typed = request.GET.get("day", "")
    try:
        return parse_date(typed) if typed else actor.today
    except NotADate as error:
        raise Http404(str(error)) from error


def day_url(request: HttpRequest, name: str, day: date) -> str:
    kept = {key: request.GET[key] for key in ("staff", "location", "view") if key in request.GET}
    return f"{practice_url(actor_of(request), name)}?{urlencode({'day': day.isoformat(), **kept})}"


def agenda_url(actor: Actor, day: date) -> str:
    return f"{practice_url(actor, 'schedule:agenda')}?{urlencode({'day': day.isoformat()})}"


def _id(text: object) -> UUID | None:
    return UUID(str(text)) if text else None

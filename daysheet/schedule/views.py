"""The Agenda, a visit's status, and the appointment form."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from daysheet.kit.dates import NotADate, parse_date, week_start
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from . import actions, queries, statuses
from .booking import Booking, SlotForm, initial_of
from .forms import AgendaFilterForm, StatusForm

_FORM = "schedule/appointment.html"


@require_GET
def agenda(request: HttpRequest) -> HttpResponse:
    """A day, with prev, next and today; filtered by staff and location in the address."""
    actor = actor_of(request)
    day = _day(request, actor)
    filters, chosen = _filters(request, actor)
    appointments = queries.agenda_day(actor, day, **chosen)
    context = {
        "day": day,
        "filters": filters,
        "appointments": appointments,
        "may_bill": actor.may(Permission.BILLING),
        "visit_count": sum(len(appointment.visits) for appointment in appointments),
        "previous_url": _day_url(request, "schedule:agenda", day - timedelta(days=1)),
        "next_url": _day_url(request, "schedule:agenda", day + timedelta(days=1)),
        "today_url": _day_url(request, "schedule:agenda", actor.today),
        "is_today": day == actor.today,
    }
    return render_page(request, "schedule/agenda.html", context)


@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    """A week from Sunday, with the same filters."""
    actor = actor_of(request)
    first = week_start(_day(request, actor))
    filters, chosen = _filters(request, actor)
    context = {
        "first": first,
        "last": first + timedelta(days=6),
        "filters": filters,
        "days": queries.calendar_week(actor, first, **chosen),
        "previous_url": _day_url(request, "schedule:calendar", first - timedelta(days=7)),
        "next_url": _day_url(request, "schedule:calendar", first + timedelta(days=7)),
        "today_url": _day_url(request, "schedule:calendar", actor.today),
        "is_this_week": first == week_start(actor.today),
    }
    return render_page(request, "schedule/calendar.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_appointment(request: HttpRequest) -> HttpResponse:
    """New Appointment; `?client=…&day=…&at=…` fills in what is known."""
    actor = actor_of(request)
    if request.method != "POST":
        booking = Booking(actor)
        for text in request.GET.getlist("client"):
            booking.add(_uuid_or_404(text))
        form = SlotForm(initial=initial_of(request.GET.dict(), actor.today), actor=actor)
        return _form_page(request, form, booking)
    return _save(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
def appointment(request: HttpRequest, appointment: UUID) -> HttpResponse:
    """An appointment, to look at and to change."""
    actor = actor_of(request)
    details = queries.appointment_details(actor, appointment)
    if request.method != "POST":
        booking = Booking(actor, {client: [str(each) for each in ids] for client, ids in details.services.items()})
        return _form_page(request, SlotForm(initial=details.initial, actor=actor), booking, details)
    return _save(request, details)


@require_http_methods(["GET", "HEAD", "POST"])
def change_status(request: HttpRequest, visit: UUID) -> HttpResponse:
    """A visit's status, who initiated the change, and the fee."""
    actor = actor_of(request)
    row = queries.one_visit(actor, visit)
    return form_page(
        request,
        StatusForm(request.POST or None, initial={"status": row.status}),
        "schedule/change_status.html",
        {"visit": row, "back_url": _agenda_url(actor, row.service_on)},
        save=lambda typed: statuses.set_status(actor, visit_id=visit, **typed),
        done="The status was changed.",
        back_url=_agenda_url(actor, row.service_on),
    )


@require_GET
def client_appointments(request: HttpRequest, client: UUID) -> HttpResponse:
    """The client's Appointments tab: newest first."""
    actor = actor_of(request)
    page = page_of(queries.client_visits(actor, client), request.GET.get("page"))
    context = {
        "client_id": client,
        "client_name": queries.client_name(actor, client),
        "page": page,
        "visits": queries.visit_rows(actor, list(page.rows)),
    }
    return render_page(request, "schedule/client_appointments.html", context)


def _save(request: HttpRequest, details: queries.AppointmentDetails | None) -> HttpResponse:
    """The buttons of the form: only Save saves; the others show the form again."""
    actor = actor_of(request)
    booking = Booking.sent(actor, request.POST)
    form = SlotForm(request.POST, actor=actor)
    if "save" not in request.POST:
        return _form_page(request, form, booking, details)
    if not form.is_valid():
        return refused(request, form, _FORM, _context(form, booking, details))
    try:
        if details:
            actions.edit_appointment(actor, appointment_id=details.id, slot=form.slot, members=booking.members)
        else:
            actions.add_appointment(
                actor, slot=form.slot, members=booking.members, appointment_id=form.cleaned_data["appointment_id"]
            )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, _FORM, _context(form, booking, details), message=str(refusal))
    messages.success(request, "The appointment was saved.")
    return see_other(request, _agenda_url(actor, form.slot.day))


def _form_page(
    request: HttpRequest, form: SlotForm, booking: Booking, details: queries.AppointmentDetails | None = None
) -> HttpResponse:
    return render_page(request, _FORM, _context(form, booking, details))


def _context(form: SlotForm, booking: Booking, details: queries.AppointmentDetails | None) -> dict[str, object]:
    back_url = _agenda_url(booking.actor, details.service_on if details else booking.actor.today)
    return {"form": form, "details": details, "back_url": back_url, **booking.context()}


def _filters(request: HttpRequest, actor: Actor) -> tuple[AgendaFilterForm, dict[str, UUID | None]]:
    """Staff and location from the address; a provider without Billing begins with the own schedule."""
    sent = request.GET.copy()
    staff = queries.staff_choices(actor)
    has_own = any(key == actor.staff_member_id for key, _ in staff)
    if "staff" not in sent and has_own and actor.may(Permission.PROVIDER) and not actor.may(Permission.BILLING):
        sent["staff"] = str(actor.staff_member_id)
    form = AgendaFilterForm(sent, staff=staff, locations=queries.location_choices(actor))
    chosen = form.cleaned_data if form.is_valid() else {}
    return form, {"staff_member_id": _id(chosen.get("staff")), "location_id": _id(chosen.get("location"))}


def _day(request: HttpRequest, actor: Actor) -> date:
    typed = request.GET.get("day", "")
    try:
        return parse_date(typed) if typed else actor.today
    except NotADate as error:
        raise Http404(str(error)) from error


def _day_url(request: HttpRequest, name: str, day: date) -> str:
    kept = {key: request.GET[key] for key in ("staff", "location") if key in request.GET}
    return f"{practice_url(actor_of(request), name)}?{urlencode({'day': day.isoformat(), **kept})}"


def _agenda_url(actor: Actor, day: date) -> str:
    return f"{practice_url(actor, 'schedule:agenda')}?{urlencode({'day': day.isoformat()})}"


def _id(text: object) -> UUID | None:
    return UUID(str(text)) if text else None


def _uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("No such client") from error

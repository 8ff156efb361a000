"""The appointment form, and a client's appointments."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from .. import actions, queries
from ..booking import Booking, initial_of
from ..slot_forms import SlotForm
from ..slots import AppointmentChanged
from .days import agenda_url

_FORM = "schedule/appointment.html"


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
        return _form_page(request, SlotForm(initial=details.initial, actor=actor, details=details), booking, details)
    return _save(request, details)


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
    form = SlotForm(request.POST, actor=actor, details=details)
    if "save" not in request.POST:
        return _form_page(request, form, booking, details)
    if not form.is_valid():
        return refused(request, form, _FORM, _context(form, booking, details))
    try:
        if details:
            actions.edit_appointment(
                actor,
                appointment_id=details.id,
                slot=form.slot,
                members=booking.members,
                version=form.cleaned_data["version"],
            )
        else:
            actions.add_appointment(
                actor, slot=form.slot, members=booking.members, appointment_id=form.cleaned_data["appointment_id"]
            )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        is_stale = isinstance(refusal, AppointmentChanged)
        context = {**_context(form, booking, details), "is_stale": is_stale}
        return refused(request, form, _FORM, context, message=refusal)
    messages.success(request, "The appointment was saved.")
    return see_other(request, agenda_url(actor, form.slot.day))


def _form_page(
    request: HttpRequest, form: SlotForm, booking: Booking, details: queries.AppointmentDetails | None = None
) -> HttpResponse:
    return render_page(request, _FORM, _context(form, booking, details))


def _context(form: SlotForm, booking: Booking, details: queries.AppointmentDetails | None) -> dict[str, object]:
    back_url = agenda_url(booking.actor, details.service_on if details else booking.actor.today)
    return {"form": form, "details": details, "back_url": back_url, **booking.context()}


def _uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("No such client") from error

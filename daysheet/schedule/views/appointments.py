"""The appointment form, and a client's appointments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import is_htmx, refused, render_page, see_other

from .. import actions, queries
from ..booking import Booking, initial_of
from ..models import Appointment
from ..previews import Preview, crowd_words, preview_change, preview_new
from ..series import add_series
from ..series_forms import RepeatForm, ScopeForm
from ..series_outcome import Scope
from ..series_rules import dates
from ..slot_forms import SlotForm
from ..slots import AppointmentChanged
from .changing import save_change, warn_of_conflicts, warn_of_crowd
from .days import agenda_url

_FORM = "schedule/appointment.html"


@dataclass
class _Page:
    """The form between two submits. `details` is None for a new appointment."""

    actor: Actor
    slot_form: SlotForm
    repeat_form: RepeatForm
    booking: Booking
    details: queries.AppointmentDetails | None = None
    scope: Scope = Scope.THIS

    def context(self, **more: Any) -> dict[str, Any]:
        """What the template shows."""
        details = self.details
        back_on = details.service_on if details else self.actor.today
        return {
            "form": self.slot_form,
            "repeats": self.repeat_form,
            "details": details,
            "scope": self.scope,
            "back_url": agenda_url(self.actor, back_on),
            **self.booking.context(),
            **more,
        }


@require_http_methods(["GET", "HEAD", "POST"])
def add_appointment(request: HttpRequest) -> HttpResponse:
    """New Appointment, one or a series; `?client=…&day=…&at=…` fills in what is known."""
    actor = actor_of(request)
    if request.method == "POST":
        return _answer(request, _sent(request, actor, None))
    booking = Booking(actor)
    for text in request.GET.getlist("client"):
        booking.add(_uuid_or_404(text))
    form = SlotForm(initial=initial_of(request.GET.dict(), actor.today), actor=actor)
    return render_page(request, _FORM, _Page(actor, form, RepeatForm(), booking).context())


@require_http_methods(["GET", "HEAD", "POST"])
def appointment(request: HttpRequest, appointment: UUID) -> HttpResponse:
    """An appointment, to look at and to change, alone or with what follows it in its series."""
    actor = actor_of(request)
    details = queries.appointment_details(actor, appointment)
    shows_record_of(request, *(visit.client_id for visit in details.visits))
    if request.method == "POST":
        return _answer(request, _sent(request, actor, details))
    booking = Booking(actor, {client: [str(each) for each in ids] for client, ids in details.services.items()})
    form = SlotForm(initial=details.initial, actor=actor, details=details)
    page = _Page(actor, form, RepeatForm(), booking, details)
    context = page.context(
        conflicts=queries.conflicts_of(actor, [appointment]),
        crowd=crowd_words(len(details.visits), details.slot.group_limit),
    )
    return render_page(request, _FORM, context)


@require_safe
def client_appointments(request: HttpRequest, client: UUID) -> HttpResponse:
    """The client's Appointments tab: what is to come, soonest first, and what is past, newest first."""
    actor = actor_of(request)
    asked = request.GET.get("show", "")
    found = queries.client_visits(actor, client, is_past=asked == "past")
    is_past = asked == "past" or (asked != "upcoming" and not found.exists())
    if is_past and asked != "past":
        found = queries.client_visits(actor, client, is_past=True)
    page = page_of(found, request.GET.get("page"))
    context = {
        "client_id": client,
        "client_name": queries.client_name(actor, client),
        "page": page,
        "is_past": is_past,
        "tabs": [
            {"label": label, "url": f"?show={name}", "active": is_past is (name == "past")}
            for name, label in (("upcoming", "Upcoming"), ("past", "Past"))
        ],
        "visits": queries.visit_rows(actor, list(page.rows)),
    }
    return render_page(request, "schedule/client_appointments.html", context)


def _sent(request: HttpRequest, actor: Actor, details: queries.AppointmentDetails | None) -> _Page:
    """What was typed; judged only where it is to be saved or checked, and not while clients are looked for."""
    post, is_judged = request.POST, bool({"save", "check"} & request.POST.keys())
    typed: dict[str, Any] = {"data": post} if is_judged else {"initial": _as_typed(post, SlotForm)}
    repeats: dict[str, Any] = {"data": post} if is_judged else {"initial": _as_typed(post, RepeatForm)}
    return _Page(
        actor,
        SlotForm(**typed, actor=actor, details=details),
        RepeatForm(**repeats),
        Booking.sent(actor, post),
        details,
        ScopeForm(post).chosen,
    )


def _as_typed(post: QueryDict, form: type[Form]) -> dict[str, Any]:
    lists = {"weekdays": post.getlist("weekdays")}
    return {name: lists.get(name, post.get(name)) for name in form.base_fields if name in post}


def _answer(request: HttpRequest, page: _Page) -> HttpResponse:
    """The buttons of the form: Save saves, Check says what Save would do, the others show the form again."""
    form, repeat_form = page.slot_form, page.repeat_form
    if not form.is_bound:
        return render_page(request, _FORM, page.context())
    is_part = is_htmx(request)
    if not form.is_valid() or not repeat_form.is_valid():
        return refused(request, form, _FORM, page.context(is_part=is_part), part="preview")
    try:
        if "check" in request.POST:
            return render_page(request, _FORM, page.context(preview=_preview(page)), part="preview")
        return see_other(request, _save(request, page))
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        context = page.context(is_stale=isinstance(refusal, AppointmentChanged), is_part=is_part)
        return refused(request, form, _FORM, context, message=refusal, part="preview")


def _preview(page: _Page) -> Preview:
    slot, clients = page.slot_form.slot, page.booking.members.keys()
    if page.details:
        return preview_change(page.actor, page.details, slot, clients, page.scope)
    return preview_new(page.actor, slot, clients, page.repeat_form.repeat(slot.day))


def _save(request: HttpRequest, page: _Page) -> str:
    """Save; returns the page that shows the result."""
    actor, slot, members = page.actor, page.slot_form.slot, page.booking.members
    typed = page.slot_form.cleaned_data
    if page.details:
        return save_change(
            request, actor, page.details, scope=page.scope, slot=slot, version=typed["version"], members=members
        )
    repeat = page.repeat_form.repeat(slot.day)
    if repeat is None:
        made = actions.add_appointment(actor, slot=slot, members=members, appointment_id=typed["appointment_id"])
        messages.success(request, "The appointment was saved.")
        warn_of_crowd(request, len(members), slot.group_limit)
        warn_of_conflicts(request, actor, [made])
        return agenda_url(actor, slot.day)
    series_id = add_series(actor, slot=slot, members=members, repeat=repeat, series_id=typed["appointment_id"])
    days = dates(repeat)
    messages.success(request, f"{len(days)} appointments were added, {us_date(days[0])} to {us_date(days[-1])}.")
    warn_of_crowd(request, len(members), slot.group_limit)
    warn_of_conflicts(request, actor, Appointment.objects.filter(series_id=series_id).values_list("pk", flat=True))
    return practice_url(actor, "schedule:series", series=series_id)


def _uuid_or_404(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Http404("No such client") from error

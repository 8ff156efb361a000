"""Moving an appointment: by its form, or by whoever posts the same fields (the Calendar's drag)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.web.requests import actor_of, next_url
from daysheet.web.views import refused, render_page, see_other

from .. import actions, queries
from ..slot_forms import MoveForm
from ..slots import AppointmentChanged
from .days import agenda_url

_PAGE = "schedule/move_appointment.html"


@require_http_methods(["GET", "HEAD", "POST"])
def move_appointment(request: HttpRequest, appointment: UUID) -> HttpResponse:
    """Date, time, provider and location of an appointment. A POST takes `version` (of the appointment as it was shown)
    and whatever is to change of `day`, `at`, `minutes`, `staff`, `location`; then on to `next`, or to the new day."""
    actor = actor_of(request)
    details = queries.appointment_details(actor, appointment)
    form = MoveForm(request.POST or None, details=details, actor=actor)
    context: dict[str, Any] = {"details": details, "next": next_url(request, "")}
    context["back_url"] = context["next"] or agenda_url(actor, details.service_on)
    if request.method != "POST":
        return render_page(request, _PAGE, {**context, "form": form}, part="move")
    if not form.is_valid():
        return refused(request, form, _PAGE, context, part="move")
    slot = form.slot
    try:
        actions.move_appointment(actor, appointment_id=appointment, slot=slot, version=form.cleaned_data["version"])
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        context["is_stale"] = isinstance(refusal, AppointmentChanged)
        return refused(request, form, _PAGE, context, message=refusal, part="move")
    messages.success(request, f"The appointment was moved to {us_date(slot.day)} at {slot.at:%-I:%M %p}.")
    return see_other(request, next_url(request, agenda_url(actor, slot.day)))

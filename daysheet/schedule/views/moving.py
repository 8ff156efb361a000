"""Moving an appointment: by its form, or by whoever posts the same fields (the Calendar's drag)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.web.requests import actor_of, next_url, shows_record_of
from daysheet.web.views import refused, render_page, see_other

from .. import queries
from ..previews import preview_change
from ..series_forms import ScopeForm
from ..slot_forms import MoveForm
from ..slots import AppointmentChanged
from .changing import save_change
from .days import agenda_url

_PAGE = "schedule/move_appointment.html"


@require_http_methods(["GET", "HEAD", "POST"])
def move_appointment(request: HttpRequest, appointment: UUID) -> HttpResponse:
    """Date, time, provider and location of an appointment. A POST takes `version` (of the appointment as it was shown),
    whatever is to change of `day`, `at`, `minutes`, `staff`, `location`, and `scope` (`this`, `following`, `future`;
    this one where nothing is said); then on to `next`, or to where the result is seen. With `check` nothing is saved,
    and the answer is what would be."""
    actor = actor_of(request)
    details = queries.appointment_details(actor, appointment)
    shows_record_of(request, *(visit.client_id for visit in details.visits))
    form, scope = MoveForm(request.POST or None, details=details, actor=actor), ScopeForm(request.POST).chosen
    context: dict[str, Any] = {"details": details, "scope": scope, "next": next_url(request, "")}
    context["back_url"] = context["next"] or agenda_url(actor, details.service_on)
    if request.method != "POST":
        return render_page(request, _PAGE, {**context, "form": form}, part="move")
    if not form.is_valid():
        return refused(request, form, _PAGE, context, part="move")
    try:
        if "check" in request.POST:
            preview = preview_change(actor, details, form.slot, details.services.keys(), scope)
            return render_page(request, _PAGE, {**context, "form": form, "preview": preview}, part="preview")
        result_url = save_change(
            request, actor, details, scope=scope, slot=form.slot, version=form.cleaned_data["version"]
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        context["is_stale"] = isinstance(refusal, AppointmentChanged)
        return refused(request, form, _PAGE, context, message=refusal, part="move")
    return see_other(request, next_url(request, result_url))

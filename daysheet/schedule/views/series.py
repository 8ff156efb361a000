"""A series: its page, letting it go on, and canceling what is to come of it."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of, next_url, shows_record_of
from daysheet.web.views import refused, render_page, see_other

from .. import queries
from ..policy import cancellation_policy
from ..series import cancel_appointments, extend_series
from ..series_forms import CancelForm, ExtendForm, ScopeForm
from ..slots import AppointmentChanged
from .days import agenda_url

_CANCEL = "schedule/cancel_appointment.html"


@require_http_methods(["GET", "HEAD", "POST"])
def series(request: HttpRequest, series: UUID) -> HttpResponse:
    """All dates of a series: where each appointment is now, and why an edit of the series would leave it alone. A POST
    lets it go on longer."""
    actor = actor_of(request)
    appointments = queries.series_appointments(actor, series)
    facts, page = queries.series_facts(actor, series), page_of(appointments, request.GET.get("page"))
    form = ExtendForm(request.POST or None, initial={"last_on": facts.last_on})
    rows = queries.occurrence_rows(actor, page.rows)
    people = queries.series_people(actor, series)
    shows_record_of(request, *people.client_ids)
    return form_page(
        request,
        form,
        "schedule/series.html",
        {"facts": facts, "page": page, "rows": rows, "people": people.words},
        save=lambda typed: extend_series(actor, root_id=series, **typed),
        done="The series goes on. The added appointments are at the end of the list.",
        back_url=practice_url(actor, "schedule:series", series=series),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def cancel_appointment(request: HttpRequest, appointment: UUID) -> HttpResponse:
    """Cancel every upcoming visit of this appointment, of this and following, or of all future ones: the page says of
    how many, and asks who initiated it."""
    actor = actor_of(request)
    details = queries.appointment_details(actor, appointment)
    shows_record_of(request, *(visit.client_id for visit in details.visits))
    form, scope = CancelForm(request.POST or None, initial={"version": details.version}), ScopeForm(request.POST).chosen
    back_url = next_url(request, agenda_url(actor, details.service_on))
    context = {
        "details": details,
        "scope": scope,
        "back_url": back_url,
        "has_fee": "canceled" in cancellation_policy(actor).fees,
    }
    if request.method != "POST":
        return render_page(request, _CANCEL, {**context, "form": form})
    if not form.is_valid():
        return refused(request, form, _CANCEL, context)
    try:
        outcome = cancel_appointments(actor, appointment_id=appointment, scope=scope, **form.cleaned_data)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        context["is_stale"] = isinstance(refusal, AppointmentChanged)
        return refused(request, form, _CANCEL, context, message=refusal)
    messages.success(request, outcome.words("canceled"))
    return see_other(request, back_url)

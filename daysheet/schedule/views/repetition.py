"""How often a series repeats: asked, shown what it would do, and only then changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import is_htmx, refused, render_page, see_other

from .. import queries
from ..previews import preview_repetition
from ..repetition import OtherThanShown
from ..repetition import change_repetition as change
from ..series_forms import RepetitionForm, ScopeForm
from ..series_outcome import Scope
from ..slots import AppointmentChanged
from .changing import warn_of_conflicts

_PAGE = "schedule/change_repetition.html"


@require_http_methods(["GET", "HEAD", "POST"])
def change_repetition(request: HttpRequest, occurrence: UUID) -> HttpResponse:
    """Let what follows an appointment repeat otherwise. A POST with `check` answers with what would be; one without it
    changes that, where `shown` names the numbers that were shown."""
    actor = actor_of(request)
    details = queries.appointment_details(actor, occurrence)
    shows_record_of(request, *(visit.client_id for visit in details.visits))
    form, scope = RepetitionForm(request.POST or None, initial=_initial(actor, details)), ScopeForm(request.POST).chosen
    context: dict[str, Any] = {
        "details": details,
        "scope": Scope.FOLLOWING if scope is Scope.THIS else scope,
        "back_url": practice_url(actor, "schedule:appointment", appointment=occurrence),
    }
    if request.method != "POST":
        return render_page(request, _PAGE, {**context, "form": form})
    context["is_part"] = is_htmx(request)
    if not form.is_valid():
        return refused(request, form, _PAGE, context, part="preview")
    try:
        if "check" not in request.POST:
            return see_other(request, _save(request, actor, occurrence, form, scope))
        context["preview"] = preview_repetition(actor, occurrence, scope, form.terms)
        return render_page(request, _PAGE, {**context, "form": form}, part="preview")
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        context["is_stale"] = isinstance(refusal, AppointmentChanged)
        if isinstance(refusal, OtherThanShown):
            context["preview"] = preview_repetition(actor, occurrence, scope, form.terms)
        return refused(request, form, _PAGE, context, message=refusal, part="preview")


def _initial(actor: Actor, details: queries.AppointmentDetails) -> dict[str, Any]:
    repeat = queries.repeat_in_force(actor, details.id)
    how = RepetitionForm.initial_of(repeat, details.series.last_on) if repeat and details.series else {}
    return {"version": details.version, **how}


def _save(request: HttpRequest, actor: Actor, appointment: UUID, form: RepetitionForm, scope: Scope) -> str:
    """Change it; returns the page of the series."""
    typed = form.cleaned_data
    changed = change(
        actor,
        appointment_id=appointment,
        scope=scope,
        terms=form.terms,
        shown=typed["shown"],
        series_id=typed["series_id"],
        version=typed["version"],
    )
    done = changed.rearranged
    messages.success(request, done.words() if done else "This was saved already, and it was done once.")
    warn_of_conflicts(request, actor, changed.elsewhere)
    return practice_url(actor, "schedule:series", series=changed.root_id)

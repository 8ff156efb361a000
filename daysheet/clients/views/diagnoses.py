"""Diagnoses, from the Details page."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from daysheet.clients import actions, queries
from daysheet.clients.forms import DiagnosisForm, EndForm
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import see_other


def add_diagnosis(request: HttpRequest, client: UUID) -> HttpResponse:
    """Add a diagnosis."""
    actor = actor_of(request)
    row = queries.get_client(actor, client)
    return form_page(
        request,
        DiagnosisForm(request.POST or None, initial={"starts_on": actor.today}),
        "clients/add_diagnosis.html",
        {"client": row},
        save=lambda typed: actions.add_diagnosis(actor, client, **typed),
        done="The diagnosis was added.",
        back_url=practice_url(actor, "clients:details", client=client),
    )


def end_diagnosis(request: HttpRequest, diagnosis: UUID) -> HttpResponse:
    """End a diagnosis."""
    actor = actor_of(request)
    row = queries.get_diagnosis(actor, diagnosis)
    shows_record_of(request, row.client_id)
    return form_page(
        request,
        EndForm(request.POST or None, initial={"ends_on": actor.today}),
        "clients/end_diagnosis.html",
        {"client": row.client, "diagnosis": row},
        save=lambda typed: actions.end_diagnosis(actor, diagnosis, **typed),
        done=f"{row.code} was ended.",
        back_url=practice_url(actor, "clients:details", client=row.client_id),
    )


@require_POST
def move_diagnosis_up(request: HttpRequest, diagnosis: UUID) -> HttpResponse:
    """Change places with the diagnosis before."""
    actor = actor_of(request)
    actions.move_diagnosis_up(actor, diagnosis)
    client_id = queries.get_diagnosis(actor, diagnosis).client_id
    return see_other(request, practice_url(actor, "clients:details", client=client_id))

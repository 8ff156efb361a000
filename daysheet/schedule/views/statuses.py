"""A visit's status."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.web.form_pages import form_page
from daysheet.web.requests import actor_of

from .. import queries, statuses
from ..forms import StatusForm
from .days import agenda_url


@require_http_methods(["GET", "HEAD", "POST"])
def change_status(request: HttpRequest, visit: UUID) -> HttpResponse:
    """A visit's status, who initiated the change, and the fee."""
    actor = actor_of(request)
    row = queries.one_visit(actor, visit)
    return form_page(
        request,
        StatusForm(request.POST or None, initial={"status": row.status}),
        "schedule/change_status.html",
        {"visit": row, "back_url": agenda_url(actor, row.service_on)},
        save=lambda typed: statuses.set_status(actor, visit_id=visit, **typed),
        done="The status was changed.",
        back_url=agenda_url(actor, row.service_on),
    )

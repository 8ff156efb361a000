"""One night, and the dry run of the next."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.invoicing.links import invoice_url
from daysheet.invoicing.mending import Mend, agenda_mend, mend_of
from daysheet.invoicing.queries.batch_history import ProblemRow
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url_or_none
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import render_page

from ..models import LeftOut
from ..queries.dry_run import DryDate, dry_run
from ..queries.night import LeftOutRow, night_page

_SECTION = {"section": "Organization"}


@require_safe
def night(request: HttpRequest, night: UUID) -> HttpResponse:
    """What a night made, left out and refused, with the way to mend each."""
    actor = actor_of(request)
    shown = night_page(actor, night, page=page_number(request))
    here = request.get_full_path()
    context = {
        "night": shown,
        "refused": [(row, _mend_problem(actor, row, here)) for row in (shown.result.refused if shown.result else ())],
        "left_out": [(row, _mend(actor, row)) for row in shown.left_out],
    }
    return render_page(request, "automation/night.html", context | _SECTION)


@require_safe
def dry_run_page(request: HttpRequest) -> HttpResponse:
    """What the next night would do."""
    actor = actor_of(request)
    shown = dry_run(actor)
    context = {
        "run": shown,
        "may_set": actor.may(Permission.ADMINISTRATOR),
        "dates": [(row, _mend_date(actor, row)) for row in (shown.dates if shown else ())],
        "left_out": [(row, _mend(actor, row)) for row in (shown.left_out if shown else ())],
    }
    return render_page(request, "automation/dry_run.html", context | _SECTION)


def _mend_problem(actor: Actor, row: ProblemRow, here: str) -> Mend | None:
    return mend_of(
        actor, row.code, client_id=row.client_id, service_on=row.service_on, staff_member_id=row.staff_member_id,
        next_url=here,
    )  # fmt: skip


def _mend_date(actor: Actor, row: DryDate) -> Mend | None:
    refusal = next((line.refusal for line in row.date.lines if line.refusal), None)
    if refusal is None:
        return None
    return mend_of(
        actor, refusal.code, client_id=row.client_id, service_on=row.date.service_on,
        staff_member_id=refusal.staff_member_id, next_url=practice_url_or_none(actor, "automation:dry_run") or "",
    )  # fmt: skip


def _mend(actor: Actor, row: LeftOutRow) -> Mend | None:
    if row.invoice_number is not None:
        return Mend(f"Invoice {row.invoice_number}", invoice_url(actor, row.invoice_number))
    if row.kind == LeftOut.Kind.NO_SERVICE:
        url = practice_url_or_none(actor, "schedule:appointment", appointment=row.appointment_id)
        return Mend("Open the appointment", url) if url else None
    return agenda_mend(actor, row.service_on)

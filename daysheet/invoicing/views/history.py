"""A batch after it was confirmed: progress, result, continue, retry, undo; and the History of all of them (B5, B6)."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.web.pages import practice_url
from daysheet.web.requests import page_number
from daysheet.web.templatetags.daysheet import us_moment
from daysheet.web.views import render_page, see_other

from .. import batches, undoing
from ..batch_form import read_id
from ..forms import ReasonForm
from ..mending import Mend, mend_of
from ..queries import batch_history as queries
from ..queries.batch_history import ProblemRow
from ..queries.effects import batch_figures
from .batch import batch_tabs
from .correction_page import correction_page
from .requests import PracticeRequest

_RUN = "invoicing/batch_run.html"


@require_safe
def batch_history(request: PracticeRequest) -> HttpResponse:
    """Every batch: who, when, which range, how many, how much, what became of it."""
    page = page_number(request)
    rows, has_next = queries.batch_history(request.actor, page=page)
    context = {"batches": rows, "page": page, "has_next": has_next, "tabs": batch_tabs(request.actor, "history")}
    return render_page(request, "invoicing/batch_history.html", context)


@require_safe
def batch_run(request: PracticeRequest, batch: UUID) -> HttpResponse:
    """The live progress of a batch, and when it is over its result. HTMX polls the same address."""
    progress = queries.batch_progress(request.actor, batch)
    context: dict[str, object] = {"progress": progress, "tabs": batch_tabs(request.actor, "history")}
    if progress.is_finished:
        context |= _result(request, batch)
    return render_page(request, _RUN, context, part="state")


@require_POST
def continue_batch(request: PracticeRequest, batch: UUID) -> HttpResponse:
    """Continue: a batch that stopped goes on where it stopped. A second click changes nothing."""
    batches.continue_batch(request.actor, batch_id=batch)
    return see_other(request, practice_url(request.actor, "invoicing:batch_run", batch=batch))


@require_POST
def retry_batch(request: PracticeRequest, batch: UUID) -> HttpResponse:
    """Retry refused: a new batch of only what was refused. The form carries the new batch's id."""
    new_batch_id = read_id(request.POST.get("new_batch_id", "")) or new_id()
    try:
        batches.retry_refused(request.actor, batch_id=batch, new_batch_id=new_batch_id)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return see_other(request, practice_url(request.actor, "invoicing:batch_run", batch=batch))
    return see_other(request, practice_url(request.actor, "invoicing:batch_run", batch=new_batch_id))


@require_http_methods(["GET", "HEAD", "POST"])
def undo_batch(request: PracticeRequest, batch: UUID) -> HttpResponse:
    """Undo batch: shows count and total, asks for the reason, and voids what nothing has touched."""
    actor, summary = request.actor, queries.batch_summary(request.actor, batch)
    return correction_page(
        request, ReasonForm(request.POST or None), None, "Undo batch",
        practice_url(actor, "invoicing:batch_run", batch=batch),
        lambda typed: undoing.undo_batch(
            actor, request_key=typed["request_key"], batch_id=batch, reason=typed["reason"]
        ),
        about=f"This voids the invoices that the batch of {us_moment(summary.created_at)} created; their dates of "
        "service are unbilled again. Those that a payment, an adjustment or a claim has touched since, or that a "
        "statement told the client of, remain and are listed afterwards.",
        danger=True,
        done=_said,
        measure=lambda _: batch_figures(actor, batch),
        locks=lambda: undoing.clients_of_batch(actor, batch),
        at_once=lambda: undoing.effect_of_undo(actor, batch),
        menu="Batch Invoicing",
    )  # fmt: skip


def _result(request: PracticeRequest, batch: UUID) -> dict[str, object]:
    result = queries.batch_result(request.actor, batch, page=page_number(request))
    here = request.get_full_path()
    return {
        "result": result,
        "refused": [(row, _mend(request, row, here)) for row in result.refused],
        "new_batch_id": new_id(),
        "can_undo": result.live_count > 0 and result.summary.undone_at is None,
    }


def _mend(request: PracticeRequest, row: ProblemRow, here: str) -> Mend | None:
    return mend_of(
        request.actor,
        row.code,
        client_id=row.client_id,
        service_on=row.service_on,
        staff_member_id=row.staff_member_id,
        next_url=here,
    )


def _said(undone: undoing.Undone) -> str:
    if undone == undoing.Undone():
        return "The batch is undone."
    voided = f"{len(undone.voided):,} invoice{'' if len(undone.voided) == 1 else 's'} voided."
    if not undone.remaining:
        return f"The batch is undone: {voided}"
    if len(undone.remaining) == 1:
        return f"{voided} 1 remains: because something is on it, or it is not yours to void."
    return f"{voided} {len(undone.remaining):,} remain: because something is on them, or they are not yours to void."

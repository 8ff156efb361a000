"""A run after it was confirmed: progress, result, its file, what can be done about the rest; and all runs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from daysheet.documents.papers import Kind
from daysheet.invoicing.views.batch import batch_tabs
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.mail.actions import send_failed_again
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, page_number
from daysheet.web.views import render_page, see_other

from .. import actions
from ..queries import runs as queries
from ..queries.files import open_file

_OF_INVOICES = (Kind.INVOICE, Kind.SUPERBILL)


def statement_tabs(actor: Actor, current: str) -> list[dict[str, Any]]:
    """The tabs of Batch Statements."""
    tabs = (
        ("new", "New Statements", "mailings:batch_statements"),
        ("history", "History", "mailings:statement_history"),
    )
    return [{"label": label, "url": practice_url(actor, name), "active": key == current} for key, label, name in tabs]


@require_safe
def statement_history(request: HttpRequest) -> HttpResponse:
    """Every run of statements."""
    return _history(request, (Kind.STATEMENT,), statement_tabs(actor_of(request), "history"), "Batch Statements")


@require_safe
def invoice_history(request: HttpRequest) -> HttpResponse:
    """Every run that printed or e-mailed invoices or superbills."""
    return _history(request, _OF_INVOICES, batch_tabs(actor_of(request), "existing"), "Batch Invoicing")


@require_safe
def run(request: HttpRequest, mailing: UUID) -> HttpResponse:
    """How far a run is, and when it is over what came of it. HTMX polls the same address."""
    actor = actor_of(request)
    summary = queries.run_summary(actor, mailing)
    is_statements = summary.kind is Kind.STATEMENT
    context: dict[str, Any] = {
        "run": summary,
        "is_statements": is_statements,
        "menu": "Batch Statements" if is_statements else "Batch Invoicing",
        "tabs": statement_tabs(actor, "history") if is_statements else batch_tabs(actor, "existing"),
    }
    if not summary.is_live and summary.is_finished:
        context["result"] = queries.run_result(actor, mailing)
    return render_page(request, "mailings/run.html", context, part="state")


@require_safe
def run_file(request: HttpRequest, mailing: UUID) -> HttpResponseBase:
    """The one PDF of what was printed, read from the disk piece by piece."""
    opened = open_file(actor_of(request), mailing)
    if opened is None:
        raise Http404("The file of this run is not there any more. Make it again on the run's page.")
    name, content = opened
    answer = FileResponse(content, content_type="application/pdf", filename=name,
                          as_attachment=bool(request.GET.get("download")))  # fmt: skip
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def continue_run(request: HttpRequest, mailing: UUID) -> HttpResponse:
    """Continue: a run that stopped goes on where it stopped. A second click changes nothing."""
    actions.continue_mailing(actor_of(request), mailing_id=mailing)
    return _to_run(request, mailing)


@require_POST
def remake_file(request: HttpRequest, mailing: UUID) -> HttpResponse:
    """Make the file again, after it was removed."""
    try:
        actions.remake_file(actor_of(request), mailing_id=mailing)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
    return _to_run(request, mailing)


@require_POST
def stop_sending(request: HttpRequest, mailing: UUID) -> HttpResponse:
    """Do not send what has not been sent."""
    if request.POST.get("confirmed") != "yes":
        return _ask_to_stop(request, mailing)
    withdrawn = actions.stop_sending(actor_of(request), mailing_id=mailing)
    messages.success(request, f"{withdrawn:,} e-mail{'' if withdrawn == 1 else 's'} will not be sent.")
    return _to_run(request, mailing)


@require_POST
def send_failed(request: HttpRequest, mailing: UUID) -> HttpResponse:
    """Send what failed once more, to the addresses of today."""
    actor = actor_of(request)
    queries.run_summary(actor, mailing)
    again = send_failed_again(actor, run_id=mailing)
    messages.success(request, f"{again:,} e-mail{'' if again == 1 else 's'} will be sent again.")
    return _to_run(request, mailing)


def _ask_to_stop(request: HttpRequest, mailing: UUID) -> HttpResponse:
    actor = actor_of(request)
    waiting = queries.run_summary(actor, mailing).mails.waiting
    context = {
        "title": "Stop sending?",
        "text": f"{waiting:,} e-mails that have not been sent are withdrawn. Each can be sent from the Delivery Log.",
        "action": request.path,
        "yes": "Stop sending",
        "cancel_url": practice_url(actor, "mailings:run", mailing=mailing),
        "carried": [],
    }
    return render_page(request, "web/confirm.html", context)


def _to_run(request: HttpRequest, mailing: UUID) -> HttpResponse:
    return see_other(request, practice_url(actor_of(request), "mailings:run", mailing=mailing))


def _history(request: HttpRequest, kinds: tuple[Kind, ...], tabs: list[dict[str, Any]], label: str) -> HttpResponse:
    page = page_number(request)
    rows, has_next = queries.run_history(actor_of(request), kinds=kinds, page=page)
    context = {"runs": rows, "page": page, "has_next": has_next, "tabs": tabs, "menu": label,
               "is_statements": Kind.STATEMENT in kinds}  # fmt: skip
    return render_page(request, "mailings/history.html", context)

"""Batch Statements and Process Existing Invoices: search, tick, see what will be sent, say yes.

The server is the truth: it searches again with every form that is sent, and starts a run only when the count and total
that somebody said yes to are still those.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.documents.papers import Kind
from daysheet.documents.rules import Period
from daysheet.invoicing.batch_form import Ticks, read_ids
from daysheet.invoicing.views.batch import batch_tabs
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import render_page, see_other

from .. import actions
from ..actions import MailingRequest
from ..forms import InvoiceSearchForm, RunForm, StatementSearchForm
from ..planning import plan_of
from ..queries.candidates import (
    Candidate,
    InvoiceCandidate,
    InvoiceSearch,
    StatementCandidate,
    StatementSearch,
    invoice_candidates,
    statement_candidates,
    with_figures,
)
from ..queries.earlier import earlier_runs
from ..queries.preview import preview_of
from ..queries.runs import mailing_exists
from ..rules import EMAIL_TEXTS, Ways
from ..selection import ROWS_PER_PAGE, Chosen, SearchPage, carried_ticks, chosen_of, page_number, ticks_of
from .runs import statement_tabs

Rows = Sequence[Candidate]


@dataclass(frozen=True, slots=True)
class _Door:
    """What the two pages differ in. `page` finds the rows of one page, `all` those of the whole search; `request_of` is
    the run they start, `document_url` shows a row's document as it will be."""

    template: str
    frame: Mapping[str, Any]
    is_statements: bool
    page: Callable[[int, Ticks], SearchPage[Candidate]]
    all: Callable[[], Rows]
    request_of: Callable[[Kind, Ways, str], MailingRequest]
    document_url: Callable[[Candidate, Kind], str]

    def kind(self, sent: Mapping[str, str]) -> Kind:
        """What is made: chosen by the button of the list, carried by the page that asks for the yes."""
        if self.is_statements:
            return Kind.STATEMENT
        return Kind.SUPERBILL if Kind.SUPERBILL in (sent.get("choose"), sent.get("kind")) else Kind.INVOICE

    def invoices(self, chosen: Chosen[Candidate]) -> dict[UUID, list[UUID]]:
        """The invoices of each client; of statements none."""
        by_client = chosen.by_client()
        return {client_id: [] for client_id in by_client} if self.is_statements else by_client


@dataclass(frozen=True, slots=True)
class _Asked:
    """What was sent about a search."""

    request: HttpRequest
    actor: Actor
    door: _Door
    fields: Mapping[str, str]
    ticks: Ticks


@require_http_methods(["GET", "HEAD", "POST"])
def batch_statements(request: HttpRequest) -> HttpResponse:
    """Billing → Batch Statements."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    searched = "from_on" in request.GET
    form = StatementSearchForm(request.GET if searched else None, today=actor.today)
    frame = {"form": form, "tabs": statement_tabs(actor, "new"), "menu": "Batch Statements"}
    if not searched or not form.is_valid():
        return render_page(request, "mailings/statements.html", frame, status=422 if searched else 200)
    search = form.search(actor)
    found = statement_candidates(actor, search)
    asked = request.GET.urlencode()
    return _answer(request, actor, _Door(
        "mailings/statements.html",
        frame,
        is_statements=True,
        page=partial(_statement_page, actor, search, found),
        all=lambda: found,
        request_of=partial(_statement_request, search),
        document_url=lambda row, kind: f"{practice_url(actor, 'documents:statement', client=row.client_id)}?{asked}",
    ))  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
def existing_invoices(request: HttpRequest) -> HttpResponse:
    """Billing → Batch Invoicing → Process Existing Invoices."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    form = InvoiceSearchForm(request.GET, today=actor.today)
    frame = {"form": form, "tabs": batch_tabs(actor, "existing"), "menu": "Batch Invoicing"}
    if not form.is_valid():
        return render_page(request, "mailings/existing_invoices.html", frame, status=422)
    search = form.search()
    return _answer(request, actor, _Door(
        "mailings/existing_invoices.html",
        frame,
        is_statements=False,
        page=partial(_invoice_page, actor, search),
        all=lambda: invoice_candidates(actor, search),
        request_of=lambda kind, ways, text: MailingRequest(kind, Period(search.first_on, search.last_on), ways, text),
        document_url=partial(_invoice_url, actor),
    ))  # fmt: skip


def _answer(request: HttpRequest, actor: Actor, door: _Door) -> HttpResponse:
    fields = {name: request.POST.get(name, "") for name in request.POST}
    asked = _Asked(request, actor, door, fields, ticks_of(fields, request.POST.getlist("row")))
    if not {"choose", "update", "confirmed"} & set(fields):
        return _list(asked)
    chosen = chosen_of(door.all(), asked.ticks)
    if not chosen.rows:
        return _list(asked, error="Nothing is ticked. Tick at least one. Nothing was started.")
    form = _run_form(fields, door.kind(fields))
    if not form.is_valid():
        return _confirm(asked, chosen, form, status=422)
    if fields.get("confirmed") != "yes":
        return _confirm(asked, chosen, form)
    return _start(asked, chosen, form)


def _list(asked: _Asked, *, error: str = "") -> HttpResponse:
    page = asked.door.page(page_number(asked.fields), asked.ticks)
    context = {**asked.door.frame, "search": page, "error": error}
    return render_page(asked.request, asked.door.template, context, status=422 if error else 200)


def _run_form(fields: Mapping[str, str], kind: Kind) -> RunForm:
    """As it was sent; as it comes where a button of the list was pressed."""
    choice = fields.get("choose", "")
    if not choice:
        return RunForm(fields)
    ways = choice if choice in set(Ways) else Ways.PRINT
    return RunForm({"mailing_id": str(new_id()), "ways": str(ways), "email_text": EMAIL_TEXTS[kind]})


def _start(asked: _Asked, chosen: Chosen[Candidate], form: RunForm) -> HttpResponse:
    """Yes, I'm sure."""
    actor, door, typed = asked.actor, asked.door, form.cleaned_data
    mailing_id: UUID = typed["mailing_id"]
    run_url = practice_url(actor, "mailings:run", mailing=mailing_id)
    if mailing_exists(actor, mailing_id):
        return see_other(asked.request, run_url)
    if not chosen.was_shown(asked.fields):
        return _confirm(asked, chosen, form, error="Something changed since you looked. Look at the numbers again.")
    try:
        actions.start_mailing(
            actor,
            mailing_id=mailing_id,
            request=door.request_of(door.kind(asked.fields), Ways(typed["ways"]), typed["email_text"]),
            invoices=door.invoices(chosen),
            expected_count=chosen.client_count,
            expected_cents=chosen.cents,
            told_of=read_ids(asked.fields.get("told_of", "")) if typed["again"] else (),
        )
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return _confirm(asked, chosen, form, error=refusal.message, status=refusal.status)
    return see_other(asked.request, run_url)


def _confirm(
    asked: _Asked, chosen: Chosen[Candidate], form: RunForm, *, error: str = "", status: int = 200
) -> HttpResponse:
    """Exactly what will happen, with the first e-mail and the first document to look at."""
    actor, door, kind = asked.actor, asked.door, asked.door.kind(asked.fields)
    plan = plan_of(chosen.rows, Ways(form.cleaned_data.get("ways") or Ways.PRINT))
    text = form.cleaned_data.get("email_text", "")
    request = door.request_of(kind, Ways.PRINT, text)
    context = {
        **door.frame,
        "chosen": chosen,
        "carried": [*carried_ticks(asked.ticks), ("here", str(page_number(asked.fields)))],
        "run_form": form,
        "kind": kind,
        "plan": plan,
        "preview": preview_of(actor, plan.first_mailed.client_id, kind, text) if plan.first_mailed else None,
        "document_url": door.document_url(plan.first, kind),
        "is_statements": door.is_statements,
        "error": error,
        "earlier": earlier_runs(actor, kind, request.period, door.invoices(chosen)),
    }
    return render_page(asked.request, "mailings/confirm.html", context, status=status)


def _statement_page(
    actor: Actor, search: StatementSearch, found: Sequence[StatementCandidate], number: int, ticks: Ticks
) -> SearchPage[Candidate]:
    """A page of a search whose rows are all known."""
    number = min(number, max(-(-len(found) // ROWS_PER_PAGE), 1))
    start, end = (number - 1) * ROWS_PER_PAGE, number * ROWS_PER_PAGE
    total_cents = sum(row.cents for row in found)
    rows = with_figures(actor, search, found[start:end])
    return SearchPage(rows, number, len(found) > end, ticks, len(found), total_cents)


def _invoice_page(actor: Actor, search: InvoiceSearch, number: int, ticks: Ticks) -> SearchPage[Candidate]:
    start = (number - 1) * ROWS_PER_PAGE
    rows = invoice_candidates(actor, search, start=start, size=ROWS_PER_PAGE + 1)
    return SearchPage(rows[:ROWS_PER_PAGE], number, len(rows) > ROWS_PER_PAGE, ticks)


def _statement_request(search: StatementSearch, kind: Kind, ways: Ways, text: str) -> MailingRequest:
    choices = search.choices
    return MailingRequest(
        kind, choices.period, ways, text, choices.basis, choices.hides_zero, choices.hides_insurance_only,
        search.at_least_cents if search.owing else 0,
    )  # fmt: skip


def _invoice_url(actor: Actor, row: Candidate, kind: Kind) -> str:
    assert isinstance(row, InvoiceCandidate)
    name = "documents:invoice_superbill" if kind is Kind.SUPERBILL else "documents:print_invoice"
    return practice_url(actor, name, number=row.number)

"""The Ledger of a client, and its Billing Notes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from daysheet.clients.actions import add_billing_note, update_billing_note
from daysheet.clients.models import Client
from daysheet.clients.queries import billing_notes, get_client
from daysheet.clients.registry import tiles_for
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, page_number, shows_record_of
from daysheet.web.views import render_page

from ..forms import NewNoteForm, NoteForm
from ..queries import ledger as queries
from ..queries.notes import note_of
from ..registry import client_notices

_TABS = {
    "open": "Open Invoices",
    "paid": "Fully Paid Invoices",
    "payments": "Payment History",
    "activity": "All Activity",
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab, as `web/parts/tabs.html` wants it."""

    label: str
    url: str
    active: bool
    count: int | None = None


@require_safe
def ledger(request: HttpRequest, client: UUID) -> HttpResponse:
    """Tiles, tabs, unapplied payments, what is unbilled, notes."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    shown = get_client(actor, client)
    tab = request.GET.get("tab", "")
    tab = tab if tab in _TABS else "open"
    url = practice_url(actor, "payments:ledger", client=client)
    context = {
        "client": shown,
        "tab": tab,
        "tabs": [Tab(label, f"{url}?tab={key}", key == tab) for key, label in _TABS.items()],
        "page": _rows(actor, shown, tab, page_number(request)),
        "tiles": tiles_for(actor, shown),
        "notices": client_notices(actor, client),
        "unapplied": queries.unapplied_payments(actor, shown),
        "unbilled": queries.unbilled_dates(actor, shown),
        "notes": billing_notes(actor, shown),
        "note_form": NewNoteForm(),
    }
    return render_page(request, "payments/ledger.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def add_note(request: HttpRequest, client: UUID) -> HttpResponse:
    """A new billing note: the form stands on the ledger, and here alone where it was refused."""
    actor = actor_of(request)
    actor.require(Permission.BILLING)
    shown = get_client(actor, client)
    return form_page(
        request,
        NewNoteForm(request.POST or None),
        "payments/note.html",
        {"client": shown, "title": "Add Billing Note"},
        save=lambda typed: add_billing_note(actor, client, **typed),
        done="The note was added.",
        back_url=_notes_url(actor, client),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def update_note(request: HttpRequest, note: UUID) -> HttpResponse:
    """A new wording of a billing note; the earlier ones stay readable."""
    actor = actor_of(request)
    found = note_of(actor, note)
    shows_record_of(request, found.client.pk)
    return form_page(
        request,
        NoteForm(request.POST or None, initial={"text": found.text}),
        "payments/note.html",
        {"client": found.client, "title": "Update Billing Note"},
        save=lambda typed: update_billing_note(actor, note, **typed),
        done="The note was updated; its earlier text is kept.",
        back_url=_notes_url(actor, found.client.pk),
    )


def _rows(actor: Actor, client: Client, tab: str, number: int) -> queries.LedgerPage[Any]:
    if tab == "payments":
        return queries.ledger_payments(actor, client, page=number)
    if tab == "activity":
        return queries.ledger_activity(actor, client, page=number)
    return queries.ledger_invoices(actor, client, is_open=tab == "open", page=number)


def _notes_url(actor: Actor, client_id: UUID) -> str:
    return f"{practice_url(actor, 'payments:ledger', client=client_id)}#billing-notes"

"""Billing → Delivery Log and what can be done there; Organization → Settings → E-mail."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST, require_safe

from daysheet.clients.queries.access import get_client
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.paging import page_of
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import render_page, see_other

from . import actions, queries
from .forms import LogForm, MailboxForm, TestForm


@require_safe
def delivery_log(request: HttpRequest) -> HttpResponse:
    """The log, newest first, a page at a time; of one client or one run where the address says so."""
    actor = actor_of(request)
    form = LogForm(request.GET)
    queries.visible_messages(actor)
    if not form.is_valid():
        return render_page(request, "mail/delivery_log.html", {"filters": form}, status=422)
    filters = queries.LogFilters(**form.cleaned_data)
    page = page_of(queries.matching_messages(actor, filters), request.GET.get("page"))
    context = {
        "filters": form,
        "page": page,
        "rows": queries.message_rows(actor, page.rows),
        "client": get_client(actor, filters.client_id) if filters.client_id else None,
        "run_id": filters.run_id,
        "is_filtered": any(form.cleaned_data.values()),
    }
    return render_page(request, "mail/delivery_log.html", context)


@require_safe
def message(request: HttpRequest, message: UUID) -> HttpResponse:
    """One message: its text, its attachments, everything that happened to it."""
    details = queries.message_details(actor_of(request), message)
    shows_record_of(request, details.row.client_id)
    return render_page(request, "mail/message.html", {"message": details})


@require_safe
def attachment(request: HttpRequest, message: UUID, position: int) -> HttpResponse:
    """An attachment of a message, made again."""
    actor = actor_of(request)
    try:
        name, content = queries.attached_file(actor, message, position)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return see_other(request, practice_url(actor, "mail:message", message=message))
    shows_record_of(request, queries.get_message(actor, message).client_id)
    answer = HttpResponse(content, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def send_again(request: HttpRequest, message: UUID) -> HttpResponse:
    """Send again; the form carries the state the person saw."""
    actor, seen = actor_of(request), request.POST.get("seen", "")
    if seen == "unknown" and request.POST.get("confirmed") != "yes":
        return _confirm(request, message)
    return _decided(
        request, message, lambda: actions.send_again(actor, message_id=message, seen=seen),
        "The message will be sent again.",
    )  # fmt: skip


@require_POST
def mark_sent(request: HttpRequest, message: UUID) -> HttpResponse:
    """It did arrive."""
    actor = actor_of(request)
    return _decided(
        request, message, lambda: actions.mark_sent(actor, message_id=message), "The message is marked as sent."
    )


@require_POST
def withdraw(request: HttpRequest, message: UUID) -> HttpResponse:
    """Do not send it."""
    actor = actor_of(request)
    return _decided(
        request, message, lambda: actions.withdraw_message(actor, message_id=message), "The message is withdrawn."
    )


def mailbox(request: HttpRequest) -> HttpResponse:
    """How the practice signs; and the test message."""
    actor = actor_of(request)
    context = {
        "signature": queries.mail_signature(actor),
        "has_server": queries.has_server(),
        "test": queries.last_test(actor),
        "test_form": TestForm(auto_id=False),
    }
    return form_page(
        request,
        MailboxForm(request.POST or None, initial=queries.mailbox_facts(actor)),
        "mail/mailbox.html",
        context,
        save=lambda typed: actions.edit_mailbox(actor, **typed),
        done="The e-mail settings were saved.",
        back_url=practice_url(actor, "mail:mailbox"),
    )


@require_POST
def send_test(request: HttpRequest) -> HttpResponse:
    """Send Test Message, to the person who presses it."""
    actor = actor_of(request)
    form = TestForm(request.POST)
    queries.mail_signature(actor)
    back = see_other(request, practice_url(actor, "mail:mailbox"))
    if not form.is_valid():
        messages.error(request, "The test message was not sent. Open this page again and press the button.")
        return back
    try:
        actions.send_test_message(actor, run_id=form.cleaned_data["run_id"])
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "The test message is on its way to your own address.")
    return back


def _confirm(request: HttpRequest, message: UUID) -> HttpResponse:
    actor = actor_of(request)
    queries.get_message(actor, message)
    context = {
        "title": "Send it again?",
        "text": "Nobody knows whether this message arrived. If it did, the person gets it twice. Ask first.",
        "action": request.path,
        "yes": "Send it again",
        "cancel_url": practice_url(actor, "mail:message", message=message),
        "carried": [("seen", "unknown")],
    }
    return render_page(request, "web/confirm.html", context)


def _decided(request: HttpRequest, message: UUID, decide: Callable[[], None], done: str) -> HttpResponse:
    try:
        decide()
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, done)
    return see_other(request, practice_url(actor_of(request), "mail:message", message=message))

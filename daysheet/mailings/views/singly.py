"""E-mail one document, or those that were made together: seen first exactly as it will go out."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.documents.papers import Paper
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.mail.actions import is_address
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of, shows_record_of
from daysheet.web.views import refused, render_page, see_other

from .. import actions
from ..forms import EmailForm
from ..queries.documents import one_document, together
from ..queries.preview import preview_of
from ..rules import EMAIL_TEXTS

_PAGE = "mailings/email.html"


@require_http_methods(["GET", "HEAD", "POST"])
def email_document(request: HttpRequest, document: UUID) -> HttpResponse:
    """One document that was made."""
    actor = actor_of(request)
    return _email(request, actor, *one_document(actor, document))


@require_http_methods(["GET", "HEAD", "POST"])
def email_together(request: HttpRequest, made_in: UUID) -> HttpResponse:
    """The documents of one client that one request made."""
    actor = actor_of(request)
    return _email(request, actor, *together(actor, made_in))


def _email(request: HttpRequest, actor: Actor, ids: Sequence[UUID], papers: Sequence[Paper]) -> HttpResponse:
    client_id, kind = papers[0].client_id, papers[0].kind
    shows_record_of(request, client_id)
    form = EmailForm(request.POST or None, initial={"email_text": EMAIL_TEXTS[kind]})
    text = form["email_text"].value() or ""
    preview = preview_of(actor, client_id, kind, text, ids)
    back_url = practice_url(actor, "documents:client_documents", client=client_id)
    context = {
        "form": form, "papers": papers, "preview": preview, "client_id": client_id, "back_url": back_url,
        "can_send": is_address(preview.address), "section": "Clients",
    }  # fmt: skip
    if request.method != "POST" or "update" in request.POST:
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    try:
        message_id = actions.email_documents(
            actor, request_id=form.cleaned_data["request_id"], client_id=client_id, kind=kind, document_ids=ids,
            text=form.cleaned_data["email_text"],
        )  # fmt: skip
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, _PAGE, context, message=refusal)
    messages.success(request, "The e-mail is on its way.")
    return see_other(request, practice_url(actor, "mail:message", message=message_id))

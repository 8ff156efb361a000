"""Organization → Settings: how documents look, and the logo."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from daysheet.practices.permissions import Permission
from daysheet.web.form_pages import form_page
from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import see_other

from .. import actions
from ..forms import LogoForm, LookForm
from ..queries.look import document_look, logo_picture


@require_http_methods(["GET", "HEAD", "POST"])
def look(request: HttpRequest) -> HttpResponse:
    """Pay-to address, colour and message."""
    actor = actor_of(request)
    shown = document_look(actor)
    initial = {"pay_to": shown.pay_to, "brand_colour": shown.brand_colour, "message": shown.message}
    return form_page(
        request,
        LookForm(request.POST or None, initial=initial),
        "documents/look.html",
        {"look": shown, "logo_form": LogoForm(), "section": "Organization"},
        save=lambda typed: actions.edit_document_settings(actor, **typed),
        done="New documents look like this from now on.",
        back_url=practice_url(actor, "documents:look"),
    )


@require_http_methods(["GET", "HEAD", "POST"])
def upload_logo(request: HttpRequest) -> HttpResponse:
    """A logo to print."""
    actor = actor_of(request)
    actor.require(Permission.ADMINISTRATOR)
    return form_page(
        request,
        LogoForm(request.POST or None, request.FILES or None),
        "documents/upload_logo.html",
        {"section": "Organization"},
        save=lambda typed: actions.upload_logo(
            actor, logo_id=typed["logo_id"], content=typed["picture"], alt=typed["alt"]
        ),
        done="The logo is printed on new documents from now on.",
        back_url=practice_url(actor, "documents:look"),
    )


@require_POST
def remove_logo(request: HttpRequest, logo: UUID) -> HttpResponse:
    """Print no logo any more."""
    actor = actor_of(request)
    actions.remove_logo(actor, logo)
    return see_other(request, practice_url(actor, "documents:look"))


@require_safe
def logo(request: HttpRequest, logo: UUID) -> HttpResponse:
    """The picture itself, as it was drawn anew."""
    png = logo_picture(actor_of(request), logo)
    if png is None:
        raise Http404("There is no such logo in this practice.")
    return HttpResponse(png, content_type="image/png", headers={"Cache-Control": "private, max-age=86400"})

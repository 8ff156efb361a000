"""Organization: the card processor that the practice is connected with."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from daysheet.web.pages import practice_url
from daysheet.web.requests import actor_of
from daysheet.web.views import refused, render_page, see_other

from .. import actions
from ..forms import ProcessorForm
from ..opening import webhook_path
from ..queries.client_cards import processor_in_use

_PAGE = "cards/processor.html"


@require_http_methods(["GET", "HEAD", "POST"])
def processor(request: HttpRequest) -> HttpResponse:
    """Which account is used, where its messages go, and connecting another."""
    actor = actor_of(request)
    account = processor_in_use(actor)
    form = ProcessorForm(request.POST or None)
    context = {
        "form": form,
        "account": account,
        "section": "Organization",
        "webhook_url": request.build_absolute_uri(webhook_path(actor.practice, account)) if account else "",
    }
    if request.method != "POST":
        return render_page(request, _PAGE, context)
    if not form.is_valid():
        return refused(request, form, _PAGE, context)
    actions.connect_processor(actor, **form.cleaned_data)
    messages.success(request, "The card processor is connected.")
    return see_other(request, practice_url(actor, "cards:processor"))

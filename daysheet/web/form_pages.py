"""The one way a page with a form answers: shown, refused with 422, or done and off to another page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse

from daysheet.kit.errors import NotAllowed, NotFound, Refusal

from .views import refused, render_page, see_other


def form_page(
    request: HttpRequest,
    form: Form,
    template: str,
    context: Mapping[str, Any],
    *,
    save: Callable[[dict[str, Any]], Any],
    done: str,
    back_url: str | Callable[[Any], str],
) -> HttpResponse:
    """Show `form`; once posted and valid, `save(cleaned)` calls the action; then to `back_url` with the message `done`.
    `back_url` may be a function of what was saved. NotFound and NotAllowed go on to the middleware (404, 403)."""
    if request.method != "POST":
        return render_page(request, template, {**context, "form": form})
    if not form.is_valid():
        return refused(request, form, template, context)
    try:
        saved = save(form.cleaned_data)
    except (NotFound, NotAllowed):
        raise
    except Refusal as refusal:
        return refused(request, form, template, context, message=refusal)
    messages.success(request, done)
    return see_other(request, back_url(saved) if callable(back_url) else back_url)

"""How views answer: whole pages, parts for HTMX, refusals with 422. Every answer varies with HX-Request."""

from collections.abc import Mapping
from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from daysheet.kit.errors import Refusal


def is_htmx(request: HttpRequest) -> bool:
    """Return whether the browser wants a part of a page. Going back in history needs the whole page again."""
    headers = request.headers
    return headers.get("HX-Request") == "true" and headers.get("HX-History-Restore-Request") != "true"


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    status: int = 200,
    *,
    part: str | None = None,
) -> HttpResponse:
    """Answer with a page, or with its partial `part` (a `{% partialdef %}` in the same file) when HTMX asks."""
    is_part = bool(part) and is_htmx(request)
    response = render(request, f"{template}#{part}" if is_part else template, dict(context or {}), status=status)
    response.is_part = is_part  # type: ignore[attr-defined]
    patch_vary_headers(response, ["HX-Request"])
    return response


def refused(
    request: HttpRequest,
    form: BaseForm,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    message: str | Refusal = "",
    part: str | None = None,
) -> HttpResponse:
    """Show the form again with what was refused. `message` joins the form's errors; a Refusal brings its status too."""
    if message:
        form.add_error(None, str(message))
    status = message.status if isinstance(message, Refusal) else 422
    return render_page(request, template, {**(context or {}), "form": form}, status=status, part=part)


def see_other(request: HttpRequest, url: str) -> HttpResponse:
    """Go to another page after a change; with HTMX the whole page changes, not the part."""
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": url, "Vary": "HX-Request"})
    response = HttpResponseRedirect(url, headers={"Vary": "HX-Request"})
    response.status_code = 303
    return response

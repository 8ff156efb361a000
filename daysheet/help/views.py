"""Help: the user guide inside the application, for everybody who is signed in."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from daysheet.kit.errors import NotFound
from daysheet.web.views import render_page

from .guide import find_page, find_picture, sections


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Every page of the guide."""
    return render_page(request, "help/index.html", {"sections": sections()})


@require_safe
def page(request: HttpRequest, page: str) -> HttpResponse:
    """One page of the guide."""
    found = find_page(page)
    if found is None:
        raise NotFound("The guide has no such page.")
    return render_page(request, "help/page.html", {"page": found, "sections": sections()})


@require_safe
def picture(request: HttpRequest, picture: str) -> HttpResponse:
    """One picture of the guide."""
    found = find_picture(picture)
    if found is None:
        raise NotFound("The guide has no such picture.")
    return HttpResponse(found, content_type="image/png", headers={"Cache-Control": "private, max-age=3600"})

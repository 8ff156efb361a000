"""The front door `/`."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse


def home(request: HttpRequest) -> HttpResponse:
    """Placeholder until the sign-in pages land."""
    return HttpResponse("Daysheet")

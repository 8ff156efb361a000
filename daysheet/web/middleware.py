"""A request id for logs, audit events and error pages."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from daysheet.kit.ids import new_id

_GIVEN = re.compile(r"^[A-Za-z0-9-]{8,40}$")


def request_id(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Takes a proxy's X-Request-ID where it is harmless, makes one otherwise, and sends it back."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if _GIVEN.match(given) else new_id().hex  # type: ignore[attr-defined]
        response = get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        return response

    return answer

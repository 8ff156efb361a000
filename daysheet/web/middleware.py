"""A request id for logs, audit events and error pages; words where a page is asked for in a way it does not know."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed

from daysheet.kit.ids import new_id
from daysheet.kit.numbers import whole_number
from daysheet.web.errors import bad_request, too_large, wrong_method

#: `deploy/nginx.conf` says the same; single uploads have limits of their own.
LARGEST_BODY_BYTES = 25 * 1024 * 1024
KNOWN_METHODS = ("GET", "HEAD", "POST")
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


def known_methods_only(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Pages are read and forms are sent; no address here means anything else, so no view is asked what it makes of it
    (a library's view takes a PUT for a POST, ours take it for a page)."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if request.method in KNOWN_METHODS:
            return get_response(request)
        refused = wrong_method(request)
        refused["Allow"] = ", ".join(KNOWN_METHODS)
        return refused

    return answer


def readable_only(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """What is larger than any upload is turned away before a byte of it is read: files are written to the disk while
    they come in, and anybody may send some to the sign-in page. So is a query with a character that no text has."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if "%00" in request.META.get("QUERY_STRING", ""):
            # No name, number or date has one, and PostgreSQL keeps none.
            return bad_request(request, ValueError("NUL"))
        if whole_number(request.META.get("CONTENT_LENGTH") or "0", most=LARGEST_BODY_BYTES) is None:
            return too_large(request)
        return get_response(request)

    return answer


def words_for_wrong_method(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """An address that only takes a form, opened as a page (a reload, a bookmark), says so instead of being blank."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or request.method == "HEAD":
            return response
        said: HttpResponse = wrong_method(request)
        said["Allow"] = response["Allow"]
        return said

    return answer

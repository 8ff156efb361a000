"""Error pages: what happened, what was not changed, what to do. HTMX gets the same words as plain text.

The root URLs name them: `handler404 = "daysheet.web.errors.page_not_found"`, and settings
`CSRF_FAILURE_VIEW = "daysheet.web.errors.csrf_failure"`.
"""

import sys
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from daysheet.database.trouble import Trouble, trouble_of
from daysheet.kit.sealing import CannotUnseal
from daysheet.web.views import is_htmx

handler400 = "daysheet.web.errors.bad_request"
handler403 = "daysheet.web.errors.permission_denied"
handler404 = "daysheet.web.errors.page_not_found"
handler500 = "daysheet.web.errors.server_error"


@dataclass(frozen=True, slots=True)
class ErrorWords:
    title: str
    unchanged: str
    todo: str


WORDS = {
    400: ErrorWords(
        "We could not read that request",
        "Nothing was changed.",
        "Go back, reload the page and try again.",
    ),
    403: ErrorWords(
        "You do not have permission for this",
        "Nothing was changed.",
        "Ask an administrator of your practice if you need this page.",
    ),
    404: ErrorWords(
        "There is nothing at this address",
        "Nothing was changed.",
        "Check the address, or look for the client with the search box (press /).",
    ),
    405: ErrorWords(
        "This address is not a page to open",
        "Nothing was changed.",
        "Go back and use the button that leads here; a reload or a bookmark cannot press it for you.",
    ),
    413: ErrorWords(
        "That was too large",
        "Nothing was read, and nothing was changed.",
        "Send a smaller file, or split it.",
    ),
    500: ErrorWords(
        "Something went wrong on our side",
        "What you were saving was not saved; everything saved before is safe.",
        "Try again. If it happens twice, give the reference below to whoever looks after Daysheet.",
    ),
}
#: What the machine could not do. A form carries its id or request key, so that sending it again makes one result.
_TROUBLE_WORDS = {
    Trouble.BUSY: ErrorWords(
        "Somebody else is working on the same thing",
        "Nothing was changed.",
        "Wait a moment, then send the same form again.",
    ),
    Trouble.TOO_LONG: ErrorWords(
        "This took too long and was stopped",
        "Nothing was changed.",
        "Choose less at once (a shorter range of dates, a filter) and try again.",
    ),
    Trouble.DISK_FULL: ErrorWords(
        "The disk of the server is full",
        "What you were saving was not saved; everything saved before is safe.",
        "Tell whoever looks after Daysheet to free some space there, then send the same form again.",
    ),
    Trouble.NO_MEMORY: ErrorWords(
        "The server's memory is used up",
        "What you were saving was not saved; everything saved before is safe.",
        "Wait a minute, then send the same form again. If it happens again, tell whoever looks after Daysheet.",
    ),
    Trouble.UNREACHABLE: ErrorWords(
        "The database does not answer",
        "What you were saving may not have been saved; everything saved before is safe.",
        "Wait a minute, then go back and send the same form again: what was saved the first time is not saved twice.",
    ),
}
_TRY_AGAIN_SECONDS = 30
_KEY_WORDS = ErrorWords(
    "A key of this installation is missing",
    "Nothing was changed.",
    "Tell whoever looks after Daysheet: `daysheet check` says which key, and what to do.",
)
CSRF_WORDS = ErrorWords(
    "This form is too old, or cookies are turned off",
    "Nothing was changed: what you sent was not saved.",
    "Go back, reload the page and send the form again. If you signed in again in another tab, that is the reason.",
)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 400, "400.html", WORDS[400])


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 403, "403.html", WORDS[403], reason=str(exception))


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _answer(request, 404, "404.html", WORDS[404])


def wrong_method(request: HttpRequest) -> HttpResponse:
    return _answer(request, 405, "405.html", WORDS[405], with_shell=False)


def too_large(request: HttpRequest) -> HttpResponse:
    return _answer(request, 413, "413.html", WORDS[413], with_shell=False)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; where the machine is what failed, 503 with words about that."""
    # No request context: whatever broke may have been the database or a context processor.
    error = sys.exc_info()[1]
    if isinstance(error, CannotUnseal):
        return _answer(request, 503, "500.html", _KEY_WORDS, with_shell=False)
    trouble = trouble_of(error)
    if trouble:
        response = _answer(request, 503, "500.html", _TROUBLE_WORDS[trouble], with_shell=False)
        response["Retry-After"] = str(_TRY_AGAIN_SECONDS)
        return response
    return _answer(request, 500, "500.html", WORDS[500], with_shell=False)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return _answer(request, 403, "403_csrf.html", CSRF_WORDS, with_shell=False)


def _answer(
    request: HttpRequest, status: int, template: str, words: ErrorWords, *, reason: str = "", with_shell: bool = True
) -> HttpResponse:
    if is_htmx(request):
        text = f"{words.title}. {reason} {words.unchanged} {words.todo}".replace("  ", " ")
        return HttpResponse(text, status=status, content_type="text/plain", headers={"Vary": "HX-Request"})
    context = {"words": words, "reason": reason, "reference": getattr(request, "request_id", "")}
    html = render_to_string(template, context, request=request if with_shell else None)
    return HttpResponse(html, status=status, headers={"Vary": "HX-Request"})

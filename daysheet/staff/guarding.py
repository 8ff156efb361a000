"""What stands between a signed-in person and a practice's pages: the second step that the practice asks for, and the
password again after a while without a request.

A form that is sent too late is not lost: the page that asks for the password carries what was typed (files excepted).
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from daysheet.kit.dates import utc_now
from daysheet.practices.models import User
from daysheet.web.views import is_htmx, render_page

from .actors import Entrance

_SEEN = "seen_at"
#: The field of the page that asks again, beside what was typed before.
UNLOCKING = "unlocking_password"
#: A request is noted once in so many seconds, not each time.
_NOTED_EVERY = 60


def stopped(request: HttpRequest, entrance: Entrance) -> HttpResponse | None:
    """The page that has to come first; None where the request may go on."""
    user = request.user
    assert isinstance(user, User)
    if _is_idle(request, entrance.idle_minutes) and (page := _ask_again(request, user, entrance)):
        return page
    _note_seen(request)
    if entrance.requires_two_step and not get_adapter().is_mfa_enabled(user):
        if not is_htmx(request):  # a page that refreshes a part of itself says it once, not every second
            messages.warning(
                request, f"{entrance.practice.name} asks for a second step of signing in. Set one up, then go on."
            )
        return _elsewhere(request, reverse("mfa_index"))
    return None


def begin_counting(sender: object, request: HttpRequest, **facts: Any) -> None:
    """Signing in is the first sign of life of a session."""
    request.session[_SEEN] = _now()


user_logged_in.connect(begin_counting, dispatch_uid="daysheet.staff.guarding")


def _is_idle(request: HttpRequest, minutes: int) -> bool:
    """Whether the last sign of life, or of the password, is too long ago."""
    proofs = [int(record["at"]) for record in request.session.get("account_authentication_methods", [])]
    return _now() - max([int(request.session.get(_SEEN, 0)), *proofs]) > minutes * 60


def _note_seen(request: HttpRequest) -> None:
    """A page that refreshes a part of itself is no sign of life."""
    is_person = request.method == "POST" or not is_htmx(request)
    if is_person and _now() - request.session.get(_SEEN, 0) >= _NOTED_EVERY:
        request.session[_SEEN] = _now()


def _ask_again(request: HttpRequest, user: User, entrance: Entrance) -> HttpResponse | None:
    """The password page; None where the password came with the request."""
    if request.method != "POST":
        came_from = request.headers.get("HX-Current-URL", "/") if is_htmx(request) else request.get_full_path()
        return _elsewhere(request, f"{reverse('account_reauthenticate')}?{urlencode({'next': came_from})}")
    typed = request.POST.copy()
    password = typed.pop(UNLOCKING, [""])[0]
    typed.pop("csrfmiddlewaretoken", None)
    if password:
        if not ratelimit.consume(request, action="reauthenticate", user=user):
            return _page(request, entrance, typed, "Too many attempts. Wait a minute, then try again.", 429)
        if user.check_password(str(password)):
            record_authentication(request, user, method="password", reauthenticated=True)
            typed._mutable = False
            request.POST = typed  # type: ignore[assignment]
            return None
    return _page(request, entrance, typed, "This is not your password." if password else "", 422)


def _page(request: HttpRequest, entrance: Entrance, typed: Any, problem: str, status: int) -> HttpResponse:
    carried = [(name, value) for name, values in typed.lists() for value in values]
    context = {
        "minutes": entrance.idle_minutes, "unlocking": UNLOCKING, "problem": problem,
        "has_files": bool(request.FILES), "carried": carried, "action": request.get_full_path(),
    }  # fmt: skip
    page = render_page(request, "practices/locked.html", context, status=status)
    if is_htmx(request):  # over the whole page: what comes after the password is a page, not a part of one
        page["HX-Retarget"], page["HX-Reswap"] = "body", "innerHTML"
    return page


def _elsewhere(request: HttpRequest, url: str) -> HttpResponse:
    """There; with HTMX the whole page goes, not a part of it."""
    if not is_htmx(request):
        return redirect(url)
    return HttpResponse(status=204, headers={"HX-Redirect": url})


def _now() -> int:
    return int(utc_now().timestamp())

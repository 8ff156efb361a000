"""What stands between a signed-in person and a practice's pages: the second step that the practice asks for, and the
password again after a while without a request.

A form that is sent too late is not lost: the page that asks for the password carries what was typed (files excepted).
"""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.core import ratelimit
from django.contrib import messages
from django.contrib.auth.signals import user_logged_in
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from daysheet.kit.dates import utc_now
from daysheet.practices.models import User
from daysheet.web.views import is_htmx, render_page

from .actors import SessionRules

_SEEN = "seen_at"
#: The longest pause since the password: a practice that allows hours opens no other that allows minutes.
_PAUSE = "longest_pause"
#: The field of the page that asks again, beside what was typed before.
UNLOCKING = "unlocking_password"
#: A request is noted once in so many seconds, not each time.
_NOTED_EVERY = 60


def stopped(request: HttpRequest, practice_name: str, rules: SessionRules) -> HttpResponse | None:
    """The page that has to come first; None where the request may go on, without the password that came with it."""
    user = request.user
    assert isinstance(user, User)
    password = _take_password(request)
    is_idle = _longest_pause(request, user) > rules.idle_minutes * 60
    if is_idle and (page := _ask_again(request, user, rules, password)):
        return page
    _note_seen(request, user)
    if rules.lacks_two_step:
        if not is_htmx(request):  # a page that refreshes a part of itself says it once, not every second
            messages.warning(request, f"{practice_name} asks for a second step of signing in. Set one up, then go on.")
        return _elsewhere(request, reverse("mfa_index"))
    return None


def begin_counting(sender: object, request: HttpRequest, **facts: Any) -> None:
    """Signing in is the first sign of life of a session."""
    request.session[_SEEN] = _now()


user_logged_in.connect(begin_counting, dispatch_uid="daysheet.staff.guarding")


def _longest_pause(request: HttpRequest, user: User) -> int:
    """Seconds between two signs of life at most, since the password was last given; the pause that lasts now counts."""
    proven_at = max([int(record["at"]) for record in get_authentication_records(request, user)], default=0)
    pause, noted_at = request.session.get(_PAUSE, (0, 0))
    now_lasting = _now() - max(int(request.session.get(_SEEN, 0)), proven_at)
    return max(now_lasting, pause) if noted_at > proven_at else now_lasting


def is_by_person(request: HttpRequest) -> bool:
    """Whether it is a sign of life: a page that refreshes a part of itself is none."""
    return request.method == "POST" or not is_htmx(request)


def _note_seen(request: HttpRequest, user: User) -> None:
    if is_by_person(request) and _now() - request.session.get(_SEEN, 0) >= _NOTED_EVERY:
        request.session[_PAUSE] = (_longest_pause(request, user), _now())
        request.session[_SEEN] = _now()


def _take_password(request: HttpRequest) -> str:
    """The password out of what was sent: no view ever sees it, also where another tab was unlocked in the meantime."""
    if request.method != "POST" or UNLOCKING not in request.POST:
        return ""
    typed = request.POST.copy()
    password = str(typed.pop(UNLOCKING)[0])
    typed._mutable = False
    request.POST = typed  # type: ignore[assignment]
    return password


def _ask_again(request: HttpRequest, user: User, rules: SessionRules, password: str) -> HttpResponse | None:
    """The password page; None where the password came with the request."""
    if request.method != "POST":
        came_from = request.headers.get("HX-Current-URL", "/") if is_htmx(request) else request.get_full_path()
        return _elsewhere(request, f"{reverse('account_reauthenticate')}?{urlencode({'next': came_from})}")
    if password:
        if not ratelimit.consume(request, action="reauthenticate", user=user):
            return _page(request, rules, "Too many attempts. Wait a minute, then try again.", 429)
        if user.check_password(password):
            record_authentication(request, user, method="password", reauthenticated=True)
            return None
    return _page(request, rules, "This is not your password." if password else "", 422)


def _page(request: HttpRequest, rules: SessionRules, problem: str, status: int) -> HttpResponse:
    typed = [(name, values) for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"]
    carried = [(name, value) for name, values in typed for value in values]
    context = {
        "minutes": rules.idle_minutes, "unlocking": UNLOCKING, "problem": problem,
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

"""Somebody's browser that begins each request signed in, whatever the one before did to its session."""

from __future__ import annotations

from enum import StrEnum
from http.cookies import SimpleCookie
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest
from django.test import Client as Browser

from daysheet.practices.models import User
from tests.people import Person

#: Where somebody is sent who has to sign in first, or once more; how the page is known that asks for the password after
#: a pause.
_SIGN_IN = ("/account/login/", "/account/reauthenticate/", "/account/2fa/")
_LOCKED = b'name="unlocking_password"'


class Outcome(StrEnum):
    """What became of a request."""

    TAKEN = "taken"
    IN_WORDS = "refused in words"
    SENT_AWAY = "sent away to sign in"
    TURNED_AWAY = "turned away"
    BROKEN = "broken"


class Visitor:
    """`person` with a browser; None is somebody who has not signed in. A server error is an answer."""

    def __init__(self, person: Person | None) -> None:
        self.person = person
        self._browser = Browser(raise_request_exception=False)
        if person:
            user = User.objects.get(pk=person.user_id)
            self._browser.force_login(user)
            _type_password(self._browser, user)
        self._session = self._browser.cookies[settings.SESSION_COOKIE_NAME].value if person else ""

    def ask(self, method: str, url: str, *, is_part: bool = False, **body: Any) -> Any:
        """The answer, read to its end. Limits of how often begin anew with each request, and so does the session."""
        cache.clear()
        self._browser.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: self._session} if self._session else {})
        headers = {"HX-Request": "true"} if is_part else {}
        answer = self._browser.generic(method, url, headers=headers, **body)
        answer.whole = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return answer


def _type_password(browser: Browser, user: User) -> None:
    """Tomorrow, for the clock goes on while we ask: else the pages about the second step would ask for it again after
    five minutes, and all others after the practice's pause."""
    request = HttpRequest()
    request.session, request.user = browser.session, user
    record_authentication(request, user, method="password", reauthenticated=True)
    for record in request.session["account_authentication_methods"]:
        record["at"] += 24 * 60 * 60
    request.session.save()


def tells_error(answer: Any) -> bool:
    """Whether the next page says that something went wrong: a refusal that goes back to where the person came from."""
    said = getattr(answer.wsgi_request, "_messages", None)
    return said is not None and any(message.level >= messages.ERROR for message in said._queued_messages)


def outcome_of(answer: Any) -> Outcome:
    """Being sent to any page of signing in is no success, though it looks like one."""
    place = answer.get("Location") or answer.get("HX-Redirect") or ""
    if place.startswith(_SIGN_IN) or (answer.status_code == 422 and _LOCKED in answer.whole):
        return Outcome.SENT_AWAY
    if answer.status_code == 422 or tells_error(answer):
        return Outcome.IN_WORDS
    if answer.status_code < 400:
        return Outcome.TAKEN
    return Outcome.TURNED_AWAY if answer.status_code < 500 else Outcome.BROKEN

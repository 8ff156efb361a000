"""The way into a practice: `/<practice>/…` → membership (none: 404) → Actor → one transaction → the view.

A request runs in one transaction as the runtime role, with the practice set at BEGIN; a page sees the books of one
moment in it. Refusals that a view does not show itself become 403 or 404 here; trouble of the machine (a lock that
lasts, a full disk) is `web.errors`'.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import BadRequest, PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from psycopg.errors import SerializationFailure

from daysheet.audit.looking import note_views
from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.web.requests import wait_a_minute

from .actors import Entrance, find_entrance, person_actor, practice_facts
from .guarding import is_by_person, stopped
from .logins import to_sign_in

View = Callable[..., HttpResponseBase]
#: Of one statement of a page. Nobody waits longer, and who left does not keep the database busy for ever.
STATEMENT_SECONDS = 60
#: For another's lock. Work in small pieces holds one for a fraction of it; behind what holds one longer, such as an
#: import, whoever wants the same is told so, before they wait in every thread and nobody gets a page.
LOCK_SECONDS = 5
#: Requests for a page: it shows one moment of the books, however many statements it takes.
_READING = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Door:
    """What counts who comes to a view that needs no sign-in: `asked` each request, `missed` each that found nothing.

    Both say whether there were too many, and are called with the request, the moment and what the address names,
    outside of the view's transaction: what is refused is counted all the same, and nobody waits for a long request's
    count."""

    asked: Callable[..., bool] | None = None
    missed: Callable[..., bool] | None = None


def public_in_practice(door: Door) -> Callable[[View], View]:
    """Mark a view under `/<practice>/` that needs no sign-in (accepting an invitation)."""

    def mark(view: View) -> View:
        view.door = door  # type: ignore[attr-defined]
        return view

    return mark


class PracticeMiddleware:
    """Runs every view that takes `practice` inside that practice's transaction."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.actor = None  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        slug = kwargs.pop("practice", None)
        if slug is None:
            return None
        try:
            if door := getattr(view, "door", None):
                return self._public(door, request, slug, view, args, kwargs)
            return self._signed_in(request, slug, view, args, kwargs)
        except NotFound as missing:
            raise Http404(missing.message) from missing
        except NotAllowed as refused:
            raise PermissionDenied(refused.message) from refused

    def _signed_in(
        self, request: HttpRequest, slug: str, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return _to_login(request)
        found = find_entrance(request.user.pk, slug)
        if found is None:
            raise Http404("No such practice")
        entrance, rules = found
        if request.method == "POST" and any("\x00" in each for _, values in request.POST.lists() for each in values):
            raise BadRequest("NUL")  # PostgreSQL keeps none
        if first := stopped(request, entrance.practice.name, rules):
            return first
        answered = partial(self._answered, request, entrance, request.user.pk, view, args, kwargs)
        try:
            return answered(is_of_one_moment=request.method in _READING)
        except OperationalError as error:
            if request.method not in _READING or not isinstance(error.__cause__, SerializationFailure):
                raise
        # It shows what a correction would do, by doing it and taking it back, and met somebody else's.
        return answered(is_of_one_moment=False)

    def _answered(
        self,
        request: HttpRequest,
        entrance: Entrance,
        user_id: int,
        view: View,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        is_of_one_moment: bool,
    ) -> HttpResponseBase:
        with practice_transaction(
            entrance.practice.id, statement_seconds=STATEMENT_SECONDS, lock_seconds=LOCK_SECONDS,
            is_person=is_by_person(request), is_of_one_moment=is_of_one_moment,
        ):  # fmt: skip
            actor = person_actor(entrance, user_id, now=utc_now(), request_id=getattr(request, "request_id", ""))
            if actor is None:
                raise Http404("No such practice")
            request.actor = actor  # type: ignore[attr-defined]
            with timezone.override(entrance.practice.time_zone):  # moments are shown in practice time (S6)
                answer = view(request, *args, **kwargs)
            # Names and money: for this person's browser alone, and asked for anew when the page is opened again.
            answer.headers.setdefault("Cache-Control", "private, no-cache")
            self._note_views(request, actor, answer, kwargs.get("client"))
            return answer

    def _note_views(self, request: HttpRequest, actor: Actor, answer: HttpResponseBase, client_id: UUID | None) -> None:
        """A page of a client's record that was shown is written down; a part of a page that is open already is not."""
        shown = {client_id} if client_id else getattr(request, "record_of", set())
        is_page = request.method == "GET" and answer.status_code == 200 and not getattr(answer, "is_part", False)
        if shown and is_page and request.resolver_match:
            note_views(actor, shown, request.resolver_match.view_name)

    def _public(
        self, door: Door, request: HttpRequest, slug: str, view: View, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase:
        practice = Practice.objects.filter(slug=slug).first()
        if practice is None:
            raise Http404("No such practice")
        request.practice = practice_facts(practice)  # type: ignore[attr-defined]
        if door.asked and door.asked(request, utc_now(), **kwargs):
            return wait_a_minute()
        try:
            with practice_transaction(practice.pk, statement_seconds=STATEMENT_SECONDS, lock_seconds=LOCK_SECONDS):
                return view(request, *args, **kwargs)
        except NotFound:
            if door.missed and door.missed(request, utc_now(), **kwargs):
                return wait_a_minute()
            raise


def _to_login(request: HttpRequest) -> HttpResponse:
    """The sign-in page, and back here afterwards; a part of a page sends the whole page there."""
    answer = to_sign_in(request)
    if request.headers.get("HX-Request"):
        whole = HttpResponse(status=204)
        whole["HX-Redirect"] = answer["Location"]
        return whole
    return answer

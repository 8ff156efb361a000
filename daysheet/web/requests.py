"""What a view takes from its request, and where it may lead back to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from allauth.core.internal.httpkit import get_client_ip
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.utils.http import url_has_allowed_host_and_scheme

from daysheet.kit.numbers import page_from
from daysheet.practices.actor import Actor

#: From one address in a minute, of what is told nobody but by its address: an invitation, a calendar.
MOST_MISSES = 30


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the middleware found for a view under `/<practice>/`."""
    actor = getattr(request, "actor", None)
    assert isinstance(actor, Actor), "this view is not under a practice's address"
    return actor


def shows_record_of(request: HttpRequest, *client_ids: UUID | None) -> None:
    """Say whose record the page shows, where its address does not: who looked is written down (audit/looking.py)."""
    request.record_of = {each for each in client_ids if each}  # type: ignore[attr-defined]


def next_url(request: HttpRequest, otherwise: str) -> str:
    """The page named by `next`, when it is a page of ours; never another host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return otherwise


def sender_of(request: HttpRequest) -> str:
    """The address that a request comes from; behind a proxy the one that the proxy has seen."""
    return str(get_client_ip(request) or "")


def too_many(key: str, most_a_minute: int, now: datetime) -> bool:
    """Counts one more of `key`; whether there were more than so many in this minute of the clock.

    The minute is a part of the key: counting on never moves its end. Call it outside of a view's transaction where that
    may be taken back, or last long: the count lies in the database."""
    minute = f"{key}-{int(now.timestamp()) // 60}"
    count = int(cache.get(minute, 0)) + 1
    cache.set(minute, count, timeout=120)
    return count > most_a_minute


def missed_too_often(name: str) -> Callable[..., bool]:
    """Counts who looks for something of that name and finds nothing: whether it is guessing by now."""

    def missed(request: HttpRequest, now: datetime, **named: object) -> bool:
        return too_many(f"{name}-missed-{sender_of(request)}", MOST_MISSES, now)

    return missed


def wait_a_minute() -> HttpResponse:
    """What is said where there were too many."""
    return HttpResponse("Too many requests. Try again in a minute.", status=429, headers={"Retry-After": "60"})


def page_number(request: HttpRequest) -> int:
    """`?page=`, from 1; nonsense is 1."""
    return page_from(request.GET.get("page"))

"""Addresses of pages, as the menus need them: an address that does not exist (yet) leaves the menu item out."""

from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from daysheet.practices.actor import Actor


def request_actor(request: HttpRequest | None) -> Actor | None:
    return getattr(request, "actor", None)


def practice_url(actor: Actor, name: str, **kwargs: Any) -> str:
    """Return the address of a page of the actor's practice."""
    return reverse(name, kwargs={"practice": actor.practice.slug, **kwargs})


def practice_url_or_none(actor: Actor, name: str | None, **kwargs: Any) -> str | None:
    if name is None:
        return None
    try:
        return practice_url(actor, name, **kwargs)
    except NoReverseMatch:
        return None


def url_or_none(name: str) -> str | None:
    try:
        return reverse(name)
    except NoReverseMatch:
        return None

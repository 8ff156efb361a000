"""Addresses of pages, as the menus need them: an address that does not exist (yet) leaves the menu item out."""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, get_script_prefix, reverse

from daysheet.practices.actor import Actor


def request_actor(request: HttpRequest | None) -> Actor | None:
    return getattr(request, "actor", None)


def practice_url(actor: Actor, name: str, **kwargs: Any) -> str:
    """Return the address of a page of the actor's practice. Raises NoReverseMatch where there is no such page.

    A long list has a thousand addresses, of a handful of pages: how a page's address is written is asked for once.
    """
    kinds = tuple((key, type(value)) for key, value in kwargs.items())
    if not all(kind in (UUID, int) for _, kind in kinds):
        return reverse(name, kwargs={"practice": actor.practice.slug, **kwargs})
    written = _written(name, kinds, settings.ROOT_URLCONF, get_script_prefix())
    return written.format(practice=actor.practice.slug, **kwargs)


@lru_cache(maxsize=1_000)  # a proxy may name any prefix
def _written(name: str, kinds: tuple[tuple[str, type], ...], urlconf: str, prefix: str) -> str:
    """`/{practice}/clients/{client}/`; `prefix` is what the server's addresses begin with, and `reverse` knows it."""
    stand_ins: dict[str, Any] = {"practice": "practice-of-nobody"}
    for number, (key, kind) in enumerate(kinds):
        stand_ins[key] = UUID(int=number) if kind is UUID else 10**15 + number
    address = reverse(name, urlconf, kwargs=stand_ins)
    for key, stand_in in stand_ins.items():
        address = address.replace(str(stand_in), f"{{{key}}}")
    return address


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

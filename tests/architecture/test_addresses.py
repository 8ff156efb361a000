"""Addresses inside a practice are written as Django's own `reverse` writes them, of every page there is."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.urls import NoReverseMatch, get_script_prefix, reverse, set_script_prefix

from daysheet.web.pages import practice_url

from .world import practice_urls


def test_every_address_is_the_one_that_django_writes() -> None:
    compared = 0
    for name, params in practice_urls().items():
        for slug in ("alder", "birch-2"):
            found = _a_thing_of(name, [param for param in params if param != "practice"])
            assert practice_url(_actor(slug), name, **found) == reverse(name, kwargs={"practice": slug, **found}), name
            compared += bool(found)
    assert compared > 100


def test_an_address_follows_where_the_server_begins() -> None:
    invoice = {"name": "invoicing:invoice", "number": 40}
    inside = practice_url(_actor("alder"), **invoice)
    before = get_script_prefix()
    set_script_prefix("/books/")
    try:
        assert practice_url(_actor("alder"), **invoice) == f"/books{inside}"
    finally:
        set_script_prefix(before)
    assert practice_url(_actor("alder"), **invoice) == inside


def test_a_page_that_is_not_there_has_no_address() -> None:
    for _ in range(2):
        with pytest.raises(NoReverseMatch):
            practice_url(_actor("alder"), "invoicing:nothing", invoice=uuid4())
        with pytest.raises(NoReverseMatch):
            practice_url(_actor("alder"), "invoicing:invoice", number=uuid4())


def _actor(slug: str) -> Any:
    return SimpleNamespace(practice=SimpleNamespace(slug=slug))


def _a_thing_of(name: str, params: list[str]) -> dict[str, Any]:
    """Something, other each time, that this page can be of."""
    for makers in product((uuid4, lambda: uuid4().int % 10**6, lambda: "pdf"), repeat=len(params)):
        found = {param: make() for param, make in zip(params, makers, strict=True)}
        try:
            reverse(name, kwargs={"practice": "alder", **found})
        except NoReverseMatch:
            continue
        return found
    raise AssertionError(f"{name} is of none of these")

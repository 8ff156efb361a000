"""Every address, with the names of what its view reads: learnt by watching what a request asks of its fields."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.db import transaction
from django.http import QueryDict
from django.test import Client as Browser

from tests.architecture.methods import OUTSIDE, READ, SENT
from tests.architecture.test_methods import _outside
from tests.architecture.world import World, address, practice_urls


@dataclass(repr=False)
class Target:
    """An address and method; `sane` are the values its own page would send, by name."""

    name: str
    method: str
    url: str
    sane: dict[str, list[str]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)


def all_targets(world: World) -> list[Target]:
    """GET and POST of everything, inside a practice and outside."""
    found = []
    for name, params in sorted(practice_urls().items()):
        url = address(name, "alder", params, world.ids)
        found += [Target(name, "GET", url)] if name not in SENT else []
        found += [Target(name, "POST", url)] if name not in READ else []
    for name in OUTSIDE:
        found += [Target(name, method, _outside(name)) for method in ("GET", "POST")]
    return found


def learn_forms(targets: list[Target], browser: Browser) -> None:
    """Fill in what each target's own page would send; opening the pages also shows what they ask of a query string."""
    forms: dict[str, dict[str, list[str]]] = {}
    for target in targets:
        if target.method == "GET":
            answer = try_out(browser, target, [])
            if not answer.streaming and answer.get("Content-Type", "").startswith("text/html"):
                _read_forms(answer.content.decode(errors="replace"), target.url, forms)
    for target in targets:
        target.sane = forms.get(f"{target.method} {target.url}", {})


def learn_fields(targets: list[Target], browser: Browser) -> None:
    """Fill in what each view asks of a form that is sent to it."""
    for target in targets:
        if target.method == "POST":
            try_out(browser, target, [(name, value) for name, values in target.sane.items() for value in values[:1]])


def try_out(browser: Browser, target: Target, fields: list[tuple[str, str]]) -> Any:
    """One request, taken back, noting what was asked for."""
    with transaction.atomic(), _watching(target.asked):
        data: Any = QueryDict(mutable=True)
        for name, value in fields:
            data.appendlist(name, value)
        encoded = data.urlencode()
        if target.method == "GET":
            answer = browser.get(f"{target.url}?{encoded}")
        else:
            answer = browser.generic("POST", target.url, encoded, "application/x-www-form-urlencoded")
        transaction.set_rollback(True)
    return answer


@contextmanager
def _watching(asked: set[str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for method in ("get", "getlist", "__getitem__", "__contains__"):
            patch.setattr(QueryDict, method, _noting(getattr(QueryDict, method), asked), raising=False)
        yield


def _noting(original: Any, asked: set[str]) -> Any:
    def noting(self: Any, key: Any, *rest: Any, **named: Any) -> Any:
        if isinstance(key, str) and key != "csrfmiddlewaretoken":
            asked.add(key)
        return original(self, key, *rest, **named)

    return noting


def _read_forms(html: str, url: str, forms: dict[str, dict[str, list[str]]]) -> None:
    reader = _Forms(url, forms)
    reader.feed(html)


class _Forms(HTMLParser):
    """Fields and their values of every form of a page, by `POST /address`."""

    def __init__(self, url: str, forms: dict[str, dict[str, list[str]]]) -> None:
        super().__init__()
        self.url, self.forms = url, forms
        self.fields: dict[str, list[str]] | None = None
        self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = facts.get("action", "").split("?")[0] or self.url
            self.fields = self.forms.setdefault(f"{facts.get('method', 'get').upper()} {action}", {})
        elif self.fields is not None and tag in {"input", "button", "textarea", "select"} and facts.get("name"):
            self.select = facts["name"]
            if facts["name"] != "csrfmiddlewaretoken":
                self.fields.setdefault(facts["name"], []).append(facts.get("value", ""))
        elif self.fields is not None and tag == "option" and self.select in self.fields:
            self.fields[self.select].append(facts.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.fields = None

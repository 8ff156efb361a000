"""Every address, with the names of what its view reads: learnt by watching what a request asks of its fields."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import QueryDict

from tests.architecture.methods import OUTSIDE, READ, SENT
from tests.architecture.test_methods import _outside
from tests.architecture.world import World, address, practice_urls

Attributes = dict[str, str]
Fields = list[tuple[str, str]]
#: What a person would write into an empty field of this type, or of a name with this in it.
_BY_TYPE = {"date": "2026-11-16", "month": "2026-11", "time": "09:30", "number": "1", "email": "new@clients.example"}
_BY_NAME = {
    "cents": "12.00", "amount": "12.00", "income": "12.00", "price": "12.00", "apply-": "1.00", "paid-": "1.00",
    "adjusted-": "0.50", "moved-": "0.25", "percent": "10", "_on": "2026-11-16", "npi": "1245319599",
    "postal": "12345", "state": "NY", "place_of_service": "11", "modifiers": "95", "code": "F41.1", "number": "1",
    "password": "correct horse battery", "count": "1", "find": "Ana",
}  # fmt: skip
_FIELDS = {"input", "button", "textarea", "select"}
_TICKED, _BUTTONS = {"checkbox", "radio"}, {"button", "submit"}


@dataclass(repr=False)
class Target:
    """An address and method. `forms` is what the pages' forms send there, where a person fills in what has to be;
    `sane` are the values they could send, by name; `files` their fields for files; `asked` is what the view reads."""

    name: str
    method: str
    url: str
    forms: list[Fields] = field(default_factory=list)
    sane: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    files: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    @property
    def fields(self) -> list[str]:
        """The names of all that can be sent."""
        return sorted(self.asked | set(self.sane))

    @property
    def sent(self) -> Fields:
        """What the form that was seen last sends."""
        return self.forms[-1] if self.forms else []

    def take(self, forms: Forms) -> None:
        """Know these pages' forms as well."""
        for form in forms.by_address[f"{self.method} {self.url}"]:
            sent = [(name, value) for name, values in form.sent.items() for value in values]
            self.forms = [*(known for known in self.forms if dict(known).keys() != dict(sent).keys()), sent]
            self.files |= form.files
            for name, values in form.sane.items():
                self.sane[name] += [value for value in values if value not in self.sane[name]]


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


@contextmanager
def watching(asked: set[str]) -> Iterator[None]:
    """Note what is asked of any query string or form."""
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


@dataclass
class Form:
    """What a page's form sends, could send, and where it takes files."""

    sent: dict[str, list[str]] = field(default_factory=dict)
    sane: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    pressed: str = ""


class Forms(HTMLParser):
    """The forms of pages, as a browser sends them after a person has filled in what has to be."""

    def __init__(self) -> None:
        super().__init__()
        self.by_address: defaultdict[str, list[Form]] = defaultdict(list)
        self._url = self._select = ""
        self._form: Form | None = None

    def read(self, answer: Any, url: str) -> None:
        """The forms of the page that `url` answered with, by `POST /address`."""
        if not answer.get("Content-Type", "").startswith("text/html"):
            return
        self._url, self._form = url, None
        self.feed(answer.whole.decode(errors="replace"))
        self.close()
        self.reset()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        name = facts.get("name", "")
        if tag == "form":
            action = facts.get("action", "").split("?")[0] or self._url
            self._form = Form()
            self.by_address[f"{facts.get('method', 'get').upper()} {action}"].append(self._form)
        elif self._form and tag == "option" and self._select:
            self._add_option(self._form, facts)
        elif self._form and tag in _FIELDS and name not in {"", "csrfmiddlewaretoken"}:
            self._select = name if tag == "select" else ""
            self._add_field(self._form, tag, name, facts)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""

    def _add_field(self, form: Form, tag: str, name: str, facts: Attributes) -> None:
        kind = tag if tag != "input" else facts.get("type", "text")
        values = form.sane.setdefault(name, [])
        if kind == "file":
            form.files.add(name)
        elif kind in _TICKED:
            values.append(facts.get("value", "on"))
            if "checked" in facts or (kind == "radio" and name not in form.sent):
                form.sent.setdefault(name, []).append(values[-1])
        elif kind in _BUTTONS:
            values.append(facts.get("value", ""))
            if not form.pressed:
                form.pressed = name
                form.sent[name] = values[:1]
        elif kind != "select":
            values += [facts.get("value", ""), _plausible(name, facts)]
            empty = not values[-2] and ("required" in facts or name.startswith("amount"))
            form.sent.setdefault(name, []).append(values[-1] if empty else values[-2])

    def _add_option(self, form: Form, facts: Attributes) -> None:
        """What is chosen already; else the first that says something, for a person has to choose."""
        value = facts.get("value", "")
        form.sane[self._select].append(value)
        if "selected" in facts or not any(form.sent.get(self._select, [])):
            form.sent[self._select] = [value]


def _plausible(name: str, facts: Attributes) -> str:
    by_name = next((value for part, value in _BY_NAME.items() if part in name), "Words")
    return _BY_TYPE.get(facts.get("type", ""), by_name)

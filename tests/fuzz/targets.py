"""Every address, with the names of what its view reads: learnt by watching what a request asks of its fields."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from typing import Any

import pytest
from django.http import QueryDict

from daysheet.documents.tests.pictures import picture
from tests.architecture.methods import OUTSIDE, READ, SENT
from tests.architecture.test_methods import _outside
from tests.architecture.world import World, address, practice_urls

from .hostile import Fields, File
from .typed import typed

Attributes = dict[str, str]
#: A file that is taken, for each field of that name: what it is called, its bytes.
FINE_FILES = {
    "file": ("locations.csv", b"ID,Name,Place of Service\nL8,Attic,11\n"),
    "picture": ("logo.png", picture()),
}
#: What a person would write into an empty field of this type, or of a name with this in it.
_BY_TYPE = {"date": "2026-11-16", "month": "2026-11", "time": "09:30", "number": "1", "email": "new@clients.example"}
_BY_NAME = {
    "cents": "12.00", "amount": "12.00", "income": "12.00", "price": "12.00", "apply-": "1.00", "paid-": "1.00",
    "adjusted-": "0.50", "moved-": "0.25", "percent": "10", "_on": "2026-11-16", "npi": "1245319599",
    "postal": "12345", "state": "NY", "place_of_service": "11", "modifiers": "95", "code": "F41.1", "number": "1",
    "password": "correct horse battery", "count": "1", "find": "Ana",
}  # fmt: skip
ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FIELDS = {"input", "button", "textarea", "select"}
_TICKED, _BUTTONS = {"checkbox", "radio"}, {"button", "submit"}


@dataclass(frozen=True)
class Sending:
    """What one press of a button sends, and where to: a POST with the query string of its page."""

    url: str
    fields: Fields
    button: tuple[str, str] = ("", "")
    is_ticked: bool = False

    @property
    def kind(self) -> Any:
        """What makes it another one than those before: which fields, which button. Ids are new each time."""
        names = tuple(sorted({ID.sub("", name) for name, _ in self.fields}))
        return names, self.button[0], ID.sub("", self.button[1]), self.is_ticked


@dataclass(repr=False)
class Target:
    """An address and method. `forms` is what the pages' forms send there, once for each button and once without, where
    a person fills in what has to be; `wrote` those of them that changed something while learning; `sane` are the values
    they could send, by name; `files` their fields for files; `asked` is what the view reads."""

    name: str
    method: str
    url: str
    forms: list[Sending] = field(default_factory=list)
    wrote: list[Sending] = field(default_factory=list)
    sane: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    files: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)

    @property
    def fields(self) -> list[str]:
        """The names of all that can be sent."""
        return sorted(self.asked | set(self.sane))

    @property
    def sent(self) -> Sending:
        """What changed something, as it was seen last; else what the form that was seen last sends."""
        return [Sending(self.url, []), *self.forms, *self.wrote][-1]

    @property
    def fine_files(self) -> list[File]:
        """What its fields for files take."""
        return [(name, *FINE_FILES[name]) for name in sorted(self.files)]

    def form(self, number: int) -> Sending:
        """One of the forms, each in its turn."""
        return self.forms[number % len(self.forms)] if self.forms else self.sent

    def take(self, forms: Forms) -> None:
        """Know these pages' forms as well."""
        for form in forms.by_address[f"{self.method} {self.url}"]:
            for sending in (replace(each, fields=typed(self.name, each.fields)) for each in form.sendings()):
                self.forms = [*(known for known in self.forms if known.kind != sending.kind), sending]
            self.files |= form.files
            for name, values in form.sane.items():
                self.sane[name] += [value for value in values if value not in self.sane[name]]

    def moved(self, url: str, before: str, after: str) -> Target:
        """The same at another address: of another client, say."""
        forms, wrote = (
            [replace(each, url=each.url.replace(before, after)) for each in known] for known in (self.forms, self.wrote)
        )
        return replace(self, url=url, forms=forms, wrote=wrote)


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
    """What a page's form sends, could send, and where it takes files. `is_search`: sent as a query string."""

    url: str = ""
    is_search: bool = False
    sent: dict[str, list[str]] = field(default_factory=dict)
    sane: dict[str, list[str]] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)

    def sendings(self) -> list[Sending]:
        """As it is, with nothing pressed and with each button; and with each box ticked, where some are not."""
        url = self.url.partition("?")[0] if self.is_search else self.url
        fields = [(name, value) for name, values in self.sent.items() for value in values]
        return [
            Sending(url, fields + boxes + [pressed] * bool(pressed[0]), pressed, bool(boxes))
            for boxes in ([self.boxes, []] if self.boxes else [[]])
            for pressed in [("", ""), *self.buttons]
        ]


class Forms(HTMLParser):
    """The forms of pages, as a browser sends them after a person has filled in what has to be."""

    def __init__(self) -> None:
        super().__init__()
        self.by_address: defaultdict[str, list[Form]] = defaultdict(list)
        self._url = self._select = ""
        self._form: Form | None = None
        self._chosen: Form | None = None
        self._named: defaultdict[str, Form] = defaultdict(Form)

    def read(self, answer: Any, url: str) -> None:
        """The forms of the page that `url` answered with, by `POST /address`."""
        if not answer.get("Content-Type", "").startswith("text/html"):
            return
        self._url, self._form = url, None
        self._named.clear()
        self.feed(answer.whole.decode(errors="replace"))
        self.close()
        self.reset()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {name: value or "" for name, value in attrs}
        name = facts.get("name", "")
        if tag == "form":
            self._open(facts)
            return
        if tag == "option" and self._chosen:
            self._add_option(self._chosen, facts)
        # What stands outside a form says to which it belongs.
        form = self._named[facts["form"]] if "form" in facts else self._form
        if form and tag in _FIELDS and name not in {"", "csrfmiddlewaretoken"}:
            self._select, self._chosen = (name, form) if tag == "select" else ("", None)
            self._add_field(form, tag, name, facts)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select, self._chosen = "", None

    def _open(self, facts: Attributes) -> None:
        method = facts.get("method", "get").upper()
        self._form = self._named[facts["id"]] if "id" in facts else Form()
        self._form.url = facts.get("action", "") or self._url
        self._form.is_search = method == "GET"
        self.by_address[f"{method} {self._form.url.partition('?')[0]}"].append(self._form)

    def _add_field(self, form: Form, tag: str, name: str, facts: Attributes) -> None:
        kind = tag if tag != "input" else facts.get("type", "text")
        values = form.sane.setdefault(name, [])
        if kind == "file":
            form.files.add(name)
        elif kind in _TICKED:
            values.append(facts.get("value", "on"))
            if "checked" in facts or (kind == "radio" and name not in form.sent):
                form.sent.setdefault(name, []).append(values[-1])
            elif kind == "checkbox":
                form.boxes.append((name, values[-1]))
        elif kind in _BUTTONS:
            values.append(facts.get("value", ""))
            form.buttons.append((name, values[-1]))
        elif kind != "select":
            values += [facts.get("value", ""), _plausible(name, facts)]
            empty = not values[-2] and ("required" in facts or name.startswith("amount"))
            form.sent.setdefault(name, []).append(values[-1] if empty else values[-2])

    def _add_option(self, form: Form, facts: Attributes) -> None:
        """What is chosen already; else the first that says something, for a person has to choose. A search may be for
        everything."""
        value = facts.get("value", "")
        form.sane[self._select].append(value)
        is_open = self._select not in form.sent or not (form.is_search or any(form.sent[self._select]))
        if "selected" in facts or is_open:
            form.sent[self._select] = [value]


def _plausible(name: str, facts: Attributes) -> str:
    by_name = next((value for part, value in _BY_NAME.items() if part in name), "Words")
    return _BY_TYPE.get(facts.get("type", ""), by_name)

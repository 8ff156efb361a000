"""Generated input to every form and every query string: never a server error, never half a write, never for long.

`make test` tries a few seconds of the same examples; `FUZZ_SECONDS=600` (make test-slow) ten minutes of new ones.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.cache import cache
from django.core.signals import got_request_exception
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from daysheet.config.verify import differences_of
from daysheet.database.scope import practice_transaction
from tests.architecture.world import World, address, browser_of, build_world, practice_urls
from tests.people import NOW, Cast

from .hostile import VALUES, WRAPPINGS, body_of, query_of, values
from .targets import Target, all_targets, learn_fields, learn_forms

SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
#: Without FUZZ_SECONDS: examples of each kind, always the same ones.
EXAMPLES = 100
#: Where a field ends: the first and the last day, month, number; what no text holds.
EDGES = [
    "9999-12-31",
    "0001-01-01",
    "9999-12",
    "0001-01",
    "9" * 30,
    "12/31/9999",
    str(2**63 - 1),
    "-1",
    "a\x00b",
    "\ud800",
]
#: What a request may end in. 503 is a lock that lasts, which nobody holds here.
RIGHT = {200, 204, 301, 302, 303, 304, 400, 403, 404, 405, 409, 410, 413, 422, 429}
MOST_SECONDS = 15
_READABLE = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
    "AND has_table_privilege(oid, 'SELECT') ORDER BY 1"
)
_COUNT_NOT = {"django_session", "audit_recordview"}


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    with practice_transaction(cast.alder.id):
        yield build_world(cast)


class Fuzzer:
    """Sends requests as the owner of Alder, each taken back, and keeps what must not be: the first of each kind."""

    def __init__(self, world: World, only: Collection[str] = ()) -> None:
        self.world = world
        self.owner = browser_of(world.cast.alice)
        self.targets = [each for each in all_targets(world) if not only or each.name in only]
        self.ids = [str(value) for value in world.ids.values()]
        self.agreed = set(differences_of(world.cast.alder, NOW))
        self.found: dict[str, str] = {}
        self.sent = self.done = 0

    def send(self, name: str, method: str, url: str, **body: Any) -> None:
        """One request; nothing of it stays."""
        cache.clear()
        self.sent += 1
        with transaction.atomic(), _broken() as broken:
            before, began = rows(), time.perf_counter()
            answer = self.owner.generic(method, url, **body)
            if answer.streaming:
                b"".join(answer.streaming_content)
            took = time.perf_counter() - began
            for kind in [*broken, *self._wrong(method, answer.status_code, before, took)]:
                self.found.setdefault(f"{method} {name}: {kind}", f"{url[:300]} {str(body)[:1200]}")
            transaction.set_rollback(True)

    def said(self) -> str:
        """What was found, one thing a line, with the request that showed it."""
        return "\n".join(f"{kind}\n    {request}" for kind, request in sorted(self.found.items()))

    def _wrong(self, method: str, status: int, before: dict[str, int], took: float) -> Iterator[str]:
        if status not in RIGHT:
            yield f"status {status}"
            return
        if took > MOST_SECONDS:
            yield "took too long"
        if status >= 400 and rows() != before:
            yield f"half a write with {status}"
        if status < 400 and method == "POST":
            self.done += 1
            if self.done % 20 == 0:
                yield from set(differences_of(self.world.cast.alder, NOW)) - self.agreed


@contextmanager
def _broken() -> Iterator[list[str]]:
    """The exceptions that become a server error, in words."""
    seen: list[str] = []

    def note(sender: Any, **facts: Any) -> None:
        error = sys.exc_info()[1]
        frames = traceback.extract_tb(error.__traceback__) if error else []
        ours = [
            f"{frame.filename.rpartition('daysheet/')[2]}:{frame.lineno}"
            for frame in frames
            if "daysheet/" in frame.filename and "site-packages" not in frame.filename
        ]
        seen.append(f"{type(error).__name__}: {str(error)[:160]} at {ours[-1] if ours else '?'}")

    got_request_exception.connect(note)
    try:
        yield seen
    finally:
        got_request_exception.disconnect(note)


@pytest.fixture
def fuzzer(world: World) -> Fuzzer:
    """Knows the addresses; what their views read is learnt where it is needed, which takes some seconds."""
    return Fuzzer(world)


def rows() -> dict[str, int]:
    """How many rows each table has."""
    with connection.cursor() as cursor:
        cursor.execute(_READABLE)
        tables = [name for (name,) in cursor.fetchall() if name not in _COUNT_NOT]
        cursor.execute("SELECT " + ", ".join(f'(SELECT count(*) FROM "{name}")' for name in tables))
        return dict(zip(tables, cursor.fetchone(), strict=True))


def fields_for(data: st.DataObject, target: Target, ids: list[str]) -> list[tuple[str, str]]:
    """What the page would send, with a few fields spoilt, left out, doubled or made up."""
    names = sorted(target.asked | set(target.sane)) or ["x"]
    fields = [(name, values[0]) for name, values in target.sane.items() if values]
    for name in data.draw(st.lists(st.sampled_from([*names, "page", "x"]), min_size=1, max_size=5)):
        fine = st.sampled_from([*target.sane.get(name, []), *ids, *VALUES])
        value = data.draw(st.one_of(fine, values))
        how = data.draw(st.sampled_from(["put", "put", "put", "add", "drop"]))
        if how != "add":
            fields = [each for each in fields if each[0] != name]
        if how != "drop":
            fields.append((name, value))
    return fields


def run(example: Any) -> None:
    """`example(data)` for as long as this run has, or as often."""
    ends = time.monotonic() + SECONDS / 3
    tried = settings(
        deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        max_examples=500 if SECONDS else EXAMPLES, derandomize=not SECONDS,
    )  # fmt: skip
    while True:
        tried(given(st.data())(example))()
        if time.monotonic() >= ends:
            break


@pytest.mark.timeout(max(300, SECONDS))
def test_forms(fuzzer: Fuzzer) -> None:
    learn_forms(fuzzer.targets, fuzzer.owner)
    learn_fields(fuzzer.targets, fuzzer.owner)
    targets = [target for target in fuzzer.targets if target.method == "POST"]

    def example(data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(targets))
        wrapping = data.draw(st.sampled_from(WRAPPINGS))
        fields = fields_for(data, target, fuzzer.ids)
        fuzzer.send(target.name, "POST", target.url, **body_of(wrapping, fields))

    run(example)
    assert not fuzzer.found, fuzzer.said()
    assert fuzzer.done > 0, "nothing was ever accepted: the forms were not learnt"


@pytest.mark.timeout(max(300, SECONDS))
def test_query_strings(fuzzer: Fuzzer) -> None:
    learn_forms(fuzzer.targets, fuzzer.owner)
    targets = [target for target in fuzzer.targets if target.method == "GET"]

    def example(data: st.DataObject) -> None:
        target = data.draw(st.sampled_from(targets))
        fuzzer.send(target.name, "GET", f"{target.url}?{query_of(fields_for(data, target, fuzzer.ids))}")

    run(example)
    assert not fuzzer.found, fuzzer.said()


def at_the_edges(fuzzer: Fuzzer, method: str, often: int) -> None:
    """Chance rarely puts the last day there is into the one field that adds a day to it: each field gets each edge. In
    `make test` one of them, and every `often`th field."""
    tried = 0
    for target in fuzzer.targets:
        for name in sorted(target.asked | set(target.sane)) if target.method == method else []:
            tried += 1
            edges = EDGES if SECONDS else [EDGES[tried % len(EDGES)]] if tried % often == 0 else []
            for edge in edges:
                fields = [(other, values[0]) for other, values in target.sane.items() if other != name and values]
                if method == "GET":
                    fuzzer.send(target.name, method, f"{target.url}?{query_of([(name, edge)])}")
                else:
                    fuzzer.send(target.name, method, target.url, **body_of("form", [*fields, (name, edge)]))
    assert tried > 100
    assert not fuzzer.found, fuzzer.said()


@pytest.mark.timeout(max(300, SECONDS))
def test_each_field_of_a_query_at_its_edges(fuzzer: Fuzzer) -> None:
    learn_forms(fuzzer.targets, fuzzer.owner)
    at_the_edges(fuzzer, "GET", 2)


@pytest.mark.timeout(max(300, SECONDS))
def test_each_field_of_a_form_at_its_edges(fuzzer: Fuzzer) -> None:
    learn_forms(fuzzer.targets, fuzzer.owner)
    learn_fields(fuzzer.targets, fuzzer.owner)
    at_the_edges(fuzzer, "POST", 5)


@pytest.mark.timeout(max(300, SECONDS))
def test_addresses(fuzzer: Fuzzer) -> None:
    """Ids that are none, numbers that no column holds, bytes that no text holds."""
    urls = {name: params for name, params in practice_urls().items() if len(params) > 1}

    def example(data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(urls)))
        url = address(name, "alder", urls[name], fuzzer.world.ids)
        param = data.draw(st.sampled_from(sorted(set(urls[name]) - {"practice"})))
        value = data.draw(st.one_of(st.sampled_from([*VALUES, *fuzzer.ids]), values))
        spoilt = url.replace(str(fuzzer.world.ids[param]), query_of([("", value)])[1:], 1)
        fuzzer.send(name, data.draw(st.sampled_from(["GET", "POST"])), spoilt)

    run(example)
    assert not fuzzer.found, fuzzer.said()

"""What is sent to an address: what its pages would send, a little or a lot spoilt."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import parse_qsl

from hypothesis import strategies as st

from .fuzzer import Fuzzer
from .hostile import EDGES, FILES, VALUES, WRAPPINGS, Fields, File, body_of, nearly, query_of, values
from .targets import ID, Sending, Target
from .visitors import Outcome

_IN_NAMES = re.compile(f"{ID.pattern}|[0-9]+")


def is_id(text: str) -> bool:
    """Whether it looks like one of ours."""
    return bool(ID.fullmatch(text))


def send_something(data: st.DataObject, fuzzer: Fuzzer, target: Target) -> Outcome:
    """What a page would send, a little or a lot spoilt, on top of what was kept. Of a form the page's own query string
    now and then as well."""
    form = data.draw(st.sampled_from(target.forms or [target.sent]))
    fields, is_part = _drawn(data, target, form.fields, fuzzer.ids), data.draw(st.integers(0, 3)) == 0
    if target.method == "GET":
        return fuzzer.send_and_keep(target.name, "GET", f"{form.url}?{query_of(fields)}", is_part=is_part)
    path, _, query = form.url.partition("?")
    if query and data.draw(st.integers(0, 3)) == 0:
        query = query_of(_drawn(data, target, parse_qsl(query, keep_blank_values=True), fuzzer.ids))
    body = body_of(data.draw(st.sampled_from(WRAPPINGS)), fields, _files_for(data, target))
    url = f"{path}?{query}" if query else path
    return fuzzer.send_and_keep(target.name, "POST", url, is_part=is_part, **body)


def spoilt(form: Sending, fields: Fields) -> Sending:
    """With these fields in place of those of the same names."""
    rest = [each for each in form.fields if each[0] not in dict(fields)]
    return replace(form, fields=[*rest, *fields])


def edges_of(targets: Sequence[Target]) -> list[tuple[int, tuple[Target, str, str]]]:
    """Chance rarely puts the last day there is into the one field that adds a day to it: each field with each edge,
    numbered."""
    cases = [(target, name, edge) for target in targets for name in target.fields for edge in EDGES]
    assert len(cases) > 1000
    return list(enumerate(cases))


def _drawn(data: st.DataObject, target: Target, fields: Fields, ids: list[str]) -> Fields:
    """These, with a few spoilt, left out, doubled or made up."""
    for name in data.draw(st.lists(st.sampled_from([*target.fields, "page", "x"]), max_size=5)):
        fine = target.sane.get(name) or ids
        value = data.draw(st.one_of(st.sampled_from([*fine, *ids, *VALUES]), nearly(fine), values))
        how = data.draw(st.sampled_from(["put", "put", "put", "add", "drop"]))
        if how != "add":
            fields = [each for each in fields if each[0] != name]
        if how != "drop":
            fields = [*fields, (_renamed(data, name, ids), value)]
    return fields


def _renamed(data: st.DataObject, name: str, ids: list[str]) -> str:
    """Names hold ids and numbers of rows: now and then others, or none."""
    if not _IN_NAMES.search(name) or data.draw(st.integers(0, 2)):
        return name
    other = data.draw(st.sampled_from([*ids, "x", "", "0", "99", "-1", "²", "__prefix__"]))
    return _IN_NAMES.sub(lambda found: other, name, count=1)


def _files_for(data: st.DataObject, target: Target) -> list[File]:
    """Something for each field that takes a file, or nothing."""
    called = st.sampled_from(["a.csv", "a.xlsx", "a.png", "a", "../a", "a" * 300])
    some = [(name, data.draw(called), data.draw(st.sampled_from(FILES))) for name in sorted(target.files)]
    return some if data.draw(st.booleans()) else []

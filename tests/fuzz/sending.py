"""What is sent to an address: what its pages would send, a little or a lot spoilt."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from .fuzzer import Fuzzer
from .hostile import FILES, VALUES, WRAPPINGS, File, body_of, nearly, values
from .targets import Fields, Target
from .visitors import Outcome

_ID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IN_NAMES = re.compile(f"{_ID}|[0-9]+")


def is_id(text: str) -> bool:
    """Whether it looks like one of ours."""
    return bool(re.fullmatch(_ID, text))


def fields_for(data: st.DataObject, target: Target, ids: list[str]) -> Fields:
    """What a page would send, with a few fields spoilt, left out, doubled or made up."""
    fields = list(data.draw(st.sampled_from(target.forms))) if target.forms else []
    for name in data.draw(st.lists(st.sampled_from([*target.fields, "page", "x"]), max_size=5)):
        fine = target.sane.get(name) or ids
        value = data.draw(st.one_of(st.sampled_from([*fine, *ids, *VALUES]), nearly(fine), values))
        how = data.draw(st.sampled_from(["put", "put", "put", "add", "drop"]))
        if how != "add":
            fields = [each for each in fields if each[0] != name]
        if how != "drop":
            fields.append((_renamed(data, name, ids), value))
    return fields


def _renamed(data: st.DataObject, name: str, ids: list[str]) -> str:
    """Names hold ids and numbers of rows: now and then others, or none."""
    if not _IN_NAMES.search(name) or data.draw(st.integers(0, 2)):
        return name
    other = data.draw(st.sampled_from([*ids, "x", "", "0", "99", "-1", "²", "__prefix__"]))
    return _IN_NAMES.sub(lambda found: other, name, count=1)


def files_for(data: st.DataObject, target: Target) -> list[File]:
    """Something for each field that takes a file, or nothing."""
    called = st.sampled_from(["a.csv", "a.xlsx", "a.png", "a", "../a", "a" * 300])
    some = [(name, data.draw(called), data.draw(st.sampled_from(FILES))) for name in sorted(target.files)]
    return some if data.draw(st.booleans()) else []


def send_form(data: st.DataObject, fuzzer: Fuzzer, target: Target) -> Outcome:
    """On top of what was kept."""
    fields, files = fields_for(data, target, fuzzer.ids), files_for(data, target)
    body = body_of(data.draw(st.sampled_from(WRAPPINGS)), fields, files)
    is_part = data.draw(st.integers(0, 3)) == 0
    return fuzzer.send_and_keep(target.name, "POST", target.url, is_part=is_part, **body)

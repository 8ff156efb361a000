"""The ticks and edits of a batch search while they travel through the form, page by page, without being stored.

Only what differs from how the dates come is carried, so that "select all" over 5,000 clients is one word. No Django.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

EDIT_PREFIX = "edit-"
_EDIT_KEY = re.compile(r"^edit-([0-9a-f-]{36})-(rate|units|provider|place|modifiers|note)$")
#: How all dates of the search stand before single ticks: as they came, all ticked, none ticked.
BASES = ("default", "all", "none")


@dataclass(frozen=True, slots=True)
class Ticks:
    """`on` and `off` are the dates somebody ticked or unticked against the base."""

    base: str = "default"
    on: frozenset[UUID] = frozenset()
    off: frozenset[UUID] = frozenset()

    def is_ticked(self, visit_id: UUID, is_default: bool) -> bool:
        """Whether a date is to be billed."""
        if self.on and visit_id in self.on:
            return True
        if self.off and visit_id in self.off:
            return False
        return is_default if self.base == "default" else self.base == "all"

    def with_page(self, shown: Iterable[UUID], ticked: Iterable[UUID]) -> Ticks:
        """Take in one page: the dates it showed and those ticked on it."""
        seen, on = set(shown), set(ticked)
        return replace(self, on=(self.on - seen) | frozenset(seen & on), off=(self.off - seen) | frozenset(seen - on))

    def pruned(self, defaults: Mapping[UUID, bool]) -> Ticks:
        """Without what the base says anyway, and without dates that are no longer found."""
        plain = Ticks(self.base)
        return replace(
            self,
            on=frozenset(v for v in self.on if v in defaults and not plain.is_ticked(v, defaults[v])),
            off=frozenset(v for v in self.off if v in defaults and plain.is_ticked(v, defaults[v])),
        )

    def without_page(self, shown: Iterable[UUID]) -> Ticks:
        """What a page must carry along: its own dates travel as ticks."""
        seen = frozenset(shown)
        return replace(self, on=self.on - seen, off=self.off - seen)


def read_ids(text: str) -> set[UUID]:
    """Ids separated by spaces; what is no id is left out."""
    return {found for found in map(read_id, text.split()) if found is not None}


def read_id(text: str) -> UUID | None:
    """One id, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def write_ids(ids: Iterable[UUID]) -> str:
    """The opposite of `read_ids`, in a stable order."""
    return " ".join(sorted(str(each) for each in ids))


def read_ticks(fields: Mapping[str, str], ticked: Sequence[str]) -> Ticks:
    """The ticks of a form that was sent."""
    base = fields.get("base", "default")
    carried = Ticks(
        base if base in BASES else "default",
        frozenset(read_ids(fields.get("on", ""))),
        frozenset(read_ids(fields.get("off", ""))),
    )
    on = (read_id(text) for text in ticked)
    return carried.with_page(read_ids(fields.get("shown", "")), (each for each in on if each is not None))


def edited_services(names: Iterable[str]) -> set[UUID]:
    """The visit services whose edit fields are among these field names."""
    found = set()
    for name in names:
        match = _EDIT_KEY.match(name)
        service_id = read_id(match.group(1)) if match else None
        if service_id:
            found.add(service_id)
    return found

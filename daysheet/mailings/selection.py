"""One page of a search: its rows with their ticks, and what the form must carry of the others. Nothing is stored
between two pages; every row comes ticked. No Django."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from daysheet.invoicing.batch_form import BASES, Ticks, read_ticks, write_ids
from daysheet.kit.numbers import page_from

ROWS_PER_PAGE = 50


class Selectable(Protocol):
    """A row of a search."""

    @property
    def id(self) -> UUID: ...

    @property
    def client_id(self) -> UUID: ...

    @property
    def cents(self) -> int: ...

    @property
    def is_possible(self) -> bool: ...


Row = TypeVar("Row", bound=Selectable)


def ticks_of(fields: Mapping[str, str], ticked: Sequence[str]) -> Ticks:
    """The ticks after what was sent: all, none, or single ones of the page that was shown."""
    base = fields.get("select", "")
    if base in BASES:
        return Ticks(base)
    found = read_ticks({name: fields.get(name, "") for name in ("base", "on", "off", "shown")}, ticked)
    # Only what differs from the base is carried on.
    return replace(found, off=frozenset()) if found.base == "none" else replace(found, on=frozenset())


def page_number(fields: Mapping[str, str]) -> int:
    """The page that is asked for, or that was shown."""
    text = fields.get("go") or fields.get("here") or "1"
    return page_from(text)


@dataclass(frozen=True, slots=True)
class Chosen(Generic[Row]):
    """The ticked rows of a whole search, with what the dialogue names: so many clients, so much in all."""

    rows: tuple[Row, ...]

    @property
    def client_count(self) -> int:
        return len({row.client_id for row in self.rows})

    @property
    def cents(self) -> int:
        return sum(row.cents for row in self.rows)

    def by_client(self) -> dict[UUID, list[UUID]]:
        """{client: ids of its rows}."""
        found: dict[UUID, list[UUID]] = {}
        for row in self.rows:
            found.setdefault(row.client_id, []).append(row.id)
        return found

    def was_shown(self, fields: Mapping[str, str]) -> bool:
        """Whether a yes was said to exactly this."""
        expected = (fields.get("expected_count"), fields.get("expected_cents"))
        return expected == (str(self.client_count), str(self.cents))


def chosen_of(rows: Sequence[Row], ticks: Ticks) -> Chosen[Row]:
    """What is ticked, on whichever page."""
    return Chosen(tuple(row for row in rows if _is_ticked(row, ticks)))


@dataclass(frozen=True, slots=True)
class SearchPage(Generic[Row]):
    """The rows of one page. `total_count` of the search, where it is known without counting a whole practice."""

    rows: Sequence[Row]
    number: int
    has_next: bool
    ticks: Ticks
    total_count: int | None = None
    total_cents: int | None = None

    @property
    def ticked_rows(self) -> list[tuple[Row, bool]]:
        return [(row, _is_ticked(row, self.ticks)) for row in self.rows]

    @property
    def label(self) -> str:
        """`51–100`, of so many where that is known."""
        first = (self.number - 1) * ROWS_PER_PAGE + 1
        whole = f" of {self.total_count:,}" if self.total_count is not None else ""
        return f"{first:,}–{first + len(self.rows) - 1:,}{whole}"

    @property
    def ticked_count(self) -> int:
        return sum(is_ticked for _, is_ticked in self.ticked_rows)

    @property
    def ticked_cents(self) -> int:
        return sum(row.cents for row, is_ticked in self.ticked_rows if is_ticked)

    @property
    def elsewhere(self) -> str:
        """What is chosen on other pages, in words; empty where there is no other page."""
        if self.number == 1 and not self.has_next:
            return ""
        rest = self._rest
        if rest.base == "none":
            return f"{len(rest.on):,} on other pages"
        return f"all on other pages but {len(rest.off):,}" if rest.off else "all on other pages"

    @property
    def carried(self) -> list[tuple[str, str]]:
        """Hidden fields of the list: its own rows travel as ticks."""
        shown = write_ids(row.id for row in self.rows)
        return [*carried_ticks(self._rest), ("shown", shown), ("here", str(self.number))]

    @property
    def _rest(self) -> Ticks:
        return self.ticks.without_page([row.id for row in self.rows])


def carried_ticks(ticks: Ticks) -> list[tuple[str, str]]:
    """Hidden fields that carry ticks."""
    return [("base", ticks.base), ("on", write_ids(ticks.on)), ("off", write_ids(ticks.off))]


def _is_ticked(row: Selectable, ticks: Ticks) -> bool:
    return row.is_possible and ticks.is_ticked(row.id, True)

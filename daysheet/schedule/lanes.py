"""Where the appointments of a day lie on the Calendar's week: rows of five minutes, side by side where they overlap.
No database, no clock.

Invariant: no two blocks cover each other, and every appointment is either shown or counted in a block "+n more".
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

#: One row of the grid.
STEP_MINUTES = 5
#: A block is at least this tall: the name and the status are to be read without touching it.
LEAST_MINUTES = 30
#: The grid of a day has this many columns: it divides by every number of lanes.
COLUMNS = 12
#: So many appointments side by side can be read; where more overlap, the last lane counts the others.
MOST_LANES = 3
#: A block that counts stands for those that begin within so long.
MORE_MINUTES = 60
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Span(Generic[Key]):
    """An appointment from `start` to `end`, in minutes of the day by the wall clock."""

    key: Key
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Area:
    """Lines of the grid, counted from 1; the end is the first line that is no longer covered."""

    row_start: int
    row_end: int
    col_start: int
    col_end: int

    @property
    def is_short(self) -> bool:
        """Room for two lines."""
        return (self.row_end - self.row_start) * STEP_MINUTES <= LEAST_MINUTES

    @property
    def is_narrow(self) -> bool:
        """No room for the time beside the name: the hours at the edge tell it."""
        return (self.col_end - self.col_start) * (2 if self.is_short else 3) <= COLUMNS


@dataclass(frozen=True, slots=True)
class More(Generic[Key]):
    """So many appointments without a lane of their own, from `start` on; `first` is the first of them."""

    first: Key
    start: int
    count: int
    area: Area


def hours_shown(spans: Iterable[Span[Key]], *, least: tuple[int, int] = (8, 18)) -> tuple[int, int]:
    """First and last (excluded) hour of the grid: the usual working day, and whatever lies before or after it."""
    first, last = least
    for span in map(_on_the_grid, spans):
        first, last = min(first, span.start // 60), max(last, -(-span.end // 60))
    return first, last


def lay_out(spans: Iterable[Span[Key]], *, first_hour: int) -> tuple[dict[Key, Area], list[More[Key]]]:
    """The area of every appointment that is shown, and the blocks that count the others."""
    areas: dict[Key, Area] = {}
    more: list[More[Key]] = []
    for group in _overlapping(map(_on_the_grid, spans)):
        lanes = _lanes(group)
        count = max(lanes.values()) + 1
        shown = count if count <= MOST_LANES else MOST_LANES - 1
        width = COLUMNS // min(count, MOST_LANES)
        for span in group:
            left = lanes[span.key] * width
            if lanes[span.key] < shown:
                areas[span.key] = _area(span.start, span.end, first_hour, left, left + width)
        more += _more([span for span in group if lanes[span.key] >= shown], first_hour)
    return areas, more


def _on_the_grid(span: Span[Key]) -> Span[Key]:
    """Rounded outwards to rows, tall enough to be read, and within the day."""
    start = span.start // STEP_MINUTES * STEP_MINUTES
    end = -(-max(span.end, start + LEAST_MINUTES) // STEP_MINUTES) * STEP_MINUTES
    return Span(span.key, start, min(end, _DAY))


def _overlapping(spans: Iterable[Span[Key]]) -> list[list[Span[Key]]]:
    """Groups of appointments that overlap, directly or through others; no two groups share a moment."""
    groups: list[list[Span[Key]]] = []
    end = -1
    for span in sorted(spans, key=lambda span: (span.start, -span.end, str(span.key))):
        if span.start >= end:
            groups.append([])
        groups[-1].append(span)
        end = max(end, span.end)
    return groups


def _lanes(group: Sequence[Span[Key]]) -> dict[Key, int]:
    """The leftmost free lane of each appointment, in order of time."""
    lanes: dict[Key, int] = {}
    free_from: list[int] = []
    for span in group:
        lane = next((number for number, end in enumerate(free_from) if end <= span.start), len(free_from))
        if lane == len(free_from):
            free_from.append(0)
        free_from[lane] = span.end
        lanes[span.key] = lane
    return lanes


def _more(hidden: Sequence[Span[Key]], first_hour: int) -> list[More[Key]]:
    """Blocks that follow each other in the last lane, each for those that begin within an hour of the first."""
    blocks: list[list[Span[Key]]] = []
    for span in hidden:
        if not blocks or span.start >= blocks[-1][0].start + MORE_MINUTES:
            blocks.append([])
        blocks[-1].append(span)
    ends = [*(block[0].start for block in blocks[1:]), _DAY][: len(blocks)]
    left = COLUMNS // MOST_LANES * (MOST_LANES - 1)
    return [
        More(
            first=block[0].key,
            start=block[0].start,
            count=len(block),
            area=_area(block[0].start, min(end, max(span.end for span in block)), first_hour, left, COLUMNS),
        )
        for block, end in zip(blocks, ends, strict=True)
    ]


def _area(start: int, end: int, first_hour: int, left: int, right: int) -> Area:
    offset = first_hour * 60 // STEP_MINUTES
    return Area(start // STEP_MINUTES - offset + 1, end // STEP_MINUTES - offset + 1, left + 1, right + 1)

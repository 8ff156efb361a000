"""Which appointment of a series stands for which date, once it repeats otherwise (S3). No database, no clock.

Nothing is moved that need not be: who is on a date of the new rule already stays there. The others take the dates that
are left, in order and each the nearest; dates that nobody takes are added, and whoever is left over has no date.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from hashlib import sha256
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Stays:
    """An appointment that an edit leaves alone: the date of the rule it stands for, and the day it is on."""

    occurrence_on: date
    service_on: date


@dataclass(frozen=True)
class Matching:
    """`kept`, `moved`, `surplus`: of those that follow, on their date already, on another one, without one. `held`:
    dates of those that stay, so that nothing is made again beside them; `dropped` stay too, and stand for no date."""

    kept: Mapping[UUID, date]
    moved: Mapping[UUID, date]
    surplus: tuple[UUID, ...]
    held: Mapping[UUID, date]
    dropped: tuple[UUID, ...]
    added: tuple[date, ...]

    @cached_property
    def placed(self) -> dict[UUID, date]:
        """The date of the new rule that each appointment stands for."""
        return {**self.kept, **self.moved, **self.held}

    @property
    def token(self) -> str:
        """Short words for all of this, to be sent back by who was shown it: another matching has others."""
        placed = sorted((str(key), str(day)) for key, day in self.placed.items())
        all_of_it = repr((placed, sorted(map(str, self.surplus)), sorted(map(str, self.dropped)), self.added))
        return sha256(all_of_it.encode()).hexdigest()[:24]


def match(days: Sequence[date], follows: Mapping[UUID, date], stays: Mapping[UUID, Stays]) -> Matching:
    """`days`: of the new rule, in order. `follows`: each with the date it stands for by the old rule."""
    free = set(days)
    held = _taking(free, {key: each.occurrence_on for key, each in stays.items()})
    kept = _taking(free, follows)
    # Moved on its own to what is a date of the new rule: nothing is added beside it.
    held |= _taking(free, {key: each.service_on for key, each in stays.items() if key not in held})
    rest = sorted((key for key in follows if key not in kept), key=lambda key: (follows[key], key))
    left = sorted(free)
    moved = _in_order(rest, [follows[key] for key in rest], left)
    free -= set(moved.values())
    return Matching(
        kept=kept,
        moved=moved,
        surplus=tuple(key for key in rest if key not in moved),
        held=held,
        dropped=tuple(key for key in stays if key not in held),
        added=tuple(sorted(free)),
    )


def part_of(beginnings: Sequence[date], day: date) -> int:
    """Which part of a series a date falls into, by the first date of each, in order; the first also where it is before
    all of them."""
    return max(0, bisect_right(beginnings, day) - 1)


def _taking(free: set[date], wanted: Mapping[UUID, date]) -> dict[UUID, date]:
    """Those whose date is free; it is no longer so."""
    taken: dict[UUID, date] = {}
    for key, day in wanted.items():
        if day in free:
            free.remove(day)
            taken[key] = day
    return taken


def _in_order(keys: Sequence[UUID], old: Sequence[date], new: Sequence[date]) -> dict[UUID, date]:
    if len(keys) <= len(new):
        return dict(zip(keys, (new[number] for number in _nearest(old, new)), strict=True))
    return {keys[number]: day for number, day in zip(_nearest(new, old), new, strict=True)}


def _nearest(fewer: Sequence[date], more: Sequence[date]) -> list[int]:
    """For each of `fewer` the nearest of `more` that leaves one for each of the others, never one before the last."""
    found: list[int] = []
    for number, day in enumerate(fewer):
        earliest, latest = found[-1] + 1 if found else 0, len(more) - len(fewer) + number
        found.append(min(range(earliest, latest + 1), key=lambda at: (abs((more[at] - day).days), at)))
    return found

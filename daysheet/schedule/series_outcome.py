"""What an edit of a series speaks of, what it leaves alone and why, and what is said of it. No database, no clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

#: Statuses of visits that have still to take place, or never will.
_NOT_YET = frozenset({"upcoming", "canceled", "rescheduled"})


class Scope(StrEnum):
    """Which appointments of a series an edit speaks of."""

    THIS = "this"
    FOLLOWING = "following"
    FUTURE = "future"


class Standing(StrEnum):
    """Why an appointment follows an edit of its series, or stays as it is."""

    OPEN = "open"
    BILLED = "billed"
    OVER = "over"
    APART = "apart"


def standing_of(*, is_billed: bool, statuses: Collection[str], is_apart: bool) -> Standing:
    """Billed visits are frozen (S5); what is canceled does not come back, what took place stays where it was; and what
    was changed on its own stays as changed. The first of these that is true is the reason that is told."""
    if is_billed:
        return Standing.BILLED
    if "upcoming" not in statuses or not _NOT_YET.issuperset(statuses):
        return Standing.OVER
    return Standing.APART if is_apart else Standing.OPEN


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an edit of a series did: the appointments it changed, and how many it left as they were, and why."""

    changed_ids: frozenset[UUID]
    billed: int = 0
    over: int = 0
    apart: int = 0

    @property
    def changed(self) -> int:
        """How many were changed."""
        return len(self.changed_ids)

    def words(self, verb: str, *, would: bool = False) -> str:
        """`3 appointments were moved. Left as they are: 2 billed, 1 changed on its own.`"""
        be = "would be" if would else "was" if self.changed == 1 else "were"
        told = f"{self.changed} appointment{'' if self.changed == 1 else 's'} {be} {verb}."
        if not self.changed:
            told = f"No appointment {'would be' if would else 'was'} {verb}."
        return f"{told}{self.left_words}"

    @property
    def left_words(self) -> str:
        """` Left as they are: 2 billed, 1 changed on its own.`; empty where none is left."""
        reasons = (
            (self.billed, "billed"),
            (self.over, "canceled or over"),
            (self.apart, f"changed on {'its' if self.apart == 1 else 'their'} own"),
        )
        left = ", ".join(f"{count} {why}" for count, why in reasons if count)
        return f" Left as they are: {left}." if left else ""


@dataclass(frozen=True, slots=True)
class Rearranged:
    """What another repetition does to a series: how many appointments it moves, adds and cancels, how many that follow
    it are on its dates already, and in `outcome` how many it leaves as they were, and why."""

    moved: int
    added: int
    canceled: int
    kept: int
    outcome: Outcome

    def words(self, *, would: bool = False) -> str:
        """`2 appointments were moved, 3 added, 1 canceled. 4 keep their dates. Left as they are: 1 billed.`"""
        verbs = ((self.moved, "moved"), (self.added, "added"), (self.canceled, "canceled"))
        done = [(count, verb) for count, verb in verbs if count]
        told = "No date would change." if would else "No date changed."
        if done:
            (first, verb), *others = done
            be = "would be" if would else "was" if first == 1 else "were"
            more = "".join(f", {count} {verb}" for count, verb in others)
            told = f"{first} appointment{'' if first == 1 else 's'} {be} {verb}{more}."
        kept = f" {self.kept} keep{'s' if self.kept == 1 else ''} {'its date' if self.kept == 1 else 'their dates'}."
        return f"{told}{kept if self.kept else ''}{self.outcome.left_words}"

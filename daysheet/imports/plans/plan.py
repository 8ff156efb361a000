"""What a plan is: a verdict for every row, and the write that carries it out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from ..parsing import Problem, Row


class Verdict(StrEnum):
    """What happens to a row."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RowVerdict:
    """One row's fate. `subject` is what people know it by; `changes` names the columns that differ."""

    number: int
    subject: str
    verdict: Verdict
    changes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    #: Worth knowing, and no hindrance.
    remark: str = ""


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class Plan:
    """Verdicts in the order of the file. `write` is called once, and only where no row is an error."""

    rows: tuple[RowVerdict, ...]
    write: Callable[[], None] = field(default=_nothing)

    @cached_property
    def counts(self) -> Counter[Verdict]:
        """How many rows have which verdict."""
        return Counter(row.verdict for row in self.rows)


def judge(row: Row, subject: str, *, is_new: bool, changes: list[str], remark: str = "") -> RowVerdict:
    """A row's verdict from what was found: problems win, then new, then changed."""
    if row.problems:
        verdict = Verdict.ERROR
    elif is_new:
        verdict = Verdict.NEW
    else:
        verdict = Verdict.CHANGED if changes else Verdict.UNCHANGED
    return RowVerdict(row.number, subject.strip(" ,"), verdict, tuple(changes), tuple(row.problems), remark)

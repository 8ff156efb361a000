"""Measuring a path beside its floor: turn and turn about in one run, so that whatever else the machine does happens to
both. What is said of many runs is the median, with the middle half as spread; a ratio is the median of the ratios of
neighbours.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as File
from typing import Any

from django.db import connection

#: Work that is ready to be done: only doing it is timed.
Work = Callable[[], Any]
#: Makes ready the work of a round, on data that no other round touches where it writes.
Prepare = Callable[[int], Work]


@dataclass(frozen=True, slots=True)
class Budget:
    """What architecture.md, section 7, allows. `ratio`: to the floor; None: not asked."""

    ratio: float | None = None
    seconds: float | None = None
    queries: int | None = None
    peak_mb: float | None = None


@dataclass(frozen=True, slots=True)
class Path:
    """One hot path. `units`: how many things it works on, where its time should grow with them.

    `by_database`: the floor is the plain queries that a page needs; compared with the time the page's own take.
    """

    key: str
    title: str
    product: Prepare
    floor: Prepare | None = None
    budget: Budget = field(default_factory=Budget)
    by_database: bool = False
    units: int = 0
    most_rounds: int = 100


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and middle half, of however many."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: Sequence[float]) -> Spread:
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return Spread(statistics.median(values), low, high)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a path. Seconds; `database` is the part spent in the application's own queries."""

    key: str
    title: str
    rounds: int
    units: int
    seconds: Spread
    database: Spread
    queries: int
    peak_mb: float
    floor: Spread | None
    ratio: Spread | None
    budget: Budget

    @property
    def failures(self) -> list[str]:
        """What is over its budget, in words."""
        found = (
            ("ratio", self.ratio.median if self.ratio else 0, self.budget.ratio),
            ("seconds", self.seconds.median, self.budget.seconds),
            ("queries", self.queries, self.budget.queries),
            ("MB", self.peak_mb, self.budget.peak_mb),
        )
        return [f"{name} {value:.3g} > {most:.3g}" for name, value, most in found if most is not None and value > most]


@dataclass(slots=True)
class _Queries:
    count: int = 0
    seconds: float = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            self.count += 1
            self.seconds += time.perf_counter() - began


def measure(path: Path, rounds: int) -> Measured:
    """Product and floor, turn and turn about, after one round that does not count where nothing is written."""
    rounds = min(rounds, path.most_rounds)
    if path.by_database:
        path.product(-1)()
        if path.floor:
            path.floor(-1)()
    seconds, database, floors, ratios = [], [], [], []
    queries, peak = 0, 0.0
    for number in range(rounds):
        floor_first = number % 2 == 1
        if path.floor and floor_first:
            floors.append(_timed(path.floor(number)))
        counted = _Queries()
        work = path.product(number)
        with _peak_memory() as memory, connection.execute_wrapper(counted):
            seconds.append(_timed(work))
        database.append(counted.seconds)
        queries, peak = counted.count, max(peak, memory.mb)
        if path.floor and not floor_first:
            floors.append(_timed(path.floor(number)))
        if path.floor:
            ratios.append((database if path.by_database else seconds)[-1] / floors[-1])
    return Measured(
        path.key, path.title, rounds, path.units, Spread.of(seconds), Spread.of(database), queries, peak,
        Spread.of(floors) if floors else None, Spread.of(ratios) if ratios else None, path.budget,
    )  # fmt: skip


def _timed(work: Work) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(slots=True)
class _Memory:
    mb: float = 0.0


@contextmanager
def _peak_memory() -> Iterator[_Memory]:
    """The most that this process held meanwhile. Linux keeps a high-water mark that can be set back."""
    memory = _Memory()
    marks = File("/proc/self/clear_refs")
    if marks.exists():
        marks.write_text("5")
    yield memory
    status = File("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        memory.mb = int(line.split()[1]) / 1024


def exponent(small: tuple[float, float], large: tuple[float, float]) -> float:
    """How time grows from one (size, seconds) to another: 1 is linear, 0 not at all."""
    import math

    return math.log(large[1] / small[1]) / math.log(large[0] / small[0])

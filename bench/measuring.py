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
from dataclasses import dataclass, field, replace
from pathlib import Path as File
from typing import Any

from django.db import connection

from .sql import backends

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
    """What came of a path. Seconds; `database` is the part spent in the application's own queries, `cpu` what
    processors did, here and in PostgreSQL. `cpu_ratio` says more than `ratio` while others use the machine."""

    key: str
    title: str
    rounds: int
    units: int
    seconds: Spread
    database: Spread
    cpu: Spread
    queries: int
    peak_mb: float
    floor: Spread | None
    ratio: Spread | None
    cpu_ratio: Spread | None
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


@dataclass(frozen=True, slots=True)
class _Run:
    """One run: seconds of the clock, and of processors in this process and in PostgreSQL."""

    seconds: float
    here: float
    there: float
    queries: _Queries = field(default_factory=_Queries)
    peak_mb: float = 0.0


def measure(path: Path, rounds: int) -> Measured:
    """Product and floor, turn and turn about, after one round that does not count where nothing is written."""
    if path.by_database:
        path.product(-1)()
        if path.floor:
            path.floor(-1)()
    products: list[_Run] = []
    floors: list[_Run] = []
    for number in range(min(rounds, path.most_rounds)):
        if path.floor and number % 2 == 1:
            floors.append(_timed(path.floor(number)))
        products.append(_watched(path.product(number)))
        if path.floor and number % 2 == 0:
            floors.append(_timed(path.floor(number)))
    pairs = list(zip(products, floors, strict=True)) if floors else []
    return Measured(
        path.key, path.title, len(products), path.units, Spread.of([run.seconds for run in products]),
        Spread.of([run.queries.seconds for run in products]), Spread.of([run.here + run.there for run in products]),
        products[-1].queries.count,
        max(run.peak_mb for run in products), Spread.of([run.seconds for run in floors]) if floors else None,
        Spread.of([_ratio(path, *pair) for pair in pairs]) if pairs else None,
        Spread.of([_cpu_ratio(path, *pair) for pair in pairs]) if pairs else None, path.budget,
    )  # fmt: skip


def _ratio(path: Path, product: _Run, floor: _Run) -> float:
    return (product.queries.seconds if path.by_database else product.seconds) / floor.seconds


def _cpu_ratio(path: Path, product: _Run, floor: _Run) -> float:
    if path.by_database:
        return product.there / max(floor.there, 1e-9)
    return (product.here + product.there) / max(floor.here + floor.there, 1e-9)


def _watched(work: Work) -> _Run:
    queries = _Queries()
    with _peak_memory() as memory, connection.execute_wrapper(queries):
        run = _timed(work)
    return replace(run, queries=queries, peak_mb=memory.mb)


def _timed(work: Work) -> _Run:
    gc.collect()
    there, here, began = backends.cpu_seconds(), time.process_time(), time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    return _Run(seconds, time.process_time() - here, backends.cpu_seconds() - there)


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

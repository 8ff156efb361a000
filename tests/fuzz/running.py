"""How long a run tries, and what it has to show at its end."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .fuzzer import Fuzzer

Case = TypeVar("Case")
SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
#: Without FUZZ_SECONDS: examples of each kind, always the same ones.
EXAMPLES = 100
#: What FUZZ_SECONDS is divided among, in what shares.
SHARES = {
    "forms": 2, "forms in a row": 2, "edges of forms": 2, "ids": 2, "query strings": 1, "edges of queries": 1,
    "addresses": 1, "narrow roles": 2, "files": 1, "open to everybody": 1, "messages": 1,
}  # fmt: skip


def run(example: Any, kind: str, part: float = 1, examples: int = EXAMPLES) -> None:
    """`example(data)` for as long as its kind has (or a part of it), or as often."""
    ends = _end_of(kind, part)
    tried = settings(
        deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        max_examples=200 if SECONDS else examples, derandomize=not SECONDS,
    )  # fmt: skip
    while True:
        tried(given(st.data())(example))()
        if time.monotonic() >= ends:
            break


def some(cases: Sequence[Case], kind: str, every: int) -> Iterator[Case]:
    """One case in so many; with FUZZ_SECONDS all of them, in another order each time, until its kind's time is over."""
    if not SECONDS:
        yield from cases[::every]
        return
    ends = _end_of(kind)
    for case in random.SystemRandom().sample(cases, len(cases)):
        yield case
        if time.monotonic() >= ends:
            break


def _end_of(kind: str, part: float = 1) -> float:
    """On the monotonic clock."""
    return time.monotonic() + SECONDS * SHARES[kind] / sum(SHARES.values()) * part


def check(fuzzer: Fuzzer) -> None:
    """Nothing found, nothing left behind, and the books as they were. `-rP` shows how much was tried."""
    record = fuzzer.record
    total = sum(record.answers.values(), Counter())
    sys.stdout.write(f"{record.sent} requests, {sum(record.wrote.values())} changed something, books read ")
    sys.stdout.write(f"{record.books_read} times, slowest {record.slowest:.2f} s; {dict(total)}\n")
    assert not (problems := fuzzer.problems()), "\n".join(problems)

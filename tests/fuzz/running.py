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
#: The kinds among which FUZZ_SECONDS is divided.
_KINDS = 9


def run(example: Any, part: float = 1, examples: int = EXAMPLES) -> None:
    """`example(data)` for as long as a kind has (or a part of it), or as often."""
    ends = time.monotonic() + SECONDS / _KINDS * part
    tried = settings(
        deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        max_examples=200 if SECONDS else examples, derandomize=not SECONDS,
    )  # fmt: skip
    while True:
        tried(given(st.data())(example))()
        if time.monotonic() >= ends:
            break


def some(cases: Sequence[Case], every: int) -> Iterator[Case]:
    """One case in so many; with FUZZ_SECONDS all of them, in another order each time, until two kinds' time is over."""
    if not SECONDS:
        yield from cases[::every]
        return
    ends = time.monotonic() + SECONDS / _KINDS * 2
    for case in random.SystemRandom().sample(cases, len(cases)):
        yield case
        if time.monotonic() >= ends:
            break


def check(fuzzer: Fuzzer) -> None:
    """Nothing found, nothing left behind, and the books as they were. `-rP` shows how much was tried."""
    total = sum(fuzzer.answers.values(), Counter())
    sys.stdout.write(f"{fuzzer.sent} requests, books read {fuzzer.books_read} times; {dict(total)}\n")
    assert not (problems := fuzzer.problems()), "\n".join(problems)

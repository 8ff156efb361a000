"""How long a run tries, and what it has to show at its end."""

from __future__ import annotations

import os
import time
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .fuzzer import Fuzzer

SECONDS = int(os.environ.get("FUZZ_SECONDS", "0"))
#: Without FUZZ_SECONDS: examples of each kind, always the same ones.
EXAMPLES = 100
#: The kinds among which FUZZ_SECONDS is divided.
_KINDS = 8


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


def check(fuzzer: Fuzzer) -> None:
    """Nothing found, nothing left behind, and the books as they were."""
    assert not (problems := fuzzer.problems()), "\n".join(problems)

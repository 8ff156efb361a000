"""Random histories against real PostgreSQL: after each step every invariant of books.py holds.

`make test` runs a few hundred steps of fixed seeds; `make test-slow` thousands of seeds nobody chose. The seed of a
history that failed is written to seeds.txt and is a case from then on.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from pathlib import Path

import pytest

from daysheet.database.scope import practice_transaction
from tests.billing import build_clinic
from tests.people import Cast

from .histories import open_practice, step

pytestmark = pytest.mark.system

KEPT = Path(__file__).with_name("seeds.txt")
STEPS = int(os.environ.get("HISTORY_STEPS", "240"))
#: A practice is begun anew after this many steps: the checks read all of it after each.
_STEPS_OF_ONE = 60


def _kept_seeds() -> list[int]:
    """One seed a line; what follows it says what it found."""
    lines = [line.split("#")[0].strip() for line in KEPT.read_text().splitlines()]
    return [int(line) for line in lines if line]


def _seeds() -> list[int]:
    count = -(-STEPS // _STEPS_OF_ONE)
    if "HISTORY_STEPS" not in os.environ:
        return list(range(101, 101 + count))
    return [secrets.randbelow(10**9) for _ in range(count)]


SEEDS = _seeds()


def _live(cast: Cast, seed: int) -> Counter[str]:
    """Run one history; returns how often each rule was carried out without a refusal."""
    with practice_transaction(cast.alder.id):
        history = open_practice(build_clinic(cast), seed)
    for _ in range(_STEPS_OF_ONE):
        step(history)
    return Counter(told for line in history.told for told in line.split(" | ") if ":" not in told)


@pytest.mark.parametrize("seed", _kept_seeds())
def test_a_history_that_failed_once_holds(live_cast: Cast, seed: int) -> None:
    assert _live(live_cast, seed)


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_whatever_happens_the_books_hold(live_cast: Cast, number: int) -> None:
    seed = SEEDS[number]
    try:
        carried_out = _live(live_cast, seed)
    except BaseException:
        if seed not in _kept_seeds():
            with KEPT.open("a") as kept:
                kept.write(f"{seed}\n")
        raise
    assert carried_out.total() > _STEPS_OF_ONE / 4, f"seed {seed} did hardly anything: {carried_out}"

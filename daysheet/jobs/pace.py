"""How much of a long job is done at once, and how long it rests, so that people at work do not notice it.

While nobody asks for a page, pieces are large and follow each other. While somebody does, they are small, because
others wait for what a piece has locked, and before the next one the job rests for twice as long as the last one took,
two seconds at the most: two thirds of the time nothing is locked, and of the processors it has a third of one. Sizes
are counted and not timed: on a slow machine pages are slow as well, and a piece that is cut to fit a time soon consists
of what every piece costs, whatever its size (a batch took seventeen times as long). Measured in docs/performance.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from daysheet.database.sessions import pages_are_asked_for

_RESTS = 2.0
#: What took longer than half of it stood still itself, behind somebody's lock.
_LONGEST_REST_SECONDS = 2.0


@dataclass(slots=True)
class Pace:
    """The pace of one run. `small` and `large`: pieces while somebody is at work, and while nobody is."""

    small: int
    large: int
    is_somebody_there: Callable[[], bool] = pages_are_asked_for
    rest: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    _took_seconds: float = 0.0

    @contextmanager
    def piece(self) -> Iterator[int]:
        """Takes the rest that is due, says how large the next piece may be, and sees how long it takes. Around a
        transaction, never in one."""
        size = self.large
        if self.is_somebody_there():
            self.rest(min(self._took_seconds * _RESTS, _LONGEST_REST_SECONDS))
            size = self.small
        began = self.clock()
        try:
            yield size
        finally:
            self._took_seconds = self.clock() - began

"""What higher slices contribute to the top bar. `web` must not import them, so they register themselves here.

Call the register functions from the slice's `AppConfig.ready()`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class UnbilledCount:
    count: int
    oldest_age_days: int | None = None


UnbilledCounter = Callable[[Actor], UnbilledCount | None]

_unbilled_counters: list[UnbilledCounter] = []


def register_unbilled_count(counter: UnbilledCounter) -> None:
    """Name the function that counts the unbilled visits the actor may see. The last one registered answers."""
    _unbilled_counters.append(counter)


def count_unbilled(actor: Actor) -> UnbilledCount | None:
    return _unbilled_counters[-1](actor) if _unbilled_counters else None

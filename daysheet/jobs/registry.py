"""Which function does which kind of job. Slices register in their AppConfig.ready()."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from daysheet.kit.dates import utc_now
from daysheet.practices.actor import PracticeFacts


@dataclass(frozen=True, slots=True)
class RunningJob:
    """What a runner is told: the practice, its row (`subject_id`) and the JobRun that shows its progress. `clock` tells
    the time; the demo practice's history is made with one of its own."""

    practice: PracticeFacts
    run_id: UUID
    subject_id: UUID
    clock: Callable[[], datetime] = utc_now


#: A runner does its work in transactions of its own, each small, and may be called again after a kill:
#: what is left to do must be readable from its rows.
Runner = Callable[[RunningJob], None]

_runners: dict[str, Runner] = {}


def register_runner(kind: str, runner: Runner) -> None:
    """Make `runner` the function for jobs of `kind`."""
    _runners[kind] = runner


def runner_for(kind: str) -> Runner:
    """The registered runner. KeyError where no slice registered one."""
    return _runners[kind]

"""The way from an empty practice to its first invoice: six steps, and which of them comes next. No database, no clock.

What is done is read from what is there and never stored; only that a step was skipped, or the guide put away, is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """In order: each needs what the ones before it made."""

    PRACTICE = "practice"
    SERVICES = "services"
    PROVIDER = "provider"
    CLIENT = "client"
    APPOINTMENT = "appointment"
    INVOICE = "invoice"

    @property
    def label(self) -> str:
        """What people call it."""
        return _LABELS[self]


_LABELS = {
    Step.PRACTICE: "Your practice",
    Step.SERVICES: "What you bill",
    Step.PROVIDER: "You as a provider",
    Step.CLIENT: "First client",
    Step.APPOINTMENT: "First appointment",
    Step.INVOICE: "First invoice",
}
#: The mark of a guide that was put away.
DISMISSED = "guide"


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step as the list shows it: `done`, `skipped` or `open`."""

    step: Step
    state: str
    number: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a practice stands. `current` is the first step that is neither done nor skipped; None: the way is over."""

    rows: tuple[StepRow, ...]
    current: Step | None
    has_invoice: bool
    is_dismissed: bool

    @property
    def done_count(self) -> int:
        return sum(row.state == "done" for row in self.rows)

    @property
    def is_shown(self) -> bool:
        """Whether the home page speaks of it: not once there is an invoice, which is where the way leads."""
        return self.current is not None and not self.has_invoice and not self.is_dismissed


def progress(done: Collection[Step], marks: Collection[str]) -> Progress:
    """Where a practice stands that has done so much and skipped so much."""
    states = {step: "done" if step in done else "skipped" if step in marks else "open" for step in Step}
    rows = tuple(StepRow(step, states[step], number) for number, step in enumerate(Step, start=1))
    current = next((step for step in Step if states[step] == "open"), None)
    return Progress(rows, current, Step.INVOICE in done, DISMISSED in marks)

"""Where a practice stands: tables of cases."""

from __future__ import annotations

import pytest

from daysheet.first_hour.rules import DISMISSED, Step, progress


@pytest.mark.parametrize(
    ("done", "marks", "current", "is_shown"),
    [
        ((), (), Step.PRACTICE, True),
        ((Step.PRACTICE,), (), Step.SERVICES, True),
        ((Step.SERVICES,), ("practice",), Step.PROVIDER, True),
        ((), (DISMISSED,), Step.PRACTICE, False),
        ((), tuple(Step), None, False),
        ((Step.INVOICE,), (), Step.PRACTICE, False),
        (tuple(Step), (), None, False),
    ],
)
def test_the_next_step_is_the_first_that_is_neither_done_nor_skipped(
    done: tuple[Step, ...], marks: tuple[str, ...], current: Step | None, is_shown: bool
) -> None:
    stands = progress(done, marks)
    assert (stands.current, stands.is_shown, stands.done_count) == (current, is_shown, len(done))


def test_what_was_skipped_and_is_there_now_is_done() -> None:
    rows = progress((Step.CLIENT,), ("client", "invoice")).rows
    assert [row.state for row in rows] == ["open", "open", "open", "done", "open", "skipped"]

"""The verdict of bench.load, on figures made up: what is a failure, and what is said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

from bench.load_report import failures_of, print_load, ratio_of_turns, summary_of
from bench.people_at_work import Answer
from bench.watching import Seen

SEEN = Seen(
    10.0, Counter({"pages: Python": 4.0}),
    {"pages": Counter({"computes": 3, "Lock:transactionid, behind the worker": 1})},
)  # fmt: skip


def _answers(phase: str, milliseconds: Iterable[float], *, kind: str = "ledger", turn: int = 0) -> list[Answer]:
    return [Answer(phase, turn, kind, each / 1000, 200) for each in milliseconds]


def _report(answers: list[Answer], **more: Any) -> dict[str, Any]:
    seen = {"without": SEEN, "beside": SEEN}
    return {
        "people": 2, "batch_visits": 100, "batch_seconds": {"nobody there": 1.0, "beside people": [2.0]},
        "differences": [], "ratio_of_turns": ratio_of_turns(answers),
        **{phase: summary_of(answers, seen, phase) for phase in seen}, **more,
    }  # fmt: skip


def test_pages_that_take_twice_as_long_beside_a_batch_are_within_budget_and_longer_ones_are_not() -> None:
    without = _answers("without", range(1, 201))
    assert failures_of(_report(without + _answers("beside", range(2, 402, 2)))) == []
    said = failures_of(_report(without + _answers("beside", range(3, 603, 3))))
    assert said == [f"{which}: p95 570 ms beside the batch is 3.00 x 190 ms without it, over 2.0"
                    for which in ("all pages", "ledger")]  # fmt: skip


def test_a_kind_of_page_is_judged_by_itself_but_not_by_a_few_clicks() -> None:
    fast = _answers("without", [50] * 4000) + _answers("beside", [50] * 4000)
    for count, is_over in ((150, True), (50, False)):
        pay = _answers("without", [50] * count, kind="pay") + _answers("beside", [150] * count, kind="pay")
        assert [words.split(":")[0] for words in failures_of(_report(fast + pay))] == ["pay"] * is_over


def test_what_somebody_saw_go_wrong_fails_whatever_the_times() -> None:
    answers = _answers("without", [50, 50]) + _answers("beside", [50])
    answers.append(Answer("beside", 0, "pay", 0.05, 503, "503 POST pay: Somebody else is working on the same thing"))
    seconds = {"nobody there": 1.0, "beside people": [None]}
    assert failures_of(_report(answers, batch_seconds=seconds, differences=["ageing: 5 cents"])) == [
        "beside: 503 POST pay: Somebody else is working on the same thing",
        "a batch was not done in time",
        "verify: ageing: 5 cents",
    ]


def test_turn_by_turn_one_bad_moment_is_one_turn() -> None:
    answers = []
    for turn, slower in enumerate((1.5, 1.4, 20.0)):
        answers += _answers("without", [100] * 20, turn=turn) + _answers("beside", [100 * slower] * 20, turn=turn)
    assert ratio_of_turns(answers) == 1.5


def test_the_table_says_who_computed_and_who_waited(capsys: pytest.CaptureFixture[str]) -> None:
    print_load(_report(_answers("without", [50, 50]) + _answers("beside", [75, 75])))
    said = capsys.readouterr().out
    assert "pages: Python 0.4" in said
    assert "computes 75, Lock:transactionid, behind the worker 25" in said
    assert "   1.50\n" in said

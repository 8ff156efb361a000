"""The verdict of bench.load, on figures made up and on a server that answers wrongly: what is a failure, and what is
said."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench import watching
from bench.load_report import FEW, errors_of, failures_of, print_load, ratio_of_turns, summary_of
from bench.people_at_work import Answer, Desk, Office
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
        "differences": [], "errors": errors_of(answers), "ratio_of_turns": ratio_of_turns(answers),
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
    answers = _answers("without", [50] * FEW) + _answers("beside", [50] * FEW)
    answers += _answers("without", [50], kind="pay")
    answers.append(Answer("beside", 0, "pay", 0.05, 503, "503 POST pay: Somebody else is working on the same thing"))
    seconds = {"nobody there": 1.0, "beside people": [None]}
    assert failures_of(_report(answers, batch_seconds=seconds, differences=["ageing: 5 cents"])) == [
        "beside: 503 POST pay: Somebody else is working on the same thing",
        "a batch was not done in time",
        "verify: ageing: 5 cents",
    ]


def test_what_went_wrong_while_they_were_coming_fails_too() -> None:
    well = _answers("without", [50] * FEW) + _answers("beside", [50] * FEW)
    assert failures_of(_report(well)) == []
    assert failures_of(_report([Answer("warming up", 0, "ledger", 0.05, 500), *well])) == ["warming up: 500"]
    many = [Answer("warming up", 0, "ledger", 0.05, 500)] * 1000
    assert failures_of(_report([*many, *well])) == [*["warming up: 500"] * 20, "1,000 errors in all"]


def test_a_run_that_measured_nothing_fails() -> None:
    nothing: list[Answer] = []
    too_few = [f"{phase}: {{}} pages are too few to say anything: at least {FEW}" for phase in ("without", "beside")]
    said = failures_of(_report(nothing))
    assert said[:2] == [words.format(0) for words in too_few]
    assert (len(said), said[2][:9], ratio_of_turns(nothing)) == (3, "all pages", None)
    few = _answers("without", [50] * (FEW - 1)) + _answers("beside", [50] * (FEW - 1))
    assert failures_of(_report(few)) == [words.format(FEW - 1) for words in too_few]


def test_no_page_without_the_batch_or_none_beside_it_fails() -> None:
    without, beside = (_answers(phase, [50] * 1000) for phase in ("without", "beside"))
    for answers, lacking in ((beside, "without"), (without, "beside")):
        said = failures_of(_report(answers))
        assert f"{lacking}: 0 pages are too few to say anything: at least {FEW}" in said
        assert f"{lacking}: ledger was never asked for" in said
        assert ratio_of_turns(answers) is None
    assert any("inf x 0 ms" in words for words in failures_of(_report(beside)))


def test_a_kind_of_page_that_was_asked_for_in_one_phase_only_fails() -> None:
    well = _answers("without", [50] * FEW) + _answers("beside", [50] * FEW)
    for phase, lacking in (("without", "beside"), ("beside", "without")):
        said = failures_of(_report(well + _answers(phase, [50], kind="pay")))
        assert said == [f"{lacking}: pay was never asked for"]


@pytest.mark.parametrize(
    ("status", "headers", "why"),
    [
        (302, {"Location": "/account/login/?next=/alder/"}, "302 GET agenda/: to /account/login/"),
        (204, {"HX-Redirect": "/account/login/"}, "204 GET agenda/: to /account/login/"),
        (303, {"Location": "/alder/agenda/"}, "303 GET agenda/: to /alder/agenda/"),
        (204, {}, "204 GET agenda/: "),
        (200, {"HX-Redirect": "/account/reauthenticate/"}, "200 GET agenda/: to /account/reauthenticate/"),
        (500, {}, "500 GET agenda/: "),
        (200, {}, ""),
    ],
)
def test_a_page_that_was_not_shown_is_an_error(status: int, headers: Mapping[str, str], why: str) -> None:
    with _people_at(status, headers) as office:
        assert _first_answer(office).words.startswith(why)
    shown = [each for each in office.answers if each.kind == "agenda"]
    assert shown and {each.is_error for each in shown} == {bool(why)}


@pytest.mark.parametrize(
    ("status", "headers", "is_error"),
    [
        (303, {"Location": "/alder/clients/1/ledger/"}, False),
        (204, {}, False),
        (302, {"Location": "/account/login/"}, True),
        (204, {"HX-Redirect": "/account/login/"}, True),
    ],
)
def test_a_form_leads_on_but_not_to_the_sign_in(status: int, headers: Mapping[str, str], is_error: bool) -> None:
    with _people_at(status, headers, visits=["1"] * 9999) as office:
        assert _first_answer(office, kind="add invoice").is_error == is_error


def test_the_processes_of_a_server_are_looked_at_while_one_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there when it is named, and gone when it is asked."""
    mine = os.getpid()
    kept = Path.read_text

    def gone(path: Path, *arguments: Any, **more: Any) -> str:
        if path.name == "children":
            if f"/{mine}/" in str(path):
                return "4194305 "
            raise ProcessLookupError(3, "No such process")
        return kept(path, *arguments, **more)

    monkeypatch.setattr(Path, "read_text", gone)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    assert list(watching._children(mine)) == [4194305]


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


@contextmanager
def _people_at(status: int, headers: Mapping[str, str], *, visits: Iterable[str] = ()) -> Iterator[Office]:
    """Somebody who clicks without thinking, at a server that gives this answer to everything."""

    class Always(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            for name, value in {"Content-Length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *words: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Always)
    threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
    desk = Desk("alder", "session", "2026-11-26", ["1"], ["1"], ["1"], ["2026-11-26"], list(visits), ["ru"])
    office = Office(("127.0.0.1", server.server_port), [desk], think_seconds=0.001)
    try:
        with office.open():
            yield office
    finally:
        server.shutdown()
        server.server_close()


def _first_answer(office: Office, kind: str = "agenda") -> Answer:
    for _ in range(400):
        office.during("without", 0, 0.02)
        if found := [each for each in office.answers if each.kind == kind]:
            return found[0]
    raise AssertionError(f"nobody asked for: {kind}")

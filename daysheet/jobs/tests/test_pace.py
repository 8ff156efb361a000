"""A long job leaves room for people: large pieces one after the other alone, small ones with a rest beside people."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import psycopg
import pytest

from daysheet.database.sessions import pages_are_asked_for, session_name
from daysheet.jobs.pace import Pace


@dataclass
class _Office:
    """Somebody at work or not, and a clock that only work and rests move."""

    is_open: bool = True
    now: float = 100.0
    rests: list[float] = field(default_factory=list)

    def pace(self) -> Pace:
        return Pace(10, 80, is_somebody_there=lambda: self.is_open, rest=self.rests.append, clock=lambda: self.now)

    def do(self, pace: Pace, seconds: float) -> int:
        with pace.piece() as size:
            self.now += seconds
        return size


def test_while_nobody_is_there_pieces_are_large_and_follow_each_other() -> None:
    office = _Office(is_open=False)
    pace = office.pace()
    assert [office.do(pace, 0.3) for _ in range(3)] == [80, 80, 80]
    assert office.rests == []


def test_beside_people_pieces_are_small_and_the_job_rests_as_long_as_each_took_but_a_second_at_the_most() -> None:
    office = _Office()
    pace = office.pace()
    assert [office.do(pace, seconds) for seconds in (0.25, 7.0, 0.5)] == [10, 10, 10]
    assert office.rests == [0.0, 0.25, 1.0]


def test_a_piece_that_failed_is_rested_after_as_well() -> None:
    office = _Office()
    pace = office.pace()
    with pytest.raises(ValueError), pace.piece():
        office.now += 0.5
        raise ValueError
    office.do(pace, 0.25)
    assert office.rests == [0.0, 0.5]


def test_people_come_and_go_between_two_pieces() -> None:
    office = _Office(is_open=False)
    pace = office.pace()
    sizes = []
    for is_open in (False, True, False):
        office.is_open = is_open
        sizes.append(office.do(pace, 0.25))
    assert (sizes, office.rests) == ([80, 10, 80], [0.25])


def test_a_page_asked_for_is_seen_from_another_session_and_only_for_a_moment(
    live_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address, application_name=session_name("worker"), autocommit=True) as worker:
        worker.execute("SELECT 1")
        assert not pages_are_asked_for()
    with psycopg.connect(address, application_name=session_name("web"), autocommit=True) as web:
        web.execute("SELECT 1")
        assert pages_are_asked_for(), "a moment ago"
        monkeypatch.setattr("daysheet.database.sessions._QUIET_SECONDS", 0)
        assert not pages_are_asked_for(), "the session is there, and idle"
        web.execute("BEGIN")
        assert pages_are_asked_for(), "in the middle of a page"

"""A long job leaves room for people: large pieces one after the other alone, small ones with a rest beside people."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import psycopg
import pytest
from django.db import connection

from daysheet.database.scope import practice_transaction
from daysheet.database.sessions import pages_are_asked_for, session_name
from daysheet.jobs.pace import Pace
from tests.people import Cast


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


def test_beside_people_pieces_are_small_and_the_job_rests_twice_as_long_but_two_seconds_at_the_most() -> None:
    office = _Office()
    pace = office.pace()
    assert [office.do(pace, seconds) for seconds in (0.25, 7.0, 0.5)] == [10, 10, 10]
    assert office.rests == [0.0, 0.5, 2.0]


def test_a_piece_that_failed_is_rested_after_as_well() -> None:
    office = _Office()
    pace = office.pace()
    with pytest.raises(ValueError), pace.piece():
        office.now += 0.5
        raise ValueError
    office.do(pace, 0.25)
    assert office.rests == [0.0, 1.0]


def test_people_come_and_go_between_two_pieces() -> None:
    office = _Office(is_open=False)
    pace = office.pace()
    sizes = []
    for is_open in (False, True, False):
        office.is_open = is_open
        sizes.append(office.do(pace, 0.25))
    assert (sizes, office.rests) == ([80, 10, 80], [0.5])


def test_a_person_is_seen_from_another_session_for_a_moment_and_whatever_comes_between(
    live_cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daysheet.database.sessions._QUIET_SECONDS", 3_600)
    alder = live_cast.alder.id
    with practice_transaction(alder):
        assert not _worker_sees_somebody(), "nobody waits for a job or a page that refreshes itself"
    assert not _worker_sees_somebody()
    with practice_transaction(alder, is_person=True):
        assert _worker_sees_somebody()
        assert not pages_are_asked_for(), "it is ourselves"
    with practice_transaction(alder):
        assert _worker_sees_somebody(), "a moment ago; who comes next on the same session hides nobody"
    monkeypatch.setattr("daysheet.database.sessions._QUIET_SECONDS", 0)
    assert not _worker_sees_somebody(), "the moment is over"
    with practice_transaction(alder):
        assert not _worker_sees_somebody(), "the session is at work, but not for the person whose moment it carries"
    with practice_transaction(alder, is_person=True):
        assert _worker_sees_somebody(), "in the middle of a page, however long it takes"


def test_sessions_of_other_names_are_nobody(live_db: None) -> None:
    address = os.environ["DATABASE_URL"]
    for name in (session_name("worker"), session_name("web"), f"{session_name('web')} 99999999999", "99999999999.0"):
        with psycopg.connect(address, application_name=name) as other:
            other.execute("SELECT 1")
            assert not pages_are_asked_for(), name


def _worker_sees_somebody() -> bool:
    """Asked on a connection of its own, as a worker asks."""

    def ask() -> bool:
        try:
            return pages_are_asked_for()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        return worker.submit(ask).result()

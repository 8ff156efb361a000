"""Backups by the clock: once a day, proven, thinned out; what is no backup of ours is never deleted."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.backup import scheduled
from daysheet.backup.archive import ArchiveWriter
from daysheet.backup.programs import BackupFailed
from daysheet.backup.restoring import Place
from daysheet.backup.rules import Retention, is_due, retention_from, to_keep
from daysheet.backup.scheduled import Schedule, back_up_where_due, backups_in
from daysheet.backup.taking import Taken

NOW = datetime(2026, 11, 25, 3, 50, tzinfo=UTC)
PLACE = Place("postgresql://owner@127.0.0.1:1/nowhere", "", Path("nowhere"))


@pytest.fixture
def schedule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Schedule:
    """With a backup that only writes an empty archive, and a proof that finds nothing: both have tests of their own."""
    monkeypatch.setattr(scheduled, "take_backup", lambda target, **_: Taken(_write(target), 1, False))
    monkeypatch.setattr(scheduled, "prove_backup", lambda *_, **__: "everything agrees")
    return Schedule(tmp_path / "backups", None, Retention(2, 1, 1))


def _write(path: Path) -> Path:
    content = io.BytesIO()
    ArchiveWriter(content, {}, None).finish()
    path.write_bytes(content.getvalue())
    return path


def _at(schedule: Schedule, now: datetime) -> Taken | None:
    return back_up_where_due(schedule, PLACE, now, known_migrations=set())


def test_one_a_day_and_a_missed_one_at_once(schedule: Schedule) -> None:
    assert _at(schedule, NOW) is not None
    assert _at(schedule, NOW + timedelta(hours=1)) is None
    assert _at(schedule, NOW + timedelta(hours=24)) is not None
    assert _at(schedule, NOW + timedelta(days=9, hours=5)) is not None
    assert len(backups_in(schedule.folder)) == 2


def test_old_ones_are_thinned_out_and_nothing_else(schedule: Schedule) -> None:
    schedule.folder.mkdir()
    strangers = [schedule.folder / "daysheet-20200101T000000Z.backup", schedule.folder / "notes.txt"]
    for stranger in strangers:
        stranger.write_text("mine")
    for day in range(6):
        _at(schedule, NOW + timedelta(days=day))
    assert [at.day for at in sorted(backups_in(schedule.folder))] == [29, 30]
    assert all(stranger.read_text() == "mine" for stranger in strangers)


def test_one_that_cannot_be_proven_is_told_apart_and_said(schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> str:
        raise BackupFailed("The restored books do not agree")

    monkeypatch.setattr(scheduled, "prove_backup", fails)
    with pytest.raises(BackupFailed):
        _at(schedule, NOW)
    assert [path.suffix for path in schedule.folder.glob("daysheet-*")] == [".unproven"]
    assert backups_in(schedule.folder) == {}


def test_two_workers_make_one(schedule: Schedule, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Taken | None] = []

    def meanwhile(target: Path, **_: object) -> Taken:
        answers.append(_at(schedule, NOW))
        return Taken(_write(target), 1, False)

    monkeypatch.setattr(scheduled, "take_backup", meanwhile)
    assert _at(schedule, NOW) is not None
    assert answers == [None]


def test_what_a_killed_backup_left_is_cleared_away(schedule: Schedule) -> None:
    schedule.folder.mkdir()
    left = schedule.folder / "daysheet-20261120T035000Z.backup.partial"
    left.write_text("half")
    _at(schedule, NOW)
    assert not left.exists()


def test_days_weeks_and_months() -> None:
    """Three years of daily backups: seven days, four weeks, twelve months."""
    taken = [NOW - timedelta(days=day) for day in range(3 * 365)]
    kept = sorted(to_keep(taken, Retention(7, 4, 12)), reverse=True)
    assert kept[:7] == taken[:7]
    assert len({(at.year, at.month) for at in kept}) == 12
    assert len(kept) == 7 + 2 + 11


@given(
    st.sets(st.integers(0, 5000), min_size=1),
    st.builds(Retention, st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
)
def test_the_newest_always_stays_and_thinning_twice_is_thinning_once(hours: set[int], retention: Retention) -> None:
    taken = {NOW - timedelta(hours=hour) for hour in hours}
    kept = to_keep(taken, retention)
    assert max(taken) in kept <= taken
    assert to_keep(kept, retention) == kept
    assert len(kept) <= retention.days + retention.weeks + retention.months


@pytest.mark.parametrize("text", ["", "7", "7,4", "7,4,0", "a,b,c", "7,4,12,1"])
def test_a_retention_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        retention_from(text)


def test_due() -> None:
    assert is_due(None, NOW)
    assert not is_due(NOW - timedelta(hours=22), NOW)
    assert is_due(NOW - timedelta(hours=23), NOW)

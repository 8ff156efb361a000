"""Backups by the clock: into the folder that the configuration names, proven, and the old ones thinned out.

What is there is read from the folder itself; two workers at once make one backup.
"""

from __future__ import annotations

import fcntl
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .archive import ArchiveRefused, read_header
from .restoring import Place, prove_backup
from .rules import Retention, is_due, to_keep
from .taking import Taken, take_backup

_NAME = re.compile(r"daysheet-(\d{8}T\d{6}Z)\.backup")
_log = logging.getLogger("daysheet.backup")


@dataclass(frozen=True, slots=True)
class Schedule:
    """What the configuration says: where to, sealed with what, how many are kept."""

    folder: Path
    passphrase: str | None
    retention: Retention


def backups_in(folder: Path) -> dict[datetime, Path]:
    """The scheduled backups of a folder by the moment they were taken, as their names and beginnings say. Other files,
    and what is no backup, are not among them: they are never deleted."""
    found: dict[datetime, Path] = {}
    for path in folder.iterdir() if folder.is_dir() else ():
        name = _NAME.fullmatch(path.name)
        if name and _is_backup(path):
            found[datetime.strptime(name[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)] = path
    return found


def back_up_where_due(schedule: Schedule, place: Place, now: datetime, *, known_migrations: set[str]) -> Taken | None:
    """Take the backup of the day, prove it, thin out the old ones. None where it is not due, or somebody else is at it.
    One that cannot be proven is kept as `.unproven` and raises."""
    schedule.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone(schedule.folder) as is_mine:
        there = backups_in(schedule.folder)
        if not is_mine or not is_due(max(there, default=None), now):
            return None
        for left in schedule.folder.glob("daysheet-*.backup.partial"):
            left.unlink(missing_ok=True)  # of a backup that was killed
        target = schedule.folder / f"daysheet-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup"
        taken = take_backup(target, owner_url=place.owner_url, home=place.home, passphrase=schedule.passphrase, now=now)
        try:
            prove_backup(target, place=place, passphrase=schedule.passphrase, known_migrations=known_migrations)
        except Exception:
            target.rename(target.with_suffix(".unproven"))
            raise
        _thin_out(schedule)
        return taken


def _thin_out(schedule: Schedule) -> None:
    there = backups_in(schedule.folder)
    for at in there.keys() - to_keep(there, schedule.retention):
        there[at].unlink()
        _log.info("the backup of %s has been thinned out", at.isoformat())


def _is_backup(path: Path) -> bool:
    try:
        with path.open("rb") as source:
            read_header(source)
    except (ArchiveRefused, OSError):
        return False
    return True


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Whether this process is the only one that backs up into the folder."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True

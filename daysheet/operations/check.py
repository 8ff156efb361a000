"""`daysheet check`: is this installation set up and looked after as it has to be? It changes nothing, and says what is
wrong in words, with what to do about it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import available_timezones

from django.conf import settings
from django.core.mail import get_connection
from django.db import connection

from daysheet.backup.rules import STALE_AFTER
from daysheet.backup.scheduled import backups_in
from daysheet.cards import sealing as of_cards
from daysheet.kit.sealing import Sealing
from daysheet.practices import sealing as of_sign_in
from daysheet.practices.models import Practice

from .health import problem_of_tables
from .metrics import workers_alive

_LEAST_FREE_BYTES = 1 << 30
_LEAST_FREE_PERCENT = 10
_MOST_CLOCK_DIFFERENCE = timedelta(seconds=2)
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_MAIL_SECONDS = 10


class Level(StrEnum):
    """`WARN`: fine for a trial, not for real data. `FAIL`: mend it now."""

    OK = "ok"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, and what was seen."""

    level: Level
    words: str


def look(now: datetime, *, nightly: Callable[[], Sequence[str]], storage: Callable[[], Sequence[str]]) -> list[Finding]:
    """Everything. `storage` says what is wrong with grants, row security and constraints, `nightly` with the newest
    verification of each practice."""
    return [
        *_each("grants, row security and constraints are as the migrations made them", storage()),
        *_each("the tables are those of this version", [problem] if (problem := problem_of_tables()) else []),
        *_each("the books of every practice were verified last night, and agree", nightly()),
        *_clock(now),
        *_jobs(),
        *_backups(now),
        *_disk(),
        *_mail(),
        *_settings(),
        *_keys(),
    ]


def _each(fine: str, problems: Sequence[str]) -> Iterator[Finding]:
    yield from [Finding(Level.FAIL, problem) for problem in problems] or [Finding(Level.OK, fine)]


def _clock(now: datetime) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        difference = abs(cursor.fetchone()[0] - now)
    if difference > _MOST_CLOCK_DIFFERENCE:
        yield Finding(
            Level.FAIL,
            f"the clocks of this machine and of the database are {difference.total_seconds():.0f} seconds apart: set "
            "both by NTP. Days and licenses follow this machine's.",
        )
    unknown = sorted(set(Practice.objects.values_list("time_zone", flat=True)) - available_timezones())
    yield from _each("the clock and every practice's time zone", [f"there is no time zone {name}" for name in unknown])


def _jobs() -> Iterator[Finding]:
    alive = workers_alive()
    if not alive:
        yield Finding(Level.FAIL, "no worker runs: batches wait, and nothing happens at night. Start `daysheet serve`.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs j WHERE status = 'todo' AND coalesce(scheduled_at, now() - "
            "interval '1 hour') < now() - interval '15 minutes' AND NOT EXISTS (SELECT FROM procrastinate_events e "
            "WHERE e.job_id = j.id AND e.at > now() - interval '15 minutes')"
        )
        waiting = cursor.fetchone()[0]
    if waiting:
        yield Finding(
            Level.WARN, f"{waiting} jobs have waited for more than a quarter of an hour: docs/runbook.md, “The worker”."
        )
    if alive and not waiting:
        yield Finding(Level.OK, f"{alive} worker{'' if alive == 1 else 's'} at work, no job waits")


def _backups(now: datetime) -> Iterator[Finding]:
    schedule = settings.BACKUP_SCHEDULE
    if schedule is None:
        yield Finding(Level.WARN, "no scheduled backups: set DAYSHEET_BACKUP_FOLDER (docs/runbook.md, “Back up”).")
        return
    newest = max(backups_in(schedule.folder), default=None)
    if newest is None or now - newest > STALE_AFTER:
        seen = f"the newest is of {newest:%Y-%m-%d %H:%M} UTC" if newest else "there is none"
        yield Finding(Level.FAIL, f"no fresh backup in {schedule.folder}: {seen}. The worker's log says what stops it.")
    else:
        yield Finding(Level.OK, f"the newest backup is of {newest:%Y-%m-%d %H:%M} UTC, and was proven")
    if unproven := sorted(path.name for path in schedule.folder.glob("*.unproven")):
        yield Finding(Level.FAIL, f"{unproven[-1]} could not be restored: find out why before you rely on any.")
    if schedule.passphrase is None:
        yield Finding(Level.WARN, "backups are not sealed: set DAYSHEET_BACKUP_PASSPHRASE_FILE.")


def _disk() -> Iterator[Finding]:
    usage = shutil.disk_usage(settings.DATA_FOLDER)
    percent = usage.free * 100 // usage.total
    words = f"{usage.free // (1 << 20):,} MiB ({percent} %) free on the disk of {settings.DATA_FOLDER}"
    if usage.free < _LEAST_FREE_BYTES:
        yield Finding(Level.FAIL, f"only {words}: make room before PostgreSQL stops.")
    elif percent < _LEAST_FREE_PERCENT:
        yield Finding(Level.WARN, f"only {words}.")
    else:
        yield Finding(Level.OK, words)


def _mail() -> Iterator[Finding]:
    if not os.environ.get("DAYSHEET_EMAIL_URL"):
        yield Finding(Level.WARN, "no mail server: e-mail lies in the data folder's outbox. Set DAYSHEET_EMAIL_URL.")
        return
    server = get_connection(fail_silently=False, timeout=_MAIL_SECONDS)
    try:
        server.open()
        server.close()
    except Exception as error:  # of the network, of TLS, of the server: all mean the same to the person
        yield Finding(Level.FAIL, f"the mail server does not take us: {type(error).__name__}: {error}")
        return
    yield Finding(Level.OK, "the mail server answers and lets us in; no message was sent")


def _settings() -> Iterator[Finding]:
    problems = []
    if settings.DEBUG:
        problems.append("DAYSHEET_DEBUG is on: pages show what the program sees. Never with real data.")
    if os.environ.get("DAYSHEET_PG_FAST") == "1":
        problems.append("DAYSHEET_PG_FAST is on: a power cut loses data. Unset it and start PostgreSQL again.")
    if os.environ.get("DAYSHEET_TESTING"):
        problems.append("DAYSHEET_TESTING is on: passwords are kept as for tests. Unset it.")
    yield from _each("no switch for development or tests is on", problems)
    if not settings.HTTPS:
        yield Finding(Level.WARN, "not behind TLS: set DAYSHEET_HTTPS=1 behind a proxy, except on one's own desk.")
    if set(settings.ALLOWED_HOSTS) <= _LOOPBACK:
        yield Finding(Level.WARN, "only this machine is answered: set DAYSHEET_HOSTS to the name people type.")


def _keys() -> Iterator[Finding]:
    problems = []
    for name in ("secret-key", "card-key", "sign-in-key"):
        path: Path = settings.DATA_FOLDER / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            problems.append(f"others may read {path}: chmod 600 it, and make another key if they could be strangers.")
    yield from _each("nobody else can read the keys", problems)
    if os.environ.get("DAYSHEET_CARD_KEY") and not os.environ.get("DAYSHEET_SIGN_IN_KEY"):
        yield Finding(
            Level.WARN,
            "DAYSHEET_CARD_KEY is set and DAYSHEET_SIGN_IN_KEY is not: each machine seals second steps of signing in "
            "with a key of its own, and no other can check them. Set it, the same for all.",
        )
    yield from _sealings(
        of_sign_in.count_sealings(),
        "for signing in",
        "these people cannot use their second step. Put back DAYSHEET_SIGN_IN_KEY, or the file sign-in-key",
    )
    yield from _sealings(
        of_cards.count_sealings(),
        "of card processors",
        "no card of theirs is charged. Put back DAYSHEET_CARD_KEY, or the file card-key",
    )


def _sealings(counts: dict[Sealing, int], kind: str, consequence: str) -> Iterator[Finding]:
    if lost := counts[Sealing.LOST]:
        yield Finding(
            Level.FAIL,
            f"the key of {lost} secrets {kind} is missing: {consequence}, that sealed them (docs/runbook.md, “Change "
            "the keys”).",
        )
    if due := counts[Sealing.PLAIN] + counts[Sealing.OLD_KEY]:
        yield Finding(
            Level.WARN, f"{due} secrets {kind} are not sealed with the newest key: run `daysheet seal-again`."
        )

"""Who uses the processors and what everybody waits for, looked at ten times a second while bench.load runs.

PostgreSQL says what each of its processes does, the system how long each has computed. Names of connections tell pages
from the worker (`daysheet serve` gives them). Where the server or the system cannot be asked, nothing is said.
"""

from __future__ import annotations

import os
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from daysheet.database.sessions import session_name

_EVERY_SECONDS = 0.1
_PAGES, _BATCH = session_name("web"), session_name("worker")
_SIDES = {_PAGES: "pages", _BATCH: "worker"}
#: What a process of the server is doing, and whether the worker is among those it waits for. Sessions of web processes
#: have a moment behind their name.
_ACTIVITY = """
    SELECT a.pid, substring(a.application_name FROM '^daysheet [a-z]+'), a.state = 'active',
        coalesce(a.wait_event_type || ':' || a.wait_event, 'computes'),
        a.wait_event_type = 'Lock' AND EXISTS (
            SELECT FROM pg_stat_activity w
            WHERE w.pid = ANY(pg_blocking_pids(a.pid)) AND w.application_name = %s)
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND substring(a.application_name FROM '^daysheet [a-z]+') = ANY(%s)"""
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Seen:
    """What was seen during one phase: seconds it took, seconds of processors by whom, and how often whose process of
    the server was found waiting for what."""

    seconds: float = 0.0
    cpu: Counter[str] = field(default_factory=Counter)
    waits: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def summary(self) -> dict[str, Any]:
        """Cores by whom; of the moments at which somebody's process of the server was at work, per cent by what."""
        return {
            "seconds": round(self.seconds, 1),
            "cores": {whose: round(seconds / self.seconds, 2) for whose, seconds in sorted(self.cpu.items())},
            "waits": {side: _per_cent(found) for side, found in sorted(self.waits.items())},
        }


def _per_cent(found: Counter[str]) -> dict[str, float]:
    return {what: round(100 * times / found.total(), 1) for what, times in found.most_common(8)}


@dataclass
class Watch:
    """Looks, and counts for the phase that `phase` names at that moment."""

    server_pid: int
    phase: Callable[[], str]
    seen: dict[str, Seen] = field(default_factory=lambda: defaultdict(Seen))
    _before: dict[str, float] = field(default_factory=dict)
    _closed: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def open(self) -> Iterator[None]:
        thread = threading.Thread(target=self._look_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._closed.set()
            thread.join(10)

    def _look_on(self) -> None:
        # As the role that pages and worker are: it sees what its own sessions do.
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
            at = time.monotonic()
            while not self._closed.wait(_EVERY_SECONDS):
                seen, now = self.seen[self.phase()], time.monotonic()
                seen.seconds += now - at
                at = now
                self._cpu(seen, self._waits(connection, seen))

    def _waits(self, connection: psycopg.Connection[Any], seen: Seen) -> dict[int, str]:
        """The server's processes by whom they work for."""
        rows = connection.execute(_ACTIVITY, [_BATCH, list(_SIDES)]).fetchall()
        for _, name, is_active, waits_for, is_behind_worker in rows:
            if is_active:
                seen.waits[_SIDES[name]][f"{waits_for}, behind the worker" if is_behind_worker else waits_for] += 1
        return {pid: f"{_SIDES[name]}: PostgreSQL" for pid, name, *_ in rows}

    def _cpu(self, seen: Seen, backends: dict[int, str]) -> None:
        whose = {**backends, **_processes_of(self.server_pid), os.getpid(): "the people (this script)"}
        for pid, name in whose.items():
            self._add(seen, f"{pid}", _of_process(pid), name)
        self._add(seen, "machine", _of_machine(), "the whole machine")

    def _add(self, seen: Seen, key: str, now: float, name: str) -> None:
        before = self._before.get(key)
        self._before[key] = now
        if before is not None and now > before:
            seen.cpu[name] += now - before


def _processes_of(pid: int) -> dict[int, str]:
    """What `daysheet serve` runs, by whom it serves."""
    return {
        each: "worker: Python" if "procrastinate" in _command_of(each) else "pages: Python" for each in _children(pid)
    }


def _children(pid: int) -> Iterator[int]:
    try:
        children = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has just ended, or the system cannot be asked
        return
    for child in children:
        yield child
        yield from _children(child)


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _of_process(pid: int) -> float:
    """Seconds that processors have worked for all its threads."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _of_machine() -> float:
    """Seconds that all processors together have worked for anybody."""
    path = Path("/proc/stat")
    if not path.exists():
        return 0.0
    user, nice, system, _idle, _waiting, *others = (int(each) for each in path.read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(others)) / _TICKS

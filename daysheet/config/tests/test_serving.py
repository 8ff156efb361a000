"""What `daysheet serve` keeps running, and what it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from daysheet.config import serving, supervisor
from daysheet.database.server import EmbeddedServer, EmbeddedServerError


class _Broken:
    """A server of which each attempt to look or to start fails."""

    def __init__(self) -> None:
        self.tries = 0

    def status(self) -> None:
        self.tries += 1
        raise OSError("Input/output error")


def test_a_server_that_cannot_be_looked_at_is_told_once_and_tried_again_after_a_pause(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[str] = []
    clock = [100.0]
    monkeypatch.setattr(serving, "say", said.append)
    monkeypatch.setattr(serving.time, "monotonic", lambda: clock[0])
    broken = _Broken()
    look = serving._kept_running(broken)  # type: ignore[arg-type]
    for seconds in (0.0, 0.3, 4.9, 5.1, 5.4):
        clock[0] = 100.0 + seconds
        look()
    assert (broken.tries, said) == (2, ["daysheet: Input/output error"])


def test_data_that_are_gone_are_waited_for_and_never_begun_anew(tmp_path: Path) -> None:
    server = EmbeddedServer(tmp_path / "mounted")
    with pytest.raises(EmbeddedServerError, match="Is its disk mounted"):
        server.ensure_running(may_begin=False)
    assert list(tmp_path.iterdir()) == [], "nothing is made where the disk will be"


def test_whatever_stops_the_supervisor_its_processes_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(supervisor, "_stop", started.extend)
    monkeypatch.setattr(supervisor.signal, "signal", lambda *_: None)

    def fail() -> None:
        raise RuntimeError("unforeseen")

    with pytest.raises(RuntimeError):
        supervisor.supervise({"web": [sys.executable, "-c", "import time; time.sleep(60)"]}, print, fail)
    [process] = started
    process.kill()
    process.wait()


def test_a_process_that_cannot_be_started_leaves_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    monkeypatch.setattr(supervisor, "_stop", started.extend)
    monkeypatch.setattr(supervisor.signal, "signal", lambda *_: None)
    commands = {"web": [sys.executable, "-c", "import time; time.sleep(60)"], "worker": ["/no/such/program"]}
    with pytest.raises(OSError, match="no/such/program"):
        supervisor.supervise(commands, print, lambda: None)
    [process] = started
    process.kill()
    process.wait()


def test_counters_of_a_process_that_was_killed_are_cleared_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MEMORY_FOLDER", str(tmp_path))
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "")
    for name in ("killed", "99999999999999999999-x"):
        folder = tmp_path / f"daysheet-metrics-{name}"
        folder.mkdir()
        (folder / "in-use").touch()
    begun = tmp_path / "daysheet-metrics-begun"  # by somebody who has not got further yet
    begun.mkdir()
    with serving._shared_counters():
        own = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
        with serving._shared_counters():  # another Daysheet starts, and leaves those in use alone
            assert own.is_dir()
        assert set(tmp_path.iterdir()) == {begun, own}
    assert list(tmp_path.iterdir()) == [begun]

"""The command line: help, exit codes, and sentences that say what to do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from daysheet.config import cli
from daysheet.config.failures import ExitCode

ROOT = Path(__file__).resolve().parents[3]


def _environment() -> dict[str, str]:
    """As a person's shell has it, with the database of this test process."""
    return {name: value for name, value in os.environ.items() if name != "DAYSHEET_TESTING"}


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "check",
        "demo",
        "import",
        "verify",
        "renew-licenses",
        "create-practice",
        "set-password",
        "db",
        "backup",
        "restore",
    ],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert "usage: daysheet" in capsys.readouterr().out


def test_a_taken_port_is_said_before_anything_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert cli.main(["serve", "--port", str(port)]) == ExitCode.PORT_TAKEN
    assert "--port" in capsys.readouterr().err


def test_half_a_database_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_OWNER_URL")
    assert cli.main(["verify"]) == ExitCode.DATABASE_FAILED
    assert "DATABASE_OWNER_URL" in capsys.readouterr().err


def test_a_password_that_nobody_can_be_asked_for_is_said() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "daysheet", "set-password", "owner@alder.example"],
        cwd=ROOT, env=_environment(), capture_output=True, text=True, stdin=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    assert done.returncode == ExitCode.FAILED
    assert "Set DAYSHEET_OWNER_PASSWORD" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_owner_may_not_serve_pages() -> None:
    environment = _environment() | {"DATABASE_URL": os.environ["DATABASE_OWNER_URL"]}
    done = subprocess.run(
        [sys.executable, "-m", "daysheet", "verify"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == ExitCode.UNSAFE_ROLE
    assert "daysheet_app" in done.stderr


def test_serve_answers_and_stops_on_sigterm(live_db: None) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "daysheet", "serve", "--port", str(port)],
        cwd=ROOT, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert _status(f"http://127.0.0.1:{port}/account/login/") == 200
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(timeout=40) == 0


def _status(url: str) -> int:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return int(answer.status)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)

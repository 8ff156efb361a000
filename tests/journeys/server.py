"""A real server for the journeys: `daysheet serve`, its worker included, on a database of its own.

Not Django's live server inside the test: a browser driven from the same process would run beside the ORM in one event
loop, and what people start is the command.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from daysheet.database.postmaster import free_port
from tests.mail_server import MailServer, running_mail_server
from tests.plugin import ROOT, clone_beside, drop_clone_beside
from tests.processes import worker_of

START_SECONDS = 60
SIGN_IN = "/account/login/"


@dataclass(frozen=True)
class Server:
    """A running Daysheet and what its practice holds (see practice.py)."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    environment: dict[str, str]
    practice: dict[str, Any]
    #: The mail server that it is configured for.
    mail: MailServer

    def client(self, first_name: str) -> str:
        """Address of a client's pages, without the last part."""
        return f"/alder/clients/{self.practice['clients'][first_name]}"

    def visit(self, name: str) -> str:
        """A visit's id."""
        return str(self.practice["visits"][name])

    def day(self, days_ago: int = 0) -> date:
        """A day of the practice."""
        return date.fromisoformat(self.practice["today"]) - timedelta(days=days_ago)

    @contextmanager
    def worker_stopped(self) -> Iterator[None]:
        """The worker sleeps, so that a page can be seen while its work is waiting."""
        pid = worker_of(self.process.pid)
        assert pid, "the server runs no worker"
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def running_server(home: Path, *, is_empty: bool = False) -> Iterator[Server]:
    """Make the database and its practice (none: as it is after the installation), serve it, verify what was done there,
    and take everything away afterwards."""
    kind = "first_hour" if is_empty else "journeys"
    runtime_url, owner_url = clone_beside(kind)
    testing = os.environ | {"DATABASE_URL": runtime_url, "DATABASE_OWNER_URL": owner_url, "DAYSHEET_HOME": str(home)}
    testing["DAYSHEET_CARD_SIMULATOR"] = (
        f"http://127.0.0.1:{free_port('127.0.0.1')}"  # started by the journeys that need it
    )
    serving = {name: value for name, value in testing.items() if name != "DAYSHEET_TESTING"}
    try:
        practice = {} if is_empty else json.loads(_run("tests.journeys.practice", environment=serving))
        log = home / "server.log"
        with log.open("wb") as output, running_mail_server() as mail:
            serving["DAYSHEET_EMAIL_URL"] = f"smtp://127.0.0.1:{mail.port}"
            with _serving(serving, output) as (url, process):
                _wait_until_it_answers(url + SIGN_IN, process, log)
                yield Server(url, process, log, serving, practice, mail)
                _verify(serving)
    finally:
        drop_clone_beside(kind)


def _verify(environment: dict[str, str]) -> None:
    """`daysheet verify` of everything that the journeys have left."""
    command = [sys.executable, "-m", "daysheet", "verify"]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, f"what the journeys have left:\n{found.stdout}\n{found.stderr}"


def _run(module: str, *arguments: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"python -m {module} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


@contextmanager
def _serving(environment: dict[str, str], output: Any) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port("127.0.0.1")
    process = subprocess.Popen(
        [sys.executable, "-m", "daysheet", "serve", "--port", str(port)],
        cwd=ROOT, env=environment, stdout=output, stderr=output,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def _wait_until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{log.read_text()}") from None
            time.sleep(0.1)

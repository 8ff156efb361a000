"""A real `daysheet serve` on a free port, for as long as it is needed."""

from __future__ import annotations

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
from pathlib import Path

from daysheet.database.postmaster import free_port

from . import home

_START_SECONDS = 60


@dataclass(frozen=True)
class Serving:
    """The running server."""

    address: tuple[str, int]
    process: subprocess.Popen[bytes]
    log: Path

    def check(self) -> None:
        """Raise where it has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended:\n{self.log.read_text()}")


@contextmanager
def serving(log: Path) -> Iterator[Serving]:
    """Start it on the database that the environment names, wait for the sign-in page, stop it afterwards."""
    port = free_port("127.0.0.1")
    command = [sys.executable, "-m", "daysheet", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=home.ROOT, env=os.environ, stdout=output, stderr=output)
        server = Serving(("127.0.0.1", port), process, log)
        try:
            _wait(server)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait(server: Serving) -> None:
    url = f"http://{server.address[0]}:{server.address[1]}/account/login/"
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            raise
        except OSError:
            server.check()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)

"""`daysheet serve` and `daysheet demo`: the processes that make up an installation."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from daysheet.database.server import EmbeddedServer, EmbeddedServerError

from . import environment
from .failures import CommandFailed
from .preparing import embedded_server, refuse_taken_port, say, set_up
from .supervisor import supervise

#: Pages answered at once, and connections of a process's pool, so that no page waits for one. Explained, as the time
#: that a page waits for a lock, in docs/deployment.md, "How many at once".
THREADS = 16
_MEMORY_FOLDER = "/dev/shm"  # noqa: S108
_COUNTERS, _IN_USE = "daysheet-metrics-", "in-use"
#: Between two attempts to start a database server that does not start.
_PAUSE_SECONDS = 5.0


def demo(options: argparse.Namespace) -> int:
    """The demo practice, served unless asked otherwise."""
    if not options.no_serve:
        refuse_taken_port(options.host, options.port)
    set_up(migrate=True)
    from daysheet.imports.demo import load_demo
    from daysheet.kit.errors import Refusal

    try:
        logins = load_demo(seed=options.seed, visits=options.visits, progress=say)
    except Refusal as refusal:
        raise CommandFailed(str(refusal)) from refusal
    say("Sign in with one of these addresses, all with the password " + logins.password)
    for email in logins.emails:
        say(f"  {email}")
    return 0 if options.no_serve else serve(options)


def serve(options: argparse.Namespace) -> int:
    """Web pages and worker, kept running until a signal."""
    only = getattr(options, "only", None)
    if only != "worker":
        refuse_taken_port(options.host, options.port)
    if options.run is serve:
        set_up(migrate=True)
    os.environ["DAYSHEET_POOL"] = str(THREADS)
    address = f"{f'[{options.host}]' if ':' in options.host else options.host}:{options.port}"
    web = [sys.executable, "-m", "gunicorn", "daysheet.config.wsgi", "--bind", address, "--worker-class", "gthread",
           "--workers", "1", "--threads", str(THREADS), "--log-level", "warning"]  # fmt: skip
    worker = [sys.executable, "-m", "django", "procrastinate", "worker", "--concurrency", "2"]
    commands = {"web": web, "worker": worker}
    if only:
        commands = {only: commands[only]}
    if options.run is demo:
        commands["card processor"] = _card_simulator(options.port)
    say(
        "The worker runs  (Ctrl-C stops it)"
        if only == "worker"
        else f"Daysheet is at http://{address}/  (Ctrl-C stops it)"
    )
    server = embedded_server()
    with _shared_counters():
        return supervise(commands, say, _kept_running(server)) if server else supervise(commands, say)


def _kept_running(server: EmbeddedServer) -> Callable[[], None]:
    """Starts the embedded PostgreSQL again after a kill; it recovers by itself what was committed. What cannot be
    started is tried again after a pause, and told once."""
    said, next_try_at = "", 0.0

    def look() -> None:
        nonlocal said, next_try_at
        if time.monotonic() < next_try_at:
            return
        try:
            if server.status():
                return
            if not said:
                say("daysheet: the database server ended; starting it again")
            server.ensure_running(may_begin=False)
            said = ""
        except (EmbeddedServerError, OSError) as error:
            next_try_at = time.monotonic() + _PAUSE_SECONDS
            if str(error) != said:
                say(f"daysheet: {error}")
            said = str(error)

    return look


@contextmanager
def _shared_counters() -> Iterator[None]:
    """A folder in which the web processes count their requests together (prometheus_client), in memory where the system
    has such a folder: the counters are mapped files, and on a full disk the first touch of a page kills the process."""
    place = Path(_MEMORY_FOLDER if os.access(_MEMORY_FOLDER, os.W_OK) else tempfile.gettempdir())
    for left in place.glob(f"{_COUNTERS}*"):
        if _is_abandoned(left):  # who made it was killed, and could not tidy up
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=_COUNTERS, dir=place))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    with (folder / "begun").open("w") as in_use:
        fcntl.flock(in_use, fcntl.LOCK_EX)
        Path(in_use.name).rename(folder / _IN_USE)  # by this name it is held from the first moment
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    """Whether nobody holds it. Process numbers would not tell: a container has its own, and may share the memory."""
    try:
        with (folder / _IN_USE).open("r+") as in_use:
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, somebody else's, or this moment begun
        return False
    return True


def _card_simulator(web_port: int) -> list[str]:
    """The demo's card processor, which moves no money, on a free port that the others are told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ["DAYSHEET_CARD_SIMULATOR"] = f"http://127.0.0.1:{port}"
    return [sys.executable, "-m", "daysheet.cards.simulator.server", "--port", str(port), "--file",
            str(environment.home() / "card-simulator.sqlite3"), "--deliver-to",
            f"http://127.0.0.1:{web_port}"]  # fmt: skip

"""`daysheet serve`: keeps the web pages and the background worker running, and stops both together."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from daysheet.database.sessions import session_name

#: A process that died is started again after this pause, so that one that cannot start does not fill the log.
RESTART_PAUSE_SECONDS = 1.0
_LOOK_EVERY_SECONDS = 0.3
#: As long as requests and a chunk of a batch may take to end; what still runs then is killed, and loses nothing.
_STOP_SECONDS = 30


def supervise(
    commands: Mapping[str, Sequence[str]], say: Callable[[str], None], look_after: Callable[[], None] = lambda: None
) -> int:
    """Keep the processes running; a dead one is started again. SIGTERM and Ctrl-C stop all of them.

    `look_after` is called again and again, for what else has to be kept running.
    """
    stopping = False

    def stop(signum: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    running: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, command in commands.items():
            running[name] = _start(name, command)
        while not stopping:
            time.sleep(_LOOK_EVERY_SECONDS)
            look_after()
            for name, process in running.items():
                if process.poll() is not None and not stopping:
                    say(f"daysheet: the {name} process ended with {process.returncode}; starting it again")
                    time.sleep(RESTART_PAUSE_SECONDS)
                    running[name] = _start(name, commands[name])
    finally:
        _stop(list(running.values()))
    return 0


def _start(name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env={**os.environ, "PGAPPNAME": session_name(name)})


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _STOP_SECONDS
    for process in processes:
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

"""What can be told about a PostgreSQL server from the outside: its pid file, its process, its port, its settings."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# For a practice's small machine. Planner costs are those of solid-state disks; just-in-time compilation only delays
# the short statements of a billing screen.
SETTINGS = {
    "unix_socket_directories": "''",
    "max_connections": "60",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # A statement that fails holds what was typed, and its detail the row: neither is written into the log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For tests only: a power cut would lose or damage everything.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class Postmaster:
    pid: int
    port: int
    is_ready: bool

    @staticmethod
    def clear_stale(data: Path) -> None:
        """Remove a pid file whose number now belongs to another program, which PostgreSQL would take for a server.

        PostgreSQL itself deals with a pid that nobody has; it also guards against children of a killed server by this
        very file, so they must have ended before it goes.
        """
        lines = _pid_file(data)
        if not lines or not is_alive(int(lines[0])) or _is_postmaster(int(lines[0]), data):
            return
        for _ in range(50):
            if not _has_children_left(data):
                (data / "postmaster.pid").unlink(missing_ok=True)
                return
            time.sleep(0.2)


def read_postmaster(data: Path) -> Postmaster | None:
    """The live server of a data folder, if any."""
    lines = _pid_file(data)
    if len(lines) < 4 or not _is_postmaster(int(lines[0]), data):
        return None
    return Postmaster(pid=int(lines[0]), port=int(lines[3]), is_ready=lines[-1].strip() == "ready")


def settings(host: str, port: int) -> str:
    """Options for the server's command line."""
    chosen = {"listen_addresses": host, "port": str(port), **SETTINGS}
    if is_fast():
        chosen |= FAST_SETTINGS
    return " ".join(f"-c {name}={value}" for name, value in chosen.items())


def is_fast() -> bool:
    """Whether safety against power cuts is given up, as tests do."""
    return os.environ.get("DAYSHEET_PG_FAST") == "1"


def free_port(host: str) -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def port_is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        # As PostgreSQL does: connections that ended a moment ago do not count as use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_postmaster(pid: int, data: Path) -> bool:
    command = _command_line(pid)
    if "postgres" not in command:
        return False
    if str(data) in command:
        return True
    return _working_folder(pid) in (data, None)


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        if Path("/proc/self").exists():
            return ""
    # Systems without /proc.
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607
    return done.stdout


def _working_folder(pid: int) -> Path | None:
    """A server works inside its data folder. None where that may not be asked."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True)
    except OSError:
        return None


def _has_children_left(data: Path) -> bool:
    processes = (int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    return any("postgres" in _command_line(pid) and _working_folder(pid) == data for pid in processes)

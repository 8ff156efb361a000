"""Processes that a server has started."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(pid: int) -> int | None:
    """The worker of a `daysheet serve`; None where it runs none at the moment."""
    for child in children_of(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # it may have ended since
            if b"procrastinate" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None

"""Which browser the journeys drive, and how it is launched: without a network, and quietly."""

from __future__ import annotations

from pathlib import Path

from tools.browser import find_installed

LAUNCH_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
]


def find_browser() -> Path | None:
    """The browser that `make test` found or installed; None where there is none."""
    return find_installed()

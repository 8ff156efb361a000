"""The wake-up calls, kept by procrastinate in the same PostgreSQL. A call carries only ids; the truth is a JobRun."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from procrastinate.contrib.django import app


def wake(practice_id: int, run_id: UUID) -> None:
    """Ask a worker to run a JobRun; part of the caller's transaction, so it is sent only on commit."""
    app.configure_task("daysheet.run_job").defer(practice_id=practice_id, run_id=str(run_id))


def on_app_ready(procrastinate_app: Any) -> None:
    """Called by procrastinate once Django is ready; tasks register themselves in each slice's `jobs.py`."""

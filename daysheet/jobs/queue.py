"""The wake-up calls, kept by procrastinate in the same PostgreSQL. A call carries only ids; the truth is a JobRun."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector


def wake(practice_id: int, run_id: UUID) -> None:
    """Ask a worker to run a JobRun, sent only on commit.

    Pages and commands write the call in their own transaction. A worker writes calls over a connection of its own:
    before the commit they would find no JobRun, be done with, and the run would wait for the sweep.
    """
    send = partial(app.configure_task("daysheet.run_job").defer, practice_id=practice_id, run_id=str(run_id))
    if isinstance(app.connector, DjangoConnector):
        send()
    else:
        transaction.on_commit(send, robust=True)


def on_app_ready(procrastinate_app: Any) -> None:
    """Called by procrastinate once Django is ready; tasks register themselves in each slice's `jobs.py`."""

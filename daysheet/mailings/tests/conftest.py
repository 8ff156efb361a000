"""A clinic with clients who owe, a mail server, and a data folder of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine

from daysheet.database.scope import practice_transaction
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.mail.delivery import run_delivery
from daysheet.mailings.running import run_mailing
from tests.billing import build_clinic
from tests.mail_server import MailServer, running_mail_server
from tests.people import NOW, Cast
from tests.post import Post


@pytest.fixture
def post(cast: Cast, settings: Any, tmp_path: Path) -> Iterator[Post]:
    settings.DATA_FOLDER = tmp_path
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        yield Post(clinic, clinic.biller)


@pytest.fixture
def smtp(settings: Any) -> Iterator[MailServer]:
    with running_mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


def carry_out(post: Post, mailing_id: UUID) -> None:
    """The run's job, once; a failure is the job's."""
    job = JobRun.objects.filter(subject_id=mailing_id).order_by("created_at", "pk").last()
    assert job is not None
    run_mailing(RunningJob(post.biller.practice, job.pk, mailing_id, clock=lambda: NOW))
    JobRun.objects.filter(pk=job.pk).update(state="done", finished_at=NOW)


def deliver(post: Post) -> None:
    """The job that sends, until nothing is due."""
    run_delivery(RunningJob(post.biller.practice, uuid4(), uuid4(), clock=lambda: NOW))

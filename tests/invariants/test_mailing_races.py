"""Two tabs, two clicks, two workers: a run of documents is one run, and nobody of it gets two (D1)."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Kind
from daysheet.documents.rules import Period
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.mail.delivery import run_delivery
from daysheet.mail.models import Message
from daysheet.mailings.actions import BegunBefore, MailingRequest, start_mailing
from daysheet.mailings.models import Mailing, MailingItem
from daysheet.mailings.queries.earlier import earlier_runs
from daysheet.mailings.rules import Ways
from daysheet.mailings.running import run_mailing
from tests.billing import build_clinic
from tests.mail_server import running_mail_server
from tests.people import NOW, Cast
from tests.post import Post, read_messages

from .at_once import at_once

REPEATS = 50 if "HISTORY_STEPS" in os.environ else 5
pytestmark = [pytest.mark.system, pytest.mark.race]


@pytest.fixture
def post(live_cast: Cast, settings: Any, tmp_path: Path) -> Post:
    """Four clients who owe."""
    settings.DATA_FOLDER = tmp_path
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        made = Post(clinic, clinic.biller)
        made.bill(4)
    return made


def start(post: Post, mailing_id: UUID, *, again: bool = True, on: date | None = None) -> UUID:
    request = MailingRequest(Kind.STATEMENT, Period(on or post.day, on or post.day), Ways.EMAIL)
    invoices: dict[UUID, list[UUID]] = {debtor.client_id: [] for debtor in post.debtors.values()}
    with practice_transaction(post.biller.practice.id):
        earlier = earlier_runs(post.biller, request.kind, request.period, invoices) if again else ()
        return start_mailing(
            post.biller, mailing_id=mailing_id, request=request, invoices=invoices, expected_count=4, expected_cents=0,
            told_of=[run.id for run in earlier],
        )  # fmt: skip


def test_the_same_form_from_two_tabs_at_once_is_one_run(post: Post) -> None:
    for _ in range(REPEATS):
        mailing_id = uuid4()
        assert at_once(lambda i=mailing_id: start(post, i), lambda i=mailing_id: start(post, i)) == [mailing_id] * 2
        with practice_transaction(post.biller.practice.id):
            assert Mailing.objects.filter(pk=mailing_id).count() == 1
            assert MailingItem.objects.filter(mailing_id=mailing_id).count() == 4
            assert JobRun.objects.filter(subject_id=mailing_id).count() == 1


def test_two_forms_for_the_same_clients_at_once_are_one_run_and_a_warning(post: Post) -> None:
    for repeat in range(REPEATS):
        on = post.day - timedelta(days=repeat)

        def begin(on: date = on) -> str:
            try:
                return str(start(post, uuid4(), again=False, on=on))
            except BegunBefore as told:
                return told.code

        assert at_once(begin, begin).count("begun_before") == 1
        with practice_transaction(post.biller.practice.id):
            assert Mailing.objects.filter(first_on=on).count() == 1


def test_two_workers_at_one_run_make_and_send_each_once(post: Post, settings: Any) -> None:
    for _ in range(REPEATS):
        _two_workers_at_one_run(post, settings)


def _two_workers_at_one_run(post: Post, settings: Any) -> None:
    practice = post.biller.practice
    with running_mail_server() as smtp:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", smtp.port
        mailing_id = start(post, uuid4())
        with practice_transaction(practice.id):
            job = JobRun.objects.get(subject_id=mailing_id)

        def make() -> None:
            run_mailing(RunningJob(practice, job.pk, mailing_id, clock=lambda: NOW))

        at_once(make, make)
        with practice_transaction(practice.id):
            assert MadeDocument.objects.filter(made_in=mailing_id).count() == 4
            assert Message.objects.filter(run_id=mailing_id).count() == 4
            delivery = JobRun.objects.filter(kind="mail_delivery").order_by("pk").last()
            assert delivery is not None

        def send() -> None:
            run_delivery(RunningJob(practice, delivery.pk, delivery.subject_id, clock=lambda: NOW))

        at_once(send, send)
        assert read_messages(smtp.messages) == dict.fromkeys(post.debtors, 1)

"""What waited when a backup was taken may have been sent since: nothing of it leaves by itself after a restore."""

from __future__ import annotations

import os

import psycopg
import pytest

from daysheet.database.scope import practice_transaction
from daysheet.jobs.models import JobRun
from daysheet.mail.models import DeliveryStep, Message
from daysheet.mailings.models import MailingItem
from daysheet.mailings.queries.runs import run_summary
from daysheet.mailings.restored import hold_back
from daysheet.mailings.rules import Ways
from tests.billing import build_clinic
from tests.people import NOW, Cast
from tests.post import Post

from .conftest import carry_out


@pytest.fixture
def post(live_cast: Cast) -> Post:
    """Committed: a restore is made by the owner, on a connection of its own."""
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        post = Post(clinic, clinic.biller)
        post.bill(3)
    return post


@pytest.mark.parametrize("only_another", [False, True])
def test_waiting_messages_are_withdrawn_and_runs_stand_as_stopped(post: Post, only_another: bool) -> None:
    with practice_transaction(post.biller.practice.id):
        sent = post.start_statements(Ways.EMAIL)
        carry_out(post, sent)
        Message.objects.filter(recipient_name__endswith="1").update(state="sent", sent_at=NOW)
        begun = post.start_statements(Ways.EMAIL)
    practice_id = post.clinic.cast.birch.id if only_another else None
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        held = hold_back(owner.cursor(), NOW, practice_id=practice_id)
    with practice_transaction(post.biller.practice.id):
        states = sorted(Message.objects.values_list("state", flat=True))
        if only_another:
            assert held == 0 and states == ["sent", "waiting", "waiting"]
            return
        assert held == 2 and states == ["sent", "withdrawn", "withdrawn"]
        assert DeliveryStep.objects.filter(by_name="Daysheet restore", outcome="withdrawn").count() == 2
        assert run_summary(post.biller, begun).has_stopped
        assert JobRun.objects.get(subject_id=begun).error == "Restored"
        assert MailingItem.objects.filter(mailing_id=begun, done_at=None).count() == 3

"""`daysheet verify` on runs of documents: silent on a true run, and every kind of damage is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daysheet.config.verify import CLEAN, DIFFERENT
from daysheet.database.scope import practice_transaction
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.mail.models import Message
from daysheet.mailings.models import MailingItem
from daysheet.mailings.rules import Ways
from tests.billing import build_clinic
from tests.people import Cast
from tests.post import Post

from .damage import damage, part_of, verified

_PRINTED = "client_id = (SELECT client_id FROM mailings_mailingitem WHERE way = 'print' AND outcome = 'made')"
_LEFT_OUT = "SELECT client_id FROM mailings_mailingitem WHERE outcome = 'skipped'"
_STRANGER = "SELECT id FROM clients_client c WHERE last_name = 'Oakes'"


@pytest.fixture
def sent(live_cast: Cast, settings: Any, tmp_path: Path) -> Iterator[Post]:
    """A finished run of statements: one printed, two by e-mail and sent, one who owes too little and is left out; and
    Oakes, who is in no run."""
    settings.DATA_FOLDER = tmp_path
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        clinic.client("Oakes")
        post = Post(clinic, clinic.biller)
        post.bill(3, on_paper=[3])
        everybody = [*(debtor.client_id for debtor in post.debtors.values()), clinic.client("Pratt")]
        run = post.start_statements(Ways.PREFERRED, clients=everybody)
        job = JobRun.objects.get(subject_id=run).pk
    run_job(live_cast.alder.id, job)
    with practice_transaction(live_cast.alder.id):
        delivery = JobRun.objects.exclude(state="done").get().pk
    run_job(live_cast.alder.id, delivery)
    yield post


def test_a_true_run_is_clean(sent: Post) -> None:
    with practice_transaction(sent.biller.practice.id):
        outcomes = sorted(MailingItem.objects.values_list("way", "outcome"))
        assert outcomes == [("email", "made"), ("email", "made"), ("print", "made"), ("print", "skipped")]
        assert set(Message.objects.values_list("state", flat=True)) == {"sent"}
    code, report = verified()
    assert code == CLEAN, report


@pytest.mark.parametrize(
    ("check", "words", "statements"),
    [
        (
            "of every run of documents",
            "nothing was done, though the run is finished",
            [f"UPDATE mailings_mailingitem SET done_at = NULL, outcome = '' WHERE {_PRINTED}"],
        ),
        (
            "of every run of documents",
            "made, but there is no document",
            [f"DELETE FROM documents_madedocument WHERE {_PRINTED}"],
        ),
        (
            "of every run of documents",
            "made, but there is no e-mail",
            ["DELETE FROM mail_deliverystep", "DELETE FROM mail_message"],
        ),
        (
            "of every run of documents",
            "to print, but it has an e-mail",
            ["UPDATE mailings_mailingitem SET way = 'print' WHERE way = 'email'"],
        ),
        (
            "of every run of documents",
            "left out (owes_less), but it has an e-mail",
            [
                f"UPDATE mail_message SET client_id = ({_LEFT_OUT}), recipient_id = ({_LEFT_OUT}) "
                "WHERE id = (SELECT id FROM mail_message ORDER BY id LIMIT 1)"
            ],
        ),
        (
            "every document and e-mail of a run",
            "who is not in the run",
            [
                f"UPDATE mail_message SET client_id = ({_STRANGER}), recipient_id = ({_STRANGER}) "
                "WHERE id = (SELECT id FROM mail_message ORDER BY id LIMIT 1)"
            ],
        ),
        (
            "every document and e-mail of a run",
            "who is not in the run",
            [f"UPDATE documents_madedocument SET client_id = ({_STRANGER}) WHERE {_PRINTED}"],
        ),
        (
            "every finished run with something to print",
            "1 clients to print, and no file was ever made",
            ["DELETE FROM mailings_mailingfile"],
        ),
        (
            "every e-mail that was sent",
            "sent, but no mail server took it and nobody said so",
            ["DELETE FROM mail_deliverystep"],
        ),
        (
            "every e-mail that was sent",
            "taken by the mail server 2 times, sent again by a person 0",
            [
                "INSERT INTO mail_deliverystep (practice_id, id, message_id, at, outcome, words, address, by_name, "
                "sha256, size_bytes) SELECT practice_id, gen_random_uuid(), message_id, at, outcome, words, address, "
                "by_name, sha256, size_bytes FROM mail_deliverystep"
            ],
        ),
    ],
)
def test_damage_to_a_run_is_found_and_named(sent: Post, check: str, words: str, statements: list[str]) -> None:
    damage(*statements)
    code, report = verified("alder")
    assert code == DIFFERENT
    assert words in part_of(report, check), report
    assert verified("birch")[0] == CLEAN


def test_two_e_mails_of_one_run_are_found_and_named(sent: Post) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        [definition] = owner.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'message_once_in_a_run'"
        ).fetchone() or ("",)
    damage(
        "ALTER TABLE mail_message DROP CONSTRAINT message_once_in_a_run",
        "UPDATE mail_message SET client_id = o.client_id, recipient_id = o.client_id FROM "
        "(SELECT client_id FROM mail_message ORDER BY id LIMIT 1) o",
    )
    try:
        code, report = verified("alder")
    finally:
        damage(
            "DELETE FROM mail_deliverystep",
            "DELETE FROM mail_message",
            f"ALTER TABLE mail_message ADD CONSTRAINT message_once_in_a_run {definition}",
        )
    assert code == DIFFERENT
    assert ": 2 e-mails to " in part_of(report, "nobody has two e-mails of one run"), report

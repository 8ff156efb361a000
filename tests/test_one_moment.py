"""A page shows one moment of the books: what others commit while it is made is on it wholly or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.ledger.tests.test_post_and_reverse import at_once
from daysheet.mailings.rules import Ways
from daysheet.payments.actions import accept_payment
from tests.architecture.world import browser_of
from tests.between import just_before
from tests.billing import Clinic
from tests.pages import words_of
from tests.post import Post

DAY = date(2026, 11, 2)
#: The sign-in and the first words of the transaction come before the moment of the page.
_BEGIN = "SET LOCAL app.practice_id"


@pytest.fixture
def bob(live_clinic: Clinic) -> Browser:
    return browser_of(live_clinic.cast.bob)


def meanwhile(clinic: Clinic, work: Callable[[], object]) -> Callable[[], None]:
    """Somebody else does it, on a connection of their own, and commits."""

    def happens() -> None:
        assert at_once(clinic.cast, work) == ["done"]

    return happens


def between_statements(bob: Browser, page: str, count: int) -> Iterator[int]:
    """The numbers of a page's statements but the first, which makes the moment: so many, and none was missed."""
    with CaptureQueriesContext(connection) as queries:
        bob.get(page)
    statements = [query["sql"] for query in queries.captured_queries if query["sql"] not in {"BEGIN", "COMMIT"}]
    [begin] = [number for number, sql in enumerate(statements, 1) if _BEGIN in sql]
    found = range(begin + 2, len(statements) + 1)
    assert len(found) == count
    yield from found


def billed(clinic: Clinic) -> tuple[UUID, int]:
    """A client with a bill of $150, and its number."""
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client("Ruiz")
        visit, _ = clinic.visit(client, clinic.talk, day=DAY)
        return client, bill_visit(clinic.biller, visit_id=visit).created[0].number


@pytest.mark.parametrize(("name", "count"), [("payments:ledger", 13), ("reports:invoice_aging", 3)])
def test_a_payment_that_comes_while_a_page_is_made_is_not_on_half_of_it(
    live_clinic: Clinic, bob: Browser, name: str, count: int
) -> None:
    client, _ = billed(live_clinic)
    page = reverse(name, kwargs={"practice": "alder"} | ({"client": client} if "ledger" in name else {}))

    def pays() -> None:
        accept_payment(
            live_clinic.biller, request_key=uuid4(), client_id=client, amount_cents=100, received_on=DAY, method="cash"
        )

    before = words_of(bob.get(page))
    for nth in between_statements(bob, page, count):
        with just_before("", meanwhile(live_clinic, pays), nth=nth):
            assert words_of(bob.get(page)) == before, nth
        after = words_of(bob.get(page))
        assert after != before, "the payment is on it"
        before = after


def a_batch(clinic: Clinic) -> tuple[UUID, UUID]:
    """One that waits for its worker: its id, and its job's."""
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client()
        items = [BatchRequest(client, clinic.visit(client, clinic.talk, day=DAY)[1])]
        batch = start_batch(
            clinic.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=items, expected_count=1, expected_cents=0
        )
        return batch, JobRun.objects.get(subject_id=batch).pk


def a_run(clinic: Clinic) -> tuple[UUID, UUID]:
    """The same of statements."""
    with practice_transaction(clinic.cast.alder.id):
        post = Post(clinic, clinic.biller)
        post.bill(1)
        mailing = post.start_statements(Ways.PRINT)
        return mailing, JobRun.objects.get(subject_id=mailing).pk


@pytest.mark.parametrize(
    ("begins", "name", "key", "count"),
    [(a_batch, "invoicing:batch_run", "batch", 4), (a_run, "mailings:run", "mailing", 5)],
    ids=["batch", "statements"],
)
def test_what_ends_while_its_page_is_made_is_not_said_to_have_stopped(
    live_clinic: Clinic,
    bob: Browser,
    settings: Any,
    tmp_path: Path,
    begins: Callable[[Clinic], tuple[UUID, UUID]],
    name: str,
    key: str,
    count: int,
) -> None:
    """The page had read that it had not finished, and then that nobody worked for it."""
    settings.DATA_FOLDER = tmp_path

    def page_of(subject: UUID) -> str:
        return reverse(name, kwargs={"practice": "alder", key: subject})

    for nth in between_statements(bob, page_of(begins(live_clinic)[0]), count):
        subject, job = begins(live_clinic)
        with just_before("", meanwhile(live_clinic, lambda job=job: run_job(live_clinic.cast.alder.id, job)), nth=nth):
            page = bob.get(page_of(subject)).text
        assert "every 1s" in page and "stopped before its end" not in page, nth
        assert "every 1s" not in bob.get(page_of(subject)).text, "it has ended"


def test_a_page_that_tries_a_correction_out_meets_another_s_change_and_is_made_again(
    live_clinic: Clinic, bob: Browser
) -> None:
    client, number = billed(live_clinic)

    def changes() -> None:
        Client.objects.filter(pk=client).update(email="ana@example.org")

    with just_before("FOR NO KEY UPDATE", meanwhile(live_clinic, changes)):
        answer = bob.get(reverse("invoicing:void_invoice", kwargs={"practice": "alder", "number": number}))
    assert answer.status_code == 200
    assert "Client Balance Due" in words_of(answer)

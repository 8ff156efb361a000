"""A batch after the yes: progress, result with reasons, retry, undo, history (B5, B6)."""

from __future__ import annotations

from datetime import date
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import JOB_KIND, BatchRequest, run_batch, start_batch
from daysheet.invoicing.models import Batch, InvoiceLine, InvoiceVoid
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.ledger.models import Entry
from daysheet.payments.rebilling import edit_line
from daysheet.payments.tests.desk import pay
from daysheet.staff.models import CptLicense, StaffMember
from tests.billing import Clinic
from tests.pages import filled, words_of
from tests.people import NOW

from .conftest import SignIn, at

DAY = date(2026, 11, 2)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def batch(shop: Clinic) -> UUID:
    """A batch of one good date, one billed meanwhile and one whose provider has no licence; not run yet."""
    good, bad, done = shop.client("Good"), shop.client("Bad"), shop.client("Done")
    _, good_ids = shop.visit(good, shop.talk, day=DAY)
    _, bad_ids = shop.visit(bad, shop.talk, day=DAY, staff_member_id=shop.cast.dan.staff_member_id)
    billed, done_ids = shop.visit(done, shop.talk, day=DAY)
    batch_id = start_batch(
        shop.biller,
        batch_id=uuid4(),
        from_on=DAY,
        to_on=DAY,
        items=[BatchRequest(good, good_ids), BatchRequest(bad, bad_ids), BatchRequest(done, done_ids)],
        expected_count=3,
        expected_cents=45000,
    )
    bill_visit(shop.biller, visit_id=billed)
    return batch_id


def run(shop: Clinic, batch_id: UUID) -> None:
    """What the worker does."""
    job = JobRun.objects.get(kind=JOB_KIND, subject_id=batch_id)
    run_batch(RunningJob(shop.cast.alder, job.pk, batch_id))


def test_the_page_polls_while_it_runs_and_stops_when_it_is_done(shop: Clinic, bob: Browser, batch: UUID) -> None:
    url = at("batch_run", batch=batch)
    page = bob.get(url).content.decode()
    assert "0 of 3 clients" in page
    assert 'hx-trigger="every 1s"' in page
    assert ">Refresh</a>" in page
    run(shop, batch)
    part = bob.get(url, **HTMX).content.decode()
    assert "<html" not in part
    assert "every 1s" not in part
    assert "Refused" in part


def test_the_result_names_created_skipped_and_refused(shop: Clinic, bob: Browser, batch: UUID) -> None:
    run(shop, batch)
    page = bob.get(at("batch_run", batch=batch)).content.decode()
    assert "Good, Ana" in page  # as in the search and among the refused
    assert "Done, Ana" in page
    assert at("invoice", number=1) in page
    assert "Dan Desk has no AMA CPT license for 2026" in page


def test_retry_takes_only_what_was_refused_and_once(shop: Clinic, bob: Browser, batch: UUID) -> None:
    run(shop, batch)
    CptLicense.objects.create(
        staff_member_id=shop.cast.dan.staff_member_id, year=2026, fee_cents=0, assigned_at=NOW, assigned_by="Alice"
    )
    new = str(uuid4())
    answers = [bob.post(at("retry_batch", batch=batch), {"new_batch_id": new}) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [at("batch_run", batch=new)] * 2
    assert Batch.objects.count() == 2
    run(shop, UUID(new))
    assert "Bad, Ana" in bob.get(at("batch_run", batch=new)).content.decode()


def test_undo_names_count_and_total_then_voids(shop: Clinic, bob: Browser, batch: UUID) -> None:
    run(shop, batch)
    url = at("undo_batch", batch=batch)
    asked = bob.get(url).text
    assert "Invoices of the batch 1 0 Billed on them $150.00 $0.00" in words_of(asked)
    sent = filled(asked, reason="Wrong month", confirmed="1")
    assert bob.post(url, sent | {"reason": ""}).status_code == 422
    assert [bob.post(url, sent).status_code for _ in range(2)] == [303, 303]  # two clicks are one
    assert InvoiceVoid.objects.count() == 1
    again = bob.post(url, sent | {"request_key": str(uuid4()), "reason": "Again"})
    assert (again.status_code, "was undone by Bob Biller" in again.text) == (422, True)
    assert "was undone by Bob Biller" in bob.get(url).text
    assert "Undone on" in bob.get(at("batch_run", batch=batch)).content.decode()


def test_undo_voids_the_count_and_total_that_were_shown_or_shows_them_anew(shop: Clinic, bob: Browser) -> None:
    clients = [shop.client(name) for name in ("Abt", "Bell", "Cole", "Dahl")]
    items = [BatchRequest(client, shop.visit(client, shop.talk)[1]) for client in clients]
    batch_id = start_batch(
        shop.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=items, expected_count=4, expected_cents=60_000
    )
    run(shop, batch_id)
    pay(shop.biller, clients[0], 1_000)
    line = InvoiceLine.objects.get(client_id=clients[1])
    edit_line(
        shop.biller, request_key=uuid4(), line_id=line.pk, rate_cents=10_000, units=1, client_cents=10_000, note="",
        reason="Half an hour",
    )  # fmt: skip
    url = at("undo_batch", batch=batch_id)
    sent = filled(bob.get(url).text, reason="Wrong month", confirmed="1")
    pay(shop.biller, clients[0], 2_000)  # on an invoice that remains anyway: nothing to ask about
    bill_visit(shop.biller, visit_id=shop.visit(clients[2], shop.letter)[0])  # nor is what is no part of the batch
    assert "Invoices of the batch 4 1 Billed on them $550.00 $150.00" in words_of(bob.get(url))
    pay(shop.biller, clients[2], 500)
    before = Entry.objects.count()
    told = bob.post(url, sent)
    assert (told.status_code, "The figures have moved since they were shown" in words_of(told)) == (422, True)
    assert "Invoices of the batch 4 2 Billed on them $550.00 $300.00" in words_of(told)
    assert (InvoiceVoid.objects.count(), Entry.objects.count()) == (0, before)
    assert Batch.objects.get(pk=batch_id).undone_at is None
    again = filled(told.text, confirmed="1")
    assert again["agreed"] == filled(bob.get(url).text)["agreed"], "read and done, it is the same"
    done = [bob.post(url, again, follow=True) for _ in range(2)]
    assert "2 invoices voided. 2 remain" in words_of(done[0])
    assert "The batch is undone." in words_of(done[1])
    assert InvoiceVoid.objects.count() == 2


def test_a_batch_that_stopped_offers_continue_and_ends_well(shop: Clinic, bob: Browser, batch: UUID) -> None:
    url = at("batch_run", batch=batch)
    assert 'id="continue"' not in bob.get(url).content.decode(), "it waits for its worker"
    JobRun.objects.update(state=JobRun.State.FAILED)
    page = bob.get(url).content.decode()
    assert "The batch stopped before its end." in page
    assert at("continue_batch", batch=batch) in page
    assert "every 1s" not in page
    assert "Stopped" in bob.get(at("batch_history")).content.decode()
    answers = [bob.post(at("continue_batch", batch=batch)) for _ in range(2)]
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, url)] * 2
    assert "every 1s" in bob.get(url).content.decode()
    run_job(shop.cast.alder.id, JobRun.objects.get(state=JobRun.State.QUEUED).pk)
    assert "Good, Ana" in bob.get(url).content.decode()
    assert bob.post(at("continue_batch", batch=batch)).status_code == 303
    assert JobRun.objects.count() == 2


def test_a_running_batch_cannot_be_undone(shop: Clinic, bob: Browser, batch: UUID) -> None:
    sent = {"request_key": str(uuid4()), "reason": "Too early", "confirmed": "1", "agreed": ""}
    told = bob.post(at("undo_batch", batch=batch), sent)
    assert (told.status_code, "The batch is still running" in told.text) == (422, True)
    assert "The batch is still running" in bob.get(at("undo_batch", batch=batch)).text


def test_history_lists_who_when_and_how_many(shop: Clinic, bob: Browser, batch: UUID) -> None:
    run(shop, batch)
    page = bob.get(at("batch_history")).content.decode()
    assert "Bob Biller" in page
    assert "$450.00" in page
    assert at("batch_run", batch=batch) in page


def test_a_limited_owner_finds_no_batch_of_the_biller(shop: Clinic, sign_in: SignIn, batch: UUID) -> None:
    StaffMember.objects.filter(pk=shop.cast.alice.staff_member_id).update(limited_to_assigned=True)
    alice = sign_in(shop.cast.alice)
    assert alice.get(at("batch_run", batch=batch)).status_code == 404
    assert at("batch_run", batch=batch) not in alice.get(at("batch_history")).content.decode()


@pytest.mark.parametrize("page", ["batch_run", "undo_batch"])
def test_without_billing_the_pages_refuse_and_a_stranger_finds_nothing(
    shop: Clinic, sign_in: SignIn, batch: UUID, page: str
) -> None:
    assert sign_in(shop.cast.dan).get(at(page, batch=batch)).status_code == 403
    assert sign_in(shop.cast.charlie).get(at(page, batch=batch)).status_code == 404
    assert sign_in(shop.cast.bob).get(at(page, batch=uuid4())).status_code == 404
    for action in ("retry_batch", "continue_batch"):
        assert sign_in(shop.cast.dan).post(at(action, batch=batch)).status_code == 403
        assert sign_in(shop.cast.charlie).post(at(action, batch=batch)).status_code == 404
    assert sign_in(shop.cast.dan).get(at("batch_history")).status_code == 403

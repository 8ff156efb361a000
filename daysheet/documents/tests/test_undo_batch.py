"""Undo batch leaves what a statement told a client of (B6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID, uuid4

from daysheet.documents.actions import make_documents
from daysheet.documents.rendering import Period, StatementChoices, statement_papers
from daysheet.invoicing.batches import BatchRequest, run_batch, start_batch
from daysheet.invoicing.models import Invoice
from daysheet.invoicing.undoing import undo_batch
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.practices.actor import Actor
from daysheet.reports.tests.conftest import TODAY
from tests.billing import DAY, Clinic


def _billed(clinic: Clinic, clients: list[UUID]) -> UUID:
    items = [BatchRequest(client, clinic.visit(client, clinic.talk)[1]) for client in clients]
    batch_id = start_batch(
        clinic.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=items, expected_count=len(items),
        expected_cents=15000 * len(items),
    )  # fmt: skip
    run = JobRun.objects.get(subject_id=batch_id)
    run_batch(RunningJob(clinic.cast.alder, run.pk, batch_id, clock=lambda: clinic.biller.now))
    return batch_id


def _state(biller: Actor, client: UUID, until: date) -> None:
    papers = statement_papers(biller, [client], StatementChoices(Period(date(2026, 1, 1), until)))
    make_documents(biller, request_id=uuid4(), papers=papers)


def test_an_invoice_on_a_statement_stays(shop: Clinic) -> None:
    told, told_before, told_of_earlier_days, untold = (shop.client(name) for name in ("Abt", "Bell", "Cole", "Dahl"))
    shop.visit(told_before, shop.letter, day=DAY - timedelta(days=9))
    before = replace(shop.biller, now=shop.biller.now - timedelta(hours=1))
    for client in (told_before, told_of_earlier_days):
        _billed(replace(shop, biller=before), [client])  # something to state
    _state(before, told_before, TODAY)
    batch_id = _billed(shop, [told, told_before, told_of_earlier_days, untold])
    after = replace(shop.biller, now=shop.biller.now + timedelta(hours=1))
    _state(after, told, TODAY)
    _state(after, told_of_earlier_days, DAY - timedelta(days=1))
    undone = undo_batch(after, batch_id=batch_id, reason="Wrong month")
    numbers = dict(Invoice.objects.filter(batch_id=batch_id).values_list("client_id", "number"))
    assert undone.remaining == (
        (numbers[told], "It has payments, adjustments or a claim on it, or a statement told of it."),
    )
    assert set(undone.voided) == {numbers[told_before], numbers[told_of_earlier_days], numbers[untold]}

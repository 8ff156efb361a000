"""Batches: chunks, a killed worker, what was skipped and refused, retry and undo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from psycopg.errors import DeadlockDetected

from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing import batches
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import (
    BatchEmpty,
    BatchRequest,
    BatchStillRunning,
    continue_batch,
    retry_refused,
    start_batch,
)
from daysheet.invoicing.models import Batch, BatchItem, BatchProblem, Invoice, InvoiceLine
from daysheet.invoicing.selection import LineEdit
from daysheet.invoicing.undoing import BatchUndone, undo_batch
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.jobs.pace import Pace
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.practices.actor import Actor
from daysheet.staff.models import CptLicense, StaffMember
from tests.billing import DAY, Clinic, build_clinic
from tests.people import NOW, Cast


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _start(clinic: Clinic, items: list[BatchRequest], grouping: str = "client") -> UUID:
    batch_id = uuid4()
    start_batch(
        clinic.biller, batch_id=batch_id, from_on=DAY, to_on=DAY, items=items, grouping=grouping,
        expected_count=len(items), expected_cents=0,
    )  # fmt: skip
    return batch_id


def _run(clinic: Clinic, batch_id: UUID) -> JobRun:
    run = JobRun.objects.get(subject_id=batch_id)
    run_job(clinic.cast.alder.id, run.pk)
    run.refresh_from_db()
    return run


def _people(clinic: Clinic, count: int) -> list[BatchRequest]:
    requests = []
    for number in range(count):
        client = clinic.client(f"Client{number:03d}")
        requests.append(BatchRequest(client, clinic.visit(client, clinic.talk)[1]))
    return requests


def test_a_batch_bills_every_client_and_counts_its_progress(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "CLIENTS_PER_CHUNK", 2)
    run = _run(clinic, _start(clinic, _people(clinic, 5)))
    assert (run.state, run.done_count, run.total_count, run.unit) == ("done", 5, 5, "clients")
    assert sorted(Invoice.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert Batch.objects.get().finished_at is not None


def test_beside_people_at_work_a_batch_takes_few_services_at_once(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "SERVICES_BESIDE_PEOPLE", 2)
    monkeypatch.setattr(batches, "Pace", partial(Pace, is_somebody_there=lambda: True, rest=lambda seconds: None))
    real, calls = batches._bill_chunk, []

    def seen(job: RunningJob, services: int) -> bool:
        before = Invoice.objects.count()
        is_more = real(job, services)
        calls.append((services, Invoice.objects.count() - before))
        return is_more

    monkeypatch.setattr(batches, "_bill_chunk", seen)
    assert _run(clinic, _start(clinic, _people(clinic, 5))).state == "done"
    assert calls == [(2, 2), (2, 2), (2, 1), (2, 0)]


def test_a_deadlock_is_met_by_trying_the_chunk_again(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL ends one of two who wait for each other: nothing is refused, nobody sees it."""
    monkeypatch.setattr(batches.time, "sleep", lambda seconds: None)
    real, calls = batches.issue_invoices, []

    def ended(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError from DeadlockDetected()
        return real(*args, **kwargs)

    monkeypatch.setattr(batches, "issue_invoices", ended)
    assert _run(clinic, _start(clinic, _people(clinic, 2))).state == "done"
    assert (len(calls), Invoice.objects.count(), BatchProblem.objects.count()) == (3, 2, 0)


def test_the_same_confirmation_twice_is_one_batch(clinic: Clinic) -> None:
    items, batch_id = _people(clinic, 1), uuid4()
    for _ in range(2):
        start_batch(
            clinic.biller, batch_id=batch_id, from_on=DAY, to_on=DAY, items=items, expected_count=1, expected_cents=0
        )
    assert (Batch.objects.count(), BatchItem.objects.count(), JobRun.objects.count()) == (1, 1, 1)


def test_a_batch_killed_between_chunks_goes_on_where_it_stopped(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "CLIENTS_PER_CHUNK", 2)
    batch_id = _start(clinic, _people(clinic, 5))
    real, calls = batches._bill_chunk, []

    def killed(job: object, size: int) -> bool:
        calls.append(size)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(job, size)

    monkeypatch.setattr(batches, "_bill_chunk", killed)
    run = JobRun.objects.get(subject_id=batch_id)
    with pytest.raises(KeyboardInterrupt):
        run_job(clinic.cast.alder.id, run.pk)
    assert Invoice.objects.count() == 2
    monkeypatch.setattr(batches, "_bill_chunk", real)
    JobRun.objects.filter(pk=run.pk).update(heartbeat_at=NOW - timedelta(minutes=2))
    assert _run(clinic, batch_id).state == "done"
    assert Invoice.objects.count() == InvoiceLine.objects.count() == 5


def test_a_batch_whose_job_failed_goes_on_from_its_page_and_bills_nobody_twice(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "CLIENTS_PER_CHUNK", 2)
    batch_id = _start(clinic, _people(clinic, 5))
    real, calls = batches._bill_chunk, []

    def broken(job: object, size: int) -> bool:
        calls.append(size)
        if len(calls) == 2:
            raise MemoryError
        return real(job, size)

    monkeypatch.setattr(batches, "_bill_chunk", broken)
    assert not continue_batch(clinic.biller, batch_id=batch_id), "it waits for its worker"
    with pytest.raises(MemoryError):
        run_job(clinic.cast.alder.id, JobRun.objects.get(subject_id=batch_id).pk)
    assert (JobRun.objects.get().state, Invoice.objects.count()) == ("failed", 2)
    monkeypatch.setattr(batches, "_bill_chunk", real)
    assert continue_batch(clinic.biller, batch_id=batch_id)
    assert not continue_batch(clinic.biller, batch_id=batch_id), "the second click"
    again = JobRun.objects.get(state="queued")
    run_job(clinic.cast.alder.id, again.pk)
    again.refresh_from_db()
    assert (again.state, again.done_count, again.total_count) == ("done", 5, 5)
    assert sorted(Invoice.objects.values_list("number", flat=True)) == [1, 2, 3, 4, 5]
    assert InvoiceLine.objects.count() == 5
    assert not continue_batch(clinic.biller, batch_id=batch_id), "it has finished"
    assert JobRun.objects.count() == 2


def test_only_who_may_see_a_stopped_batch_continues_it(clinic: Clinic) -> None:
    items = _people(clinic, 1)
    batch_id = _start(clinic, items)
    JobRun.objects.update(state="failed")
    with pytest.raises(NotAllowed):
        continue_batch(clinic.cast.actor(clinic.cast.dan), batch_id=batch_id)
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        continue_batch(clinic.cast.actor(clinic.cast.charlie), batch_id=batch_id)
    with pytest.raises(NotFound):
        continue_batch(replace(clinic.owner, limited_to_assigned=True), batch_id=batch_id)
    assert JobRun.objects.count() == 1


def test_what_was_billed_meanwhile_is_skipped_with_the_other_number(clinic: Clinic) -> None:
    client = clinic.client()
    visit, services = clinic.visit(client, clinic.talk)
    batch_id = _start(clinic, [BatchRequest(client, services)])
    number = bill_visit(clinic.biller, visit_id=visit).created[0].number
    _run(clinic, batch_id)
    problem = BatchProblem.objects.get()
    assert (problem.kind, problem.other_invoice_number, problem.service_on) == ("skipped", number, DAY)
    assert Invoice.objects.count() == 1


def test_a_missing_licence_refuses_that_client_and_bills_the_others(clinic: Clinic) -> None:
    refused = clinic.client("Unlucky")
    dan = clinic.cast.dan.staff_member_id
    items = [*_people(clinic, 2), BatchRequest(refused, clinic.visit(refused, clinic.talk, staff_member_id=dan)[1])]
    batch_id = _start(clinic, items)
    _run(clinic, batch_id)
    problem = BatchProblem.objects.get()
    assert (problem.client_id, problem.code, problem.staff_member_id) == (refused, "license_missing", dan)
    assert Invoice.objects.count() == 2

    CptLicense.objects.create(staff_member_id=dan, year=2026, fee_cents=0, assigned_at=NOW, assigned_by="Alice")
    second = retry_refused(clinic.biller, batch_id=batch_id, new_batch_id=uuid4())
    _run(clinic, second)
    assert Invoice.objects.filter(client_id=refused).count() == 1
    with pytest.raises(BatchEmpty):
        retry_refused(clinic.biller, batch_id=second, new_batch_id=uuid4())


def test_edits_survive_the_wait_in_the_queue(clinic: Clinic) -> None:
    client = clinic.client()
    _, (service,) = clinic.visit(client, clinic.talk)
    edit = LineEdit(
        rate_cents=1, units=3, modifiers=("95",), rendering_staff_member_id=clinic.cast.carol.staff_member_id
    )
    _run(clinic, _start(clinic, [BatchRequest(client, (service,), {service: edit})]))
    line = InvoiceLine.objects.get()
    assert (line.amount_cents, line.modifiers) == (3, ["95"])


def test_undo_voids_what_nothing_has_touched_and_says_what_remains(clinic: Clinic) -> None:
    batch_id = _start(clinic, _people(clinic, 3))
    with pytest.raises(BatchStillRunning):
        undo_batch(clinic.biller, batch_id=batch_id, reason="too early")
    _run(clinic, batch_id)
    line = InvoiceLine.objects.get(invoice__number=2)
    movement = Movement(
        Account.WRITE_OFF, Account.CLIENT_RECEIVABLE, 1, line.client_id, DAY, line_id=line.pk, reason="kindness"
    )
    post(clinic.biller, [movement], event_id=uuid4())
    undone = undo_batch(clinic.biller, batch_id=batch_id, reason="Wrong month")
    assert undone.voided == (1, 3)
    assert [number for number, _ in undone.remaining] == [2]
    assert InvoiceLine.objects.filter(ended_at=None).count() == 1
    with pytest.raises(BatchUndone):
        undo_batch(clinic.biller, batch_id=batch_id, reason="again")


def _limited(clinic: Clinic, items: list[BatchRequest]) -> Actor:
    """Bob, who may from now on see only the clients of these items."""
    StaffMember.objects.filter(pk=clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)
    for item in items:
        assign_staff(clinic.owner, item.client_id, clinic.cast.bob.staff_member_id)
    return clinic.cast.actor(clinic.cast.bob)


def test_somebody_limited_undoes_and_retries_no_batch_of_others(clinic: Clinic) -> None:
    items = _people(clinic, 2)
    batch_id = uuid4()
    start_batch(
        clinic.owner, batch_id=batch_id, from_on=DAY, to_on=DAY, items=items, expected_count=2, expected_cents=0
    )
    _run(clinic, batch_id)
    limited = _limited(clinic, items)
    with pytest.raises(NotFound):
        undo_batch(limited, batch_id=batch_id, reason="not mine")
    with pytest.raises(NotFound):
        retry_refused(limited, batch_id=batch_id, new_batch_id=uuid4())
    assert InvoiceLine.objects.filter(ended_at=None).count() == 2
    assert undo_batch(clinic.owner, batch_id=batch_id, reason="mine").voided == (1, 2)


def test_somebody_limited_since_undoes_only_what_is_of_their_clients(clinic: Clinic) -> None:
    items = _people(clinic, 3)
    batch_id = _start(clinic, items)
    _run(clinic, batch_id)
    undone = undo_batch(_limited(clinic, items[:2]), batch_id=batch_id, reason="Wrong month")
    assert undone.voided == (1, 2)
    assert undone.remaining == ((3, "You are not assigned to its client."),)
    assert InvoiceLine.objects.get(ended_at=None).client_id == items[2].client_id


def test_somebody_limited_since_retries_only_their_clients(clinic: Clinic) -> None:
    dan = clinic.cast.dan.staff_member_id
    clients = [clinic.client("Mine"), clinic.client("Other")]
    items = [BatchRequest(c, clinic.visit(c, clinic.talk, staff_member_id=dan)[1]) for c in clients]
    batch_id = _start(clinic, items)
    _run(clinic, batch_id)
    second = retry_refused(_limited(clinic, items[:1]), batch_id=batch_id, new_batch_id=uuid4())
    assert list(BatchItem.objects.filter(batch_id=second).values_list("client_id", flat=True)) == clients[:1]


def test_a_permission_withdrawn_meanwhile_stops_the_batch(clinic: Clinic) -> None:
    batch_id = _start(clinic, _people(clinic, 2))
    StaffMember.objects.filter(pk=clinic.cast.bob.staff_member_id).update(permissions=[])
    _run(clinic, batch_id)
    assert set(BatchProblem.objects.values_list("code", flat=True)) == {NotAllowed.code}
    assert not Invoice.objects.exists()


def test_without_billing_or_in_another_practice_there_is_no_batch(clinic: Clinic) -> None:
    items = _people(clinic, 1)
    batch_id = _start(clinic, items)
    _run(clinic, batch_id)
    with pytest.raises(NotAllowed):
        undo_batch(clinic.cast.actor(clinic.cast.dan), batch_id=batch_id, reason="x")
    stranger = clinic.cast.actor(clinic.cast.charlie)
    with practice_transaction(clinic.cast.birch.id):
        with pytest.raises(NotFound):
            undo_batch(stranger, batch_id=batch_id, reason="x")
        with pytest.raises(NotFound):
            start_batch(
                stranger, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=items, expected_count=1, expected_cents=0
            )

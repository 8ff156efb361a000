"""Two at once, fifty times each, on real connections: never a service billed twice, a half-made invoice, or a gap."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import connection, connections
from django.db.models import Sum

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.ledger.models import Entry
from daysheet.schedule.models import VisitService
from daysheet.staff.models import CptLicense
from tests.billing import DAY, Clinic

REPEATS = 50
pytestmark = [pytest.mark.system, pytest.mark.race]


def _at_once(*pieces: Callable[[], object]) -> None:
    """Run the pieces in threads that start together; what one raises is raised here."""
    barrier, errors = threading.Barrier(len(pieces)), []

    def run(piece: Callable[[], object]) -> None:
        try:
            barrier.wait(timeout=20)
            piece()
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(piece,)) for piece in pieces]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def _add_invoice(clinic: Clinic, visit_id: UUID) -> None:
    with practice_transaction(clinic.cast.alder.id):
        bill_visit(clinic.biller, visit_id=visit_id)


def _queue_batch(clinic: Clinic, items: list[BatchRequest]) -> UUID:
    with practice_transaction(clinic.cast.alder.id):
        batch_id = start_batch(
            clinic.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=items, expected_count=0, expected_cents=0
        )
        return JobRun.objects.get(subject_id=batch_id).pk


def _check_books(clinic: Clinic, expected_lines: int) -> None:
    with practice_transaction(clinic.cast.alder.id):
        live = InvoiceLine.objects.filter(ended_at=None)
        assert live.count() == live.values("visit_service").distinct().count() == expected_lines
        assert set(live.values_list("visit_service_id", "id")) == set(
            VisitService.objects.exclude(line_id=None).values_list("id", "line_id")
        )
        numbers = sorted(Invoice.objects.values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert not Invoice.objects.exclude(pk__in=InvoiceLine.objects.values("invoice_id")).exists()
        entries = Entry.objects.aggregate(sum=Sum("amount_cents"))["sum"]
        assert entries == live.aggregate(sum=Sum("amount_cents"))["sum"]


def test_two_add_invoice_at_once_make_one_invoice(clinic: Clinic) -> None:
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client(insured=True, copay_cents=2500)
        visits = [clinic.visit(client, clinic.talk, clinic.letter)[0] for _ in range(REPEATS)]
    for visit_id in visits:
        _at_once(partial(_add_invoice, clinic, visit_id), partial(_add_invoice, clinic, visit_id))
    _check_books(clinic, 2 * REPEATS)
    with practice_transaction(clinic.cast.alder.id):
        assert Invoice.objects.count() == REPEATS
        # One client, one date of service, fifty invoices: the copay is owed once (B10).
        assert InvoiceLine.objects.aggregate(sum=Sum("copay_cents"))["sum"] == 2500


def test_the_agenda_against_a_batch_over_the_same_dates(clinic: Clinic) -> None:
    for _ in range(REPEATS):
        with practice_transaction(clinic.cast.alder.id):
            clients = [clinic.client() for _ in range(3)]
            visits = [clinic.visit(client, clinic.talk) for client in clients]
        run_id = _queue_batch(clinic, [BatchRequest(c, v[1]) for c, v in zip(clients, visits, strict=True)])
        _at_once(
            partial(run_job, clinic.cast.alder.id, run_id),
            partial(_add_invoice, clinic, visits[2][0]),
            partial(_add_invoice, clinic, visits[0][0]),
        )
    _check_books(clinic, 3 * REPEATS)


def test_two_batches_over_the_same_dates(clinic: Clinic) -> None:
    for _ in range(REPEATS):
        with practice_transaction(clinic.cast.alder.id):
            clients = [clinic.client() for _ in range(3)]
            items = [BatchRequest(client, clinic.visit(client, clinic.talk)[1]) for client in clients]
        runs = [_queue_batch(clinic, items), _queue_batch(clinic, items[::-1])]
        _at_once(*(partial(run_job, clinic.cast.alder.id, run_id) for run_id in runs))
    _check_books(clinic, 3 * REPEATS)


def test_a_worker_killed_in_the_middle_of_a_chunk_loses_nothing(clinic: Clinic) -> None:
    """The connection dies inside the chunk's transaction, as it does when the process is killed; a rerun finishes."""
    from daysheet.invoicing import door

    real = door.take_numbers
    for _ in range(REPEATS):
        with practice_transaction(clinic.cast.alder.id):
            client = clinic.client()
            items = [BatchRequest(client, clinic.visit(client, clinic.talk)[1])]
        run_id = _queue_batch(clinic, items)

        def die(practice_id: int, count: int) -> int:
            first = real(practice_id, count)
            connection.connection.close()
            raise KeyboardInterrupt(first)

        door.take_numbers = die
        try:
            with pytest.raises(BaseException):  # noqa: B017
                run_job(clinic.cast.alder.id, run_id)
        finally:
            door.take_numbers = real
            connections.close_all()
        with practice_transaction(clinic.cast.alder.id):
            JobRun.objects.filter(pk=run_id).update(heartbeat_at="2026-01-01T00:00Z")
        run_job(clinic.cast.alder.id, run_id)
    _check_books(clinic, REPEATS)


def test_two_doors_at_new_year_renew_once_and_both_bill(clinic: Clinic) -> None:
    """Whoever comes second waits for the renewal and then finds the licence; neither is refused for want of a clock."""
    at_once = clinic.cast.actor(clinic.cast.bob, now=datetime(2027, 1, 1, 5, 1, tzinfo=UTC))

    def bill(visit_id: UUID) -> None:
        with practice_transaction(clinic.cast.alder.id):
            assert bill_visit(at_once, visit_id=visit_id).created

    for _ in range(REPEATS):
        with practice_transaction(clinic.cast.alder.id):
            visits = [clinic.visit(clinic.client(), clinic.talk)[0] for _ in range(2)]
        _at_once(*(partial(bill, visit_id) for visit_id in visits))
        with practice_transaction(clinic.cast.alder.id):
            assert CptLicense.objects.filter(year=2027).count() == 1
        # The next pair finds last year's state again.
        with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
            owner.execute("DELETE FROM staff_cptlicense WHERE year = 2027")
            owner.execute("DELETE FROM staff_licenserenewalrun WHERE year = 2027")
    _check_books(clinic, 2 * REPEATS)

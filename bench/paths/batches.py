"""Batch invoicing through the job, with all rules, audit and progress, beside the plain SQL of billing.py; and one
click on Add Invoice. Each round bills visits of its own, on Sundays, when nobody else comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import BatchItem, BatchProblem
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.kit.ids import new_id

from ..billing import Bill, bill
from ..loading.pool import DATES_EACH, Pool
from ..measuring import Budget, Path, Work
from ..sql import in_practice
from .bench import Bench


def batch_paths(bench: Bench, pool: Pool, sizes: tuple[int, ...]) -> Iterator[Path]:
    """Batches up to a tenth of the practice."""
    for visits in sizes:
        if visits * 10 <= bench.shape.visits:
            yield Path(
                f"batch_{visits}", f"batch of {visits:,} visits", lambda number, n=visits: _job(bench, pool, n),
                lambda number, n=visits: _plain(bench, pool, n), Budget(ratio=1.5, peak_mb=400), units=visits,
                most_rounds=5 if visits < 100_000 else 3,
            )  # fmt: skip


def _job(bench: Bench, pool: Pool, visits: int) -> Work:
    days = pool.make(visits)
    items = [BatchRequest(client_id, tuple(ids)) for client_id, ids in pool.services(days).items()]

    def work() -> None:
        batch_id = new_id()
        with practice_transaction(bench.practice_id):
            start_batch(
                bench.actor, batch_id=batch_id, from_on=days[0], to_on=days[-1], items=items,
                expected_count=len(items), expected_cents=0,
            )  # fmt: skip
            run_id = JobRun.objects.get(subject_id=batch_id).pk
        run_job(bench.practice_id, run_id)
        _check(bench, batch_id, len(items))

    return work


def _check(bench: Bench, batch_id: UUID, clients: int) -> None:
    """That the job did all of it: two counts by an index."""
    with practice_transaction(bench.practice_id):
        assert not BatchProblem.objects.filter(batch_id=batch_id).exists()
        assert BatchItem.objects.filter(batch_id=batch_id, created_count=1).count() == clients


def _plain(bench: Bench, pool: Pool, visits: int) -> Work:
    days = pool.make(visits)

    def work() -> None:
        params = {**bench.loaded.params, "days": days, "now": datetime.now(bench.loaded.now.tzinfo)}
        with in_practice(bench.connection, bench.practice_id):
            lines = bill(bench.connection, Bill(bench.practice_id, "s.service_on = ANY(%(days)s::date[])", params))
        assert lines == visits * 2, f"{lines} lines of {visits} visits"

    return work


def add_invoice_paths(bench: Bench, pool: Pool) -> Iterator[Path]:
    """The verb behind the button, and the click as a browser sends it."""
    days = pool.make(min(200, bench.shape.clients * DATES_EACH))
    visits = iter(pool.visits(days))

    def verb(number: int) -> Work:
        visit_id = next(visits)

        def work() -> None:
            with practice_transaction(bench.practice_id):
                assert bill_visit(bench.actor, visit_id=visit_id).created

        return work

    def click(number: int) -> Work:
        address = f"/{bench.shape.slug}/visits/{next(visits)}/invoice/"

        def work() -> None:
            assert bench.browser.post(address, headers={"HX-Request": "true"}).status_code == 200

        return work

    # The transaction's own SET is one more than the verb asks.
    yield Path("add_invoice", "Add Invoice, the verb", verb, budget=Budget(seconds=0.15, queries=15 + 1))
    yield Path("add_invoice_click", "Add Invoice, the click", click, budget=Budget(seconds=0.15))

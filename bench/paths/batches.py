"""Batch invoicing through the job, with all rules, audit and progress, beside the plain SQL of billing.py; and one
click on Add Invoice. Each round bills visits of its own, on Sundays, when nobody else comes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import BatchItem, BatchProblem
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.kit.ids import new_id

from ..billing import Bill, bill
from ..loading.people import number_clients
from ..loading.visits import plan_visits
from ..measuring import Budget, Path, Work
from ..sql import in_practice, owner
from .bench import Bench

#: Dates of service of each client of a batch: a month of weekly visits.
DATES_EACH = 4

_ON_SUNDAYS = """
    SELECT c.no AS client_no, d.day, 0 AS kind, 'kept' AS status
    FROM bench_client c, unnest(%(days)s::date[]) d (day) WHERE c.no <= %(most)s"""


@dataclass
class Pool:
    """Visits that are kept and not billed, made when a round asks for them."""

    bench: Bench
    _weeks: Iterator[int] = field(default_factory=itertools.count)

    def make(self, visits: int) -> list[date]:
        """That many visits, four each of as many clients as it takes. Returns their days, which are only theirs."""
        shape = self.bench.shape
        weeks = itertools.islice(self._weeks, DATES_EACH)
        days = [shape.first_monday + timedelta(weeks=week, days=6) for week in weeks]
        assert days[-1] < shape.today, "all Sundays are used up"
        with owner() as connection:
            number_clients(connection, self.bench.practice_id)
            planned = {"days": days, "most": -(-visits // DATES_EACH)}
            count = plan_visits(connection, self.bench.loaded, _ON_SUNDAYS, planned)
            for table in ("schedule_appointment", "schedule_visit", "schedule_visitservice"):
                connection.execute(f"ANALYZE {table}")
        assert abs(count - visits) < DATES_EACH, f"{count} visits made, {visits} wanted"
        return days

    def services(self, days: list[date]) -> dict[UUID, list[UUID]]:
        """Their visit services by client."""
        found: dict[UUID, list[UUID]] = {}
        with owner() as connection:
            rows = connection.execute(
                "SELECT v.client_id, s.id FROM schedule_visitservice s "
                "JOIN schedule_visit v ON v.practice_id = s.practice_id AND v.id = s.visit_id "
                "WHERE s.practice_id = %s AND s.service_on = ANY(%s) ORDER BY 1, 2",
                [self.bench.practice_id, days],
            )
            for client_id, service_id in rows:
                found.setdefault(client_id, []).append(service_id)
        return found


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
    with owner() as connection:
        rows = connection.execute(
            "SELECT id FROM schedule_visit WHERE practice_id = %s AND service_on = ANY(%s) ORDER BY id",
            [bench.practice_id, days],
        ).fetchall()
    visits = iter([row[0] for row in rows])

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

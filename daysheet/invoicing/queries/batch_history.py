"""Batches that were started: their progress, results and history (B5, B6)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from daysheet.clients.queries import visible_clients
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.kit.dates import local_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService

from ..models import Batch, BatchItem, BatchProblem, Invoice, InvoiceLine, InvoiceVoid
from .access import visible_batch, visible_batches

HISTORY_PAGE_SIZE = 25
#: Rows of each list on a result page; a batch of 5,000 clients is paged.
RESULT_PAGE_SIZE = 100
_REMAINS = (
    "It had payments, adjustments or a claim on it, a statement told of it, or whoever undid the batch may not see the "
    "client."
)


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """One batch of the history. `total_cents` is what was confirmed; `created_count` what was made."""

    id: UUID
    created_at: datetime
    created_by_name: str
    from_on: date
    to_on: date
    grouping: str
    client_count: int
    expected_count: int
    expected_cents: int
    created_count: int
    skipped_count: int
    refused_count: int
    is_retry: bool
    has_stopped: bool
    finished_at: datetime | None
    undone_at: datetime | None
    undone_by_name: str

    @property
    def state(self) -> str:
        """In words: what the history says of it."""
        if self.undone_at:
            return "Undone"
        if self.has_stopped:
            return "Stopped"
        return "Finished" if self.finished_at else "Running"


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """How far a batch is, in clients. `has_stopped`: its job failed before the end, and no other was queued."""

    batch_id: UUID
    done: int
    total: int
    is_finished: bool
    has_stopped: bool


@dataclass(frozen=True, slots=True)
class BatchInvoice:
    """An invoice that a batch created; `remains_because` is set where undoing left it."""

    number: int
    client_id: UUID
    client_name: str
    issued_on: date
    total_cents: int
    is_void: bool
    remains_because: str


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A date that was skipped or refused. `visit_id` leads to it."""

    client_id: UUID
    client_name: str
    service_on: date | None
    visit_id: UUID | None
    code: str
    message: str
    other_invoice_number: int | None
    staff_member_id: UUID | None
    year: int


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result page. `total_cents` sums the invoices as they were created; `live_…` those not void since."""

    summary: BatchSummary
    total_cents: int
    live_count: int
    live_cents: int
    invoices: tuple[BatchInvoice, ...]
    skipped: tuple[ProblemRow, ...]
    refused: tuple[ProblemRow, ...]
    page: int
    has_next: bool
    retry_of: UUID | None
    retries: tuple[UUID, ...]


@query(Permission.BILLING)
def batch_history(actor: Actor, *, page: int = 1) -> tuple[list[BatchSummary], bool]:
    """One page of all batches, newest first, and whether there are older ones."""
    start = (max(page, 1) - 1) * HISTORY_PAGE_SIZE
    batches = list(visible_batches(actor).order_by("-created_at", "-pk")[start : start + HISTORY_PAGE_SIZE + 1])
    return _summaries(batches[:HISTORY_PAGE_SIZE]), len(batches) > HISTORY_PAGE_SIZE


@query(Permission.BILLING)
def batch_exists(actor: Actor, batch_id: UUID) -> bool:
    """Whether the form with this id was sent before."""
    return visible_batches(actor).filter(pk=batch_id).exists()


@query(Permission.BILLING)
def batch_progress(actor: Actor, batch_id: UUID) -> BatchProgress:
    """How far the batch is. Raises NotFound."""
    batch = visible_batch(actor, batch_id)
    counts = BatchItem.objects.filter(batch=batch).aggregate(
        total=Count("pk"), done=Count("pk", filter=Q(done_at__isnull=False))
    )
    return BatchProgress(
        batch_id, counts["done"], counts["total"], batch.finished_at is not None, bool(_stopped([batch]))
    )


@query(Permission.BILLING)
def batch_result(actor: Actor, batch_id: UUID, *, page: int = 1) -> BatchResult:
    """Created, skipped and refused, a page of each. Raises NotFound. A fixed number of queries."""
    batch = visible_batch(actor, batch_id)
    visible = visible_clients(actor)
    invoices = Invoice.objects.filter(batch=batch, client__in=visible)
    sums = InvoiceLine.objects.filter(invoice__in=invoices).aggregate(
        total=Sum("amount_cents", default=0),
        live=Sum("amount_cents", filter=Q(ended_at=None), default=0),
        live_count=Count("invoice_id", filter=Q(ended_at=None), distinct=True),
    )
    start = (max(page, 1) - 1) * RESULT_PAGE_SIZE
    window = slice(start, start + RESULT_PAGE_SIZE + 1)
    made = list(invoices.select_related("client").order_by("number")[window])
    rows = _invoice_rows(made, is_undone=batch.undone_at is not None)
    problems = BatchProblem.objects.filter(batch=batch, client__in=visible)
    year = local_date(batch.created_at, actor.practice.time_zone).year
    skipped = _problem_rows(year, problems.filter(kind=BatchProblem.Kind.SKIPPED), window)
    refused = _problem_rows(year, problems.filter(kind=BatchProblem.Kind.REFUSED), window)
    return BatchResult(
        summary=_summaries([batch])[0],
        total_cents=sums["total"],
        live_count=sums["live_count"],
        live_cents=sums["live"],
        invoices=tuple(rows[:RESULT_PAGE_SIZE]),
        skipped=tuple(skipped[:RESULT_PAGE_SIZE]),
        refused=tuple(refused[:RESULT_PAGE_SIZE]),
        page=max(page, 1),
        has_next=max(len(rows), len(skipped), len(refused)) > RESULT_PAGE_SIZE,
        retry_of=batch.retry_of_id,
        retries=tuple(Batch.objects.filter(retry_of=batch).order_by("created_at").values_list("pk", flat=True)),
    )


@query(Permission.BILLING)
def batch_summary(actor: Actor, batch_id: UUID) -> BatchSummary:
    """One batch. Raises NotFound."""
    return _summaries([visible_batch(actor, batch_id)])[0]


def summaries_of(batch_ids: Collection[UUID]) -> dict[UUID, BatchSummary]:
    """Batches by id, for whoever may see them and shows them with something of their own."""
    return {each.id: each for each in _summaries(list(Batch.objects.filter(pk__in=batch_ids)))} if batch_ids else {}


def live_totals_of(batch_ids: Collection[UUID]) -> dict[UUID, int]:
    """What stands of the batches' invoices now, edits and voids taken into account, in cents."""
    if not batch_ids:
        return {}
    lines = InvoiceLine.objects.filter(invoice__batch__in=batch_ids, ended_at=None)
    return dict(lines.values_list("invoice__batch").annotate(cents=Sum("amount_cents")).order_by())


def _summaries(batches: list[Batch]) -> list[BatchSummary]:
    ids = [batch.pk for batch in batches]
    items: dict[UUID, tuple[int, int]] = {
        batch_id: (clients, created)
        for batch_id, clients, created in BatchItem.objects.filter(batch_id__in=ids)
        .values_list("batch_id")
        .annotate(clients=Count("pk"), created=Sum("created_count"))
        .order_by()
    }
    problems: dict[tuple[UUID, str], int] = {
        (batch_id, kind): number
        for batch_id, kind, number in BatchProblem.objects.filter(batch_id__in=ids)
        .values_list("batch_id", "kind")
        .annotate(number=Count("pk"))
        .order_by()
    }
    stopped = _stopped(batches)
    return [
        BatchSummary(
            id=batch.pk,
            created_at=batch.created_at,
            created_by_name=batch.created_by_name,
            from_on=batch.from_on,
            to_on=batch.to_on,
            grouping=batch.get_grouping_display(),
            client_count=items.get(batch.pk, (0, 0))[0],
            expected_count=batch.expected_count,
            expected_cents=batch.expected_cents,
            created_count=items.get(batch.pk, (0, 0))[1],
            skipped_count=problems.get((batch.pk, "skipped"), 0),
            refused_count=problems.get((batch.pk, "refused"), 0),
            is_retry=batch.retry_of_id is not None,
            has_stopped=batch.pk in stopped,
            finished_at=batch.finished_at,
            undone_at=batch.undone_at,
            undone_by_name=batch.undone_by_name,
        )
        for batch in batches
    ]


def _stopped(batches: list[Batch]) -> set[UUID]:
    """Those that have not finished and that no job is waiting or at work for. Read in one moment (ADR 11), or one that
    ends meanwhile would be among them."""
    unfinished = {batch.pk for batch in batches if batch.finished_at is None}
    live = JobRun.objects.filter(subject_id__in=unfinished, state__in=LIVE_STATES)
    return unfinished - set(live.values_list("subject_id", flat=True)) if unfinished else set()


def _invoice_rows(invoices: list[Invoice], *, is_undone: bool) -> list[BatchInvoice]:
    ids = [invoice.pk for invoice in invoices]
    totals = dict(
        InvoiceLine.objects.filter(invoice_id__in=ids)
        .values_list("invoice_id")
        .annotate(cents=Sum("amount_cents"))
        .order_by()
    )
    void = set(InvoiceVoid.objects.filter(invoice_id__in=ids).values_list("invoice_id", flat=True))
    return [
        BatchInvoice(
            number=invoice.number,
            client_id=invoice.client_id,
            client_name=invoice.client.sort_name,
            issued_on=invoice.issued_on,
            total_cents=totals.get(invoice.pk, 0),
            is_void=invoice.pk in void,
            remains_because=_REMAINS if is_undone and invoice.pk not in void else "",
        )
        for invoice in invoices
    ]


def _problem_rows(year: int, problems: QuerySet[BatchProblem], window: slice) -> list[ProblemRow]:
    rows = list(problems.select_related("client").order_by("service_on", "pk")[window])
    visits = _visits_of([row.visit_service_ids[0] for row in rows if row.visit_service_ids])
    return [
        ProblemRow(
            client_id=row.client_id,
            client_name=row.client.sort_name,
            service_on=row.service_on,
            visit_id=visits.get(row.visit_service_ids[0]) if row.visit_service_ids else None,
            code=row.code,
            message=row.message,
            other_invoice_number=row.other_invoice_number,
            staff_member_id=row.staff_member_id,
            year=year,
        )
        for row in rows
    ]


def _visits_of(visit_service_ids: list[UUID]) -> dict[UUID, UUID]:
    return dict(VisitService.objects.filter(pk__in=visit_service_ids).values_list("pk", "visit_id"))

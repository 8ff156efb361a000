"""A run of charges: how far it is, what became of each, and the history of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Sum

from daysheet.clients.queries import visible_clients
from daysheet.jobs.models import JobRun
from daysheet.kit.errors import NotFound
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..charging import final_steps
from ..models import Charge, ChargeRun, ChargeStep
from ..rules import ChargeState, state_of

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class ChargeRow:
    """One charge. `payment_id` where it came in; `reason` why it did not, or what is waited for."""

    id: UUID
    client_id: UUID
    client_name: str
    card_label: str
    amount_cents: int
    state: ChargeState
    reason: str
    payment_id: UUID | None


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its charges of clients the actor may see. Counts and cents by outcome."""

    id: UUID
    created_at: datetime
    created_by_name: str
    total_count: int
    done_count: int
    is_finished: bool
    has_failed: bool
    retry_of_id: UUID | None
    rows: tuple[ChargeRow, ...]

    def _of(self, *states: ChargeState) -> list[ChargeRow]:
        return [row for row in self.rows if row.state in states]

    @property
    def charged(self) -> list[ChargeRow]:
        return self._of(ChargeState.CHARGED)

    @property
    def declined(self) -> list[ChargeRow]:
        return self._of(ChargeState.DECLINED, ChargeState.CANCELED)

    @property
    def unknown(self) -> list[ChargeRow]:
        return self._of(ChargeState.REQUESTED, ChargeState.SENT, ChargeState.UNKNOWN)

    @property
    def charged_words(self) -> str:
        return _cards(len(self.charged))

    @property
    def declined_words(self) -> str:
        return _cards(len(self.declined))

    @property
    def unknown_words(self) -> str:
        return _cards(len(self.unknown))

    @property
    def charged_cents(self) -> int:
        return sum(row.amount_cents for row in self.charged)

    @property
    def declined_cents(self) -> int:
        return sum(row.amount_cents for row in self.declined)

    @property
    def unknown_cents(self) -> int:
        return sum(row.amount_cents for row in self.unknown)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A line of the history. Amounts in cents."""

    id: UUID
    created_at: datetime
    created_by_name: str
    expected_count: int
    expected_cents: int
    charged_count: int
    charged_cents: int
    is_finished: bool


@query(Permission.BILLING)
def run_view(actor: Actor, run_id: UUID) -> RunView:
    """Raises NotFound. A fixed number of queries."""
    run = ChargeRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such run of charges in this practice.")
    charges = Charge.objects.filter(run=run, client__in=visible_clients(actor)).select_related("client", "card")
    found = list(charges.order_by("client__last_name", "client__first_name", "pk"))
    steps: dict[UUID, dict[str, str]] = {charge.pk: {} for charge in found}
    for charge_id, state, reason in ChargeStep.objects.filter(charge__run=run).values_list("charge", "state", "reason"):
        if charge_id in steps:
            steps[charge_id][state] = reason
    payments = dict(Payment.objects.filter(charge_id__in=steps).values_list("charge_id", "pk"))
    job = JobRun.objects.filter(subject_id=run_id).order_by("-created_at").first()
    rows = tuple(_row(charge, steps[charge.pk], payments.get(charge.pk)) for charge in found)
    return RunView(
        run.pk, run.created_at, run.created_by_name, run.expected_count, min(job.done_count, run.expected_count)
        if job else 0, run.finished_at is not None, job is not None and job.state == JobRun.State.FAILED,
        run.retry_of_id, rows,
    )  # fmt: skip


@query(Permission.BILLING)
def run_exists(actor: Actor, run_id: UUID) -> bool:
    """Whether this form was sent before."""
    return ChargeRun.objects.filter(pk=run_id).exists()


@query(Permission.BILLING)
def run_history(actor: Actor, *, page: int = 1) -> tuple[list[RunSummary], bool]:
    """Runs, the newest first, and whether there are more."""
    start = (min(max(page, 1), 100_000) - 1) * PAGE_SIZE
    runs = list(ChargeRun.objects.order_by("-created_at", "-pk")[start : start + PAGE_SIZE + 1])
    came_in = final_steps().filter(charge=OuterRef("pk"), state="charged")
    charged = Charge.objects.filter(Exists(came_in), run__in=runs).values("run_id")
    sums = {row["run_id"]: row for row in charged.annotate(count=Count("pk"), cents=Sum("amount_cents"))}
    none = {"count": 0, "cents": 0}
    return [
        RunSummary(
            run.pk, run.created_at, run.created_by_name, run.expected_count, run.expected_cents,
            sums.get(run.pk, none)["count"], sums.get(run.pk, none)["cents"], run.finished_at is not None,
        )
        for run in runs[:PAGE_SIZE]
    ], len(runs) > PAGE_SIZE  # fmt: skip


def _cards(count: int) -> str:
    return f"{count:,} card{'' if count == 1 else 's'}"


def _row(charge: Charge, steps: dict[str, str], payment_id: UUID | None) -> ChargeRow:
    state = state_of(steps)
    return ChargeRow(
        charge.pk, charge.client_id, charge.client.sort_name, charge.card.label, charge.amount_cents, state,
        steps.get(state, ""), payment_id,
    )  # fmt: skip

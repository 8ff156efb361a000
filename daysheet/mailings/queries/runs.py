"""Runs that were started: how far they are, what came of them, and all of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q

from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Kind
from daysheet.jobs.models import JobRun
from daysheet.mail.queries import counts_of_runs
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..files import has_file
from ..models import Mailing, MailingFile, MailingItem
from .access import get_mailing, visible_mailings

PAGE_SIZE = 25
#: Skipped clients on a result page.
SKIPPED_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class Mails:
    """What became of a run's e-mails, by state."""

    waiting: int = 0
    sent: int = 0
    failed: int = 0
    unknown: int = 0
    withdrawn: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.sent + self.failed + self.unknown + self.withdrawn


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One run. Counts are clients; `is_live`: its job waits or works; `has_stopped`: it failed before the end."""

    id: UUID
    kind: Kind
    created_at: datetime
    created_by_name: str
    first_on: date
    last_on: date
    basis_label: str
    expected_count: int
    expected_cents: int
    total_count: int
    done_count: int
    print_count: int
    printed_count: int
    skipped_count: int
    file_done_count: int
    is_live: bool
    is_finished: bool
    mails: Mails

    @property
    def has_stopped(self) -> bool:
        return not self.is_live and not self.is_finished

    @property
    def state(self) -> str:
        """In words: what the list says of it."""
        if self.has_stopped:
            return "Stopped"
        if self.is_live:
            return "Running"
        return "Sending" if self.mails.waiting else "Finished"


@dataclass(frozen=True, slots=True)
class FileRow:
    """The run's PDF, ready to be opened."""

    made_at: datetime
    size_bytes: int
    page_count: int


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A client who got nothing, and why."""

    client_id: UUID
    client_name: str
    code: str
    words: str


@dataclass(frozen=True, slots=True)
class RunResult:
    """The page of a run that is over. `document_count`: of all its clients."""

    file: FileRow | None
    document_count: int
    skipped: tuple[SkippedRow, ...]
    has_more_skipped: bool


@query(Permission.BILLING)
def mailing_exists(actor: Actor, mailing_id: UUID) -> bool:
    """Whether the form with this id was sent before."""
    return visible_mailings(actor).filter(pk=mailing_id).exists()


@query(Permission.BILLING)
def run_history(actor: Actor, *, kinds: Collection[Kind], page: int = 1) -> tuple[list[RunSummary], bool]:
    """One page of the runs of these kinds, newest first, and whether there are older ones."""
    start = (max(page, 1) - 1) * PAGE_SIZE
    found = visible_mailings(actor).filter(kind__in=kinds).order_by("-created_at", "-pk")
    mailings = list(found[start : start + PAGE_SIZE + 1])
    return _summaries(actor, mailings[:PAGE_SIZE]), len(mailings) > PAGE_SIZE


@query(Permission.BILLING)
def run_summary(actor: Actor, mailing_id: UUID) -> RunSummary:
    """One run. Raises NotFound."""
    return _summaries(actor, [get_mailing(actor, mailing_id)])[0]


@query(Permission.BILLING)
def run_result(actor: Actor, mailing_id: UUID) -> RunResult:
    """What there is to see of a run: its file, and who got nothing. Raises NotFound."""
    mailing = get_mailing(actor, mailing_id)
    file = MailingFile.objects.filter(mailing=mailing, removed_at=None).first()
    skipped = list(
        MailingItem.objects.filter(mailing=mailing, outcome=MailingItem.Outcome.SKIPPED)
        .select_related("client")
        .order_by("position")[: SKIPPED_PAGE_SIZE + 1]
    )
    return RunResult(
        FileRow(file.made_at, file.size_bytes, file.page_count)
        if file and has_file(actor.practice.id, file.key)
        else None,
        MadeDocument.objects.filter(made_in=mailing_id).count(),
        tuple(SkippedRow(each.client_id, each.client.sort_name, each.code, each.words) for each in skipped)[
            :SKIPPED_PAGE_SIZE
        ],
        len(skipped) > SKIPPED_PAGE_SIZE,
    )


def _summaries(actor: Actor, mailings: list[Mailing]) -> list[RunSummary]:
    """Four statements for any number of runs."""
    ids = [mailing.pk for mailing in mailings]
    is_print = Q(way=MailingItem.Way.PRINT)
    counts: dict[UUID, dict[str, Any]] = {
        row["mailing"]: {**row}
        for row in MailingItem.objects.filter(mailing_id__in=ids)
        .values("mailing")
        .annotate(
            total=Count("pk"),
            done=Count("pk", filter=Q(done_at__isnull=False)),
            to_print=Count("pk", filter=is_print & ~Q(outcome=MailingItem.Outcome.SKIPPED)),
            printed=Count("pk", filter=is_print & Q(outcome=MailingItem.Outcome.MADE)),
            skipped=Count("pk", filter=Q(outcome=MailingItem.Outcome.SKIPPED)),
        )
    }
    jobs = JobRun.objects.filter(subject_id__in=ids).order_by("subject_id", F("created_at").desc(), "-pk")
    last = {job.subject_id: job for job in jobs.distinct("subject_id")}
    mails = counts_of_runs(actor, ids)
    return [_summary(each, counts.get(each.pk, {}), last.get(each.pk), _mails(mails[each.pk])) for each in mailings]


def _summary(mailing: Mailing, counts: dict[str, Any], job: JobRun | None, mails: Mails) -> RunSummary:
    done, total = counts.get("done", 0), counts.get("total", 0)
    return RunSummary(
        id=mailing.pk,
        kind=Kind(mailing.kind),
        created_at=mailing.created_at,
        created_by_name=mailing.created_by_name,
        first_on=mailing.first_on,
        last_on=mailing.last_on,
        basis_label=mailing.get_basis_display() if mailing.kind == Kind.STATEMENT else "",
        expected_count=mailing.expected_count,
        expected_cents=mailing.expected_cents,
        total_count=total,
        done_count=done,
        print_count=counts.get("to_print", 0),
        printed_count=counts.get("printed", 0),
        skipped_count=counts.get("skipped", 0),
        file_done_count=max(job.done_count - total, 0) if job and done == total else 0,
        is_live=bool(job and job.is_live),
        is_finished=mailing.finished_at is not None,
        mails=mails,
    )


def _mails(by_state: dict[str, int]) -> Mails:
    return Mails(
        waiting=by_state.get("waiting", 0) + by_state.get("sending", 0),
        sent=by_state.get("sent", 0),
        failed=by_state.get("failed", 0) + by_state.get("given_up", 0),
        unknown=by_state.get("unknown", 0),
        withdrawn=by_state.get("withdrawn", 0),
    )

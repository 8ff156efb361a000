"""A run of statements put together as one PDF, through the job, beside typst alone setting the same papers once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Kind
from daysheet.documents.queries.made import paper_of
from daysheet.documents.rules import Period
from daysheet.documents.typesetting import parts_of, set_part
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.kit.ids import new_id
from daysheet.mailings.actions import MailingRequest, start_mailing
from daysheet.mailings.models import MailingFile
from daysheet.mailings.rules import Ways

from ..measuring import Budget, Path, Work
from .bench import Bench

#: Everything is kept with a digest and an audit event, set once to know its pages and once more for the file.
_STATEMENTS = Budget(ratio=3.0, peak_mb=400)


def document_paths(bench: Bench) -> Iterator[Path]:
    """Two thousand statements of eight weeks; fewer where the practice has fewer clients."""
    with practice_transaction(bench.practice_id):
        newest = Client.objects.order_by("-created_at", "-pk").values_list("pk", flat=True)
        clients = list(newest[: min(2_000, bench.shape.clients // bench.shape.episodes)])
    last: list[MadeDocument] = []

    def product(number: int) -> Work:
        def work() -> None:
            last[:] = _print(bench, clients)
            assert len(last) == len(clients), f"{len(last)} statements of {len(clients)} clients"

        return work

    def floor(number: int) -> Work:
        papers = [paper_of(document) for document in last]

        def work() -> None:
            for part in parts_of(papers):
                set_part(part, "Statements")

        return work

    yield Path(
        "statements", f"{len(clients):,} statements as one PDF", product, floor, _STATEMENTS, units=len(clients),
        most_rounds=1,
    )  # fmt: skip


def _print(bench: Bench, clients: list[object]) -> list[MadeDocument]:
    mailing_id = new_id()
    request = MailingRequest(
        Kind.STATEMENT, Period(bench.shape.today - timedelta(weeks=8), bench.shape.today), Ways.PRINT
    )
    with practice_transaction(bench.practice_id):
        start_mailing(
            bench.actor, mailing_id=mailing_id, request=request, invoices={pk: [] for pk in clients},
            expected_count=len(clients), expected_cents=0,
        )  # fmt: skip
        run_id = JobRun.objects.get(subject_id=mailing_id).pk
    run_job(bench.practice_id, run_id)
    with practice_transaction(bench.practice_id):
        assert MailingFile.objects.filter(mailing_id=mailing_id).exists()
        return list(MadeDocument.objects.filter(made_in=mailing_id).select_related("logo").order_by("position"))

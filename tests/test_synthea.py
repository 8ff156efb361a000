"""Issue 2, acceptance 2: data that nobody here wrote, converted, imported and billed by one batch over all dates."""

from __future__ import annotations

import io
import os
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.db.models import Sum

from daysheet.config.verify import run_verify
from daysheet.database.scope import practice_transaction
from daysheet.imports.commands import run_import
from daysheet.imports.models import ImportedFile
from daysheet.invoicing.batches import BatchEmpty, BatchRequest, start_batch
from daysheet.invoicing.models import Batch, BatchItem, BatchProblem, Invoice, InvoiceLine
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.kit.ids import new_id
from daysheet.ledger.models import Entry
from daysheet.practices.actor import Actor, ActorKind, system_actor
from daysheet.schedule.models import VisitService
from daysheet.staff.actions import NewOwner, create_practice
from daysheet.staff.actors import practice_facts
from tools.synthea import convert

DATA = Path(os.environ.get("DAYSHEET_SHARED_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
NOW = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)
TOTAL_CENTS = 109_240_273

pytestmark = pytest.mark.skipif(
    not (DATA / "synthea" / "encounters.csv").is_file(),
    reason=f"ACCEPTANCE 2 NOT RUN: no Synthea data in {DATA}. Set DAYSHEET_SHARED_DATA to the folder that has it.",
)


def unbilled(actor: Actor) -> list[BatchRequest]:
    """Everything that is to be billed, whatever its date, as the batch page ticks it."""
    by_client: dict[UUID, list[UUID]] = {}
    with practice_transaction(actor.practice.id):
        found = VisitService.objects.filter(line_id=None, is_suspended=False).order_by("service_on", "pk")
        for client_id, service_id in found.values_list("visit__client_id", "pk"):
            by_client.setdefault(client_id, []).append(service_id)
    return [BatchRequest(client_id, tuple(ids)) for client_id, ids in by_client.items()]


def bill_everything(actor: Actor) -> UUID:
    items = unbilled(actor)
    with practice_transaction(actor.practice.id):
        batch_id = start_batch(
            actor, batch_id=new_id(), from_on=date(1900, 1, 1), to_on=date(2199, 12, 31), items=items,
            expected_count=len(items), expected_cents=TOTAL_CENTS,
        )  # fmt: skip
        run_id = JobRun.objects.get(subject_id=batch_id).pk
    run_job(actor.practice.id, run_id)
    return batch_id


@pytest.mark.django_db
def test_all_of_synthea_is_billed_once_to_the_cent(tmp_path: Path) -> None:
    rows = convert(DATA / "synthea", tmp_path)
    assert {kind: rows[kind] for kind in ("clients", "staff", "service_types", "appointments")} == {
        "clients": 27, "staff": 51, "service_types": 118, "appointments": 1545,
    }  # fmt: skip
    owner = NewOwner("owner@synthea.example", "Olive", "Owner", "correct horse battery")
    practice, _ = create_practice(slug="synthea", name="Synthea", time_zone="America/New_York", owner=owner, now=NOW)
    actor = system_actor(practice_facts(practice), NOW, ActorKind.COMMAND)
    said: list[str] = []
    assert run_import("synthea", [tmp_path], out=said.append) == 0, said
    batch_id = bill_everything(actor)
    with practice_transaction(practice.pk):
        lines = InvoiceLine.objects.filter(ended_at=None)
        assert lines.count() == 1545
        assert lines.values("visit_service__visit").distinct().count() == 604
        assert lines.aggregate(total=Sum("amount_cents"))["total"] == TOTAL_CENTS
        assert Invoice.objects.values("client").distinct().count() == Invoice.objects.count() == 27
        assert lines.filter(amount_cents=0).count() == 127
        assert lines.filter(coverage__isnull=False, insurance_cents__gt=0).exists()
        assert lines.filter(client_cents__gt=0).exists()
        charged = Entry.objects.filter(credit_account="revenue").aggregate(total=Sum("amount_cents"))["total"]
        assert charged == TOTAL_CENTS
        assert not BatchProblem.objects.exists()
        assert Batch.objects.get(pk=batch_id).finished_at and not BatchItem.objects.filter(done_at=None).exists()
    assert_a_second_run_creates_nothing(actor, tmp_path)
    report = io.StringIO()
    assert run_verify("synthea", report) == 0, report.getvalue()
    assert "604 dates of service, 1,545 lines, $1,092,402.73 charged, 27 clients" in report.getvalue()


def assert_a_second_run_creates_nothing(actor: Actor, folder: Path) -> None:
    said: list[str] = []
    assert run_import(actor.practice.slug, [folder], out=said.append) == 0, said
    assert unbilled(actor) == []
    with practice_transaction(actor.practice.id):
        again = list(ImportedFile.objects.order_by("-pk")[:7].values_list("created_count", "changed_count"))
        assert again == [(0, 0)] * 7
        with pytest.raises(BatchEmpty):
            start_batch(
                actor, batch_id=new_id(), from_on=date(1900, 1, 1), to_on=date(2199, 12, 31), items=[],
                expected_count=0, expected_cents=0,
            )  # fmt: skip
    # The services billed already, ticked once more in a stale preview: skipped, each with its invoice.
    with practice_transaction(actor.practice.id):
        by_client: dict[UUID, list[UUID]] = {}
        for client_id, service_id in VisitService.objects.values_list("visit__client_id", "pk"):
            by_client.setdefault(client_id, []).append(service_id)
        stale = start_batch(
            actor, batch_id=new_id(), from_on=date(1900, 1, 1), to_on=date(2199, 12, 31),
            items=[BatchRequest(client_id, tuple(ids)) for client_id, ids in by_client.items()],
            expected_count=0, expected_cents=0,
        )  # fmt: skip
        run_id = JobRun.objects.get(subject_id=stale).pk
    run_job(actor.practice.id, run_id)
    with practice_transaction(actor.practice.id):
        assert Invoice.objects.count() == 27 and InvoiceLine.objects.count() == 1545
        problems = BatchProblem.objects.filter(batch_id=stale)
        assert set(problems.values_list("kind", "code")) == {("skipped", "already_billed")}

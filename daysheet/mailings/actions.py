"""Start a run of documents, let one that stopped go on, have its file made again, stop what is not sent yet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from daysheet.audit.actions import record
from daysheet.clients.models import Client
from daysheet.clients.queries import get_client, visible_clients
from daysheet.database.copying import copy_rows
from daysheet.database.turns import Turn, take_turn
from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Kind
from daysheet.documents.rules import Basis, Period
from daysheet.jobs.actions import continue_job, start_job
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.mail.actions import is_address, queue_messages, withdraw_run
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .drafts import mail_draft
from .files import has_file
from .models import Mailing, MailingFile, MailingItem
from .queries.access import get_mailing
from .queries.earlier import earlier_runs
from .rules import Ways, way_of

JOB_KIND = "mailing"
#: The longest text that an e-mail may have.
MOST_TEXT = 5_000


class MailingEmpty(Refusal):
    """Nobody was chosen."""

    code = "mailing_empty"


class BegunBefore(Refusal):
    """Some of these clients are in a run that was begun a moment ago, and nobody said that they get it again."""

    code = "begun_before"


class MailingStillRunning(Refusal):
    """The run has not finished, so its file cannot be made again yet."""

    code = "mailing_still_running"


@dataclass(frozen=True, slots=True)
class MailingRequest:
    """What a run makes. `basis`, `hides_…` and `at_least_cents` are of statements."""

    kind: Kind
    period: Period
    ways: Ways
    email_text: str = ""
    basis: Basis = Basis.SERVICE
    hides_zero: bool = False
    hides_insurance_only: bool = False
    at_least_cents: int = 0


@action(Permission.BILLING, audited=False)
def start_mailing(
    actor: Actor,
    *,
    mailing_id: UUID,
    request: MailingRequest,
    invoices: Mapping[UUID, Sequence[UUID]],
    expected_count: int,
    expected_cents: int,
    told_of: Collection[UUID] = (),
) -> UUID:
    """Queue a run for these clients, with the invoices of each (none for statements). The same `mailing_id` again (a
    second click) is the same run. `told_of`: the earlier runs (queries/earlier.py) whose clients are to get it again.
    Raises MailingEmpty, NotFound, BegunBefore."""
    take_turn(Turn.MAILING, actor.practice.id)  # of two runs begun in the same moment one sees the other
    if Mailing.objects.filter(pk=mailing_id).exists():
        return get_mailing(actor, mailing_id).pk
    if not invoices:
        raise MailingEmpty("Nobody is ticked. Tick at least one.")
    clients = _in_order(actor, invoices)
    earlier = earlier_runs(actor, request.kind, request.period, invoices)
    if {each.id for each in earlier} - set(told_of):
        raise BegunBefore(
            "Some of these clients are in a run that was begun before: look at it, or tick that they get it again."
        )
    try:
        with transaction.atomic():
            _create(actor, mailing_id, request, expected_count, expected_cents)
    except IntegrityError:  # the same form with other ticks at the same moment: its run is there now
        if Mailing.objects.filter(pk=mailing_id).exists():
            return mailing_id
        raise
    ways = [_way(request.ways, client) for client in clients]
    copy_rows(
        MailingItem, ("id", "mailing_id", "client_id", "position", "way", "invoice_ids", "outcome", "code", "words"),
        (
            (new_id(), mailing_id, client.pk, position, way, list(invoices[client.pk]), "", "", "")
            for position, (client, way) in enumerate(zip(clients, ways, strict=True), start=1)
        ),
    )  # fmt: skip
    total = len(clients) + ways.count(MailingItem.Way.PRINT)
    start_job(actor, kind=JOB_KIND, subject_id=mailing_id, unit="clients", total_count=total)
    record(
        actor, "start_mailing", "mailing", mailing_id, kind=str(request.kind), clients=len(clients),
        expected_cents=expected_cents,
    )  # fmt: skip
    return mailing_id


@action(Permission.BILLING, audited=False)
def continue_mailing(actor: Actor, *, mailing_id: UUID) -> bool:
    """Let a run whose job failed go on where it stopped. False where it has finished, waits or works. Raises
    NotFound."""
    get_mailing(actor, mailing_id)
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=mailing_id)
    if mailing.finished_at is not None or not continue_job(actor, subject_id=mailing_id):
        return False
    record(actor, "continue_mailing", "mailing", mailing_id)
    return True


@action(Permission.BILLING, audited=False)
def remake_file(actor: Actor, *, mailing_id: UUID) -> None:
    """Have the file of a run made again from its documents, which say what they said. Raises NotFound,
    MailingStillRunning."""
    get_mailing(actor, mailing_id)
    mailing = Mailing.objects.select_for_update(no_key=True).get(pk=mailing_id)
    file = MailingFile.objects.filter(mailing=mailing, removed_at=None).first()
    if file and has_file(actor.practice.id, file.key):
        return
    MailingFile.objects.filter(mailing=mailing, removed_at=None).update(removed_at=actor.now)
    if JobRun.objects.filter(subject_id=mailing_id, state__in=LIVE_STATES).exists():
        raise MailingStillRunning("The run is still at work. Its file comes with its end.")
    items = MailingItem.objects.filter(mailing=mailing)
    total, printed = items.count(), items.filter(way=MailingItem.Way.PRINT).count()
    start_job(
        actor, kind=JOB_KIND, subject_id=mailing_id, unit="clients", total_count=total + printed, done_count=total
    )
    record(actor, "remake_mailing_file", "mailing", mailing_id)


@action(Permission.BILLING)
def stop_sending(actor: Actor, *, mailing_id: UUID) -> int:
    """Withdraw the e-mails of a run that have not been sent; returns how many. Raises NotFound."""
    get_mailing(actor, mailing_id)
    withdrawn = withdraw_run(actor, run_id=mailing_id)
    record(actor, "stop_sending", "mailing", mailing_id, withdrawn=withdrawn)
    return withdrawn


@action(Permission.BILLING)
def email_documents(
    actor: Actor, *, request_id: UUID, client_id: UUID, kind: Kind, document_ids: Sequence[UUID], text: str
) -> UUID:
    """One e-mail with these documents of a client; the same request twice is one. Raises NotFound, AddressUnusable."""
    client = get_client(actor, client_id)
    if MadeDocument.objects.filter(pk__in=document_ids, client=client).count() != len(set(document_ids)):
        raise NotFound("There is no such document of this client.")
    draft = mail_draft(client, kind, text[:MOST_TEXT], document_ids)
    message_id = queue_messages(actor, kind=kind, run_id=request_id, drafts=[draft])[client_id]
    record(actor, "email_documents", "message", message_id, client_id=client_id, kind=str(kind))
    return message_id


def _create(actor: Actor, mailing_id: UUID, request: MailingRequest, expected_count: int, expected_cents: int) -> None:
    Mailing.objects.create(
        pk=mailing_id, kind=request.kind, first_on=request.period.first_on, last_on=request.period.last_on,
        basis=request.basis, hides_zero=request.hides_zero, hides_insurance_only=request.hides_insurance_only,
        at_least_cents=request.at_least_cents, email_text=request.email_text[:MOST_TEXT], created_at=actor.now,
        created_by_name=actor.person_name[:120], created_by_staff_member_id=actor.staff_member_id,
        expected_count=expected_count, expected_cents=expected_cents,
    )  # fmt: skip


def _in_order(actor: Actor, client_ids: Collection[UUID]) -> list[Client]:
    """By name: the order of the pages in the file."""
    found = visible_clients(actor).filter(pk__in=list(client_ids))
    clients = list(found.order_by(Lower("last_name"), Lower("first_name"), "pk"))
    if len(clients) != len(client_ids):
        raise NotFound("There is no such client, or you are not assigned to the client.")
    return clients


def _way(ways: Ways, client: Client) -> str:
    return way_of(ways, prefers=client.documents_by, has_address=is_address(client.email))

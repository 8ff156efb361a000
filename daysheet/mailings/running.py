"""The job of a run: documents piece by piece, each piece in one transaction with its items and its e-mails; then one
PDF of what is printed. Safe to call again after a kill: what is done stands in the items.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import DatabaseError, IntegrityError, OperationalError
from django.db.models import QuerySet

from daysheet.clients.models import Client
from daysheet.clients.queries import visible_clients
from daysheet.database.scope import practice_transaction
from daysheet.documents.actions import keep_made
from daysheet.documents.models import MadeDocument
from daysheet.documents.papers import Kind, Paper
from daysheet.documents.queries.made import paper_of
from daysheet.documents.queries.statements import StatementChoices, statement_figures
from daysheet.documents.rendering import (
    count_pages,
    invoice_papers,
    statement_papers,
    superbill_papers,
    write_pdf,
)
from daysheet.documents.rules import Basis, Period
from daysheet.invoicing.models import InvoiceVoid
from daysheet.jobs.actions import advance_job, set_job_progress
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_token
from daysheet.mail.actions import is_address, queue_messages
from daysheet.practices.actor import Actor, system_actor
from daysheet.staff.actors import Entrance, person_actor
from daysheet.staff.models import StaffMember

from .drafts import mail_draft
from .files import new_file, remove_file
from .models import Mailing, MailingFile, MailingItem
from .rules import SKIPPED, unreachable

#: Clients of one transaction: what a kill loses, and what lies in memory, at the most.
CLIENTS_PER_PIECE = 25
#: Documents read at once for the file.
DOCUMENTS_PER_READ = 50
_TRIES = 3
_log = logging.getLogger("daysheet.mailings")


@dataclass(frozen=True, slots=True)
class _Made:
    """What a piece came to: papers by client, and codes of why there are none."""

    papers: Mapping[UUID, Sequence[Paper]]
    skipped: Mapping[UUID, str]


def run_mailing(job: RunningJob) -> None:
    """Carry a run out until no item is left, then put its file together."""
    with practice_transaction(job.practice.id):
        done = MailingItem.objects.filter(mailing_id=job.subject_id, done_at__isnull=False).count()
        set_job_progress(job.run_id, done_count=done, now=job.clock())
    while _run_piece(job):
        pass
    _make_file(job)
    with practice_transaction(job.practice.id):
        Mailing.objects.filter(pk=job.subject_id, finished_at=None).update(finished_at=job.clock())


def _run_piece(job: RunningJob) -> bool:
    """Some clients together; where that fails, each by itself, so that one cannot stop the others."""
    for attempt in range(_TRIES):
        try:
            return _make_piece(job, CLIENTS_PER_PIECE)
        except OperationalError:
            _log.warning("run %s: a piece met a lock, try %s", job.subject_id, attempt + 1)
            time.sleep(0.2 * (attempt + 1))
        except NotFound:
            raise
        except Exception as error:
            # No traceback: it may quote what it was working on.
            _log.error("run %s: a piece failed (%s), going on one by one", job.subject_id, type(error).__name__)
            break
    return _make_one(job)


def _make_one(job: RunningJob) -> bool:
    try:
        return _make_piece(job, 1)
    except OperationalError:  # the database is gone or locked, which says nothing about the client
        raise
    except (Refusal, DatabaseError, ArithmeticError, LookupError, ValueError, TypeError, RuntimeError) as error:
        _log.error("run %s: a client failed: %s", job.subject_id, type(error).__name__)
    with practice_transaction(job.practice.id):
        items = _next_items(job.subject_id, 1)
        _finish(job, items, {item.client_id: "unexpected" for item in items})
    return True


def _make_piece(job: RunningJob, size: int) -> bool:
    with practice_transaction(job.practice.id):
        items = _next_items(job.subject_id, size)
        if not items:
            return False
        mailing = Mailing.objects.get(pk=job.subject_id)
        actor = _actor_of(job, mailing)
        clients = {client.pk: client for client in visible_clients(actor).filter(pk__in=[i.client_id for i in items])}
        unmade = _unmade(items, clients)
        wanted = [item for item in items if item.client_id not in unmade]
        made = _papers(actor, mailing, wanted)
        papers = [paper for item in wanted for paper in made.papers.get(item.client_id, ())]
        documents = _keep(actor, mailing, papers)
        _write_mails(actor, mailing, [item for item in wanted if item.way == MailingItem.Way.EMAIL], clients, documents)
        _finish(job, items, {**unmade, **made.skipped})
    return True


def _next_items(mailing_id: UUID, size: int) -> list[MailingItem]:
    left = MailingItem.objects.filter(mailing_id=mailing_id, done_at=None)
    return list(left.order_by("position").select_for_update()[:size])


def _unmade(items: Sequence[MailingItem], clients: Mapping[UUID, Client]) -> dict[UUID, str]:
    """Who gets nothing, before anything is reckoned: everything is looked at again in this moment."""
    found = {}
    for item in items:
        client = clients.get(item.client_id)
        if client is None:
            found[item.client_id] = "not_visible"
        elif item.way == MailingItem.Way.EMAIL:
            code = unreachable(prefers=client.documents_by, has_address=is_address(client.email))
            found |= {item.client_id: code} if code else {}
    return found


def _papers(actor: Actor, mailing: Mailing, items: Sequence[MailingItem]) -> _Made:
    match mailing.kind:
        case Kind.STATEMENT:
            return _statements(actor, mailing, items)
        case Kind.INVOICE:
            return _invoices(actor, items)
    return _superbills(actor, items)


def _statements(actor: Actor, mailing: Mailing, items: Sequence[MailingItem]) -> _Made:
    choices = StatementChoices(
        Period(mailing.first_on, mailing.last_on), Basis(mailing.basis), actor.today, mailing.hides_zero,
        mailing.hides_insurance_only,
    )  # fmt: skip
    ids = [item.client_id for item in items]
    figures = statement_figures(actor, ids, choices) if mailing.at_least_cents else {}
    less = {pk: "owes_less" for pk, each in figures.items() if each.due_cents < mailing.at_least_cents}
    papers = statement_papers(actor, [pk for pk in ids if pk not in less], choices)
    return _Made(_by_client(papers), less)


def _invoices(actor: Actor, items: Sequence[MailingItem]) -> _Made:
    ids = [invoice_id for item in items for invoice_id in item.invoice_ids]
    void = set(InvoiceVoid.objects.filter(invoice_id__in=ids).values_list("invoice_id", flat=True))
    papers = _by_client(invoice_papers(actor, [pk for pk in ids if pk not in void]))
    return _Made(papers, {item.client_id: "void" for item in items if item.client_id not in papers})


def _superbills(actor: Actor, items: Sequence[MailingItem]) -> _Made:
    invoice_ids = [invoice_id for item in items for invoice_id in item.invoice_ids]
    papers = _by_client(superbill_papers(actor, [item.client_id for item in items], invoice_ids=invoice_ids))
    return _Made(papers, {item.client_id: "nothing_coded" for item in items if item.client_id not in papers})


def _by_client(papers: Sequence[Paper]) -> dict[UUID, list[Paper]]:
    found: dict[UUID, list[Paper]] = defaultdict(list)
    for paper in papers:
        found[paper.client_id].append(paper)
    return dict(found)


def _keep(actor: Actor, mailing: Mailing, papers: Sequence[Paper]) -> dict[UUID, list[UUID]]:
    """{client: ids of the documents}, kept in the order of the file."""
    if not papers:
        return {}
    first = MadeDocument.objects.filter(made_in=mailing.pk).count()
    kept = keep_made(actor, papers, count_pages(papers), made_in=mailing.pk, first_position=first)
    found: dict[UUID, list[UUID]] = defaultdict(list)
    for document in kept:
        found[document.client_id].append(document.pk)
    return dict(found)


def _write_mails(
    actor: Actor,
    mailing: Mailing,
    items: Sequence[MailingItem],
    clients: Mapping[UUID, Client],
    documents: Mapping[UUID, Sequence[UUID]],
) -> None:
    drafts = [
        mail_draft(clients[item.client_id], mailing.kind, mailing.email_text, documents[item.client_id])
        for item in items
        if item.client_id in documents
    ]
    queue_messages(actor, kind=mailing.kind, run_id=mailing.pk, drafts=drafts, is_bulk=True)


def _finish(job: RunningJob, items: Sequence[MailingItem], skipped: Mapping[UUID, str]) -> None:
    now = job.clock()
    by_code: dict[str, list[UUID]] = defaultdict(list)
    for item in items:
        by_code[skipped.get(item.client_id, "")].append(item.pk)
    for code, ids in by_code.items():
        outcome = MailingItem.Outcome.SKIPPED if code else MailingItem.Outcome.MADE
        words = SKIPPED.get(code, "")
        MailingItem.objects.filter(pk__in=ids).update(done_at=now, outcome=outcome, code=code, words=words)
    advance_job(job.run_id, by=len(items), now=now)


def _make_file(job: RunningJob) -> None:
    """One PDF of what is printed, in the order of names; nothing where nothing is, or the file is there."""
    with practice_transaction(job.practice.id):
        mailing = Mailing.objects.get(pk=job.subject_id)
        if MailingFile.objects.filter(mailing=mailing, removed_at=None).exists() or not _printed(mailing.pk).exists():
            return
    key = new_token()
    with new_file(job.practice.id, key) as (file, complete):
        written = write_pdf(_printed_papers(job, mailing.pk), file)
        size_bytes, sha256 = complete()
    try:
        with practice_transaction(job.practice.id):
            MailingFile.objects.create(
                mailing=mailing, key=key, made_at=job.clock(), size_bytes=size_bytes,
                page_count=len(written.page_clients), sha256=sha256,
            )  # fmt: skip
    except IntegrityError:  # another worker, which believed this one lost, was faster
        remove_file(job.practice.id, key)


def _printed(mailing_id: UUID) -> QuerySet[MadeDocument]:
    printed = MailingItem.objects.filter(
        mailing_id=mailing_id, way=MailingItem.Way.PRINT, outcome=MailingItem.Outcome.MADE
    )
    return MadeDocument.objects.filter(made_in=mailing_id, client_id__in=printed.values("client_id"))


def _printed_papers(job: RunningJob, mailing_id: UUID) -> Iterator[Paper]:
    """The kept papers a few at a time, each read in a transaction of its own that counts those before it."""
    after, seen = -1, None
    while True:
        with practice_transaction(job.practice.id):
            rows = _printed(mailing_id).filter(position__gt=after).select_related("logo").order_by("position")
            documents = list(rows[:DOCUMENTS_PER_READ])
            clients = [document.client_id for document in documents]
            new = len({pk for pk in clients if pk != seen})
            advance_job(job.run_id, by=new, now=job.clock())
        if not documents:
            return
        after, seen = documents[-1].position, clients[-1]
        yield from map(paper_of, documents)


def _actor_of(job: RunningJob, mailing: Mailing) -> Actor:
    """The person who confirmed, with the permissions of this moment; documents carry the day of the run, however long
    it takes. Raises NotFound where the person is gone."""
    if mailing.created_by_staff_member_id is None:
        actor: Actor | None = system_actor(job.practice, mailing.created_at, name=mailing.created_by_name)
    else:
        user_id = StaffMember.objects.values_list("user_id", flat=True).get(pk=mailing.created_by_staff_member_id)
        entrance = Entrance(job.practice, mailing.created_by_staff_member_id)
        actor = person_actor(entrance, user_id, now=mailing.created_at) if user_id else None
    if actor is None:
        raise NotFound(f"{mailing.created_by_name} no longer works here, so the run was stopped.")
    return actor

"""The demo's past months: each billed by a real batch at the beginning of the next, then partly paid."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid5

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.batches import JOB_KIND, BatchRequest, run_batch, start_batch
from daysheet.invoicing.door import preview
from daysheet.invoicing.models import Batch, Invoice, InvoiceLine
from daysheet.invoicing.selection import Selection
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.kit.dates import local_moment, month_bounds
from daysheet.payments.actions import NewPayment, accept_payments
from daysheet.payments.models import Payment
from daysheet.practices.actor import ActorKind, PracticeFacts, system_actor
from daysheet.schedule.models import Visit, VisitService

_NAMESPACE = UUID("0d2f7b56-6b0a-5b9e-8c7e-3f1d5f0f9a01")
_METHODS = ("card", "card", "card", "check", "cash", "ach", "hsa")
_BILLER = "Bo Ledgerwood"
#: Of 100 clients with something to bill in a month, this many are left out, as if forgotten.
_FORGOTTEN_PERCENT = 1
Progress = Callable[[str], None]


def bill_and_pay(facts: PracticeFacts, *, begins_on: date, today: date, seed: int, progress: Progress) -> None:
    """Bill every month that is over and take the payments for it. Done again, it goes on where it was stopped."""
    for first in _months(begins_on, today):
        last = month_bounds(first)[1]
        pick = random.Random(f"{facts.slug} {seed} {first}")  # noqa: S311 - sample data, no secret
        billed = _bill_month(facts, first, last, pick)
        received = _pay_month(facts, first, last, today, pick)
        progress(f"{facts.name}: {first:%B %Y} billed for {billed} clients, {received} payments")


def _months(begins_on: date, today: date) -> Iterator[date]:
    first = begins_on.replace(day=1)
    while first < today.replace(day=1):
        yield first
        first = (first + timedelta(days=32)).replace(day=1)


def _bill_month(facts: PracticeFacts, first: date, last: date, pick: random.Random) -> int:
    """One batch on the first day of the next month, at nine."""
    batch_id = uuid5(_NAMESPACE, f"{facts.id} batch {first}")
    moment = local_moment(last + timedelta(days=1), time(9), facts.time_zone).astimezone(UTC)
    with practice_transaction(facts.id):
        if not Batch.objects.filter(pk=batch_id).exists():
            _start(facts, batch_id, first, last, moment, pick)
        run_id = JobRun.objects.filter(kind=JOB_KIND, subject_id=batch_id).values_list("pk", flat=True).first()
    if run_id is None:
        return 0
    run_batch(RunningJob(facts, run_id, batch_id, clock=lambda: moment))
    run_job(facts.id, run_id)
    with practice_transaction(facts.id):
        return Invoice.objects.filter(batch_id=batch_id).count()


def _start(
    facts: PracticeFacts, batch_id: UUID, first: date, last: date, moment: datetime, pick: random.Random
) -> None:
    actor = system_actor(facts, moment, ActorKind.COMMAND, _BILLER)
    by_client: dict[UUID, list[UUID]] = {}
    for client_id, service_id in _unbilled(first, last):
        by_client.setdefault(client_id, []).append(service_id)
    ticked = {client_id: ids for client_id, ids in by_client.items() if pick.randrange(100) >= _FORGOTTEN_PERCENT}
    if not ticked:
        return
    decisions = preview(actor, Selection(tuple(service_id for ids in ticked.values() for service_id in ids)))
    start_batch(
        actor,
        batch_id=batch_id,
        from_on=first,
        to_on=last,
        items=[BatchRequest(client_id, tuple(ids)) for client_id, ids in ticked.items()],
        expected_count=len(ticked),
        expected_cents=sum(each.line.amount_cents for each in decisions if each.line),
    )


def _unbilled(first: date, last: date) -> list[tuple[UUID, UUID]]:
    """(client, visit service) of a month, clients in a fixed order. Joined here: see `_owed`."""
    order = dict(Client.objects.values_list("pk", "external_id"))
    client_of = dict(Visit.objects.filter(service_on__range=(first, last)).values_list("pk", "client_id"))
    open_ones = VisitService.objects.filter(line_id=None, is_suspended=False, service_on__range=(first, last))
    found = [(client_of[visit_id], pk) for visit_id, pk in open_ones.values_list("visit_id", "pk")]
    return sorted(found, key=lambda pair: (order[pair[0]] or "", pair[1]))


def _pay_month(facts: PracticeFacts, first: date, last: date, today: date, pick: random.Random) -> int:
    """What clients pay in the weeks after a month's bill: mostly all, sometimes a part, rarely too much."""
    received_on = min(last + timedelta(days=18), today - timedelta(days=1))
    moment = local_moment(received_on, time(16), facts.time_zone).astimezone(UTC)
    with practice_transaction(facts.id):
        invoices = Invoice.objects.filter(batch_id=uuid5(_NAMESPACE, f"{facts.id} batch {first}"))
        billed = invoices.order_by("client__external_id").values_list("client_id", "pk")
        clients = dict.fromkeys(client_id for client_id, _ in billed)
        keys = {client_id: uuid5(_NAMESPACE, f"{client_id} paid {first}") for client_id in clients}
        if Payment.objects.filter(request_key__in=_every_key(keys.values())).exists():
            return 0
        owed = _owed([invoice_id for _, invoice_id in billed])
        actor = system_actor(facts, moment, ActorKind.COMMAND, _BILLER)
        payments = [
            payment
            for client_id in clients
            if client_id in owed
            for payment in _payments(client_id, owed[client_id], keys[client_id], received_on, pick)
        ]
        accept_payments(actor, payments)
    return len(payments)


def _every_key(keys: Iterable[UUID]) -> list[UUID]:
    return [each for key in keys for each in (key, _ahead(key))]


def _ahead(key: UUID) -> UUID:
    return uuid5(key, "ahead")


def _owed(invoice_ids: list[UUID]) -> dict[UUID, int]:
    """What clients owe on these invoices. Summed here: a join misleads the planner while the tables are new."""
    owed: dict[UUID, int] = defaultdict(int)
    lines = InvoiceLine.objects.filter(invoice_id__in=invoice_ids, client_open_cents__gt=0)
    for client_id, cents in lines.values_list("client_id", "client_open_cents"):
        owed[client_id] += cents
    return owed


def _payments(client_id: UUID, due_cents: int, key: UUID, last_on: date, pick: random.Random) -> Iterator[NewPayment]:
    """One client's payments for a month, and now and then one ahead that stays credit (M3)."""
    drawn = pick.randrange(100)
    method, received_on = pick.choice(_METHODS), last_on - timedelta(days=pick.randrange(10))
    number = f"{pick.randrange(1000, 9999)}" if method == "check" else ""
    cents = due_cents if drawn < 80 else due_cents // 2 if drawn < 90 else 0
    if cents:
        yield NewPayment(key, client_id, cents, method, received_on, number=number)
    if drawn % 33 == 0:
        yield NewPayment(_ahead(key), client_id, 5000, method, received_on, {}, notes="Paid ahead")

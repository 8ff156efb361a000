"""Receiving payments as sets: one or tens of thousands, in the same few statements. Used by actions.py only.

Locks, always in this order: clients, lines (id order), payments. So two people who take money from one client go one
after the other, and the second decides on what the first has left open.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from django.db import IntegrityError, connection

from daysheet.audit.actions import Happening, record_many
from daysheet.clients.queries import visible_clients
from daysheet.database.copying import copy_rows
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.ledger.requests import RequestKeyReused
from daysheet.practices.actor import Actor
from daysheet.schedule.models import Visit

from .models import Payment
from .rules import Credit, OpenLine, Spread, left_open, prepay, spread


class PaymentInFuture(Refusal):
    """Money cannot have been received after today, in practice time."""

    code = "payment_in_future"


@dataclass(frozen=True, slots=True)
class NewPayment:
    """A payment to be. `amount_cents` None: what the chosen lines come to. `applications` as in `rules.spread`.

    `is_prepayment`: what the chosen lines leave is meant for the date of service `visit_id` (M3): it goes on that
    date's lines, now where it has been billed meanwhile, else when it is billed. `charge_id`: the processor's charge.
    """

    request_key: UUID
    client_id: UUID
    amount_cents: int | None
    method: str
    received_on: date
    applications: Mapping[UUID, int | None] | None = None
    number: str = ""
    notes: str = ""
    is_copay: bool = False
    visit_id: UUID | None = None
    is_prepayment: bool = False
    charge_id: UUID | None = None

    @property
    def digest(self) -> str:
        """What was asked for, to tell a retry from another request with the same key."""
        chosen = None if self.applications is None else sorted((str(k), v) for k, v in self.applications.items())
        asked = [
            str(self.client_id), self.amount_cents, str(self.method), self.received_on.isoformat(), self.number,
            self.notes, self.is_copay, str(self.visit_id), chosen,
        ]  # fmt: skip
        asked += ["prepayment"] if self.is_prepayment else []
        return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of a payment, in cents. `is_repeat`: the request had been carried out before, nothing was written."""

    payment_id: UUID
    applied_cents: int
    credit_cents: int
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class _Decided:
    payment_id: UUID
    new: NewPayment
    spread: Spread


def receive(actor: Actor, payments: Sequence[NewPayment]) -> list[Accepted]:
    """Carry out payments in order, each on what the ones before it left open. Raises everything actions.py names."""
    payments = [replace(each, number=each.number.strip(), notes=each.notes.strip()) for each in payments]
    lock_visible_clients(actor, {each.client_id for each in payments})
    _check_facts(actor, payments)
    answers = _received_before([each.request_key for each in payments])
    fresh = [each for each in payments if each.request_key not in answers]
    lines, issued_on = lock_open_lines(actor, {each.client_id for each in fresh})
    lines_of_visit = _lines_of_visits({each.visit_id for each in fresh if each.is_prepayment and each.visit_id})
    decided: list[_Decided] = []
    for each in fresh:
        if each.request_key in answers:  # twice in one list
            continue
        one = _Decided(new_id(), each, _spread(each, lines[each.client_id], lines_of_visit))
        lines[each.client_id] = left_open(lines[each.client_id], one.spread)
        decided.append(one)
        answers[each.request_key] = (
            Accepted(one.payment_id, one.spread.applied_cents, one.spread.credit_cents), each.digest,
        )  # fmt: skip
    _write(actor, decided, issued_on)
    return _in_order(payments, answers, {one.payment_id for one in decided})


def _spread(new: NewPayment, lines: list[OpenLine], lines_of_visit: Mapping[UUID, set[UUID]]) -> Spread:
    """Where a payment goes. A prepayment pays nothing but what was chosen and its own date of service (M3)."""
    if not new.is_prepayment or new.visit_id is None:
        return spread(new.amount_cents, lines, new.applications)
    paid = spread(new.amount_cents, lines, new.applications or {})
    own = [line for line in left_open(lines, paid) if line.line_id in lines_of_visit[new.visit_id]]
    more = prepay([Credit(new.visit_id, new.received_on, paid.credit_cents)], own)
    cents = dict(paid.applications)
    for _, line_id, extra in more:
        cents[line_id] = cents.get(line_id, 0) + extra
    return Spread(paid.amount_cents, tuple(cents.items()))


def _lines_of_visits(visit_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """The live lines of each visit: of a prepaid one that was billed between the page and the payment."""
    found: dict[UUID, set[UUID]] = defaultdict(set)
    if visit_ids:
        live = InvoiceLine.objects.filter(visit_service__visit_id__in=visit_ids, ended_at=None)
        for visit_id, line_id in live.values_list("visit_service__visit_id", "pk"):
            found[visit_id].add(line_id)
    return found


def lock_visible_clients(actor: Actor, client_ids: Collection[UUID]) -> None:
    """Lock the clients in id order. Raises NotFound unless the actor may see every one of them."""
    rows = visible_clients(actor).filter(pk__in=client_ids).order_by("pk").select_for_update(no_key=True)
    if set(rows.values_list("pk", flat=True)) != set(client_ids):
        raise NotFound("There is no such client.")


def lock_open_lines(actor: Actor, client_ids: Collection[UUID]) -> tuple[dict[UUID, list[OpenLine]], dict[UUID, date]]:
    """By client, the lines whose client side is open, locked in id order; and for each line the day since when its
    client side owes what it does: its invoice's, or that of the last change."""
    lines: dict[UUID, list[OpenLine]] = defaultdict(list)
    issued_on: dict[UUID, date] = {}
    with connection.cursor() as cursor:
        cursor.execute(_OPEN_LINES, [actor.practice.id, list(client_ids)])
        for client_id, line_id, service_on, number, position, due_cents, issued in cursor.fetchall():
            lines[client_id].append(OpenLine(line_id, service_on, number, position, due_cents))
            issued_on[line_id] = issued
    return lines, issued_on


def application(client_id: UUID, payment_id: UUID, line_id: UUID, cents: int, *, on: date, issued_on: date) -> Movement:
    """A part of a payment put on the client side of a line: never on a day before that side owed it (`issued_on`)."""
    return Movement(
        Account.CREDIT,
        Account.CLIENT_RECEIVABLE,
        cents,
        client_id,
        max(on, issued_on),
        line_id=line_id,
        payment_id=payment_id,
    )


_OPEN_LINES = """
    SELECT l.client_id, l.id, l.service_on, i.number, l.position, l.client_open_cents,
        coalesce((SELECT max(e.effective_on) FROM ledger_entry e WHERE e.practice_id = l.practice_id
            AND e.line_id = l.id AND e.debit_account = 'client_receivable'), i.issued_on)
    FROM invoicing_invoiceline l
    JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    WHERE l.practice_id = %s AND l.client_id = ANY(%s) AND l.client_open_cents > 0
    ORDER BY l.id FOR NO KEY UPDATE OF l"""
_PAYMENT_COLUMNS = (
    "id", "client_id", "method", "amount_cents", "unapplied_cents", "received_on", "number", "notes", "is_copay",
    "visit_id", "is_prepayment", "charge_id", "created_at", "created_by_name", "request_key", "request_digest",
)  # fmt: skip


def _check_facts(actor: Actor, payments: Sequence[NewPayment]) -> None:
    if any(each.received_on > actor.today for each in payments):
        raise PaymentInFuture(
            "The date lies in the future: money is entered when it has been received. Nothing was saved."
        )
    if any(each.is_prepayment and each.visit_id is None for each in payments):
        raise NotFound("A prepayment names its appointment. Nothing was saved.")
    visits = {each.visit_id: each.client_id for each in payments if each.visit_id}
    found = dict(Visit.objects.filter(pk__in=visits).values_list("pk", "client_id")) if visits else {}
    if any(found.get(each.visit_id) != each.client_id for each in payments if each.visit_id):
        raise NotFound("There is no such date of service of this client.")


def _received_before(request_keys: Sequence[UUID]) -> dict[UUID, tuple[Accepted, str]]:
    rows = Payment.objects.filter(request_key__in=request_keys)
    return {
        key: (Accepted(payment_id, amount - unapplied, unapplied, is_repeat=True), digest)
        for key, payment_id, amount, unapplied, digest in rows.values_list(
            "request_key", "pk", "amount_cents", "unapplied_cents", "request_digest"
        )
    }


def _write(actor: Actor, decided: Sequence[_Decided], issued_on: Mapping[UUID, date]) -> None:
    if not decided:
        return
    try:
        copy_rows(Payment, _PAYMENT_COLUMNS, (_payment_row(actor, one) for one in decided))
    except IntegrityError as error:
        if "payment_request_once" in str(error):
            raise RequestKeyReused from error
        raise
    post(actor, [each for one in decided for each in _movements(one, issued_on)], event_id=new_id())
    record_many(actor, (_happening(one) for one in decided))


def _payment_row(actor: Actor, one: _Decided) -> tuple[object, ...]:
    """The row without its money: that arrives with the entries."""
    new = one.new
    return (
        one.payment_id, new.client_id, str(Payment.Method(new.method)), one.spread.amount_cents, 0, new.received_on,
        new.number, new.notes, new.is_copay, new.visit_id, new.is_prepayment, new.charge_id, actor.now,
        actor.person_name[:120], new.request_key, new.digest,
    )  # fmt: skip


def _movements(one: _Decided, issued_on: Mapping[UUID, date]) -> list[Movement]:
    new = one.new
    received = Movement(
        Account.CASH,
        Account.CREDIT,
        one.spread.amount_cents,
        new.client_id,
        new.received_on,
        payment_id=one.payment_id,
    )
    applied = [
        application(new.client_id, one.payment_id, line_id, cents, on=new.received_on, issued_on=issued_on[line_id])
        for line_id, cents in one.spread.applications
    ]
    return [received, *applied]


def _happening(one: _Decided) -> Happening:
    amounts = {"amount_cents": one.spread.amount_cents, "applied_cents": one.spread.applied_cents}
    details = {"method": str(one.new.method), **amounts, "lines": len(one.spread.applications)}
    return Happening("accept_payment", "payment", one.payment_id, one.new.client_id, details)


def _in_order(
    payments: Sequence[NewPayment], answers: Mapping[UUID, tuple[Accepted, str]], written: Collection[UUID]
) -> list[Accepted]:
    accepted = []
    told: set[UUID] = set()
    for each in payments:
        answer, digest = answers[each.request_key]
        if digest != each.digest:
            raise RequestKeyReused
        is_repeat = answer.payment_id not in written or answer.payment_id in told
        told.add(answer.payment_id)
        accepted.append(replace(answer, is_repeat=is_repeat))
    return accepted

"""An insurer's payment over any number of lines and clients: what was paid, what was adjusted by contract, and what the
client owes instead, line by line (M1, M4). A client's credit is never touched.

Locks: clients by id, lines by id; `ledger.post` guards each line and the payment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Payer
from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotFound
from daysheet.kit.ids import new_id
from daysheet.kit.money import LARGEST_CENTS, Money
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.ledger.queries import owed_since
from daysheet.ledger.requests import claim_request
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .actions import SurplusNotConfirmed
from .models import Payment
from .receiving import PaymentInFuture, lock_visible_clients
from .rules import AppliedMoreThanDue, AppliedMoreThanReceived, LineNotOpen, PaymentNotPositive, PaymentTooLarge


@dataclass(frozen=True, slots=True)
class LinePosting:
    """What one line of a remittance says, in cents: paid, adjusted by contract (CO), and the client's to pay (PR)."""

    paid_cents: int = 0
    adjusted_cents: int = 0
    to_client_cents: int = 0

    @property
    def total_cents(self) -> int:
        return self.paid_cents + self.adjusted_cents + self.to_client_cents


@dataclass(frozen=True, slots=True)
class InsurerPosted:
    """What was posted, in cents. `payment_id` is None where nothing was paid. `is_repeat`: it was done before."""

    payment_id: UUID | None
    paid_cents: int
    adjusted_cents: int
    to_client_cents: int
    credit_cents: int
    is_repeat: bool = False


@action(Permission.BILLING, audited=False)
def accept_insurance_payment(
    actor: Actor,
    *,
    request_key: UUID,
    payer_id: UUID,
    amount_cents: int | None,
    method: str,
    received_on: date,
    postings: Mapping[UUID, LinePosting],
    number: str = "",
    notes: str = "",
    expected_credit_cents: int = 0,
) -> InsurerPosted:
    """Post an insurer's cheque or transfer. `amount_cents` None: what the lines come to. The surplus is kept as the
    insurer's credit where `expected_credit_cents` says that the person was told of it.

    The same key with the same content is one payment. Raises NotFound, RequestKeyReused, PaymentInFuture,
    PaymentNotPositive, PaymentTooLarge, LineNotOpen, AppliedMoreThanDue, AppliedMoreThanReceived, SurplusNotConfirmed.
    """
    postings = {line_id: posting for line_id, posting in postings.items() if posting.total_cents}
    if not Payer.objects.filter(pk=payer_id).exists():
        raise NotFound("There is no such insurer in this practice.")
    digest = _digest(payer_id, amount_cents, method, received_on, number.strip(), notes.strip(), postings)
    is_new = claim_request(actor, request_key, "accept_insurance_payment", {"digest": digest})
    lock_visible_clients(actor, _clients_of(actor, postings))
    if not is_new:
        return _done_before(request_key)
    if received_on > actor.today:
        raise PaymentInFuture("The date lies in the future: money is entered when it has been received.")
    lines = _lock_lines(payer_id, postings)
    posted = _decide(amount_cents, lines, postings)
    if posted.credit_cents > 0 and posted.credit_cents != expected_credit_cents:
        raise SurplusNotConfirmed(posted.credit_cents)
    if posted.payment_id:
        Payment.objects.create(
            pk=posted.payment_id, payer_id=payer_id, method=Payment.Method(method), amount_cents=_amount(posted),
            unapplied_cents=0, received_on=received_on, number=number.strip()[:40], notes=notes.strip()[:400],
            created_at=actor.now, created_by_name=actor.person_name[:120], request_key=request_key,
            request_digest=digest,
        )  # fmt: skip
    post(actor, _movements(actor, posted, lines, postings, received_on), event_id=request_key)
    record(
        actor, "accept_insurance_payment", "payment", posted.payment_id or request_key, payer_id=str(payer_id),
        amount_cents=_amount(posted), adjusted_cents=posted.adjusted_cents, lines=len(postings),
    )  # fmt: skip
    return posted


def _clients_of(actor: Actor, postings: Mapping[UUID, LinePosting]) -> set[UUID]:
    found = dict(
        InvoiceLine.objects.filter(pk__in=postings, client__in=visible_clients(actor)).values_list("pk", "client_id")
    )
    if len(found) != len(postings):
        raise NotFound("There is no such line, or you are not assigned to its client.")
    return set(found.values())


def _digest(*asked: object) -> str:
    *facts, postings = asked
    assert isinstance(postings, Mapping)
    lines = sorted((str(k), p.paid_cents, p.adjusted_cents, p.to_client_cents) for k, p in postings.items())
    return hashlib.sha256(json.dumps([[str(fact) for fact in facts], lines]).encode()).hexdigest()


def _done_before(request_key: UUID) -> InsurerPosted:
    payment = Payment.objects.filter(request_key=request_key).first()
    if payment is None:  # a posting without money
        return InsurerPosted(None, 0, 0, 0, 0, is_repeat=True)
    unapplied = payment.unapplied_cents
    return InsurerPosted(payment.pk, payment.amount_cents - unapplied, 0, 0, unapplied, is_repeat=True)


def _lock_lines(payer_id: UUID, postings: Mapping[UUID, LinePosting]) -> dict[UUID, InvoiceLine]:
    rows = InvoiceLine.objects.filter(pk__in=postings, ended_at=None, coverage__payer_id=payer_id)
    lines = {line.pk: line for line in rows.order_by("pk").select_for_update(no_key=True, of=("self",))}
    if len(lines) != len(postings):
        raise LineNotOpen(
            "A line was voided or changed meanwhile, or is covered by another insurer. Nothing was saved: reload."
        )
    return lines


def _decide(
    amount_cents: int | None, lines: Mapping[UUID, InvoiceLine], postings: Mapping[UUID, LinePosting]
) -> InsurerPosted:
    for line_id, posting in postings.items():
        line = lines[line_id]
        if min(posting.paid_cents, posting.adjusted_cents, posting.to_client_cents) < 0:
            raise PaymentNotPositive("An amount cannot be less than nothing. Nothing was saved.")
        if posting.total_cents > line.insurance_open_cents:
            raise AppliedMoreThanDue(
                f"{Money(posting.total_cents)} is more than the {Money(line.insurance_open_cents)} that insurance "
                f"still owes on the line of {line.service_on:%m/%d/%Y}. Nothing was saved."
            )
    paid = sum(posting.paid_cents for posting in postings.values())
    amount = paid if amount_cents is None else amount_cents
    if amount < 0 or (amount == 0 and not postings):
        raise PaymentNotPositive("Enter the amount that was received, or what the lines get. Nothing was saved.")
    if amount > LARGEST_CENTS:
        raise PaymentTooLarge(f"{Money(amount)} is more than one payment may be. Nothing was saved.")
    if paid > amount:
        raise AppliedMoreThanReceived(
            f"The lines take {Money(paid)}, but only {Money(amount)} was received. Nothing was saved."
        )
    adjusted = sum(posting.adjusted_cents for posting in postings.values())
    moved = sum(posting.to_client_cents for posting in postings.values())
    return InsurerPosted(new_id() if amount else None, paid, adjusted, moved, amount - paid)


def _amount(posted: InsurerPosted) -> int:
    return posted.paid_cents + posted.credit_cents


def _movements(
    actor: Actor,
    posted: InsurerPosted,
    lines: Mapping[UUID, InvoiceLine],
    postings: Mapping[UUID, LinePosting],
    received_on: date,
) -> list[Movement]:
    movements: list[Movement] = []
    if posted.payment_id:
        movements.append(
            Movement(Account.CASH, Account.CREDIT, _amount(posted), None, received_on, payment_id=posted.payment_id)
        )
    since = owed_since(actor, lines, Account.INSURANCE_RECEIVABLE)
    for line_id in sorted(postings):
        line, paid_on = lines[line_id], max(received_on, since[line_id])
        movements += _line_movements(actor, posted.payment_id, line, postings[line_id], paid_on)
    return movements


def _line_movements(
    actor: Actor, payment_id: UUID | None, line: InvoiceLine, posting: LinePosting, paid_on: date
) -> list[Movement]:
    """Money is on the line on the day it came, but never before insurance owed it; adjustments on the day they are
    posted."""
    parts = (
        (Account.CREDIT, posting.paid_cents, payment_id, paid_on, ""),
        (Account.CONTRACTUAL, posting.adjusted_cents, None, actor.today, "Contractual adjustment"),
        (Account.CLIENT_RECEIVABLE, posting.to_client_cents, None, actor.today, "Patient responsibility"),
    )
    return [
        Movement(
            debit, Account.INSURANCE_RECEIVABLE, cents, line.client_id, on, line_id=line.pk, payment_id=of_payment,
            coverage_id=line.coverage_id, reason=reason,
        )
        for debit, cents, of_payment, on, reason in parts
        if cents
    ]  # fmt: skip

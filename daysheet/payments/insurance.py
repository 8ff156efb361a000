"""An insurer's payment over any number of lines and clients: what was paid, what was adjusted by contract, and what the
client owes instead, line by line (M1, M4); and an insurer's credit put on lines later. A client's credit is never
touched.

Locks: clients by id, lines by id; `ledger.post` guards each line and the payment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Payer
from daysheet.clients.queries import visible_clients
from daysheet.database.constraints import refusing
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotFound
from daysheet.kit.ids import new_id
from daysheet.kit.money import LARGEST_CENTS, Money
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.ledger.queries import owed_since
from daysheet.ledger.requests import RequestKeyReused, claim_request
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .actions import NoCredit, SurplusNotConfirmed
from .models import Payment
from .receiving import PaymentInFuture, lock_visible_clients
from .rules import (
    AppliedMoreThanDue,
    AppliedMoreThanReceived,
    LineNotOpen,
    PaymentNotPositive,
    PaymentTooLarge,
    insurer_shares,
)


@dataclass(frozen=True, slots=True)
class LinePosting:
    """What one line of a remittance says, in cents: paid, adjusted by contract (CO), and the client's to pay (PR).

    `paid_cents` None: the line is ticked, and takes its share (`rules.insurer_shares`).
    """

    paid_cents: int | None = 0
    adjusted_cents: int = 0
    to_client_cents: int = 0

    @property
    def is_nothing(self) -> bool:
        """Whether the line was left alone."""
        return self.paid_cents == 0 and not self.adjusted_cents and not self.to_client_cents

    @property
    def rest_cents(self) -> int:
        """What of it is not money."""
        return self.adjusted_cents + self.to_client_cents


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
    postings = {line_id: posting for line_id, posting in postings.items() if not posting.is_nothing}
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
    postings = _shared_out(amount_cents, lines, postings)
    posted = _decide(amount_cents, lines, postings)
    if posted.credit_cents > 0 and posted.credit_cents != expected_credit_cents:
        raise SurplusNotConfirmed(posted.credit_cents)
    if posted.payment_id:
        with refusing(
            payment_request_once=RequestKeyReused()
        ):  # by a payment that claimed no key: a card's, an import's
            Payment.objects.create(
                pk=posted.payment_id, payer_id=payer_id, method=Payment.Method(method), amount_cents=_amount(posted),
                unapplied_cents=0, received_on=received_on, number=number.strip()[:40], notes=notes.strip()[:400],
                created_at=actor.now, created_by_name=actor.person_name[:120], request_key=request_key,
                request_digest=digest,
            )  # fmt: skip
    received = [
        Movement(Account.CASH, Account.CREDIT, _amount(posted), None, received_on, payment_id=posted.payment_id)
        for _ in range(posted.payment_id is not None)
    ]  # fmt: skip
    on_lines = _movements(actor, posted.payment_id, lines, postings, received_on)
    post(actor, [*received, *on_lines], event_id=request_key)
    record(
        actor, "accept_insurance_payment", "payment", posted.payment_id or request_key, payer_id=str(payer_id),
        amount_cents=_amount(posted), adjusted_cents=posted.adjusted_cents, lines=len(postings),
    )  # fmt: skip
    return posted


@action(Permission.BILLING, audited=False)
def apply_insurance_credit(
    actor: Actor, *, request_key: UUID, payment_id: UUID, postings: Mapping[UUID, LinePosting]
) -> InsurerPosted:
    """Put what an insurer's payment still has on open lines of that insurer, with adjustments and the client's part as
    a remittance has them. The same `request_key` twice is once.

    Raises NotFound, RequestKeyReused, NoCredit, PaymentNotPositive, LineNotOpen, AppliedMoreThanDue,
    AppliedMoreThanReceived.
    """
    postings = {line_id: posting for line_id, posting in postings.items() if not posting.is_nothing}
    is_new = claim_request(
        actor, request_key, "apply_insurance_credit", {"digest": _digest(payment_id, postings)}
    )  # fmt: skip
    payment = Payment.objects.filter(pk=payment_id, client=None).first()
    if payment is None or payment.payer_id is None or actor.limited_to_assigned:
        raise NotFound("There is no such insurer's payment in this practice.")
    lock_visible_clients(actor, _clients_of(actor, postings))
    if not is_new:
        return InsurerPosted(payment_id, 0, 0, 0, payment.unapplied_cents, is_repeat=True)
    lines = _lock_lines(payment.payer_id, postings)
    payment = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if not payment.unapplied_cents:
        raise NoCredit("This payment has no credit left to apply. Nothing was saved.")
    postings = _shared_out(payment.unapplied_cents, lines, postings)
    if not _paid_cents(postings):
        raise PaymentNotPositive("Choose what the credit pays. Nothing was saved.")
    posted = _decide(payment.unapplied_cents, lines, postings)
    post(actor, _movements(actor, payment_id, lines, postings, actor.today), event_id=request_key)
    record(
        actor, "apply_insurance_credit", "payment", payment_id, payer_id=str(payment.payer_id),
        applied_cents=posted.paid_cents, adjusted_cents=posted.adjusted_cents, lines=len(postings),
    )  # fmt: skip
    return replace(posted, payment_id=payment_id)


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
    rows = rows.select_related("client").only(
        "client_id", "coverage_id", "service_on", "insurance_open_cents", "client__last_name"
    )
    lines = {line.pk: line for line in rows.order_by("pk").select_for_update(no_key=True, of=("self",))}
    if len(lines) != len(postings):
        raise LineNotOpen(
            "A line was voided or changed meanwhile, or is covered by another insurer. Nothing was saved: reload."
        )
    return lines


def _shared_out(
    amount_cents: int | None, lines: Mapping[UUID, InvoiceLine], postings: Mapping[UUID, LinePosting]
) -> dict[UUID, LinePosting]:
    """The postings with what each ticked line gets, the oldest date of service first."""
    ordered = sorted(lines.values(), key=lambda line: (line.service_on, line.client.last_name, line.pk))
    rooms = [(line.pk, line.insurance_open_cents - postings[line.pk].rest_cents) for line in ordered]
    shares = insurer_shares(amount_cents, rooms, {key: posting.paid_cents for key, posting in postings.items()})
    return {line_id: replace(posting, paid_cents=shares[line_id]) for line_id, posting in postings.items()}


def _decide(
    amount_cents: int | None, lines: Mapping[UUID, InvoiceLine], postings: Mapping[UUID, LinePosting]
) -> InsurerPosted:
    _check_postings(lines, postings)
    paid = _paid_cents(postings)
    amount = paid if amount_cents is None else amount_cents
    if amount < 0 or (amount == 0 and not postings):
        raise PaymentNotPositive("Enter the amount that was received, or what the lines get. Nothing was saved.")
    if amount > LARGEST_CENTS:
        raise PaymentTooLarge(f"{Money(amount)} is more than one payment may be. Nothing was saved.")
    if paid > amount:
        raise AppliedMoreThanReceived(
            f"The lines take {Money(paid)}, but only {Money(amount)} was received. Nothing was saved."
        )
    return _posted(new_id() if amount else None, postings, amount - paid)


def _check_postings(lines: Mapping[UUID, InvoiceLine], postings: Mapping[UUID, LinePosting]) -> None:
    for line_id, posting in postings.items():
        line, paid = lines[line_id], posting.paid_cents or 0
        whole = paid + posting.rest_cents
        if min(paid, posting.adjusted_cents, posting.to_client_cents) < 0:
            raise PaymentNotPositive("An amount cannot be less than nothing. Nothing was saved.")
        if whole > line.insurance_open_cents:
            raise AppliedMoreThanDue(
                f"{Money(whole)} is more than the {Money(line.insurance_open_cents)} that insurance "
                f"still owes on the line of {line.service_on:%m/%d/%Y}. Nothing was saved."
            )


def _paid_cents(postings: Mapping[UUID, LinePosting]) -> int:
    return sum(posting.paid_cents or 0 for posting in postings.values())


def _posted(payment_id: UUID | None, postings: Mapping[UUID, LinePosting], credit_cents: int) -> InsurerPosted:
    adjusted = sum(posting.adjusted_cents for posting in postings.values())
    moved = sum(posting.to_client_cents for posting in postings.values())
    return InsurerPosted(payment_id, _paid_cents(postings), adjusted, moved, credit_cents)


def _amount(posted: InsurerPosted) -> int:
    return posted.paid_cents + posted.credit_cents


def _movements(
    actor: Actor,
    payment_id: UUID | None,
    lines: Mapping[UUID, InvoiceLine],
    postings: Mapping[UUID, LinePosting],
    on: date,
) -> list[Movement]:
    """What the postings write; money of the payment is there from the day `on`."""
    since = owed_since(actor, lines, Account.INSURANCE_RECEIVABLE)
    return [
        movement
        for line_id in sorted(postings)
        for movement in _line_movements(
            actor, payment_id, lines[line_id], postings[line_id], max(on, since[line_id])
        )
    ]  # fmt: skip


def _line_movements(
    actor: Actor, payment_id: UUID | None, line: InvoiceLine, posting: LinePosting, paid_on: date
) -> list[Movement]:
    """Money is on the line on the day it came, but never before insurance owed it; adjustments on the day they are
    posted."""
    parts = (
        (Account.CREDIT, posting.paid_cents or 0, payment_id, paid_on, ""),
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

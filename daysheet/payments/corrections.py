"""Corrections of money: unapply, refund, reverse, edit; write off and take back; change responsibility
(M4, M6, M7, C2). Nothing is rewritten: each posts entries beside those it corrects, with a reason.

Locks: the client first, as every verb that moves money does; `ledger.post` then guards each line and payment.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.invoicing.actions import NoLongerThere
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.money import Money
from daysheet.ledger.actions import Movement, post, reverse
from daysheet.ledger.books import hold_books
from daysheet.ledger.models import GIVEN_UP, Account
from daysheet.ledger.queries import least_credit_since, standing_entries
from daysheet.ledger.requests import claim_request
from daysheet.ledger.rules import posting_day
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Payment, PaymentReversal
from .receiving import PaymentInFuture, lock_visible_clients

_SIDES = {"client": Account.CLIENT_RECEIVABLE, "insurance": Account.INSURANCE_RECEIVABLE}


class ReasonMissing(Refusal):
    """A correction says why (M6, M7)."""

    code = "reason_missing"


class NothingApplied(Refusal):
    """The payment is on none of the chosen lines."""

    code = "nothing_applied"


class StillApplied(Refusal):
    """A payment is deleted only when no part of it is applied or refunded (M6)."""

    code = "still_applied"


class PaymentReversed(Refusal):
    """The payment was deleted (reversed) before."""

    code = "payment_reversed"


class PaymentMoved(Refusal):
    """An insurer's payment was put on another client's lines in this moment."""

    code = "payment_moved"


class CardPaymentFixed(Refusal):
    """A card payment is immutable but for where it is applied (M6)."""

    code = "card_payment_fixed"


class AmountNotPositive(Refusal):
    """The amount of a correction is above zero."""

    code = "amount_not_positive"


class MoreThanThere(Refusal):
    """More would be written off, moved or refunded than is there."""

    code = "more_than_there"


class RefundTooEarly(Refusal):
    """On the day that was entered, that much of the payment was not there to give back (M8)."""

    code = "refund_too_early"


class NotAWriteOff(Refusal):
    """There is no such write-off, or it was taken back before."""

    code = "not_a_write_off"


class NotInsured(Refusal):
    """An amount can only be moved to an insurer whom the line has a coverage for."""

    code = "not_insured"


@action(Permission.BILLING, audited=False)
def unapply(
    actor: Actor, *, request_key: UUID, payment_id: UUID, reason: str, line_ids: Collection[UUID] | None = None
) -> int:
    """Take a payment off lines (all it is on, or these); it becomes credit again. Returns the cents. The same
    `request_key` twice is once.

    Raises NotFound, RequestKeyReused, ReasonMissing, NothingApplied.
    """
    chosen = None if line_ids is None else sorted(map(str, line_ids))
    content = {"payment": payment_id, "lines": chosen, "reason": reason.strip()}
    is_new = claim_request(actor, request_key, "unapply", content)
    payment = lock_payment(actor, payment_id)
    if not is_new:
        return 0
    why = reason_of(reason)
    entries = [
        entry
        for entry in standing_entries(actor, payment_id=payment.pk, debit=Account.CREDIT)
        if entry.credit in _SIDES.values() and (line_ids is None or entry.line_id in line_ids)
    ]
    if not entries or (line_ids is not None and {entry.line_id for entry in entries} != set(line_ids)):
        raise NothingApplied(
            "The payment is not on these lines (any more): somebody may have taken it off meanwhile. Nothing was "
            "changed; reload to see what it is on."
        )
    reverse(actor, [entry.id for entry in entries], event_id=request_key, reason=why)
    cents = sum(entry.amount_cents for entry in entries)
    record(
        actor, "unapply_payment", "payment", payment.pk, client_id=payment.client_id, cents=cents, lines=len(entries)
    )
    return cents


@action(Permission.BILLING, audited=False)
def refund_payment(
    actor: Actor, *, request_key: UUID, payment_id: UUID, amount_cents: int, refunded_on: date, reason: str
) -> None:
    """Give back a part of a payment that is not applied (M6). The same `request_key` twice is one refund.

    Raises NotFound, RequestKeyReused, ReasonMissing, AmountNotPositive, PaymentInFuture, MoreThanThere,
    RefundTooEarly, PaymentReversed, CardPaymentFixed.
    """
    content = {"payment": payment_id, "cents": amount_cents, "on": refunded_on, "reason": reason.strip()}
    is_new = claim_request(actor, request_key, "refund_payment", content)
    payment = lock_payment(actor, payment_id)
    if not is_new:
        return
    why = reason_of(reason)
    refuse_reversed(payment)
    if payment.charge_id:
        raise CardPaymentFixed("This came through the card processor, and goes back through it. Nothing was changed.")
    if refunded_on > actor.today:
        raise PaymentInFuture("The date lies in the future: a refund is entered when it is paid. Nothing was saved.")
    _check_amount(amount_cents, payment.unapplied_cents, "of the payment is not applied")
    _check_day(actor, payment, amount_cents, refunded_on)
    movement = Movement(
        Account.CREDIT, Account.CASH, amount_cents, payment.client_id, refunded_on, payment_id=payment.pk, reason=why
    )
    post(actor, [movement], event_id=request_key)
    record(actor, "refund_payment", "payment", payment.pk, client_id=payment.client_id, cents=amount_cents)


@action(Permission.BILLING, audited=False)
def reverse_payment(actor: Actor, *, request_key: UUID, payment_id: UUID, reason: str) -> None:
    """Delete a payment, which is to reverse it: only when no part of it is applied or refunded (M6); one by card only
    by an Administrator. The row and both entries stay. The same `request_key` twice is once.

    Raises NotFound, NotAllowed, RequestKeyReused, ReasonMissing, StillApplied, PaymentReversed.
    """
    content = {"payment": payment_id, "reason": reason.strip()}
    is_new = claim_request(actor, request_key, "reverse_payment", content)
    payment = lock_payment(actor, payment_id)
    if not is_new:
        return
    why = reason_of(reason)
    refuse_reversed(payment)
    if payment.method == Payment.Method.CARD:
        actor.require(Permission.ADMINISTRATOR)
    if payment.unapplied_cents != payment.amount_cents:
        raise StillApplied("A part of this payment is applied or refunded. Unapply it first; nothing was changed.")
    receipts = [entry.id for entry in standing_entries(actor, payment_id=payment.pk, debit=Account.CASH)]
    reverse(actor, receipts, event_id=request_key, reason=why)
    PaymentReversal.objects.create(
        payment=payment, reversed_at=actor.now, reversed_by_name=actor.person_name[:120], reason=why
    )
    record(actor, "reverse_payment", "payment", payment.pk, client_id=payment.client_id, cents=payment.amount_cents)


@action(Permission.BILLING, audited=False)
def write_off(actor: Actor, *, request_key: UUID, line_id: UUID, side: str, amount_cents: int, reason: str) -> None:
    """Give up an amount on one side (`client` or `insurance`) of a line (M7). The same `request_key` is one write-off.

    Raises NotFound, RequestKeyReused, NoLongerThere, ReasonMissing, AmountNotPositive, MoreThanThere.
    """
    content = {"line": line_id, "side": side, "cents": amount_cents, "reason": reason.strip()}
    is_new = claim_request(actor, request_key, "write_off", content)
    line = _visible_line(actor, line_id)
    if not is_new:
        return
    line, why = _standing_line(line), reason_of(reason)
    _check_amount(amount_cents, _open_cents(line, side), "is still open on that side of the line")
    movement = Movement(
        Account.WRITE_OFF, _SIDES[side], amount_cents, line.client_id, actor.today, line_id=line.pk,
        coverage_id=line.coverage_id if side == "insurance" else None, reason=why,
    )  # fmt: skip
    post(actor, [movement], event_id=request_key)
    record(actor, "write_off", "line", line.pk, client_id=line.client_id, side=side, cents=amount_cents, reason=why)


@action(Permission.BILLING, audited=False)
def remove_write_off(actor: Actor, *, request_key: UUID, line_id: UUID, entry_id: UUID, reason: str) -> None:
    """Take a write-off or an insurer's adjustment back: the side owes it again (M7). The same `request_key` twice is
    once. Raises NotFound, RequestKeyReused, NoLongerThere, ReasonMissing, NotAWriteOff."""
    content = {"line": line_id, "entry": entry_id, "reason": reason.strip()}
    is_new = claim_request(actor, request_key, "remove_write_off", content)
    line = _visible_line(actor, line_id)
    if not is_new:
        return
    line, why = _standing_line(line), reason_of(reason)
    entries = standing_entries(actor, line_id=line.pk)
    standing = {entry.id: entry for entry in entries if entry.debit in GIVEN_UP}
    if entry_id not in standing:
        raise NotAWriteOff("There is no such write-off on the line, or it was taken back before. Nothing was changed.")
    reverse(actor, [entry_id], event_id=request_key, reason=why)
    cents = standing[entry_id].amount_cents
    record(actor, "remove_write_off", "line", line.pk, client_id=line.client_id, cents=cents, reason=why)


@action(Permission.BILLING, audited=False)
def change_responsibility(
    actor: Actor, *, request_key: UUID, line_id: UUID, to_side: str, amount_cents: int, reason: str
) -> None:
    """Move an unpaid amount from one side of a line to the other; the total stays, to the cent (C2).

    Raises NotFound, RequestKeyReused, NoLongerThere, ReasonMissing, AmountNotPositive, MoreThanThere, NotInsured.
    """
    content = {"line": line_id, "to": to_side, "cents": amount_cents, "reason": reason.strip()}
    is_new = claim_request(actor, request_key, "change_responsibility", content)
    line = _visible_line(actor, line_id)
    if not is_new:
        return
    line, why = _standing_line(line), reason_of(reason)
    from_side = "insurance" if to_side == "client" else "client"
    if to_side == "insurance" and line.coverage_id is None:
        raise NotInsured("This line was billed without a coverage, so no insurer can owe it. Void and rebill instead.")
    _check_amount(amount_cents, _open_cents(line, from_side), "is still unpaid on that side of the line")
    movement = Movement(
        _SIDES[to_side], _SIDES[from_side], amount_cents, line.client_id, actor.today, line_id=line.pk,
        coverage_id=line.coverage_id, reason=why,
    )  # fmt: skip
    post(actor, [movement], event_id=request_key)
    record(actor, "change_responsibility", "line", line.pk, client_id=line.client_id, to=to_side, cents=amount_cents)


def lock_payment(actor: Actor, payment_id: UUID) -> Payment:
    payment = Payment.objects.filter(pk=payment_id).first()
    if payment is None or (payment.client_id is None and actor.limited_to_assigned):
        raise NotFound("There is no such payment in this practice.")
    clients = _clients_of(actor, payment)
    lock_visible_clients(actor, clients)
    locked = Payment.objects.select_for_update(no_key=True).get(pk=payment_id)
    if payment.client_id is None and not _clients_of(actor, locked) <= clients:
        raise PaymentMoved("The payment was put on more lines meanwhile. Nothing was changed; reload and try again.")
    return locked


def _clients_of(actor: Actor, payment: Payment) -> set[UUID]:
    """The client, or for an insurer's payment the clients on whose lines it is."""
    if payment.client_id:
        return {payment.client_id}
    lines = [entry.line_id for entry in standing_entries(actor, payment_id=payment.pk) if entry.line_id]
    return set(InvoiceLine.objects.filter(pk__in=lines).values_list("client_id", flat=True))


def _visible_line(actor: Actor, line_id: UUID) -> InvoiceLine:
    """The line with its client locked, be it ended or not: a repeated request asks no more of it."""
    line = InvoiceLine.objects.filter(pk=line_id, client__in=visible_clients(actor)).select_related("invoice").first()
    if line is None:
        raise NotFound("There is no such line in this practice.")
    lock_visible_clients(actor, [line.client_id])
    return line


def _standing_line(line: InvoiceLine) -> InvoiceLine:
    locked = InvoiceLine.objects.filter(pk=line.pk, ended_at=None).select_for_update(no_key=True).first()
    if locked is None:
        raise NoLongerThere(line.invoice.number)
    return locked


def refuse_reversed(payment: Payment) -> None:
    if PaymentReversal.objects.filter(payment=payment).exists():
        raise PaymentReversed("This payment was deleted before. Nothing was changed.")


def _open_cents(line: InvoiceLine, side: str) -> int:
    return line.client_open_cents if side == "client" else line.insurance_open_cents


def _check_amount(amount_cents: int, most_cents: int, what: str) -> None:
    if amount_cents <= 0:
        raise AmountNotPositive("Enter an amount above zero. Nothing was changed.")
    if amount_cents > most_cents:
        raise MoreThanThere(f"Only {Money(most_cents)} {what}. Nothing was changed; reload and enter it again.")


def _check_day(actor: Actor, payment: Payment, amount_cents: int, refunded_on: date) -> None:
    """That the money was free on the day the refund is posted on: the first open one where its own is closed."""
    posted_on = posting_day(refunded_on, hold_books(actor))
    free_cents = least_credit_since(actor, payment.pk, posted_on)
    if amount_cents > free_cents:
        raise RefundTooEarly(
            f"On {us_date(posted_on)} only {Money(free_cents)} of the payment was not applied. Nothing was changed: "
            "enter a later date."
        )


def reason_of(text: str) -> str:
    if not text.strip():
        raise ReasonMissing("Say why: the reason stays with the correction. Nothing was changed.")
    return text.strip()[:400]

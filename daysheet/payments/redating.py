"""What may be corrected of a payment beside its amount (M6), and what a new date moves (docs/money/day-sheet.md,
Another date): the receipt, and what was applied before the money is now said to have come. As of any day it counts
once (M8).

Locks: as corrections.py; the books are held before anything is decided by a closed day.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.kit.dates import us_date
from daysheet.kit.errors import Refusal
from daysheet.kit.money import Money
from daysheet.ledger.actions import Movement, post, reverse
from daysheet.ledger.books import hold_books
from daysheet.ledger.models import Account
from daysheet.ledger.queries import ActivityRow, StandingEntry, payment_movements, standing_entries
from daysheet.ledger.requests import claim_request
from daysheet.ledger.rules import posting_day
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .corrections import CardPaymentFixed, lock_payment, reason_of, refuse_reversed
from .models import Payment
from .receiving import PaymentInFuture
from .rules import free_from


class DayClosed(Refusal):
    """A day on which the payment is in the deposit is closed, and with it the deposit by method (M10)."""

    code = "day_closed"


class PaymentChanged(Refusal):
    """Somebody else corrected the payment since the page was opened: their correction would be lost."""

    code = "payment_changed"


class ReceivedAfterRefund(Refusal):
    """A part of the payment was given back before the date that was entered: it was there by then (M8)."""

    code = "received_after_refund"


class CountedTwice(Refusal):
    """An older receipt of the payment stands on the day that was entered: as of it the money would be there twice."""

    code = "counted_twice"


@dataclass(frozen=True, slots=True)
class _Move:
    """What a new date moves. Days are posting days: the first open one where theirs is closed."""

    receipts: Sequence[StandingEntry]
    applications: Sequence[StandingEntry]
    #: Every entry of the payment but the receipts that move.
    others: Sequence[ActivityRow]
    closed_on: date | None
    to_on: date

    def leaves(self, entry: StandingEntry) -> date:
        """The day on which an entry can be taken back at the earliest."""
        return posting_day(entry.effective_on, self.closed_on)


@action(Permission.BILLING, audited=False)
def edit_payment(
    actor: Actor,
    *,
    request_key: UUID,
    payment_id: UUID,
    method: str,
    received_on: date,
    number: str,
    notes: str,
    reason: str,
    seen: str = "",
) -> None:
    """Correct what was written down beside the amount (M6). A new date moves the receipt from the old day to the new
    one, and with it what was applied before it. `seen`: `facts_mark` of what was corrected; empty: whatever it is.

    Raises NotFound, RequestKeyReused, ReasonMissing, CardPaymentFixed, PaymentInFuture, PaymentReversed,
    PaymentChanged, DayClosed, ReceivedAfterRefund.
    """
    content = {
        "payment": payment_id, "method": method, "on": received_on, "number": number.strip(), "notes": notes.strip(),
        "reason": reason.strip(),
    }  # fmt: skip
    is_new = claim_request(actor, request_key, "edit_payment", content)
    payment = lock_payment(actor, payment_id)
    if not is_new:
        return
    why = reason_of(reason)
    refuse_reversed(payment)
    if Payment.Method.CARD in (payment.method, method):
        raise CardPaymentFixed("A card payment stays as the processor has it. Nothing was changed.")
    if seen and seen != facts_mark(payment.method, payment.received_on, payment.number, payment.notes):
        raise PaymentChanged(
            f"This payment was corrected meanwhile. It is now {_facts_in_words(payment)}. Nothing was "
            "changed by you: send this form again to put yours in its place, or cancel."
        )
    if received_on > actor.today:
        raise PaymentInFuture("The date lies in the future: money is entered when it has been received.")
    closed_on = hold_books(actor)
    if method != payment.method:
        _refuse_closed(actor, payment, closed_on)
    if received_on != payment.received_on:
        _move_receipt(actor, payment, received_on, closed_on, why, request_key)
    Payment.objects.filter(pk=payment.pk).update(
        method=Payment.Method(method), received_on=received_on, number=number.strip()[:40], notes=notes.strip()[:400]
    )
    record(
        actor, "edit_payment", "payment", payment.pk, client_id=payment.client_id, reason=why,
        before={"method": payment.method, "received_on": payment.received_on.isoformat(), "number": payment.number},
    )  # fmt: skip


def facts_mark(method: str, received_on: date, number: str, notes: str) -> str:
    """The same for the same facts: what a page of them has shown."""
    facts = json.dumps([method, received_on.isoformat(), number, notes])
    return hashlib.sha256(facts.encode()).hexdigest()[:24]


def _facts_in_words(payment: Payment) -> str:
    head = f"{payment.get_method_display()} {payment.number}".strip()
    notes = f", notes “{payment.notes}”" if payment.notes else ", without notes"
    return f"{head} of {us_date(payment.received_on)}{notes}"


def _move_receipt(
    actor: Actor, payment: Payment, received_on: date, closed_on: date | None, why: str, event_id: UUID
) -> None:
    """One event. What was applied too early goes off its lines on its own day, and on them again on the new one; the
    old receipt is taken back on the first day from which nothing needs it, and the new one written."""
    move = _planned(actor, payment, received_on, closed_on)
    back_on = _taken_back_on(move)
    _refuse_counted_twice(move)
    by_day: dict[date, list[UUID]] = defaultdict(list)
    for entry in move.applications:
        by_day[move.leaves(entry)].append(entry.id)
    for day, entry_ids in sorted(by_day.items()):
        reverse(actor, entry_ids, event_id=event_id, reason=why, effective_on=day)
    mirrored = [
        Movement(
            entry.credit, entry.debit, entry.amount_cents, payment.client_id, back_on, payment_id=payment.pk,
            reason=why, reverses_id=entry.id,
        )
        for entry in move.receipts
    ]  # fmt: skip
    anew = Movement(
        Account.CASH, Account.CREDIT, payment.amount_cents, payment.client_id, received_on, payment_id=payment.pk,
        reason=why,
    )  # fmt: skip
    post(actor, [*mirrored, anew], event_id=event_id)
    again = [
        Movement(
            entry.debit, entry.credit, entry.amount_cents, entry.client_id, received_on, line_id=entry.line_id,
            payment_id=payment.pk, coverage_id=entry.coverage_id, reason=why,
        )
        for entry in move.applications
    ]  # fmt: skip
    post(actor, again, event_id=event_id)


def _planned(actor: Actor, payment: Payment, received_on: date, closed_on: date | None) -> _Move:
    """The receipt, and the applications that would otherwise stand before the money."""
    to_on = posting_day(received_on, closed_on)
    standing = standing_entries(actor, payment_id=payment.pk)
    early = [
        entry
        for entry in standing
        if entry.debit is Account.CREDIT and posting_day(entry.effective_on, closed_on) < to_on
    ]
    for entry in early:
        if entry.credit is Account.CASH:
            raise ReceivedAfterRefund(
                f"{Money(entry.amount_cents)} of this payment was given back on {us_date(entry.effective_on)}: it was "
                "there by then. Nothing was changed; enter a date that is not after that day."
            )
    receipts = [entry for entry in standing if entry.debit is Account.CASH]
    moving = {entry.id for entry in receipts}
    others = [row for row in payment_movements(actor, payment.pk) if row.entry_id not in moving]
    return _Move(receipts, early, others, closed_on, to_on)


def _taken_back_on(move: _Move) -> date:
    """The day of the old receipt; where money of it was on a line for a while and is no longer, the day that ended."""
    first = min((move.leaves(entry) for entry in move.receipts), default=move.to_on)
    changes = [(row.effective_on, _of(Account.CREDIT, row)) for row in move.others]
    changes += [(move.leaves(entry), entry.amount_cents) for entry in move.applications]
    return free_from(changes, first, move.to_on)


def _refuse_counted_twice(move: _Move) -> None:
    """Where a date was corrected before, its old receipt may still stand on some days (`_taken_back_on`)."""
    held = [
        (row.effective_on, -_of(Account.CASH, row)) for row in move.others if Account.CASH in (row.debit, row.credit)
    ]
    for day in {move.to_on, *(day for day, _ in held)}:
        if day >= move.to_on and sum(cents for when, cents in held if when <= day) > 0:
            raise CountedTwice(
                f"The date of this payment was corrected before, and as of {us_date(day)} its earlier receipt still "
                "counts. Nothing was changed: unapply and delete it, then enter it again."
            )


def _of(account: Account, row: ActivityRow) -> int:
    """What an entry adds to an account that is credited, in cents."""
    return row.amount_cents * ((row.credit is account) - (row.debit is account))


def _refuse_closed(actor: Actor, payment: Payment, closed_on: date | None) -> None:
    """The deposit of a closed day stays what it was, also where the payment was moved off it later: another method is
    another payment."""
    rows = payment_movements(actor, payment.pk)
    in_deposits = (row.effective_on for row in rows if Account.CASH in (row.debit, row.credit))
    if closed_on and min(in_deposits) <= closed_on:
        raise DayClosed(
            f"This payment is in the deposit of a day that is closed (through {us_date(closed_on)}), so its method "
            "stays. Nothing was changed. Unapply and delete it, then enter it again."
        )

"""How an amount of money spreads over what a client owes. Pure; worked numbers: docs/money/application.md.

Invariants: applied + credit = amount; no line gets more than its client side owes (M4); money never vanishes (M2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from daysheet.kit.errors import Refusal
from daysheet.kit.money import LARGEST_CENTS, Money


class PaymentNotPositive(Refusal):
    """There is no amount, or one that is not above zero."""

    code = "payment_not_positive"


class PaymentTooLarge(Refusal):
    """The amount is more than one payment may be: a typing mistake is likelier."""

    code = "payment_too_large"


class AppliedMoreThanReceived(Refusal):
    """The amounts typed on the lines add up to more than the payment (M4)."""

    code = "applied_more_than_received"


class AppliedMoreThanDue(Refusal):
    """More was put on a line than its client side owes (M4)."""

    code = "applied_more_than_due"


class LineNotOpen(Refusal):
    """A line that was chosen owes nothing (any more), or is not the client's."""

    code = "line_not_open"


@dataclass(frozen=True, slots=True)
class OpenLine:
    """A line whose client side still owes `due_cents`. `invoice_number` and `position` order lines of one date."""

    line_id: UUID
    service_on: date
    invoice_number: int
    position: int
    due_cents: int


@dataclass(frozen=True, slots=True)
class Spread:
    """Where an amount goes: to lines, in the order in which they were served, and the rest to credit."""

    amount_cents: int
    applications: tuple[tuple[UUID, int], ...]

    @property
    def applied_cents(self) -> int:
        return sum(cents for _, cents in self.applications)

    @property
    def credit_cents(self) -> int:
        return self.amount_cents - self.applied_cents


@dataclass(frozen=True, slots=True)
class Credit:
    """What is left of an earlier payment."""

    payment_id: UUID
    received_on: date
    unapplied_cents: int


def oldest_first(lines: Iterable[OpenLine]) -> list[OpenLine]:
    """By date of service, then invoice number, then place on the invoice: the order in which lines are paid."""
    return sorted(lines, key=lambda line: (line.service_on, line.invoice_number, line.position, line.line_id))


def spread(amount_cents: int | None, lines: Sequence[OpenLine], chosen: Mapping[UUID, int | None] | None) -> Spread:
    """Decide where a payment goes.

    `chosen` None: over all lines, oldest date of service first. Else only the chosen lines: a typed amount is kept to
    the cent; None (a tick) takes its share of what the typed ones leave, oldest first, at most what the line owes.
    `amount_cents` None: exactly what the chosen lines come to. What no line takes becomes credit; with `chosen` empty
    that is everything.
    Raises PaymentNotPositive, PaymentTooLarge, LineNotOpen, AppliedMoreThanDue, AppliedMoreThanReceived.
    """
    ordered = oldest_first(lines)
    if chosen is None:
        amount = _checked_amount(amount_cents or 0, typed_cents=0)
        return Spread(amount, tuple(_shares(amount, ordered)))
    by_id = {line.line_id: line for line in ordered}
    _check_chosen(by_id, chosen)
    typed = {line_id: cents for line_id, cents in chosen.items() if cents is not None}
    ticked = [line for line in ordered if chosen.get(line.line_id, 0) is None]
    typed_cents = sum(typed.values())
    whole = typed_cents + sum(line.due_cents for line in ticked)
    amount = _checked_amount(whole if amount_cents is None else amount_cents, typed_cents=typed_cents)
    cents_of = typed | dict(_shares(amount - typed_cents, ticked))
    served = ((line.line_id, cents_of.get(line.line_id, 0)) for line in ordered)
    return Spread(amount, tuple((line_id, cents) for line_id, cents in served if cents))


def left_open(lines: Iterable[OpenLine], paid: Spread) -> list[OpenLine]:
    """What of `lines` is open after `paid`, in the same order."""
    applied = dict(paid.applications)
    left: list[OpenLine] = []
    for line in lines:
        cents = applied.get(line.line_id, 0)
        if cents < line.due_cents:
            left.append(replace(line, due_cents=line.due_cents - cents) if cents else line)
    return left


def draw(credits: Iterable[Credit], applications: Sequence[tuple[UUID, int]]) -> list[tuple[UUID, UUID, int]]:
    """From which earlier payments credit comes: (payment, line, cents), the money received first is used first.

    Raises AppliedMoreThanReceived where the credits do not suffice.
    """
    left_of = {credit.payment_id: credit.unapplied_cents for credit in _first_received(credits)}
    drawn: list[tuple[UUID, UUID, int]] = []
    for line_id, wanted in applications:
        missing = wanted
        for payment_id, left in left_of.items():
            taken = min(missing, left)
            if taken:
                drawn.append((payment_id, line_id, taken))
                left_of[payment_id] -= taken
                missing -= taken
        if missing:
            raise AppliedMoreThanReceived("There is not that much credit. Nothing was saved; enter smaller amounts.")
    return drawn


def prepay(prepayments: Iterable[Credit], lines: Iterable[OpenLine]) -> list[tuple[UUID, UUID, int]]:
    """What prepayments named for one date of service put on its lines by themselves (M3): (payment, line, cents). The
    money received first goes first, on the lines in their order; what the lines leave stays credit."""
    open_lines = [line for line in oldest_first(lines) if line.due_cents]  # an insurer may owe a line alone
    applied: list[tuple[UUID, UUID, int]] = []
    for prepayment in _first_received(prepayments):
        paid = Spread(prepayment.unapplied_cents, tuple(_shares(prepayment.unapplied_cents, open_lines)))
        applied += [(prepayment.payment_id, line_id, cents) for line_id, cents in paid.applications]
        open_lines = left_open(open_lines, paid)
    return applied


def insurer_shares(
    amount_cents: int | None, rooms: Sequence[tuple[UUID, int]], paid: Mapping[UUID, int | None]
) -> dict[UUID, int]:
    """What each line gets of an insurer's money. `rooms` are the lines in the order in which they are served, with what
    is open less what is adjusted or moved; `paid` is typed cents, or None for a tick: a share of what the typed ones
    leave of `amount_cents` (None: as much as fits), at most its room. Lines that are not in `paid` get nothing."""
    left = None if amount_cents is None else amount_cents - sum(cents or 0 for cents in paid.values())
    shares: dict[UUID, int] = {}
    for line_id, room in rooms:
        if line_id not in paid:
            continue
        typed = paid[line_id]
        if typed is None:
            typed = max(room if left is None else min(room, left), 0)
            left = None if left is None else left - typed
        shares[line_id] = typed
    return shares


def free_from(changes: Iterable[tuple[date, int]], first: date, to_on: date) -> date:
    """The first day from `first` on after which credit that is not there any more is never missed, `to_on` at the
    latest: where an old receipt can be taken back. `changes` are what happens to the credit on each day, the receipt
    left out, in cents."""
    of_day: dict[date, int] = defaultdict(int)
    for day, cents in changes:
        of_day[max(day, first)] += cents
    credit, free_on = 0, first
    for day in sorted(of_day):
        if day >= to_on:
            break
        was_missed = credit < 0
        credit += of_day[day]
        if was_missed:
            free_on = day
    return to_on if credit < 0 else free_on


def _first_received(credits: Iterable[Credit]) -> list[Credit]:
    return sorted(credits, key=lambda credit: (credit.received_on, credit.payment_id))


def _shares(amount_cents: int, ordered: Iterable[OpenLine]) -> Iterator[tuple[UUID, int]]:
    """Each line its due, in the order given, until the amount is used up."""
    for line in ordered:
        if amount_cents <= 0:
            return
        cents = min(amount_cents, line.due_cents)
        amount_cents -= cents
        yield line.line_id, cents


def _check_chosen(by_id: Mapping[UUID, OpenLine], chosen: Mapping[UUID, int | None]) -> None:
    if chosen.keys() - by_id.keys():
        raise LineNotOpen(
            "A line that was chosen owes nothing any more. Nothing was saved: somebody may have paid it meanwhile. "
            "Reload the page and enter the amounts again."
        )
    for line_id, cents in chosen.items():
        line = by_id[line_id]
        if cents is not None and cents < 0:
            raise PaymentNotPositive("An amount to apply cannot be less than nothing.")
        if cents is not None and cents > line.due_cents:
            raise AppliedMoreThanDue(
                f"{Money(cents)} is more than the {Money(line.due_cents)} that the client still owes on invoice "
                f"{line.invoice_number}. Nothing was saved."
            )


def _checked_amount(amount_cents: int, *, typed_cents: int) -> int:
    if amount_cents <= 0:
        raise PaymentNotPositive("Enter the amount that was received, or tick what it pays. Nothing was saved.")
    if amount_cents > LARGEST_CENTS:
        raise PaymentTooLarge(f"{Money(amount_cents)} is more than one payment may be. Nothing was saved.")
    if typed_cents > amount_cents:
        raise AppliedMoreThanReceived(
            f"The lines take {Money(typed_cents)}, but only {Money(amount_cents)} was received. Nothing was saved: "
            "apply less, or correct the amount."
        )
    return amount_cents

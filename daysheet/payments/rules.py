"""How an amount of money spreads over what a client owes. Pure; worked numbers: docs/money/application.md.

Invariants: applied + credit = amount; no line gets more than its client side owes (M4); money never vanishes (M2).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    typed = {line_id: cents for line_id, cents in (chosen or {}).items() if cents is not None}
    ticked = {line.line_id for line in ordered} if chosen is None else chosen.keys() - typed.keys()
    _check_typed(ordered, typed, ticked)
    amount = _whole(ordered, typed, ticked) if amount_cents is None and chosen else amount_cents or 0
    _check_amount(amount, sum(typed.values()))
    remaining = amount - sum(typed.values())
    applications: list[tuple[UUID, int]] = []
    for line in ordered:
        cents = typed.get(line.line_id, 0)
        if line.line_id in ticked:
            cents = min(remaining, line.due_cents)
            remaining -= cents
        if cents:
            applications.append((line.line_id, cents))
    return Spread(amount, tuple(applications))


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


def _first_received(credits: Iterable[Credit]) -> list[Credit]:
    return sorted(credits, key=lambda credit: (credit.received_on, credit.payment_id))


def _whole(lines: Sequence[OpenLine], typed: Mapping[UUID, int], ticked: Collection[UUID]) -> int:
    return sum(typed.values()) + sum(line.due_cents for line in lines if line.line_id in ticked)


def _check_typed(lines: Sequence[OpenLine], typed: Mapping[UUID, int], ticked: Collection[UUID]) -> None:
    due = {line.line_id: line for line in lines}
    if (typed.keys() | set(ticked)) - due.keys():
        raise LineNotOpen(
            "A line that was chosen owes nothing any more. Nothing was saved: somebody may have paid it meanwhile. "
            "Reload the page and enter the amounts again."
        )
    for line_id, cents in typed.items():
        line = due[line_id]
        if cents < 0:
            raise PaymentNotPositive("An amount to apply cannot be less than nothing.")
        if cents > line.due_cents:
            raise AppliedMoreThanDue(
                f"{Money(cents)} is more than the {Money(line.due_cents)} that the client still owes on invoice "
                f"{line.invoice_number}. Nothing was saved."
            )


def _check_amount(amount_cents: int, typed_cents: int) -> None:
    if amount_cents <= 0:
        raise PaymentNotPositive("Enter the amount that was received, or tick what it pays. Nothing was saved.")
    if amount_cents > LARGEST_CENTS:
        raise PaymentTooLarge(f"{Money(amount_cents)} is more than one payment may be. Nothing was saved.")
    if typed_cents > amount_cents:
        raise AppliedMoreThanReceived(
            f"The lines take {Money(typed_cents)}, but only {Money(amount_cents)} was received. Nothing was saved: "
            "apply less, or correct the amount."
        )

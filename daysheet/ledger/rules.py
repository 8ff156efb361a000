"""What an entry is on a day sheet. Pure; worked numbers: docs/money/day-sheet.md (M10).

The balance is what is owed to the practice less the credit it holds: the *held* accounts. Every pair of accounts falls
in exactly one class, by the account that is not held; so what changes the balance is always a charge, a payment or an
adjustment, and opening + charges − payments − adjustments = closing for any entries at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

#: Values of `ledger.models.Account`, which this module must not import: it is no part of Django.
RECEIVABLES = frozenset({"client_receivable", "insurance_receivable"})
HELD = RECEIVABLES | {"credit"}
#: What an insurer's money is in the eyes of a client: it was never the client's credit (see `ledger.day`).
INSURERS_CREDIT = "insurers_credit"


class EntryClass(StrEnum):
    """Where an entry stands on the day sheet."""

    CHARGE = "charge"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    #: Between two held accounts: applied, unapplied, moved from one side to the other. The balance stays.
    MOVED = "moved"
    #: Between two accounts that are not held. Nothing in Daysheet posts one; the balance stays.
    OUTSIDE = "outside"

    @property
    def label(self) -> str:
        """As the Day Sheet's columns are headed."""
        return _LABELS[self]


_LABELS = {
    EntryClass.CHARGE: "Charges",
    EntryClass.PAYMENT: "Payments",
    EntryClass.ADJUSTMENT: "Adjustments",
    EntryClass.MOVED: "Applied and moved",
    EntryClass.OUTSIDE: "Outside the balance",
}
_BY_COUNTERPART = {
    "revenue": EntryClass.CHARGE,
    "cash": EntryClass.PAYMENT,
    INSURERS_CREDIT: EntryClass.PAYMENT,
    "write_off": EntryClass.ADJUSTMENT,
    "contractual": EntryClass.ADJUSTMENT,
    "refunded": EntryClass.ADJUSTMENT,
}


def classify(debit: str, credit: str) -> EntryClass:
    """The one class of an entry between these two accounts."""
    held = {debit, credit} & HELD
    if len(held) == 2:
        return EntryClass.MOVED
    if not held:
        return EntryClass.OUTSIDE
    return _BY_COUNTERPART[credit if debit in HELD else debit]


def change_cents(debit: str, credit: str, amount_cents: int) -> int:
    """What an entry adds to the balance, in cents; below zero it takes away."""
    return amount_cents * ((debit in HELD) - (credit in HELD))


def line_change_cents(debit: str, credit: str, amount_cents: int) -> int:
    """What an entry adds to what is owed on its line, in cents: the balance's change without that of credit."""
    return amount_cents * ((debit in RECEIVABLES) - (credit in RECEIVABLES))


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A day sheet's proof, in cents. Charges add to the balance, payments and adjustments take from it; a refund is a
    payment below zero, a reversal counts on the day it is posted. `entry_count` is of the day."""

    opening_cents: int
    charges_cents: int
    payments_cents: int
    adjustments_cents: int
    closing_cents: int
    entry_count: int

    @property
    def proves(self) -> bool:
        """Whether opening + charges − payments − adjustments is the closing balance."""
        reckoned = self.opening_cents + self.charges_cents - self.payments_cents - self.adjustments_cents
        return reckoned == self.closing_cents


@dataclass(frozen=True, slots=True)
class PairSum:
    """All entries between two accounts, on the day (`is_of_day`) or before it: how much and how many."""

    is_of_day: bool
    debit: str
    credit: str
    amount_cents: int
    count: int


def day_totals(sums: Iterable[PairSum]) -> DayTotals:
    """The proof of a day, from the sums of everything up to and including it.

    Opening and closing are reckoned from the accounts' balances, the three between from the classes: were a pair of
    accounts classed wrongly, the two would part.
    """
    balance_before, balance_after, count = 0, 0, 0
    of_class = dict.fromkeys(EntryClass, 0)
    for each in sums:
        debited = each.amount_cents if each.debit in HELD else 0
        credited = each.amount_cents if each.credit in HELD else 0
        balance_after += debited - credited
        if each.is_of_day:
            count += each.count
            kind = classify(each.debit, each.credit)
            of_class[kind] += change_cents(each.debit, each.credit, each.amount_cents)
        else:
            balance_before += debited - credited
    return DayTotals(
        opening_cents=balance_before,
        charges_cents=of_class[EntryClass.CHARGE],
        payments_cents=-of_class[EntryClass.PAYMENT],
        adjustments_cents=-of_class[EntryClass.ADJUSTMENT],
        closing_cents=balance_after,
        entry_count=count,
    )


def posting_day(wanted_on: date, closed_through_on: date | None) -> date:
    """The day an entry is posted on: the one it is meant for, or the first open day where that one is closed (M10).

    Never earlier for a later day: what follows something else on the calendar still follows it in the ledger.
    """
    return wanted_on if closed_through_on is None else max(wanted_on, closed_through_on + timedelta(days=1))

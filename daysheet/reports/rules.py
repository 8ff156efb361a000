"""How old an open amount is, and which bucket that is. Pure; worked numbers: docs/money/ageing.md (M9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Bucket:
    """Ages from `first_days` to `last_days`, both included; the last bucket has no end."""

    label: str
    first_days: int
    last_days: int | None


BUCKETS = (
    Bucket("0–30", 0, 30),
    Bucket("31–60", 31, 60),
    Bucket("61–90", 61, 90),
    Bucket("91–120", 91, 120),
    Bucket("120+", 121, None),
)


def age_days(since_on: date, as_of: date) -> int:
    """Whole days from the date of service or of the invoice; what lies ahead is as young as today."""
    return max((as_of - since_on).days, 0)


def bucket_of(days: int) -> int:
    """The position in BUCKETS of an age in days."""
    return next(number for number, bucket in enumerate(BUCKETS) if bucket.last_days is None or days <= bucket.last_days)


@dataclass(frozen=True, slots=True)
class Aged:
    """What somebody owes by age, in cents, and the credit that stands against it: together the balance (M9)."""

    bucket_cents: tuple[int, ...]
    credit_cents: int

    @property
    def due_cents(self) -> int:
        return sum(self.bucket_cents)

    @property
    def balance_cents(self) -> int:
        return self.due_cents - self.credit_cents

    def plus(self, other: Aged) -> Aged:
        """Both together, bucket by bucket."""
        buckets = zip(self.bucket_cents, other.bucket_cents, strict=True)
        return Aged(tuple(sum(pair) for pair in buckets), self.credit_cents + other.credit_cents)


NOTHING = Aged((0,) * len(BUCKETS), 0)


def total_of(aged: Sequence[Aged]) -> Aged:
    """The sum of all rows."""
    total = NOTHING
    for each in aged:
        total = total.plus(each)
    return total

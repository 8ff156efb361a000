"""Money as whole cents. No float and no division: only sums, `split` and `percent_of` with a named rounding.

Invariant: the shares of a split always add up to what was split.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TYPED = re.compile(r"^\$?\s*(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d{1,2}))?$", re.ASCII)
#: Largest amount one line or payment may have: a typing mistake is likelier than ten million dollars.
LARGEST_CENTS = 1_000_000_000
#: Of the digits that are looked at; more is more than the largest anyhow, and `int()` refuses some thousands.
_MOST_DIGITS = 12


class NotMoney(ValueError):
    """The text is not an amount of dollars and cents."""


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount of US dollars in whole cents; may be negative."""

    cents: int = 0

    @classmethod
    def parse(cls, text: str) -> Money:
        """Read `1234.5`, `$1,234.50` or `-3`. Raises NotMoney where it is anything else."""
        stripped = text.strip()
        negative = stripped.startswith(("-", "−"))
        match = _TYPED.match(stripped[1:].strip() if negative else stripped)
        if match is None or match.group(0).strip("$ ") == "":
            raise NotMoney(f"“{text[:40]}” is not an amount such as 125.00")
        dollars = (match.group(1) or "0").replace(",", "").lstrip("0")[:_MOST_DIGITS]
        cents = int((dollars or "0") + (match.group(2) or "").ljust(2, "0"))
        if cents > LARGEST_CENTS:
            raise NotMoney(f"“{text[:40]}” is more than {Money(LARGEST_CENTS)}")
        return cls(-cents if negative else cents)

    def __add__(self, other: Money) -> Money:
        return Money(self.cents + other.cents)

    def __sub__(self, other: Money) -> Money:
        return Money(self.cents - other.cents)

    def __neg__(self) -> Money:
        return Money(-self.cents)

    def __bool__(self) -> bool:
        return self.cents != 0

    def __str__(self) -> str:
        dollars, cents = divmod(abs(self.cents), 100)
        return f"{'−' if self.cents < 0 else ''}${dollars:,}.{cents:02d}"

    @property
    def plain(self) -> str:
        """`1234.50`: for form fields and CSV."""
        dollars, cents = divmod(abs(self.cents), 100)
        return f"{'-' if self.cents < 0 else ''}{dollars}.{cents:02d}"

    def split(self, weights: Sequence[int]) -> list[Money]:
        """Shares in proportion to non-negative `weights`, adding up exactly; earlier shares take the odd cents."""
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("weights must be non-negative and not all zero")
        sign = -1 if self.cents < 0 else 1
        shares: list[Money] = []
        taken, weight_so_far = 0, 0
        for weight in weights:
            weight_so_far += weight
            upto = -(-abs(self.cents) * weight_so_far // total)
            shares.append(Money(sign * (upto - taken)))
            taken = upto
        return shares

    def percent_of(self, percent: int) -> Money:
        """`percent` whole percent of this amount, rounded half up away from zero."""
        sign = -1 if self.cents * percent < 0 else 1
        return Money(sign * ((abs(self.cents * percent) * 2 + 100) // 200))


def total(cents: Sequence[int]) -> Money:
    """The sum of a list of cents."""
    return Money(sum(cents))

"""What a statement says of entries. Pure; worked numbers: docs/money/statements.md.

A statement is the ledger in other words: every entry of the client up to its day counts once, either in the previous
balance or in a row. So previous balance + rows = ending balance, and the ending balance of a statement up to today is
the ledger's (M8).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum


class Basis(StrEnum):
    """Which day a charge is listed on."""

    SERVICE = "service"
    INVOICE = "invoice"

    @property
    def label(self) -> str:
        return "By service date" if self is Basis.SERVICE else "By invoice date"


class Part(StrEnum):
    """What an entry is on a statement."""

    CHARGE = "charge"
    PAYMENT = "payment"
    ADJUSTMENT = "adjustment"
    #: From one side of a line to the other.
    MOVED = "moved"
    #: Between the client's credit and the client's lines: no balance changes, no row.
    APPLIED = "applied"


@dataclass(frozen=True, slots=True)
class Movement:
    """All entries of one day between two accounts on one line or payment. Amounts in cents.

    `is_insurers`: a coverage is named, so credit in it is the insurer's and none of the client's.
    """

    debit: str
    credit: str
    is_insurers: bool
    cents: int

    @property
    def client_cents(self) -> int:
        """What it adds to the client's side less the client's credit."""
        return self.cents * (self._is_clients(self.debit) - self._is_clients(self.credit))

    @property
    def insurance_cents(self) -> int:
        """What it adds to what insurers owe."""
        return self.cents * ((self.debit == _INSURANCE) - (self.credit == _INSURANCE))

    @property
    def part(self) -> Part:
        """Which figure of the statement it belongs to."""
        accounts = {self.debit, self.credit}
        if "revenue" in accounts:
            return Part.CHARGE
        if accounts == {_CLIENT, _INSURANCE}:
            return Part.MOVED
        if accounts & {"write_off", "contractual", "refunded"}:
            return Part.ADJUSTMENT
        return Part.APPLIED if not self.client_cents and not self.insurance_cents else Part.PAYMENT

    def _is_clients(self, account: str) -> bool:
        return account == _CLIENT or (account == "credit" and not self.is_insurers)


_CLIENT, _INSURANCE = "client_receivable", "insurance_receivable"


@dataclass(frozen=True, slots=True)
class SideFigures:
    """One side's figures in cents. Charges and what moved to the side add to the balance; payments and adjustments,
    shown as positive amounts, take from it."""

    previous_cents: int = 0
    charges_cents: int = 0
    payments_cents: int = 0
    adjustments_cents: int = 0
    moved_cents: int = 0
    ending_cents: int = 0

    @property
    def proves(self) -> bool:
        """Whether the figures add up."""
        activity = self.charges_cents - self.payments_cents - self.adjustments_cents + self.moved_cents
        return self.previous_cents + activity == self.ending_cents


@dataclass(frozen=True, slots=True)
class Figures:
    """Both sides of a statement. `open_cents` by age (reports.rules.BUCKETS) is what of the client's side is open on
    lines, `credit_cents` the client's credit: together the client's ending balance."""

    client: SideFigures = field(default_factory=SideFigures)
    insurance: SideFigures = field(default_factory=SideFigures)
    open_cents: tuple[int, ...] = (0, 0, 0, 0, 0)
    credit_cents: int = 0

    @property
    def ending_cents(self) -> int:
        """Everything due less the credit."""
        return self.client.ending_cents + self.insurance.ending_cents

    @property
    def proves(self) -> bool:
        """Whether both sides and the ages add up."""
        aged = sum(self.open_cents) - self.credit_cents
        return self.client.proves and self.insurance.proves and aged == self.client.ending_cents

    @property
    def due_cents(self) -> int:
        """What the client is asked for: never less than nothing."""
        return max(self.client.ending_cents, 0)


def side_figures(sums: Iterable[tuple[bool, Movement]], *, is_client: bool) -> SideFigures:
    """The figures of one side, from movements with whether each lies in the period (else before it). Nothing after the
    period may be among them. The ending balance is summed by itself, so that `proves` compares two ways."""
    previous = ending = 0
    parts = dict.fromkeys(Part, 0)
    for is_in_period, movement in sums:
        cents = movement.client_cents if is_client else movement.insurance_cents
        ending += cents
        if is_in_period:
            parts[movement.part] += cents
        else:
            previous += cents
    return SideFigures(
        previous_cents=previous,
        charges_cents=parts[Part.CHARGE],
        payments_cents=-parts[Part.PAYMENT],
        adjustments_cents=-parts[Part.ADJUSTMENT],
        moved_cents=parts[Part.MOVED],
        ending_cents=ending,
    )


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a document, both included."""

    first_on: date
    last_on: date


#: Names of the places of service that a behavioural-health practice meets (CMS place-of-service code set).
_PLACES = {
    "02": "Telehealth, not in the client’s home",
    "03": "School",
    "10": "Telehealth in the client’s home",
    "11": "Office",
    "12": "Home",
    "13": "Assisted living facility",
    "14": "Group home",
    "22": "Outpatient hospital",
    "31": "Skilled nursing facility",
    "32": "Nursing facility",
    "49": "Independent clinic",
    "50": "Federally qualified health center",
    "52": "Psychiatric facility, partial hospitalization",
    "53": "Community mental health center",
    "55": "Residential substance abuse treatment facility",
    "57": "Non-residential substance abuse treatment facility",
    "99": "Other",
}


def place_of_service_name(code: str) -> str:
    """What a place-of-service code means; nothing for one that is not met here."""
    return _PLACES.get(code, "")

"""Which nights are due, and what a night leaves to people: pure decisions (B12). No database, no clock.

A night is named after the day it leads into and looks at dates of service before that day.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

_DAY = timedelta(days=1)


def next_night(last_on: date | None, first_on: date) -> date:
    """The night that comes next: the one after the last that ran, and never one before the settings' first."""
    return max(last_on + _DAY, first_on) if last_on else first_on


def looked_at(night_on: date, *, starts_on: date, look_back_days: int) -> tuple[date, date]:
    """The days a night looks at, both included: the day before it and what lies up to `look_back_days` back."""
    return max(starts_on, night_on - look_back_days * _DAY), night_on - _DAY


def first_night(*, starts_on: date, last_night_on: date, kept: date | None) -> date:
    """The first night of new settings: tonight, when `last_night_on` has had its hour already; or the one that settings
    which were on all the time began with (`kept`), so that no missed night is forgotten by a change."""
    return max(kept or last_night_on + _DAY, starts_on + _DAY)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A rule: what is None or empty does not matter, the rest must all hold. Days are both included."""

    id: UUID
    note: str
    for_invoices: bool
    for_claims: bool
    payer_id: UUID | None = None
    staff_member_id: UUID | None = None
    service_type_id: UUID | None = None
    pays_by: str = ""
    status: str = ""
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """What rules look at: an unbilled date of service with its services, or one insured line of an invoice.

    `payer_id`: who would pay first on that day; None where the client pays by self or has no coverage in force.
    """

    service_on: date
    pays_by: str
    staff_member_id: UUID | None
    payer_id: UUID | None
    service_type_ids: frozenset[UUID]
    status: str


def excluded_by(subject: Subject, rules: Iterable[Exclusion]) -> Exclusion | None:
    """The first rule that holds, in the given order; None: nothing is left out."""
    return next((rule for rule in rules if _holds(rule, subject)), None)


def _holds(rule: Exclusion, subject: Subject) -> bool:
    return (
        rule.payer_id in (None, subject.payer_id)
        and rule.staff_member_id in (None, subject.staff_member_id)
        and (rule.service_type_id is None or rule.service_type_id in subject.service_type_ids)
        and rule.pays_by in ("", subject.pays_by)
        and rule.status in ("", subject.status)
        and (rule.from_on is None or rule.from_on <= subject.service_on)
        and (rule.to_on is None or subject.service_on <= rule.to_on)
    )

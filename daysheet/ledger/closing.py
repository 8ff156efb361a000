"""Closing a day (M10): its sheet is written down, and nothing is posted on it or before it any more. For good:
there is no reopening; what was wrong is corrected by entries of a later day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from daysheet.audit.actions import record
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotAllowed, Refusal
from daysheet.kit.money import Money
from daysheet.practices.action import action, query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .books import hold_books_alone
from .day import Scope, read_day_totals
from .models import Books, ClosedDay
from .rules import DayTotals


class DayInFuture(Refusal):
    """A day is closed when it has come."""

    code = "day_in_future"


class DayBeforeClosed(Refusal):
    """A later day was closed before, and this one with it."""

    code = "day_before_closed"


class SheetChanged(Refusal):
    """Something was posted since the person looked at the sheet that is to be locked."""

    code = "sheet_changed"


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed day: who closed it and when, and what its sheet said."""

    day: date
    closed_at: datetime
    closed_by_name: str
    totals: DayTotals


@action(Permission.BILLING, audited=False)
def close_day(actor: Actor, *, day: date, expected_closing_cents: int, expected_entry_count: int) -> Closed:
    """Close `day` and every day before it. `expected_…` is what the person saw; closing a closed day again changes
    nothing. Raises NotAllowed for people limited to assigned clients, DayInFuture, DayBeforeClosed, SheetChanged.
    """
    _refuse_limited(actor)
    closed_through_on = hold_books_alone(actor)
    before = closed_day(actor, day)
    if before:
        return before
    if day > actor.today:
        raise DayInFuture(f"{us_date(day)} has not come yet. Nothing was closed.")
    if closed_through_on and day <= closed_through_on:
        raise DayBeforeClosed(
            f"{us_date(day)} was closed together with {us_date(closed_through_on)}. Nothing was changed."
        )
    totals = read_day_totals(Scope(actor.practice.id), day)
    if (totals.closing_cents, totals.entry_count) != (expected_closing_cents, expected_entry_count):
        raise SheetChanged(
            f"Something was posted meanwhile: the day now closes at {Money(totals.closing_cents)} with "
            f"{totals.entry_count:,} entries. Nothing was closed; look at the sheet again."
        )
    closed = _write(actor, day, totals)
    record(actor, "close_day", "closed_day", closed.pk, day=day.isoformat(), closing_cents=totals.closing_cents)
    return _closed(closed)


@query(Permission.BILLING)
def closed_day(actor: Actor, day: date) -> Closed | None:
    """The closing of exactly this day, for people who may see the whole practice; None where it was not closed."""
    row = None if actor.limited_to_assigned else ClosedDay.objects.filter(day=day).first()
    return _closed(row) if row else None


@query(Permission.BILLING)
def closing_of(actor: Actor, day: date) -> tuple[date, datetime, str] | None:
    """(day, moment, person) of the closing that locked `day`: its own, or the next later one. Without money."""
    rows = ClosedDay.objects.filter(day__gte=day).order_by("day")
    return rows.values_list("day", "closed_at", "closed_by_name").first()


def _refuse_limited(actor: Actor) -> None:
    if actor.limited_to_assigned:
        raise NotAllowed("A day is closed for the whole practice. Ask somebody who may see every client.")


def _write(actor: Actor, day: date, totals: DayTotals) -> ClosedDay:
    Books.objects.update(closed_through_on=day)
    return ClosedDay.objects.create(
        day=day,
        closed_at=actor.now,
        closed_by_name=actor.person_name[:120],
        opening_cents_snapshot=totals.opening_cents,
        charges_cents_snapshot=totals.charges_cents,
        payments_cents_snapshot=totals.payments_cents,
        adjustments_cents_snapshot=totals.adjustments_cents,
        closing_cents_snapshot=totals.closing_cents,
        entry_count_snapshot=totals.entry_count,
    )


def _closed(row: ClosedDay) -> Closed:
    totals = DayTotals(
        row.opening_cents_snapshot,
        row.charges_cents_snapshot,
        row.payments_cents_snapshot,
        row.adjustments_cents_snapshot,
        row.closing_cents_snapshot,
        row.entry_count_snapshot,
    )
    return Closed(row.day, row.closed_at, row.closed_by_name, totals)

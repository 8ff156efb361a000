"""When a Good Faith Estimate is due, and when a bill comes near or past it. Pure; worked dates and numbers:
docs/money/estimates.md.

The regulation counts business days and does not say what a federal holiday is. Here every doubt is decided for the
earlier deadline: a holiday counts as a business day, but not toward the ten days that allow for the longer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

#: 149.610(b)(1)(vi): scheduled so many business days ahead, due so many business days after scheduling.
FAR_AHEAD, DUE_AFTER_FAR = 10, 3
AHEAD, DUE_AFTER_NEAR = 3, 1
DUE_AFTER_REQUEST = 3
#: How far ahead an estimate looks unless somebody says otherwise: half a year.
WEEKS_AHEAD = 26
#: 149.620(a)(2): a bill so much above the estimate may be disputed. The practice is warned a hundred dollars before.
DISPUTED_FROM_CENTS = 40_000
WARNED_FROM_CENTS = 30_000


def due_when_scheduled(scheduled_on: date, service_on: date) -> date | None:
    """The day by which an estimate is due for a service that was scheduled on a day; None where it was scheduled too
    late for one to be owed."""
    ahead = weekdays_after(scheduled_on, service_on)
    if ahead < AHEAD:
        return None
    is_far = ahead - holidays_after(scheduled_on, service_on) >= FAR_AHEAD
    return plus_weekdays(scheduled_on, DUE_AFTER_FAR if is_far else DUE_AFTER_NEAR)


def due_when_requested(requested_on: date) -> date:
    """The day by which a client who asked has the estimate."""
    return plus_weekdays(requested_on, DUE_AFTER_REQUEST)


def weekdays_after(first: date, last: date) -> int:
    """Mondays to Fridays after `first`, up to and including `last`."""
    whole, rest = divmod(max((last - first).days, 0), 7)
    return whole * 5 + sum((first + timedelta(days=day)).weekday() < 5 for day in range(1, rest + 1))


def plus_weekdays(day: date, count: int) -> date:
    """The `count`-th Monday to Friday after `day`."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day


def holidays_after(first: date, last: date) -> int:
    """Legal public holidays (5 U.S.C. 6103) on Mondays to Fridays after `first`, up to and including `last`."""
    days = {day for year in range(first.year, last.year + 2) for day in _holidays(year)}
    return sum(first < day <= last and day.weekday() < 5 for day in days)


def _holidays(year: int) -> Iterable[date]:
    """As they are observed: one on a Saturday on the Friday before, one on a Sunday on the Monday after."""
    for month, day in ((1, 1), (6, 19), (7, 4), (11, 11), (12, 25)):
        yield _observed(date(year, month, day))
    for month, weekday, number in ((1, 0, 3), (2, 0, 3), (9, 0, 1), (10, 0, 2), (11, 3, 4)):
        first = date(year, month, 1)
        yield first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
    last_of_may = date(year, 5, 31)
    yield last_of_may - timedelta(days=last_of_may.weekday())


def _observed(day: date) -> date:
    return day + timedelta(days={5: -1, 6: 1}.get(day.weekday(), 0))


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """An expected service: what one unit of it costs, in cents."""

    service_type_id: UUID | None
    code: str
    unit_cents: int


@dataclass(frozen=True, slots=True)
class EstimateFacts:
    """An estimate: in force for dates of service from `first_on` to `last_on` that lie on or after the day it was
    given."""

    id: UUID
    client_id: UUID
    given_on: date
    first_on: date
    last_on: date
    expected_cents: int
    items: tuple[ItemFacts, ...]

    def holds(self, service_on: date) -> bool:
        """Whether it says what this date of service costs."""
        return self.given_on <= service_on and self.first_on <= service_on <= self.last_on


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A line that is billed or about to be, in cents."""

    service_on: date
    service_type_id: UUID | None
    code: str
    units: int
    amount_cents: int


class Level(StrEnum):
    """How a bill stands to the estimate."""

    FINE = "fine"
    NEAR = "near"
    DISPUTABLE = "disputable"


@dataclass(frozen=True, slots=True)
class Excess:
    """How far charges lie above an estimate, in cents: all of its period, and those of one invoice alone."""

    estimate_id: UUID
    given_on: date
    expected_cents: int
    billed_cents: int
    invoice_excess_cents: int = 0

    @property
    def period_excess_cents(self) -> int:
        return self.billed_cents - self.expected_cents

    @property
    def worst_cents(self) -> int:
        return max(self.period_excess_cents, self.invoice_excess_cents)

    @property
    def level(self) -> Level:
        """Disputable from 400 dollars above, near from 300."""
        if self.worst_cents >= DISPUTED_FROM_CENTS:
            return Level.DISPUTABLE
        return Level.NEAR if self.worst_cents >= WARNED_FROM_CENTS else Level.FINE


def estimate_for(estimates: Iterable[EstimateFacts], service_on: date) -> EstimateFacts | None:
    """The estimate in force for a date of service: the last one given."""
    holding = [each for each in estimates if each.holds(service_on)]
    return max(holding, key=lambda each: (each.given_on, str(each.id)), default=None)


def excesses(
    estimates: Sequence[EstimateFacts], billed: Iterable[BilledLine], of_invoice: Sequence[BilledLine] | None = None
) -> list[Excess]:
    """How the charges of one client stand to each estimate that has any. `of_invoice` are those of one invoice, which
    must be among `billed`: then only the estimates that these touch are returned."""
    totals: dict[UUID, int] = {}
    for line in billed:
        if estimate := estimate_for(estimates, line.service_on):
            totals[estimate.id] = totals.get(estimate.id, 0) + line.amount_cents
    alone: dict[UUID, int] = {}
    for line in of_invoice or ():
        if estimate := estimate_for(estimates, line.service_on):
            expected = _expected_cents(estimate, line)
            alone[estimate.id] = alone.get(estimate.id, 0) + line.amount_cents - expected
    return [
        Excess(each.id, each.given_on, each.expected_cents, totals[each.id], alone.get(each.id, 0))
        for each in estimates
        if each.id in totals and (of_invoice is None or each.id in alone)
    ]


def _expected_cents(estimate: EstimateFacts, line: BilledLine) -> int:
    """What the estimate says of such a line; nothing where it does not name the service."""
    for item in estimate.items:
        same_type = item.service_type_id is not None and item.service_type_id == line.service_type_id
        if same_type or (item.code and item.code == line.code):
            return item.unit_cents * line.units
    return 0

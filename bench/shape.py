"""How a practice of N visits looks. Everything follows from N, so that growth from one size to the next is growth of
the same practice and of nothing else.

Clients come once a week for 40 weeks and then leave: at any time a fifth of them is active. Each visit has two
services. The last four weeks are not billed yet; the last two bills before are not paid yet, and 3 % of the older ones
never were.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

#: Weeks for which one client comes.
EPISODE_WEEKS = 40
UNBILLED_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """A practice of about `visits` billed visits, as it is on `today`, a Saturday. Two lines for each visit."""

    visits: int
    today: date
    episodes: int = 5
    #: Weeks that one bill covers.
    weeks_per_bill: int = 4
    slug: str = "meadow"

    @property
    def clients(self) -> int:
        return max(self.visits // EPISODE_WEEKS, 5)

    @property
    def billed_weeks(self) -> int:
        return EPISODE_WEEKS * self.episodes

    @property
    def first_monday(self) -> date:
        """The Monday of week 0."""
        last = self.today - timedelta(days=5)
        return last - timedelta(weeks=self.billed_weeks + UNBILLED_WEEKS - 1)

    @property
    def bills(self) -> int:
        """How many bills each client would get who came all the time."""
        return self.billed_weeks // self.weeks_per_bill

    def bill_range(self, number: int) -> tuple[date, date]:
        """[first, last) day of the dates of service on bill `number`; the bill is issued on `last`. The one after the
        last holds what is not billed yet."""
        first = self.first_monday + timedelta(weeks=number * self.weeks_per_bill)
        if number == self.bills:
            return first, self.today + timedelta(days=1)
        return first, first + timedelta(weeks=self.weeks_per_bill)

    @property
    def staff(self) -> int:
        """Providers, each of whom sees at most eight clients a day."""
        return max(self.visits // (8 * 5 * self.billed_weeks), 2)

    @property
    def locations(self) -> int:
        return max(self.staff // 12, 1)

    @property
    def payers(self) -> int:
        return 10 if self.visits >= 100_000 else 4

    @property
    def agenda_visits(self) -> int:
        """Visits of today, a Saturday on which nobody else comes: the same Agenda at every size."""
        return min(150, self.clients)

    @property
    def regular_visits(self) -> int:
        """Visits of the one client who comes every weekday."""
        return min(700, self.visits // 10)


def small_practice(number: int, today: date) -> Shape:
    """One of the practices beside the large one."""
    return Shape(480, today, episodes=1, weeks_per_bill=10, slug=f"brook-{number}")


def last_saturday(day: date) -> date:
    """The Saturday on or before `day`."""
    return day - timedelta(days=(day.weekday() - 5) % 7)

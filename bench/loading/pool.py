"""Visits that are kept and not billed, made when somebody wants to bill them: on Sundays, when nobody else comes. The
newest Sundays first: by then all coverages have begun, so that as many visits are an insurer's as in the history."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from daysheet.kit.dates import week_start

from ..sql import owner
from .people import Loaded, number_clients
from .visits import plan_visits

#: Dates of service of each client of a batch: a month of weekly visits.
DATES_EACH = 4

_ON_SUNDAYS = """
    SELECT c.no AS client_no, d.day, 0 AS kind, 'kept' AS status
    FROM bench_client c, unnest(%(days)s::date[]) d (day) WHERE c.no <= %(most)s"""


@dataclass
class Pool:
    """Hands out Sundays, each once."""

    loaded: Loaded
    _weeks_ago: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def make(self, visits: int) -> list[date]:
        """That many visits, four each of as many clients as it takes, or more where there are too few clients.
        Returns their days, which are only theirs."""
        shape = self.loaded.shape
        dates = max(DATES_EACH, -(-visits // shape.clients))
        newest = week_start(shape.today)
        days = sorted(newest - timedelta(weeks=ago) for ago in itertools.islice(self._weeks_ago, dates))
        assert days[0] > shape.first_monday, "all Sundays are used up"
        with owner() as connection:
            number_clients(connection, self.loaded.practice.id)
            planned = {"days": days, "most": -(-visits // dates)}
            count = plan_visits(connection, self.loaded, _ON_SUNDAYS, planned)
            for table in ("schedule_appointment", "schedule_visit", "schedule_visitservice"):
                connection.execute(f"ANALYZE {table}")
        assert visits <= count < visits + dates, f"{count} visits made, {visits} wanted"
        return days

    def services(self, days: list[date]) -> dict[UUID, list[UUID]]:
        """Their visit services by client."""
        found: dict[UUID, list[UUID]] = {}
        with owner() as connection:
            rows = connection.execute(
                "SELECT v.client_id, s.id FROM schedule_visitservice s "
                "JOIN schedule_visit v ON v.practice_id = s.practice_id AND v.id = s.visit_id "
                "WHERE s.practice_id = %s AND s.service_on = ANY(%s) ORDER BY 1, 2",
                [self.loaded.practice.id, days],
            )
            for client_id, service_id in rows:
                found.setdefault(client_id, []).append(service_id)
        return found

    def visits(self, days: list[date]) -> list[UUID]:
        """The visits themselves."""
        with owner() as connection:
            rows = connection.execute(
                "SELECT id FROM schedule_visit WHERE practice_id = %s AND service_on = ANY(%s) ORDER BY id",
                [self.loaded.practice.id, days],
            ).fetchall()
        return [row[0] for row in rows]

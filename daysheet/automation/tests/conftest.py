"""A clinic whose nights can be lived through: settings saved at a chosen moment, the clock, the worker's jobs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine

from daysheet.automation.actions import Settings, save_plan
from daysheet.automation.jobs import automate_everywhere
from daysheet.automation.models import AutomationPlan, Night
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from tests.billing import Clinic, build_clinic
from tests.people import Cast

ZONE = ZoneInfo("America/New_York")


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A wall-clock moment of Alder Clinic, in UTC."""
    return datetime.combine(day, time(hour, minute), tzinfo=ZONE).astimezone(UTC)


@dataclass
class Life:
    """Alder Clinic, lived hour by hour."""

    clinic: Clinic

    def switch(
        self,
        now: datetime,
        *,
        invoices: bool = True,
        claims: bool = False,
        starts_on: date = date(2026, 11, 1),
        look_back_days: int = 7,
        grouping: str = "client",
        recipients: tuple[UUID, ...] = (),
    ) -> AutomationPlan:
        """Save settings as the owner."""
        newest = AutomationPlan.objects.order_by("-version").first()
        settings = Settings(invoices, claims, starts_on, look_back_days, grouping, frozenset(recipients))
        actor = replace(self.clinic.owner, now=now)
        return save_plan(
            actor, settings, seen_version=newest.version if newest else 0, link_base="https://billing.example"
        )

    def clock(self, now: datetime) -> dict[str, list[date]]:
        """What the clock's task does at this moment, without what it gives the worker to do."""
        with time_machine.travel(now, tick=False):
            return automate_everywhere(now)

    def work(self, now: datetime) -> None:
        """Everything the worker finds queued, until nothing is left."""
        with time_machine.travel(now, tick=False):
            while run_id := JobRun.objects.filter(state="queued").order_by("created_at").values_list("pk").first():
                run_job(self.clinic.cast.alder.id, run_id[0])

    def live(self, now: datetime) -> dict[str, list[date]]:
        """The clock and then the worker."""
        begun = self.clock(now)
        self.work(now)
        return begun

    def night(self, day: date) -> Night:
        """The night that led into a day."""
        return Night.objects.get(night_on=day)

    def billed(self) -> list[tuple[date, date]]:
        """(date of service, issued on) of everything billed, in order of number."""
        lines = InvoiceLine.objects.filter(ended_at=None).order_by("invoice__number", "service_on")
        return list(lines.values_list("service_on", "invoice__issued_on"))


@pytest.fixture
def life(cast: Cast) -> Iterator[Life]:
    with practice_transaction(cast.alder.id):
        yield Life(build_clinic(cast))

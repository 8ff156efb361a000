"""A weekly series on Tuesdays, how its appointments are seen, and what holds of every series after every edit."""

from __future__ import annotations

from datetime import date, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from daysheet.schedule.actions import (
    ServiceChoice,
    Slot,
)
from daysheet.schedule.models import Appointment, Series, Visit, VisitService
from daysheet.schedule.series import add_series
from daysheet.schedule.series_rows import repeat_of
from daysheet.schedule.series_rules import Frequency, begin, dates
from daysheet.schedule.slots import slot_of
from tests.billing import Clinic

#: A Tuesday; the cast's today is Monday, November 16.
FIRST = date(2026, 11, 3)
NEW_YORK = ZoneInfo("America/New_York")


def slot_on(clinic: Clinic, day: date = FIRST, at: time = time(10), **more: Any) -> Slot:
    return Slot(day, at, 50, clinic.cast.carol.staff_member_id, clinic.location.pk, **more)


def weekly(clinic: Clinic, *clients: UUID, count: int = 8, **more: Any) -> list[Appointment]:
    slot = slot_on(clinic, **more)
    add_series(
        clinic.owner, slot=slot, repeat=begin(Frequency.WEEKLY, slot.day, count=count),
        members={client: [ServiceChoice(clinic.talk.pk)] for client in clients},
    )  # fmt: skip
    return all_rows()


def all_rows() -> list[Appointment]:
    """The appointments by the date of the rule that each stands for."""
    return list(Appointment.objects.order_by("occurrence_on"))


def shown(appointment: Appointment) -> Slot:
    return slot_of(Appointment.objects.get(pk=appointment.pk), "America/New_York")


def when(appointment: Appointment) -> str:
    return Appointment.objects.get(pk=appointment.pk).starts_at.astimezone(NEW_YORK).strftime("%m/%d %H:%M")


def visit_of(appointment: Appointment) -> Visit:
    return Visit.objects.get(appointment=appointment)


def check_series() -> None:
    """What holds of every series after every edit: a date of a rule has one appointment, its rows are a run of the
    rule's dates, and whoever does not stand apart is exactly where the rule says."""
    for series in Series.objects.all():
        rows = list(Appointment.objects.filter(series=series).order_by("occurrence_on"))
        days = [row.occurrence_on for row in rows]
        rule = list(dates(repeat_of(series)))
        start = rule.index(days[0]) if days else 0
        assert days == rule[start : start + len(days)]
        for row in rows:
            if row.apart_at is None:
                assert row.service_on == row.occurrence_on
                assert row.starts_at.astimezone(NEW_YORK).time() == series.at
                assert row.staff_member_id == series.staff_member_id
    for visit in Visit.objects.select_related("appointment"):
        assert visit.service_on == visit.appointment.service_on
        assert visit.service_on == visit.appointment.starts_at.astimezone(NEW_YORK).date()
    for service in VisitService.objects.select_related("visit"):
        assert service.service_on == service.visit.service_on

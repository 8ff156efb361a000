"""A series' rule and slot as a row and back, and the appointments on its dates."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor

from .members import add_visits
from .models import Appointment, Series
from .series_rules import Frequency, Repeat
from .slot_rules import Members, Slot
from .slots import columns_of


def add_row(
    actor: Actor, repeat: Repeat, slot: Slot, *, root_id: UUID | None = None, series_id: UUID | None = None
) -> Series:
    """A row that keeps a rule, and the slot of each of its dates."""
    return Series.objects.create(
        pk=series_id or new_id(),
        root_id=root_id,
        frequency=repeat.frequency.value,
        every=repeat.every,
        starts_on=repeat.starts_on,
        until_on=repeat.until_on,
        count=repeat.count,
        weekdays=sum(1 << weekday for weekday in repeat.weekdays),
        week_starts=repeat.week_starts,
        month_day=repeat.month_day,
        month_week=repeat.month_week,
        at=slot.at,
        minutes=slot.minutes,
        staff_member_id=slot.staff_member_id,
        location_id=slot.location_id,
        place_of_service=slot.place_of_service,
        title=slot.title,
        group_limit=slot.group_limit,
        created_at=actor.now,
    )


def repeat_of(series: Series) -> Repeat:
    """The rule that a row keeps."""
    return Repeat(
        frequency=Frequency(series.frequency),
        starts_on=series.starts_on,
        every=series.every,
        until_on=series.until_on,
        count=series.count,
        weekdays=frozenset(weekday for weekday in range(7) if series.weekdays >> weekday & 1),
        week_starts=series.week_starts,
        month_day=series.month_day,
        month_week=series.month_week,
    )


def series_slot(series: Series, day: date) -> Slot:
    """The slot that a row's rule gives to one of its dates."""
    return Slot(
        day=day,
        at=series.at,
        minutes=series.minutes,
        staff_member_id=series.staff_member_id,
        location_id=series.location_id,
        place_of_service=series.place_of_service,
        title=series.title,
        group_limit=series.group_limit,
    )


def add_occurrences(actor: Actor, series: Series, days: tuple[date, ...], members: Members) -> list[UUID]:
    """An appointment on each of these dates of the rule; returns their ids."""
    slot, zone = series_slot(series, series.starts_on), actor.practice.time_zone
    appointments = [
        Appointment(
            series=series, occurrence_on=day, is_group=len(members) > 1, **columns_of(replace(slot, day=day), zone)
        )
        for day in days
    ]
    Appointment.objects.bulk_create(appointments, batch_size=2000)
    add_visits(appointments, members)
    return [each.pk for each in appointments]

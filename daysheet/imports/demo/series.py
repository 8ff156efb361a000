"""The demo's series: rules for appointments that lie a week or two apart, and what people did with them since.

No import makes a series; the rule is written as `add_series` would have, for appointments that are there already, so
that the demo has series with a past that is billed. What follows goes through the verbs of the schedule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.database.updating import update_rows
from daysheet.practices.actor import Actor
from daysheet.schedule.actions import move_appointment
from daysheet.schedule.following import thread_of
from daysheet.schedule.members import planned_choices
from daysheet.schedule.models import Appointment, Series, Visit
from daysheet.schedule.series import cancel_appointments, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.series_rows import add_row
from daysheet.schedule.series_rules import Frequency, begin
from daysheet.schedule.slots import slot_of

from .plan import Demo

#: Appointments that are booked beyond the weeks the demo was made with.
_MORE = 8
#: Of so many clients' series one; every group's.
_LONGER = 4
#: The end of a series that is changed, moved or called off lies so many appointments before its last.
_JOINS, _MOVES, _CANCELS = 6, 4, 3
_SHORTEST = 4
_FRIDAY = 4


def book_series(actor: Actor, demo: Demo, progress: Callable[[str], None]) -> None:
    """Make series of the appointments that `demo` says, in one transaction. Harmless to repeat."""
    with practice_transaction(actor.practice.id):
        if Series.objects.exists():
            return
        threads = list(_threads(demo))
        series = [_booked(actor, thread) for thread in threads]
        for number, (made, thread) in enumerate(zip(series, threads, strict=True)):
            if number % _LONGER and not made.title:
                continue
            extend_series(actor, root_id=made.pk, last_on=thread[-1].service_on, count=_MORE)
        if series:
            _live_with(actor, series)
    progress(f"{actor.practice.name}: {len(series):,} series")


def _threads(demo: Demo) -> Iterator[list[Appointment]]:
    """The newest appointments of each that lie equally far apart."""
    wanted = list(demo.series())
    found = {
        each.external_id: each
        for each in Appointment.objects.filter(external_id__in=[key for keys in wanted for key in keys])
    }
    for keys in wanted:
        thread = [found[key] for key in keys]
        gaps = [after.service_on - before.service_on for before, after in pairwise(thread)]
        while gaps and gaps[0] != gaps[-1]:
            gaps, thread = gaps[1:], thread[1:]
        if len(set(gaps)) == 1 and len(thread) >= _SHORTEST:
            yield thread


def _booked(actor: Actor, thread: list[Appointment]) -> Series:
    first, second, *_ = thread
    weeks = (second.service_on - first.service_on).days // 7
    repeat = begin(Frequency.WEEKLY, first.service_on, every=weeks, count=len(thread))
    series = add_row(actor, repeat, slot_of(thread[-1], actor.practice.time_zone))
    update_rows(
        Appointment,
        ["series_id", "occurrence_on"],
        [{"id": each.pk, "series_id": series.pk, "occurrence_on": each.service_on} for each in thread],
    )
    return series


def _live_with(actor: Actor, series: list[Series]) -> None:
    """Somebody joins the group; somebody else has one date moved and another called off."""
    for made in series:
        if made.title:
            _join(actor, made)
    ahead = _ahead(actor, series[0])
    moved, canceled = ahead[-_MOVES], ahead[-_CANCELS]
    slot = slot_of(moved, actor.practice.time_zone)
    nearby = slot.day + timedelta(days=-1 if slot.day.weekday() == _FRIDAY else 1)
    move_appointment(actor, appointment_id=moved.pk, slot=replace(slot, day=nearby))
    cancel_appointments(actor, appointment_id=canceled.pk, initiated_by=Visit.InitiatedBy.CLIENT)


def _join(actor: Actor, series: Series) -> None:
    from_here = _ahead(actor, series)[-_JOINS]
    members = planned_choices(from_here.pk)
    joiner = Client.objects.filter(is_active=True).exclude(pk__in=members).order_by("last_name", "external_id").first()
    if joiner is None:
        return
    members[joiner.pk] = next(iter(members.values()))
    slot = slot_of(from_here, actor.practice.time_zone)
    edit_series(actor, appointment_id=from_here.pk, scope=Scope.FOLLOWING, slot=slot, members=members)


def _ahead(actor: Actor, series: Series) -> list[Appointment]:
    thread = Appointment.objects.filter(thread_of(series.pk), service_on__gt=actor.today)
    return list(thread.order_by("occurrence_on"))

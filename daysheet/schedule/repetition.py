"""How often a series repeats is changed (S3): from an appointment on, what follows takes the dates of another rule.

Nothing is deleted, and nothing is called off needlessly (series_matching). What stays on record and stands for no date
of the new rule leaves the series, be it called off by this, or billed, over, or changed on its own: each appointment of
a series stands for a date of its rule.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import F

from daysheet.audit.actions import record
from daysheet.database.updating import update_rows
from daysheet.kit.errors import Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .actions import check_new
from .following import COLUMNS, Following, open_following
from .members import planned_choices
from .models import Appointment, Series, Visit, VisitStatus
from .series_matching import Matching, Stays, match, part_of
from .series_outcome import Rearranged, Scope, Standing
from .series_rows import add_occurrences, add_row, repeat_of, series_slot
from .series_rules import Repeat, SeriesRefused, Terms, begin_otherwise, continued, dates
from .slot_rules import Members, Slot, check_slot
from .slots import check_version, columns_of, copy_dates, slot_of
from .statuses import cancel_visits


class OtherThanShown(Refusal):
    """What would happen is not what this person was shown."""

    code = "other_than_shown"


@dataclass(frozen=True, slots=True)
class Part:
    """Dates of the new rule that share a slot: an hour that an earlier edit gave to the later ones stays theirs."""

    repeat: Repeat
    slot: Slot
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change of the repetition would do to what follows, which is under lock."""

    following: Following
    matching: Matching
    parts: list[Part]

    @property
    def days(self) -> tuple[date, ...]:
        """All dates of the new rule."""
        return tuple(day for part in self.parts for day in part.days)

    @property
    def rearranged(self) -> Rearranged:
        """Its numbers."""
        found = self.matching
        follow = [*found.kept, *found.moved, *found.surplus]
        return Rearranged(
            len(found.moved), len(found.added), len(found.surplus), len(found.kept), self.following.outcome(follow)
        )

    def columns(self, actor: Actor, row: Appointment) -> dict[str, Any]:
        """An appointment that has a date of the new rule, as it will be; without its row of the series."""
        day, zone = self.matching.placed[row.pk], actor.practice.time_zone
        columns = columns_of(replace(self.part(day).slot, day=day), zone)
        if self.following.standings[row.pk] is not Standing.OPEN:
            own = replace(slot_of(row, zone), day=day)
            is_moved = row.pk in self.matching.moved  # the opened one, with its own hour
            columns = columns_of(own, zone) if is_moved else {name: getattr(row, name) for name in columns}
        return {**columns, "id": row.pk, "occurrence_on": day, "apart_at": row.apart_at}

    @property
    def members(self) -> Members:
        """Who comes to what is added, and their services: those of the newest appointment that takes place."""
        standings = self.following.standings
        return planned_choices([row.pk for row in self.following.rows if standings[row.pk] is not Standing.OVER][-1])

    def part(self, day: date) -> Part:
        """The part that a date belongs to."""
        return self.parts[part_of([part.days[0] for part in self.parts], day)]


@dataclass(frozen=True, slots=True)
class Changed:
    """The series by its first row; what was done, None where it was done before; who is elsewhere now, or new."""

    root_id: UUID
    rearranged: Rearranged | None = None
    elsewhere: frozenset[UUID] = frozenset()


@action(Permission.DEFAULT, audited=False)
def change_repetition(
    actor: Actor,
    *,
    appointment_id: UUID,
    scope: Scope,
    terms: Terms,
    shown: str | None = None,
    series_id: UUID | None = None,
    version: int | None = None,
) -> Changed:
    """Let *this and following*, or *all future*, repeat otherwise from their first date on. `shown`: `Matching.token`
    of what this person was shown before.

    The same `series_id` again (a second click) does nothing more. Raises NotFound, NotInSeries,
    AppointmentChanged, SeriesRefused, AppointmentIncomplete, OtherThanShown.
    """
    if done := _done(series_id):
        return Changed(done)
    following = open_following(actor, appointment_id, scope=scope, version=None)
    if done := _done(series_id):  # while the locks were waited for
        return Changed(done)
    check_version(actor, following.opened.appointment, version)
    plan = plan_repetition(following, terms)
    found = plan.matching
    if shown is not None and shown != found.token:
        raise OtherThanShown("Nothing was changed yet. See below what would be, then press Change the series.")
    check_added(actor, plan)
    _cancel(actor, found.surplus)
    added = _write(actor, plan, series_id)
    root_id = following.root_id
    assert root_id is not None
    _record(actor, plan, root_id)
    return Changed(root_id, plan.rearranged, frozenset({*found.moved, *added}))


def plan_repetition(following: Following, terms: Terms) -> Plan:
    """What another rule would do to what follows. Raises SeriesRefused, AppointmentIncomplete."""
    if following.scope is Scope.THIS:
        raise SeriesRefused("One appointment does not repeat. Choose this and following, or all future.")
    rows = following.rows
    follows = {row.pk: _date_of(row) for row in rows if following.follows(row)}
    if not follows:
        raise SeriesRefused(
            "None of these appointments can change: they are billed, canceled, over, or were changed on their own. "
            "Nothing was changed. To add appointments, let the series go on longer."
        )
    stays = {row.pk: Stays(_date_of(row), row.service_on) for row in rows if row.pk not in follows}
    rules = {each.pk: each for each in Series.objects.filter(pk__in={row.series_id for row in rows})}
    beginnings: dict[UUID, date] = {}
    for row in rows:
        assert row.series_id is not None
        beginnings.setdefault(row.series_id, _date_of(row))
    old = [(rules[series_id], begins_on) for series_id, begins_on in beginnings.items()]
    repeat = begin_otherwise(terms, _date_of(rows[0]), repeat_of(old[0][0]))
    parts = _parts(repeat, old)
    check_slot(replace(parts[-1].slot, day=parts[-1].days[-1]))
    return Plan(following, match(dates(repeat), follows, stays), parts)


def check_added(actor: Actor, plan: Plan) -> None:
    """Whether what is to be added can be: a provider may have left meanwhile. Raises AppointmentIncomplete."""
    added = set(plan.matching.added)
    members = plan.members if added else {}
    for part in plan.parts:
        days = [day for day in part.days if day in added]
        if days:
            check_new(actor, replace(part.slot, day=days[-1]), members)


def _record(actor: Actor, plan: Plan, root_id: UUID) -> None:
    """One event for the whole change, with its numbers."""
    done, found, clients = plan.rearranged, plan.matching, list(plan.following.opened.visits)
    left = done.outcome
    record(
        actor, "change_repetition", "series", root_id, client_id=clients[0] if len(clients) == 1 else None,
        scope=plan.following.scope.value, from_on=plan.days[0].isoformat(), last_on=plan.days[-1].isoformat(),
        moved=done.moved, added=done.added, canceled=done.canceled, kept=done.kept,
        no_longer_in_it=len(found.surplus) + len(found.dropped),
        left_billed=left.billed, left_over=left.over, left_apart=left.apart,
    )  # fmt: skip


def _done(series_id: UUID | None) -> UUID | None:
    """The series that a form with this id changed before."""
    there = Series.objects.filter(pk=series_id).first() if series_id else None
    return (there.root_id or there.pk) if there else None


def _date_of(row: Appointment) -> date:
    assert row.occurrence_on is not None
    return row.occurrence_on


def _parts(repeat: Repeat, old: list[tuple[Series, date]]) -> list[Part]:
    """The new dates by the rule that was in force on each: its slot stays."""
    found: dict[int, list[date]] = {}
    for day in dates(repeat):
        found.setdefault(part_of([begins_on for _, begins_on in old], day), []).append(day)
    return [
        Part(continued(repeat, from_on=days[0], days=0, count=len(days)), series_slot(old[at][0], days[0]), tuple(days))
        for at, days in found.items()
    ]


def _cancel(actor: Actor, appointment_ids: Collection[UUID]) -> None:
    upcoming = Visit.objects.filter(appointment__in=appointment_ids, status=VisitStatus.UPCOMING)
    visits = list(upcoming.select_related("appointment"))
    if visits:
        cancel_visits(actor, visits, initiated_by=Visit.InitiatedBy.PRACTICE)


def _write(actor: Actor, plan: Plan, series_id: UUID | None) -> list[UUID]:
    """The rows of the new rule, who goes over to them, who leaves the series, who is added; returns the last."""
    following, found = plan.following, plan.matching
    series: dict[date, Series] = {}
    for number, part in enumerate(plan.parts):
        key = series_id if number == 0 else None
        series[part.days[0]] = add_row(actor, part.repeat, part.slot, root_id=following.root_id, series_id=key)
    written = [
        {**columns, "series_id": series[plan.part(columns["occurrence_on"]).days[0]].pk}
        for columns in (plan.columns(actor, row) for row in following.rows if row.pk in found.placed)
    ]
    update_rows(Appointment, COLUMNS, written)
    leaving = Appointment.objects.filter(pk__in=[*found.surplus, *found.dropped])
    leaving.update(series=None, occurrence_on=None, apart_at=None)
    moved = Appointment.objects.filter(pk__in=found.moved)
    moved.update(changed_at=actor.now)
    copy_dates(moved)
    opened = following.opened.appointment.pk
    Appointment.objects.filter(pk__in={*found.kept, *found.moved, *found.surplus, opened}).update(
        version=F("version") + 1
    )
    return _add(actor, plan, series)


def _add(actor: Actor, plan: Plan, series: dict[date, Series]) -> list[UUID]:
    """An appointment on each date that nobody stands for."""
    added, made = set(plan.matching.added), list[UUID]()
    members = plan.members if added else {}
    for part in plan.parts:
        days = tuple(day for day in part.days if day in added)
        if days:
            made += add_occurrences(actor, series[part.days[0]], days, members)
    return made

"""What a form would do, before it does it: the dates, what would be left as it is, and who would be in two places."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from daysheet.kit.dates import us_date
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .following import open_following, plan_slots
from .models import Appointment, Visit, VisitStatus
from .queries.appointments import AppointmentDetails
from .queries.conflicts import Conflict, Wanted, conflicts
from .repetition import Plan, check_added, plan_repetition
from .series_outcome import Outcome, Rearranged, Scope
from .series_rules import Repeat, Terms, dates
from .slot_rules import Slot, change_between, check_slot
from .slots import columns_of


@dataclass(frozen=True, slots=True)
class Preview:
    """`days`: of a new series. `outcome`: of an edit of one. `crowd`: where a group is larger than it is meant for."""

    conflicts: list[Conflict]
    days: tuple[date, ...] = ()
    outcome: Outcome | None = None
    crowd: str = ""

    @property
    def outcome_words(self) -> str:
        """What an edit of a series would do; empty for anything else."""
        return self.outcome.words("changed", would=True) if self.outcome else ""


@dataclass(frozen=True, slots=True)
class RepetitionPreview:
    """What another repetition would do: its numbers, what becomes of each of its dates, which days are called off, and
    which stay without being part of the series any more."""

    rearranged: Rearranged
    days: list[tuple[date, str]]
    canceled_on: list[date]
    left_on: list[date]
    conflicts: list[Conflict]
    #: To be sent back, so that what was shown is what happens.
    token: str

    @property
    def words(self) -> str:
        """Its numbers."""
        return self.rearranged.words(would=True)


def crowd_words(members: int, limit: int | None) -> str:
    """A warning where a group has more members than it is meant for (S4); never a refusal."""
    return f"{members} clients, and this group is meant for {limit}." if limit and members > limit else ""


@query(Permission.DEFAULT)
def preview_new(actor: Actor, slot: Slot, client_ids: Collection[UUID], repeat: Repeat | None) -> Preview:
    """What New Appointment would make. Raises AppointmentIncomplete."""
    check_slot(slot)
    days = dates(repeat) if repeat else (slot.day,)
    wanted = [_wanted(actor, replace(slot, day=day), client_ids) for day in days]
    return Preview(
        conflicts(actor, wanted), days=days if repeat else (), crowd=crowd_words(len(client_ids), slot.group_limit)
    )


@query(Permission.DEFAULT)
def preview_change(
    actor: Actor, details: AppointmentDetails, slot: Slot, client_ids: Collection[UUID], scope: Scope
) -> Preview:
    """What a change of an appointment, or of what follows it, would do. Raises what the change would raise."""
    check_slot(slot)
    crowd = crowd_words(len(client_ids), slot.group_limit)
    if scope is Scope.THIS:
        wanted = [_wanted(actor, slot, client_ids, details.id)]
        return Preview(conflicts(actor, wanted, leaving_out=[details.id]), crowd=crowd)
    following = open_following(actor, details.id, scope=scope, version=None)
    change = change_between(following.opened.slot, slot)
    clients = _clients(each.pk for each in following.rows)
    changed = {each.pk for each in following.rows if following.follows(each)}
    plans = plan_slots(actor, following, change)
    joining = set(client_ids) - set(details.services)
    moments = [
        Wanted(
            columns["starts_at"], columns["ends_at"], columns["staff_member_id"],
            frozenset(clients.get(columns["id"], set()) | joining), columns["id"],
        )
        for plan in plans
        for columns in plan.columns
        if columns["id"] in changed
    ]  # fmt: skip
    return Preview(
        conflicts(actor, moments, leaving_out=[each.pk for each in following.rows]),
        outcome=following.outcome(changed),
        crowd=crowd,
    )


@query(Permission.DEFAULT)
def preview_repetition(actor: Actor, appointment_id: UUID, scope: Scope, terms: Terms) -> RepetitionPreview:
    """What changing how often a series repeats would do. Raises what the change would raise."""
    plan = plan_repetition(open_following(actor, appointment_id, scope=scope, version=None), terms)
    check_added(actor, plan)
    rows = {row.pk: row for row in plan.following.rows}
    moments = _moments(actor, plan, rows)
    return RepetitionPreview(
        plan.rearranged,
        days=_days(plan, rows),
        canceled_on=[rows[key].service_on for key in plan.matching.surplus],
        left_on=[rows[key].service_on for key in plan.matching.dropped],
        conflicts=conflicts(actor, moments, leaving_out=[*plan.matching.moved, *plan.matching.surplus]),
        token=plan.matching.token,
    )


def _days(plan: Plan, rows: Mapping[UUID, Appointment]) -> list[tuple[date, str]]:
    found = plan.matching
    became = dict.fromkeys(found.added, "added")
    became |= {day: f"moved from {us_date(rows[key].service_on)}" for key, day in found.moved.items()}
    for key, day in found.held.items():
        on = "" if rows[key].service_on == day else f", on {us_date(rows[key].service_on)}"
        became[day] = f"stays as it is{on}"
    return [(day, became.get(day, "keeps its date")) for day in plan.days]


def _moments(actor: Actor, plan: Plan, rows: Mapping[UUID, Appointment]) -> list[Wanted]:
    """Where somebody will be who is not there yet: in what is moved, and in what is added."""
    clients = _clients(rows)
    columns = [plan.columns(actor, rows[key]) for key in plan.matching.moved]
    moved = [
        Wanted(each["starts_at"], each["ends_at"], each["staff_member_id"], frozenset(clients[each["id"]]), each["id"])
        for each in columns
    ]
    added = plan.matching.added
    joining = plan.members.keys() if added else ()
    return moved + [_wanted(actor, replace(plan.part(day).slot, day=day), joining) for day in added]


def _wanted(actor: Actor, slot: Slot, client_ids: Collection[UUID], appointment_id: UUID | None = None) -> Wanted:
    columns = columns_of(slot, actor.practice.time_zone)
    return Wanted(columns["starts_at"], columns["ends_at"], slot.staff_member_id, frozenset(client_ids), appointment_id)


def _clients(appointment_ids: Any) -> dict[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = {}
    visits = Visit.objects.filter(appointment__in=list(appointment_ids), status=VisitStatus.UPCOMING)
    for appointment_id, client_id in visits.values_list("appointment_id", "client_id"):
        found.setdefault(appointment_id, set()).add(client_id)
    return found

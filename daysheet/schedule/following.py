"""What follows an appointment in its series: found and locked, and written anew by sets.

Every appointment from a date on goes over to the row that keeps the changed rule, also those that stay as they are: the
n-th date of the old rule is the n-th date of the new one, so that a date which is canceled, billed or moved keeps its
place and none comes back beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from daysheet.database.updating import update_rows
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.actor import Actor

from .members import VisitBilled, add_visits, change_services, count_members, leave
from .models import Appointment, Series, Visit, VisitService, VisitStatus
from .series_outcome import Outcome, Scope, Standing, standing_of
from .series_rows import add_row, repeat_of, series_slot
from .series_rules import Repeat, SeriesRefused, continued, dates
from .slot_rules import MemberChange, Slot, SlotChange, check_slot
from .slots import AppointmentChanged, Opened, columns_of, copy_dates, open_appointment, slot_of
from .statuses import cancel_now

#: What an edit of a series writes of each appointment.
COLUMNS = (
    "series_id", "occurrence_on", "apart_at", "service_on", "starts_at", "ends_at", "staff_member_id", "location_id",
    "place_of_service", "title", "group_limit",
)  # fmt: skip


class NotInSeries(Refusal):
    """The appointment stands alone: nothing follows it."""

    code = "not_in_series"


@dataclass(frozen=True, slots=True)
class Following:
    """The appointments that an edit speaks of, under lock, in order of their dates; `opened` is the one it began with,
    among them unless it lies before them."""

    opened: Opened
    root_id: UUID | None
    scope: Scope
    rows: list[Appointment]
    standings: dict[UUID, Standing]

    def follows(self, appointment: Appointment) -> bool:
        """Whether an edit reaches it: as it stands, or because the edit was made on this very appointment."""
        standing = self.standings[appointment.pk]
        is_itself = appointment.pk == self.opened.appointment.pk
        return standing is Standing.OPEN or (is_itself and standing is Standing.APART)

    def outcome(self, changed: Collection[UUID]) -> Outcome:
        """Those changed, and why the others were not."""
        left = [standing for each, standing in self.standings.items() if each not in changed]
        return Outcome(
            changed_ids=frozenset(changed),
            billed=left.count(Standing.BILLED),
            over=left.count(Standing.OVER),
            apart=left.count(Standing.APART),
        )


def open_following(
    actor: Actor, appointment_id: UUID, *, scope: Scope, version: int | None, joining: Collection[UUID] = ()
) -> Following:
    """Lock what `scope` says of an appointment's series, and the appointment itself.
    Raises NotFound, NotInSeries, AppointmentChanged."""
    seen = Appointment.objects.filter(pk=appointment_id).select_related("series").first()
    if seen is None:
        raise NotFound("There is no such appointment in this practice.")
    if seen.series is None and scope is not Scope.THIS:
        raise NotInSeries("This appointment is not part of a series, so nothing follows it. Nothing was changed.")
    root_id = seen.series and (seen.series.root_id or seen.series.pk)
    which = Q(pk=appointment_id)
    if scope is not Scope.THIS:
        which |= thread_of(root_id) & Q(occurrence_on__gte=_from_on(actor, scope, seen))
    opened = open_appointment(actor, appointment_id, version=version, joining=joining, with_others=which)
    if opened.appointment.occurrence_on != seen.occurrence_on:
        raise AppointmentChanged(
            "Somebody else changed this series just now. Nothing of yours was saved. Open it again."
        )
    rows = sorted(Appointment.objects.filter(which), key=lambda each: (each.occurrence_on or each.service_on, each.pk))
    if scope is Scope.FUTURE:
        first_on = _from_on(actor, scope, seen)
        rows = [each for each in rows if each.occurrence_on and each.occurrence_on >= first_on]
    return Following(opened, root_id, scope, rows, read_standings(rows))


def thread_of(root_id: UUID | None) -> Q:
    """The appointments of a series, whichever of its rows they point to: asked when the statement runs."""
    return Q(series__in=Series.objects.filter(Q(pk=root_id) | Q(root_id=root_id)).values("pk"))


def read_standings(rows: Collection[Appointment]) -> dict[UUID, Standing]:
    """How each appointment stands to an edit of its series: two statements, whatever their number."""
    ids = [each.pk for each in rows]
    statuses: dict[UUID, set[str]] = defaultdict(set)
    for appointment_id, status in Visit.objects.filter(appointment__in=ids).values_list("appointment_id", "status"):
        statuses[appointment_id].add(status)
    lines = VisitService.objects.filter(visit__appointment__in=ids).exclude(line_id=None)
    billed = set(lines.values_list("visit__appointment_id", flat=True))
    return {
        each.pk: standing_of(
            is_billed=each.pk in billed, statuses=statuses[each.pk], is_apart=each.apart_at is not None
        )
        for each in rows
    }


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The rows of one rule as they will be under the changed rule: `columns` of each row, in order."""

    repeat: Repeat
    slot: Slot
    columns: list[dict[str, Any]]


def plan_slots(actor: Actor, following: Following, change: SlotChange) -> list[Rewritten]:
    """What a change of slots would write; nothing where no appointment follows. Raises SeriesRefused."""
    if not any(following.follows(each) for each in following.rows):
        return []
    _check_order(following, change)
    by_series: dict[UUID, list[Appointment]] = defaultdict(list)
    for appointment in following.rows:
        assert appointment.series_id is not None
        by_series[appointment.series_id].append(appointment)
    rules = Series.objects.filter(pk__in=by_series).order_by("starts_on", "pk")
    return [_rewritten(actor, following, change, rule, by_series[rule.pk]) for rule in rules]


def change_slots(actor: Actor, following: Following, change: SlotChange) -> set[UUID]:
    """Move the rows over to changed rules; those that follow get the changed slot. Returns the changed ones."""
    plans = plan_slots(actor, following, change)
    for plan in plans:
        rule = add_row(actor, plan.repeat, plan.slot, root_id=following.root_id)
        update_rows(Appointment, COLUMNS, [{**columns, "series_id": rule.pk} for columns in plan.columns])
    changed = {each.pk for each in following.rows if following.follows(each)}
    if plans and change.days:
        copy_dates(Appointment.objects.filter(pk__in=changed))
        service_days = {columns["id"]: columns["service_on"] for plan in plans for columns in plan.columns}
        for appointment in following.rows:
            appointment.service_on = service_days[appointment.pk]
    return changed


def change_members(actor: Actor, following: Following, change: MemberChange) -> set[UUID]:
    """Members who leave, members who stay with other services, members who join. Returns the appointments changed."""
    changed = _leave(actor, following, change.left)
    changed |= _change_services(actor, following, change)
    takes_place = [each for each in following.rows if following.standings[each.pk] is not Standing.OVER]
    changed |= add_visits(takes_place, change.joined)
    count_members(changed)
    return changed


def _from_on(actor: Actor, scope: Scope, appointment: Appointment) -> date:
    if scope is Scope.FUTURE:
        return actor.today
    assert appointment.occurrence_on is not None
    return appointment.occurrence_on


def _check_order(following: Following, change: SlotChange) -> None:
    """What follows stays after what went before. Raises SeriesRefused."""
    first_on = following.rows[0].occurrence_on
    assert first_on is not None
    before = Appointment.objects.filter(thread_of(following.root_id), occurrence_on__lt=first_on)
    latest = before.order_by("-occurrence_on").values_list("occurrence_on", flat=True).first()
    if latest and first_on + timedelta(days=change.days) <= latest:
        raise SeriesRefused(
            f"An earlier appointment of this series is on {us_date(latest)}. Move these to a later day, or begin with "
            "an earlier one. Nothing was changed."
        )


def _rewritten(
    actor: Actor, following: Following, change: SlotChange, series: Series, rows: list[Appointment]
) -> Rewritten:
    first_on, zone = rows[0].occurrence_on, actor.practice.time_zone
    assert first_on is not None
    repeat = continued(repeat_of(series), from_on=first_on, days=change.days, count=len(rows))
    days = dates(repeat)
    slot = replace(change.applied(series_slot(series, first_on)), day=days[0])
    check_slot(replace(slot, day=days[-1]))
    written = []
    for appointment, day in zip(rows, days, strict=True):
        apart_at = appointment.apart_at
        if following.standings[appointment.pk] is Standing.OPEN:
            columns = columns_of(replace(slot, day=day), zone)
        elif following.follows(appointment):
            columns = columns_of(change.applied(slot_of(appointment, zone)), zone)
        else:
            columns = {name: getattr(appointment, name) for name in COLUMNS[3:]}
            apart_at = apart_at or actor.now
        written.append({**columns, "id": appointment.pk, "occurrence_on": day, "apart_at": apart_at})
    return Rewritten(repeat, slot, written)


def _leave(actor: Actor, following: Following, clients: Collection[UUID]) -> set[UUID]:
    """Upcoming visits of those who leave go; what is billed stays, what a payment or a void invoice names is canceled,
    and so is the last visit of an appointment, which would be nobody's without it."""
    visits = Visit.objects.filter(appointment__in=[each.pk for each in following.rows], client__in=clients)
    billed = VisitService.objects.exclude(line_id=None).values("visit_id")
    leaving = list(visits.filter(status=VisitStatus.UPCOMING).exclude(pk__in=billed))
    others = set(
        Visit.objects.filter(appointment__in=[each.appointment_id for each in leaving])
        .exclude(client__in=clients)
        .values_list("appointment_id", flat=True)
    )
    stay = [visit for visit in leaving if visit.appointment_id not in others]
    stay += _named_elsewhere([visit for visit in leaving if visit.appointment_id in others])
    cancel_now(stay, initiated_by=Visit.InitiatedBy.PRACTICE, waived_reason="Left the group", now=actor.now)
    return {visit.appointment_id for visit in leaving}


def _named_elsewhere(visits: list[Visit]) -> list[Visit]:
    """Take these visits out; returns those that are named by an invoice or a payment, and are still there."""
    if not visits:
        return []
    try:
        leave(visits)
    except VisitBilled:
        return visits if len(visits) == 1 else [each for visit in visits for each in _named_elsewhere([visit])]
    return []


def _change_services(actor: Actor, following: Following, change: MemberChange) -> set[UUID]:
    rows = [each.pk for each in following.rows if following.follows(each)]
    planned = Visit.objects.filter(appointment__in=rows, client__in=change.services, status=VisitStatus.UPCOMING)
    visits = list(planned)
    change_services(visits, change.services, actor.now)
    return {visit.appointment_id for visit in visits}

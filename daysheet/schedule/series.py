"""The verbs of series (S3): add one, change it from a date on, cancel what follows, let it go on longer.

Every date of a series has its appointment from the start, made by the rule in wall-clock time, so that 10:00 stays
10:00 when the clocks change. What stays as it is in every edit: billed appointments (S5), those that are canceled or
over, and those changed on their own; each edit says how many of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import F

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .actions import check_change, check_members, check_new
from .following import Following, change_members, change_slots, open_following, read_standings, thread_of
from .members import planned_choices, planned_services
from .models import Appointment, Series, Visit, VisitStatus
from .series_outcome import Outcome, Scope, Standing
from .series_rows import add_occurrences, add_row, repeat_of, series_slot
from .series_rules import Repeat, dates, extended
from .slot_rules import NOBODY, Members, Slot, change_between, members_between
from .slots import AppointmentChanged, lock_appointments
from .statuses import cancel_visits


@action(Permission.DEFAULT, audited=False)
def add_series(actor: Actor, *, slot: Slot, members: Members, repeat: Repeat, series_id: UUID | None = None) -> UUID:
    """A series and all its appointments, each with a visit for every client. `slot.day` is the first date of `repeat`.

    The same `series_id` again (a second click) is the same series. Raises AppointmentIncomplete, NotFound.
    """
    check_new(actor, slot, members)
    lock_clients(members)
    if series_id and Series.objects.filter(pk=series_id).exists():
        return series_id
    series = add_row(actor, repeat, slot, series_id=series_id)
    add_occurrences(actor, series, dates(repeat), members)
    record(actor, "add_series", "series", series.pk, clients=len(members), **_span(dates(repeat)))
    return series.pk


@action(Permission.DEFAULT, audited=False)
def edit_series(
    actor: Actor,
    *,
    appointment_id: UUID,
    scope: Scope,
    slot: Slot,
    members: Members | None = None,
    version: int | None = None,
) -> Outcome:
    """Change *this and following*, or *all future*: what is different between the appointment as it was shown and
    `slot` and `members` is changed in each of them; None leaves the members alone. Who joins or leaves does so also
    where an appointment was moved on its own; billed visits stay whoever leaves.

    Raises NotFound, NotInSeries, AppointmentChanged, AppointmentIncomplete, SeriesRefused.
    """
    joining = members.keys() if members is not None else ()
    following = open_following(actor, appointment_id, scope=scope, version=version, joining=joining)
    change = change_between(following.opened.slot, slot)
    member_change = NOBODY
    if members is not None:
        member_change = members_between(planned_services(appointment_id), members)
    check_change(change, slot)
    check_members(actor, member_change)
    changed = change_slots(actor, following, change) if change else set()
    changed |= change_members(actor, following, member_change)
    if changed:
        Appointment.objects.filter(pk__in=changed).update(version=F("version") + 1, changed_at=actor.now)
    outcome = following.outcome(changed)
    _record(
        actor, "edit_series", following, outcome, facts=sorted(change.facts), days=change.days,
        joined=len(member_change.joined), left=len(member_change.left),
    )  # fmt: skip
    return outcome


@action(Permission.DEFAULT, audited=False)
def cancel_appointments(
    actor: Actor,
    *,
    appointment_id: UUID,
    scope: Scope = Scope.THIS,
    initiated_by: str,
    waived_reason: str = "",
    notice_in_time: bool = False,
    with_apart: bool = True,
    version: int | None = None,
) -> Outcome:
    """Cancel every upcoming visit of *this* appointment, of *this and following*, or of *all future* ones, and with
    `with_apart` of those changed on their own. They stay on record as Canceled and keep their dates: none comes back.

    Raises NotFound, NotInSeries, AppointmentChanged, InitiatorNotSaid, CancelIsLate, FeeNotDecided.
    """
    following = open_following(actor, appointment_id, scope=scope, version=version)
    wanted = [each.pk for each in following.rows if following.follows(each)]
    if with_apart:
        wanted += [key for key, standing in following.standings.items() if standing is Standing.APART]
    upcoming = Visit.objects.filter(appointment__in=wanted, status=VisitStatus.UPCOMING)
    visits = list(upcoming.select_related("appointment").order_by("service_on", "pk"))
    if visits:
        cancel_visits(
            actor, visits, initiated_by=initiated_by, waived_reason=waived_reason, notice_in_time=notice_in_time
        )
    outcome = following.outcome({visit.appointment_id for visit in visits})
    _record(actor, "cancel_appointments", following, outcome, initiated_by=initiated_by)
    return outcome


@action(Permission.DEFAULT, audited=False)
def extend_series(
    actor: Actor,
    *,
    root_id: UUID,
    last_on: date,
    until_on: date | None = None,
    count: int | None = None,
    series_id: UUID | None = None,
) -> int:
    """Let a series go on after its last date, which was shown as `last_on`: until a date, or for so many appointments
    more, with the clients and services of its newest one that takes place. Returns how many were added.

    The same `series_id` again (a second click) adds nothing. Raises NotFound, AppointmentChanged, SeriesRefused,
    AppointmentIncomplete.
    """
    rows = sorted(lock_appointments(actor, thread_of(root_id)), key=lambda each: each.occurrence_on or date.min)
    if series_id and Series.objects.filter(pk=series_id).exists():
        return 0
    if not rows:
        raise NotFound("There is no such series in this practice.")
    ended_on, rule = rows[-1].occurrence_on, rows[-1].series
    assert ended_on is not None and rule is not None
    if ended_on != last_on:
        raise AppointmentChanged(
            f"Somebody else changed this series: it now goes until {us_date(ended_on)}. Nothing of yours was saved. "
            "Look at it again."
        )
    repeat = extended(repeat_of(rule), until_on=until_on, count=count)
    members, slot = planned_choices(_newest(rows).pk), series_slot(rule, repeat.starts_on)
    check_new(actor, slot, members)
    longer = add_row(actor, repeat, slot, root_id=root_id, series_id=series_id)
    add_occurrences(actor, longer, dates(repeat), members)
    record(actor, "extend_series", "series", root_id, clients=len(members), **_span(dates(repeat)))
    return len(dates(repeat))


def _newest(rows: Sequence[Appointment]) -> Appointment:
    """The newest appointment that takes place, or the newest at all."""
    standings = read_standings(rows)
    taking_place = [each for each in rows if standings[each.pk] is not Standing.OVER]
    return (taking_place or rows)[-1]


def _record(actor: Actor, verb: str, following: Following, outcome: Outcome, **details: Any) -> None:
    """One event for the whole edit: what was asked, and how many appointments were changed and left."""
    if not outcome.changed:
        return
    subject = following.root_id or following.opened.appointment.pk
    kind = "series" if following.root_id else "appointment"
    client_ids = list(following.opened.visits)
    record(
        actor,
        verb,
        kind,
        subject,
        client_id=client_ids[0] if len(client_ids) == 1 else None,
        scope=following.scope.value,
        from_on=following.rows[0].service_on.isoformat(),
        changed=outcome.changed,
        left_billed=outcome.billed,
        left_over=outcome.over,
        left_apart=outcome.apart,
        **details,
    )


def _span(days: tuple[date, ...]) -> dict[str, Any]:
    return {"appointments": len(days), "first_on": days[0].isoformat(), "last_on": days[-1].isoformat()}

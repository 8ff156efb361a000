"""The Calendar: a week of slots side by side, or a month with the first few of each day; a fixed number of statements
whatever the days hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, F, QuerySet, Window
from django.db.models.functions import RowNumber

from daysheet.clients.queries import visible_clients
from daysheet.kit.dates import month_bounds, week_start
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..lanes import Area, More, Span, hours_shown, lay_out
from ..models import Appointment, Visit, VisitService
from ..rules import minutes_of_day, place_words
from .day import closed_appointments

#: So many appointments of a day are named in the month; the others are counted.
MOST_IN_MONTH = 3


@dataclass(frozen=True, slots=True)
class CalendarSlot:
    """An appointment on the Calendar; times by the practice's wall clock. `status_label` is empty where the members of
    a group differ, and `status_words` counts them. `billed_words`: Billed, Partly billed, or nothing."""

    id: UUID
    visit_id: UUID
    starts_at: datetime
    ends_at: datetime
    title: str
    staff_name: str
    place_words: str
    status_label: str
    status_words: str
    billed_words: str
    can_open: bool
    #: The version that is shown: who moves it says which they saw.
    version: int

    @property
    def can_move(self) -> bool:
        """Whether the actor may move it: nobody of it is billed (S5)."""
        return self.can_open and not self.billed_words


@dataclass(frozen=True, slots=True)
class MoreSlots:
    """So many appointments from `starts_at` on that the Calendar counts; `visit_id` is the first of them."""

    starts_at: datetime
    count: int
    visit_id: UUID
    area: Area


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A date and its slots by time. `count`: of all appointments, `hidden_count`: of those that are not among `slots`.
    In a week every slot has its area, and a crowded hour its block in `more`."""

    day: date
    is_today: bool
    count: int
    slots: tuple[tuple[CalendarSlot, Area | None], ...]
    more: tuple[MoreSlots, ...] = ()
    is_outside: bool = False

    @property
    def hidden_count(self) -> int:
        """How many appointments are not named."""
        return self.count - len(self.slots)


@dataclass(frozen=True, slots=True)
class CalendarWeek:
    """Seven days and the hours their grid shows, the last one excluded."""

    days: tuple[CalendarDay, ...]
    first_hour: int
    last_hour: int

    @property
    def count(self) -> int:
        """Appointments of the week."""
        return sum(day.count for day in self.days)


@query(Permission.DEFAULT)
def calendar_week(
    actor: Actor, first: date, *, staff_member_id: UUID | None = None, location_id: UUID | None = None
) -> CalendarWeek:
    """The seven days from `first`; limited people see only the visits of assigned clients (P1)."""
    days = [first + timedelta(days=number) for number in range(7)]
    found = _appointments(actor, days, staff_member_id, location_id)
    spans = _spans(actor, found)
    first_hour, last_hour = hours_shown(span for of_day in spans.values() for span in of_day)
    layouts = {day: lay_out(of_day, first_hour=first_hour) for day, of_day in spans.items()}
    # Only what is shown is read in full: a crowded week has ten times as much.
    named = {key for areas, more in layouts.values() for key in (*areas, *(block.first for block in more))}
    slots = _slots(actor, found.filter(pk__in=named))
    return CalendarWeek(
        tuple(_week_day(actor, day, len(spans[day]), layouts.get(day, ({}, [])), slots) for day in days),
        first_hour,
        last_hour,
    )


@query(Permission.DEFAULT)
def calendar_month(
    actor: Actor, day: date, *, staff_member_id: UUID | None = None, location_id: UUID | None = None
) -> list[list[CalendarDay]]:
    """The weeks that the month of `day` touches; of each day the first few appointments, and how many there are."""
    first, last = month_bounds(day)
    start, end = week_start(first), week_start(last) + timedelta(days=6)
    days = [start + timedelta(days=number) for number in range((end - start).days + 1)]
    found = _appointments(actor, days, staff_member_id, location_id)
    counts = dict(found.order_by().values_list("service_on").annotate(count=Count("pk")))
    rank = Window(RowNumber(), partition_by=[F("service_on")], order_by=[F("starts_at").asc(), F("id").asc()])
    first_few = found.annotate(rank=rank).filter(rank__lte=MOST_IN_MONTH)
    slots: dict[date, list[CalendarSlot]] = defaultdict(list)
    for on, slot in _slots(actor, first_few).values():
        slots[on].append(slot)
    cells = [
        CalendarDay(
            each,
            each == actor.today,
            counts.get(each, 0),
            tuple((slot, None) for slot in slots[each]),
            is_outside=not first <= each <= last,
        )
        for each in days
    ]
    return [cells[number : number + 7] for number in range(0, len(cells), 7)]


def _appointments(
    actor: Actor, days: Sequence[date], staff_member_id: UUID | None, location_id: UUID | None
) -> QuerySet[Appointment]:
    """The appointments of these days that the actor may know of: with a client the actor may see."""
    found = Appointment.objects.filter(service_on__range=(days[0], days[-1]))
    if staff_member_id:
        found = found.filter(staff_member_id=staff_member_id)
    if location_id:
        found = found.filter(location_id=location_id)
    if actor.limited_to_assigned:
        seen = Visit.objects.filter(service_on__range=(days[0], days[-1]), client__in=visible_clients(actor))
        found = found.filter(pk__in=seen.values("appointment_id"))
    return found


def _spans(actor: Actor, found: QuerySet[Appointment]) -> dict[date, list[Span[UUID]]]:
    """The minutes of each appointment, by day: one statement."""
    zone = ZoneInfo(actor.practice.time_zone)
    spans: dict[date, list[Span[UUID]]] = defaultdict(list)
    for key, day, starts_at, ends_at in found.values_list("pk", "service_on", "starts_at", "ends_at"):
        spans[day].append(Span(key, *minutes_of_day(starts_at.astimezone(zone), ends_at.astimezone(zone))))
    return spans


def _slots(actor: Actor, found: QuerySet[Appointment]) -> dict[UUID, tuple[date, CalendarSlot]]:
    """The slots of these appointments and their days, by time: four statements."""
    appointments = list(found.select_related("staff_member", "location").order_by("service_on", "starts_at", "pk"))
    ids = [appointment.pk for appointment in appointments]
    members: dict[UUID, list[Visit]] = defaultdict(list)
    visits = Visit.objects.filter(appointment_id__in=ids, client__in=visible_clients(actor))
    for visit in visits.select_related("client").order_by("client__last_name", "client__first_name", "pk"):
        members[visit.appointment_id].append(visit)
    unbilled, billed = _billing(ids)
    closed = closed_appointments(actor, ids)
    zone = ZoneInfo(actor.practice.time_zone)
    slots: dict[UUID, tuple[date, CalendarSlot]] = {}
    for appointment in appointments:
        seen = members[appointment.pk]
        status_label, status_words = _status(seen)
        slots[appointment.pk] = (
            appointment.service_on,
            CalendarSlot(
                id=appointment.pk,
                visit_id=seen[0].pk,
                starts_at=appointment.starts_at.astimezone(zone),
                ends_at=appointment.ends_at.astimezone(zone),
                title=_title(appointment, seen),
                staff_name=appointment.staff_member.name,
                place_words=place_words(appointment.place_of_service, appointment.location.place_of_service),
                status_label=status_label,
                status_words=status_words,
                billed_words=_billed_words({visit.pk for visit in seen}, unbilled, billed),
                can_open=appointment.pk not in closed,
                version=appointment.version,
            ),
        )
    return slots


def _billing(appointment_ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """The visits of these appointments with a service still to be billed, and with one that is."""
    unbilled: set[UUID] = set()
    billed: set[UUID] = set()
    found = VisitService.objects.filter(visit__appointment_id__in=appointment_ids, is_suspended=False)
    for visit_id, line_id in found.values_list("visit_id", "line_id"):
        (billed if line_id else unbilled).add(visit_id)
    return unbilled, billed


def _billed_words(visits: set[UUID], unbilled: set[UUID], billed: set[UUID]) -> str:
    """Billed: every service that is to be billed stands on an invoice (S5)."""
    if not visits & billed:
        return ""
    return "Partly billed" if visits & unbilled else "Billed"


def _status(members: Iterable[Visit]) -> tuple[str, str]:
    """(`Kept`, `Kept`), or for a group whose members differ (``, `2 Kept, 1 No Show`)."""
    counts = Counter(visit.get_status_display() for visit in members)
    if len(counts) == 1:
        (label,) = counts
        return label, label
    return "", ", ".join(f"{count} {label}" for label, count in counts.most_common())


def _title(appointment: Appointment, members: Sequence[Visit]) -> str:
    if not appointment.is_group and len(members) == 1:
        return str(members[0].client.name)
    return f"{appointment.title or 'Group'} ({len(members)})"


def _week_day(
    actor: Actor,
    day: date,
    count: int,
    layout: tuple[dict[UUID, Area], list[More[UUID]]],
    slots: Mapping[UUID, tuple[date, CalendarSlot]],
) -> CalendarDay:
    areas, blocks = layout
    shown = tuple((slot, areas[key]) for key, (_, slot) in slots.items() if key in areas)
    more = tuple(_block(slots[each.first][1], each) for each in blocks)
    return CalendarDay(day, day == actor.today, count, shown, more)


def _block(first: CalendarSlot, more: More[UUID]) -> MoreSlots:
    return MoreSlots(first.starts_at, more.count, first.visit_id, more.area)

"""Who would be in two places at once: the same provider, or the same client, at overlapping times. Shown, never
forbidden. A fixed number of statements, whatever the number of times that are asked about."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef

from daysheet.clients.queries import visible_clients
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import Appointment, Visit, VisitStatus

#: A visit of another status leaves the time free.
TAKES_PLACE = (VisitStatus.UPCOMING.value, VisitStatus.KEPT.value)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A provider and clients who are to be together. `appointment_id`: of the appointment that this is, if any."""

    starts_at: datetime
    ends_at: datetime
    staff_member_id: UUID
    client_ids: frozenset[UUID]
    appointment_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Another appointment at the same time. `who` is in both; `with_whom` is empty where the actor may not know."""

    appointment_id: UUID
    day: date
    starts_at: datetime
    ends_at: datetime
    who: str
    with_whom: str
    can_open: bool

    @property
    def words(self) -> str:
        """`Carol Clinician is with Ruiz, Ana from 10:00 AM to 10:50 AM`."""
        times = f"from {self.starts_at:%-I:%M %p} to {self.ends_at:%-I:%M %p}"
        return f"{self.who} is with {self.with_whom or 'somebody else'} {times}"


@query(Permission.DEFAULT)
def conflicts(actor: Actor, wanted: Sequence[Wanted], *, leaving_out: Collection[UUID] = ()) -> list[Conflict]:
    """The other appointments of the same provider or client that overlap with one of `wanted`, in order of time.
    Clients whom the actor may not see are not named. `leaving_out`: appointments that will not be where they are."""
    if not wanted:
        return []
    days = _days_around(wanted)
    by_staff, by_client = _Busy(), _Busy()
    for each in wanted:
        by_staff.add(each.staff_member_id, each)
        for client_id in each.client_ids:
            by_client.add(client_id, each)
    takes_place = Visit.objects.filter(appointment_id=OuterRef("pk"), status__in=TAKES_PLACE)
    of_staff = Appointment.objects.filter(
        Exists(takes_place), staff_member_id__in=by_staff.keys, service_on__range=days
    ).exclude(pk__in=leaving_out)
    visits = Visit.objects.filter(
        client__in=visible_clients(actor).filter(pk__in=by_client.keys), service_on__range=days, status__in=TAKES_PLACE
    ).exclude(appointment_id__in=leaving_out)
    moments = ("starts_at", "ends_at")
    staff_rows = of_staff.values_list("pk", "staff_member_id", *moments)
    client_rows = visits.values_list("appointment_id", "client_id", *(f"appointment__{name}" for name in moments))
    busy_clients: dict[UUID, set[UUID]] = defaultdict(set)
    for appointment_id, client_id, starts_at, ends_at in client_rows:
        if by_client.meets(client_id, appointment_id, starts_at, ends_at):
            busy_clients[appointment_id].add(client_id)
    busy_staff = {key for key, staff_id, *time in staff_rows if by_staff.meets(staff_id, key, *time)}
    return _described(actor, busy_staff, busy_clients)


@query(Permission.DEFAULT)
def conflicts_of(actor: Actor, appointment_ids: Collection[UUID]) -> list[Conflict]:
    """What stands in the way of these appointments as they are; of those that do not take place, nothing."""
    clients: dict[UUID, set[UUID]] = defaultdict(set)
    visits = Visit.objects.filter(appointment__in=appointment_ids, status__in=TAKES_PLACE)
    for appointment_id, client_id in visits.values_list("appointment_id", "client_id"):
        clients[appointment_id].add(client_id)
    rows = Appointment.objects.filter(pk__in=clients).values_list("pk", "starts_at", "ends_at", "staff_member_id")
    return conflicts(
        actor,
        [Wanted(starts_at, ends_at, staff, frozenset(clients[key]), key) for key, starts_at, ends_at, staff in rows],
    )


class _Busy:
    """Who is wanted when: by provider or by client, in order of time."""

    def __init__(self) -> None:
        self.times: dict[UUID, list[Wanted]] = defaultdict(list)
        self.sorted: dict[UUID, tuple[list[Wanted], list[datetime], timedelta]] = {}

    @property
    def keys(self) -> list[UUID]:
        return list(self.times)

    def add(self, key: UUID, wanted: Wanted) -> None:
        self.times[key].append(wanted)

    def meets(self, key: UUID, appointment_id: UUID, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether another appointment overlaps; half-open, so that one hour may follow the other."""
        times, starts, longest = self._in_order(key)
        near = times[bisect_left(starts, starts_at - longest) : bisect_left(starts, ends_at)]
        return any(each.ends_at > starts_at and each.appointment_id != appointment_id for each in near)

    def _in_order(self, key: UUID) -> tuple[list[Wanted], list[datetime], timedelta]:
        if key not in self.sorted:
            times = sorted(self.times[key], key=lambda each: each.starts_at)
            longest = max(each.ends_at - each.starts_at for each in times)
            self.sorted[key] = times, [each.starts_at for each in times], longest
        return self.sorted[key]


def _described(actor: Actor, of_staff: set[UUID], of_clients: dict[UUID, set[UUID]]) -> list[Conflict]:
    ids = of_staff | of_clients.keys()
    if not ids:
        return []
    zone = ZoneInfo(actor.practice.time_zone)
    appointments = Appointment.objects.filter(pk__in=ids).select_related("staff_member").order_by("starts_at", "pk")
    members = Visit.objects.filter(appointment__in=ids, status__in=TAKES_PLACE).select_related("client")
    by_appointment: dict[UUID, list[Visit]] = defaultdict(list)
    for visit in members.order_by("client__last_name", "client__first_name", "pk"):
        by_appointment[visit.appointment_id].append(visit)
    seen = set(
        visible_clients(actor).filter(pk__in=[visit.client_id for visit in members]).values_list("pk", flat=True)
    )
    conflicts = []
    for appointment in appointments:
        visits = by_appointment[appointment.pk]
        all_seen = all(visit.client_id in seen for visit in visits)
        names = {visit.client_id: visit.client.sort_name for visit in visits if visit.client_id in seen}
        facts: dict[str, Any] = {
            "appointment_id": appointment.pk,
            "day": appointment.service_on,
            "starts_at": appointment.starts_at.astimezone(zone),
            "ends_at": appointment.ends_at.astimezone(zone),
            "can_open": all_seen,
        }
        if appointment.pk in of_staff:
            whom = _together(appointment, visits, names) if all_seen else ""
            conflicts.append(Conflict(**facts, who=appointment.staff_member.name, with_whom=whom))
        for client_id in sorted(of_clients.get(appointment.pk, ()), key=lambda each: names[each]):
            conflicts.append(Conflict(**facts, who=names[client_id], with_whom=appointment.staff_member.name))
    return conflicts


def _together(appointment: Appointment, visits: list[Visit], names: dict[UUID, str]) -> str:
    if len(visits) == 1:
        return names[visits[0].client_id]
    return f"{appointment.title or 'a group'} ({len(visits)} clients)"


def _days_around(times: Sequence[Wanted]) -> tuple[date, date]:
    """Dates of service in which an overlapping appointment can lie, wherever on earth the practice is."""
    first = min(each.starts_at for each in times).date() - timedelta(days=2)
    return first, max(each.ends_at for each in times).date() + timedelta(days=2)

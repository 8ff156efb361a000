"""A series as its pages show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Min, Q, QuerySet

from daysheet.clients.queries import visible_clients
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..following import read_standings, thread_of
from ..models import Appointment, Series, Visit, VisitStatus
from ..series_outcome import Standing
from ..series_rows import repeat_of
from ..series_rules import Repeat, words
from .day import people_words


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What a series is and how far it goes. `following` and `future` count the appointments from a date of the rule on
    and from today on; `words`: `Every week on Monday at 10:00 AM`."""

    id: UUID
    words: str
    first_on: date
    last_on: date
    total: int
    following: int
    future: int

    @property
    def span(self) -> str:
        """`11/02/2026 to 12/28/2026, 9 appointments`."""
        return f"{us_date(self.first_on)} to {us_date(self.last_on)}, {self.total} appointments"

    def counts(self) -> dict[str, int]:
        """How many appointments each scope speaks of."""
        return {"this": 1, "following": self.following, "future": self.future}


@dataclass(frozen=True, slots=True)
class SeriesPeople:
    """Whose series: the client, or in `words` the group's title and size."""

    words: str
    client_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class OccurrenceRow:
    """One date of a series: where its appointment is now, and why an edit of the series would leave it alone."""

    appointment_id: UUID
    occurrence_on: date
    service_on: date
    starts_at: datetime
    staff_name: str
    location_name: str
    clients: int
    status_labels: tuple[str, ...]
    standing: Standing
    is_apart: bool


@query(Permission.DEFAULT)
def series_facts(actor: Actor, root_id: UUID, *, from_on: date | None = None) -> SeriesFacts:
    """A series by its first row; `from_on` is the date that *following* counts from. Raises NotFound."""
    thread = Appointment.objects.filter(thread_of(root_id))
    found = thread.aggregate(
        first_on=Min("occurrence_on"),
        last_on=Max("occurrence_on"),
        total=Count("pk"),
        following=Count("pk", filter=Q(occurrence_on__gte=from_on or date.min)),
        future=Count("pk", filter=Q(occurrence_on__gte=actor.today)),
    )
    if not found["total"]:
        raise NotFound("There is no such series in this practice.")
    newest = Series.objects.filter(pk__in=thread.filter(occurrence_on=found["last_on"]).values("series_id"))[0]
    told = f"{words(repeat_of(newest))} at {newest.at:%-I:%M %p}"
    return SeriesFacts(id=root_id, words=told, **found)


@query(Permission.DEFAULT)
def repeat_in_force(actor: Actor, appointment_id: UUID) -> Repeat | None:
    """How the series of an appointment repeats at its date; None for one that stands alone."""
    found = Appointment.objects.filter(pk=appointment_id).select_related("series").first()
    return repeat_of(found.series) if found and found.series else None


@query(Permission.DEFAULT)
def series_people(actor: Actor, root_id: UUID) -> SeriesPeople:
    """Of the newest appointment; nobody where there is none."""
    newest = Appointment.objects.filter(thread_of(root_id)).order_by("-occurrence_on").first()
    visits = list(Visit.objects.filter(appointment=newest).select_related("client"))
    if newest is None or not visits:
        return SeriesPeople("", ())
    words = people_words(newest.title, [visit.client.sort_name for visit in visits])
    return SeriesPeople(words, tuple(visit.client_id for visit in visits))


@query(Permission.DEFAULT)
def series_appointments(actor: Actor, root_id: UUID) -> QuerySet[Appointment]:
    """All appointments of a series in the order of its dates, to be paged. Raises NotFound where there is none, or one
    with a client whom the actor may not see."""
    thread = Appointment.objects.filter(thread_of(root_id))
    clients = set(Visit.objects.filter(appointment__in=thread.values("pk")).values_list("client_id", flat=True))
    if not clients or visible_clients(actor).filter(pk__in=clients).count() != len(clients):
        raise NotFound("There is no such series, or you are not assigned to all its clients.")
    return thread.select_related("staff_member", "location").order_by("occurrence_on", "pk")


@query(Permission.DEFAULT)
def occurrence_rows(actor: Actor, appointments: Sequence[Appointment]) -> list[OccurrenceRow]:
    """Appointments of a series (read with provider and location), in the given order: a fixed number of statements."""
    standings = read_standings(appointments)
    statuses: dict[UUID, list[str]] = defaultdict(list)
    visits = Visit.objects.filter(appointment__in=[each.pk for each in appointments])
    for appointment_id, status in visits.values_list("appointment_id", "status"):
        statuses[appointment_id].append(status)
    zone = ZoneInfo(actor.practice.time_zone)
    return [
        OccurrenceRow(
            appointment_id=each.pk,
            occurrence_on=each.occurrence_on or each.service_on,
            service_on=each.service_on,
            starts_at=each.starts_at.astimezone(zone),
            staff_name=each.staff_member.name,
            location_name=each.location.name,
            clients=len(statuses[each.pk]),
            status_labels=tuple(str(VisitStatus(status).label) for status in sorted(set(statuses[each.pk]))),
            standing=standings[each.pk],
            is_apart=each.apart_at is not None,
        )
        for each in appointments
    ]

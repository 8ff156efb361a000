"""What the Agenda shows: one day, in a fixed number of statements whatever the day holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from daysheet.clients.models import Client
from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.practices.permissions import Permission
from daysheet.services.rules import service_label
from daysheet.staff.models import StaffMember

from ..models import Visit, VisitService, VisitStatus
from ..registry import BillingCell, GroupCell, billing_cells
from ..rules import place_words

#: What a day shows of its visits: their rows have thirty columns more, and a client's are wide.
_SHOWN = (
    "service_on", "status", *(f"client__{name}" for name in Client.SORT_NAME_COLUMNS),
    "appointment__starts_at", "appointment__ends_at", "appointment__place_of_service", "appointment__title",
    "appointment__is_group", "appointment__staff_member__first_name", "appointment__staff_member__last_name",
    "appointment__location__name", "appointment__location__place_of_service",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One client's part of an appointment. `cell` is None for people who may not see money."""

    id: UUID
    appointment_id: UUID
    client_id: UUID
    client_name: str
    service_on: date
    status: str
    status_label: str
    services: tuple[str, ...]
    is_billed: bool
    is_partly_billed: bool
    #: Whether the appointment's own page is the actor's to open: it shows every member of a group.
    can_open: bool
    cell: BillingCell | None


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """A slot of the day with the visits the actor may see. Times are wall-clock times in practice time."""

    id: UUID
    starts_at: datetime
    ends_at: datetime
    staff_name: str
    location_name: str
    #: Telehealth, or another place than the location's own; empty otherwise.
    place_words: str
    title: str
    is_group: bool
    visits: tuple[VisitRow, ...]

    @property
    def can_open(self) -> bool:
        """Whether the actor may open the appointment: they may see all its clients."""
        return all(visit.can_open for visit in self.visits)

    @property
    def group_cell(self) -> GroupCell | None:
        """What the group's own row says of billing; None where it is no group, or for people who may not see money."""
        cells = [visit.cell for visit in self.visits if visit.cell]
        if not self.is_group or not cells:
            return None
        return GroupCell(
            self.id,
            billed_count=sum(cell.invoice_number is not None for cell in cells),
            to_bill_count=sum(cell.can_add_invoice for cell in cells),
        )


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A day in one line: visits by status; for people who may see money also what is billed, in cents."""

    visit_count: int
    statuses: tuple[tuple[str, int], ...]
    billed_count: int
    to_bill_count: int
    billed_cents: int
    client_due_cents: int


def day_totals(appointments: Sequence[AppointmentRow]) -> DayTotals:
    """The totals of what the Agenda shows; reads nothing."""
    visits = [visit for appointment in appointments for visit in appointment.visits]
    cells = [visit.cell for visit in visits if visit.cell]
    counts = Counter(visit.status_label for visit in visits)
    return DayTotals(
        visit_count=len(visits),
        statuses=tuple((label, counts[label]) for label in VisitStatus.labels if counts[label]),
        billed_count=sum(cell.invoice_number is not None for cell in cells),
        to_bill_count=sum(cell.can_add_invoice for cell in cells),
        billed_cents=sum(cell.billed_cents for cell in cells),
        client_due_cents=sum(cell.client_due_cents for cell in cells),
    )


@query(Permission.DEFAULT)
def agenda_day(
    actor: Actor, day: date, *, staff_member_id: UUID | None = None, location_id: UUID | None = None
) -> list[AppointmentRow]:
    """The appointments of a date of service, by time; limited people see only the visits of assigned clients (P1)."""
    visits = Visit.objects.filter(service_on=day, client__in=visible_clients(actor))
    if staff_member_id:
        visits = visits.filter(appointment__staff_member_id=staff_member_id)
    if location_id:
        visits = visits.filter(appointment__location_id=location_id)
    found = list(
        visits.select_related("client", "appointment__staff_member", "appointment__location")
        .only(*_SHOWN)
        .order_by("appointment__starts_at", "appointment_id", "client__last_name", "client__first_name", "pk")
    )
    rows = {row.id: row for row in visit_rows(actor, found)}
    by_appointment: dict[UUID, list[VisitRow]] = defaultdict(list)
    for visit in found:
        by_appointment[visit.appointment_id].append(rows[visit.pk])
    appointments = {visit.appointment_id: visit.appointment for visit in found}
    zone = ZoneInfo(actor.practice.time_zone)
    return [
        AppointmentRow(
            id=appointment.pk,
            starts_at=appointment.starts_at.astimezone(zone),
            ends_at=appointment.ends_at.astimezone(zone),
            staff_name=appointment.staff_member.name,
            location_name=appointment.location.name,
            place_words=place_words(appointment.place_of_service, appointment.location.place_of_service),
            title=appointment.title,
            is_group=appointment.is_group,
            visits=tuple(by_appointment[appointment.pk]),
        )
        for appointment in appointments.values()
    ]


@query(Permission.DEFAULT)
def one_visit(actor: Actor, visit_id: UUID) -> VisitRow:
    """A visit as the Agenda shows it. Raises NotFound."""
    found = Visit.objects.filter(pk=visit_id, client__in=visible_clients(actor)).select_related("client")
    visit = found.first()
    if visit is None:
        raise NotFound("There is no such visit, or you are not assigned to the client.")
    return visit_rows(actor, [visit])[0]


@query(Permission.DEFAULT)
def staff_choices(actor: Actor) -> list[tuple[UUID, str]]:
    """Active providers, by name."""
    people = StaffMember.objects.filter(is_active=True, is_provider=True).order_by("last_name", "first_name")
    return [(person.pk, person.name) for person in people]


@query(Permission.DEFAULT)
def location_choices(actor: Actor) -> list[tuple[UUID, str]]:
    """Active locations, by name."""
    return list(Location.objects.filter(is_active=True).order_by("name").values_list("pk", "name"))


def visit_rows(actor: Actor, visits: Sequence[Visit]) -> list[VisitRow]:
    """Visits (read with their client) as the Agenda shows them, in the given order: a fixed number of statements."""
    ids = [visit.pk for visit in visits]
    services: dict[UUID, list[tuple[str, bool]]] = defaultdict(list)
    found = VisitService.objects.filter(visit_id__in=ids, is_suspended=False).order_by("position", "pk")
    for visit_id, line_id, code, name in found.values_list(
        "visit_id", "line_id", "service_type__code", "service_type__name"
    ):
        services[visit_id].append((service_label(code, name), line_id is not None))
    cells = billing_cells(actor, ids) if ids else {}
    closed = closed_appointments(actor, {visit.appointment_id for visit in visits})
    rows: list[VisitRow] = []
    for visit in visits:
        its_services = services[visit.pk]
        billed_count = sum(is_billed for _, is_billed in its_services)
        rows.append(
            VisitRow(
                id=visit.pk,
                appointment_id=visit.appointment_id,
                client_id=visit.client_id,
                client_name=visit.client.sort_name,
                service_on=visit.service_on,
                status=visit.status,
                status_label=visit.get_status_display(),
                services=tuple(label for label, _ in its_services),
                is_billed=0 < billed_count == len(its_services),
                is_partly_billed=0 < billed_count < len(its_services),
                can_open=visit.appointment_id not in closed,
                cell=cells.get(visit.pk),
            )
        )
    return rows


def closed_appointments(actor: Actor, appointment_ids: Collection[UUID]) -> set[UUID]:
    """Those with a client whom the actor may not see (P1): their own page is not for them."""
    if not actor.limited_to_assigned:
        return set()
    unseen = Visit.objects.filter(appointment_id__in=appointment_ids).exclude(client__in=visible_clients(actor))
    return set(unseen.values_list("appointment_id", flat=True))


def people_words(title: str, names: Sequence[str]) -> str:
    """Whose appointment: the client's name, or the group's title and size."""
    return names[0] if len(names) == 1 else f"{title or 'Group'} ({len(names)} clients)"

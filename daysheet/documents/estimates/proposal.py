"""What a new estimate is likely to say: the client's appointments ahead, at the prices that the door would bill."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from daysheet.clients.models import Client, Diagnosis
from daysheet.invoicing.queries.lines import lines_by_visit, unbilled_services
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.schedule.models import Visit, VisitStatus
from daysheet.services.models import ServiceType

from .rules import WEEKS_AHEAD

#: So many appointments ahead are looked at: more than a year of weekly ones.
_MOST_VISITS = 60


@dataclass(frozen=True, slots=True)
class ProposedService:
    """A service of the appointments ahead: how many units, and what one costs in cents."""

    service_type_id: UUID
    staff_member_id: UUID | None
    quantity: int
    unit_cents: int


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the form begins with."""

    first_on: date
    last_on: date
    scheduled_on: date | None = None
    description: str = ""
    recurrence: str = ""
    location_id: UUID | None = None
    diagnosis_codes: tuple[str, ...] = ()
    services: tuple[ProposedService, ...] = field(default_factory=tuple)


def propose_estimate(actor: Actor, client: Client) -> Proposal:
    """From the appointments ahead; without any, half a year from today with nothing listed. For a client whom the
    caller has found that the actor may see. A fixed number of statements."""
    ahead = Visit.objects.filter(client=client, status=VisitStatus.UPCOMING, service_on__gte=actor.today)
    found = list(ahead.select_related("appointment").order_by("service_on", "pk")[:_MOST_VISITS])
    # One estimate covers at most twelve months.
    visits = [visit for visit in found if visit.service_on < found[0].service_on + timedelta(days=365)]
    only_location = Location.objects.filter(is_active=True).values_list("pk", flat=True)[:2]
    location_id = visits[0].appointment.location_id if visits else _only(list(only_location))
    services = _services(actor, visits)
    names = ServiceType.objects.in_bulk([each.service_type_id for each in services])
    first_on = visits[0].service_on if visits else actor.today
    return Proposal(
        first_on=first_on,
        last_on=max(visits[-1].service_on if visits else first_on, first_on + timedelta(weeks=WEEKS_AHEAD)),
        scheduled_on=visits[0].service_on if visits else None,
        description=names[services[0].service_type_id].name if services else "",
        recurrence=f"{len(visits)} appointments in this time" if len(visits) > 1 else "",
        location_id=location_id,
        diagnosis_codes=_diagnoses(client, actor.today),
        services=tuple(services),
    )


def _services(actor: Actor, visits: list[Visit]) -> list[ProposedService]:
    """Of all visits together, by service, provider and price."""
    by_visit = lines_by_visit(actor, unbilled_services([visit.pk for visit in visits]), {})
    rates = dict(ServiceType.objects.values_list("pk", "rate_cents"))
    units: dict[tuple[UUID, UUID | None, int], int] = defaultdict(int)
    for visit in visits:
        for line in by_visit.get(visit.pk, []):
            provider = line.rendering_staff_member_id or visit.appointment.staff_member_id
            rate = line.rate_cents if line.rate_cents is not None else rates[line.service_type_id]
            units[(line.service_type_id, provider, rate)] += line.units or 1
    return [ProposedService(*key[:2], quantity, key[2]) for key, quantity in units.items()]


def _diagnoses(client: Client, day: date) -> tuple[str, ...]:
    rows = Diagnosis.objects.filter(client=client, starts_on__lte=day).order_by("position", "pk")
    return tuple(row.code for row in rows if row.ends_on is None or day < row.ends_on)


def _only(ids: list[UUID]) -> UUID | None:
    return ids[0] if len(ids) == 1 else None

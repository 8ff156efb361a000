"""A small practice ready to bill: one licensed and one unlicensed provider, clients, services, visits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from daysheet.clients.actions import add_client, add_coverage, add_payer, set_bill_to
from daysheet.database.scope import practice_transaction
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.services.actions import add_service_type
from daysheet.services.models import ServiceType
from daysheet.staff.models import CptLicense
from tests.people import NOW, Cast

DAY = date(2026, 11, 2)


@dataclass
class Clinic:
    """Alder Clinic with its services; `talk` is CPT-coded, `letter` is not."""

    cast: Cast
    owner: Actor
    biller: Actor
    talk: ServiceType
    letter: ServiceType
    location: Location

    def client(self, last_name: str = "Ruiz", *, copay_cents: int | None = None, insured: bool = False) -> UUID:
        """A client who pays by self, or by insurance with this copay."""
        client = add_client(self.owner, first_name="Ana", last_name=last_name)
        if insured:
            payer = add_payer(self.owner, name=f"Payer of {last_name}")
            add_coverage(
                self.owner, client.pk, payer_id=payer.pk, insured_id="X1", starts_on=date(2026, 1, 1),
                copay_cents=copay_cents,
            )  # fmt: skip
            set_bill_to(self.owner, client.pk, pays_by="insurance")
        return client.pk

    def visit(
        self,
        client_id: UUID,
        *services: ServiceType,
        day: date = DAY,
        status: str = "kept",
        staff_member_id: UUID | None = None,
        rates: tuple[int | None, ...] = (),
    ) -> tuple[UUID, tuple[UUID, ...]]:
        """A visit of 50 minutes and its services, in order; returns their ids."""
        starts = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        appointment = Appointment.objects.create(
            service_on=day, starts_at=starts, ends_at=starts + timedelta(minutes=50), location=self.location,
            staff_member_id=staff_member_id or self.cast.carol.staff_member_id,
        )  # fmt: skip
        visit = Visit.objects.create(appointment=appointment, client_id=client_id, service_on=day, status=status)
        ids = [
            VisitService.objects.create(
                visit=visit, service_type=service, position=position, service_on=day,
                rate_cents=rates[position - 1] if rates else None,
            ).pk
            for position, service in enumerate(services, start=1)
        ]  # fmt: skip
        return visit.pk, tuple(ids)


def clinic_of(cast: Cast) -> Clinic:
    """The clinic that build_clinic made before; call inside its transaction."""
    talk, letter = (ServiceType.objects.get(code=code) for code in ("9T001", "LETTER"))
    return Clinic(cast, cast.actor(cast.alice), cast.actor(cast.bob), talk, letter, Location.objects.get(name="Main"))


def build_clinic(cast: Cast, *, now: datetime = NOW) -> Clinic:
    """Alder Clinic at `now`, with Carol licensed for that year in practice time; call inside its transaction."""
    owner, biller = cast.actor(cast.alice, now=now), cast.actor(cast.bob, now=now)
    with practice_transaction(cast.alder.id):
        CptLicense.objects.create(
            staff_member_id=cast.carol.staff_member_id, year=owner.today.year, fee_cents=2150, assigned_at=now,
            assigned_by="Alice",
        )  # fmt: skip
        return Clinic(
            cast, owner, biller,
            add_service_type(owner, code="9T001", name="Talk", kind="cpt", rate_cents=15000),
            add_service_type(owner, code="LETTER", name="Letter", kind="non_cpt", rate_cents=4000,
                             bills_insurance=False),
            Location.objects.create(name="Main", place_of_service="11"),
        )  # fmt: skip

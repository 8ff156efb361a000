"""Appointments and statuses: dates that never shift, fees, frozen visits, strangers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from uuid import UUID, uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import NothingToBill, bill_visit
from daysheet.kit.errors import NotFound
from daysheet.schedule.actions import (
    AppointmentIncomplete,
    FeeNotDecided,
    ServiceChoice,
    VisitBilled,
    add_appointment,
    set_status,
)
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.rules import slot
from daysheet.services.actions import add_service_type
from tests.billing import Clinic, build_clinic
from tests.people import Cast


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _book(clinic: Clinic, client: UUID, *, at: time = time(10), appointment_id: UUID | None = None) -> Visit:
    add_appointment(
        clinic.owner, day=date(2026, 11, 2), at=at, minutes=50, staff_member_id=clinic.cast.carol.staff_member_id,
        location_id=clinic.location.pk, services={client: [ServiceChoice(clinic.talk.pk)]},
        appointment_id=appointment_id,
    )  # fmt: skip
    return Visit.objects.latest("id")


def test_a_late_evening_stays_on_its_date_everywhere(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client(), at=time(23, 30))
    appointment = Appointment.objects.get()
    assert appointment.starts_at.isoformat() == "2026-11-03T04:30:00+00:00"
    days = {appointment.service_on, visit.service_on, VisitService.objects.get().service_on}
    assert days == {date(2026, 11, 2)}


@pytest.mark.parametrize(("day", "offset"), [(date(2026, 3, 7), -5), (date(2026, 3, 8), -4), (date(2026, 11, 1), -5)])
def test_the_wall_clock_hour_is_kept_when_clocks_change(day: date, offset: int) -> None:
    starts_at, ends_at = slot(day, time(10), 50, "America/New_York")
    assert (starts_at.hour, starts_at.utcoffset().total_seconds()) == (10, offset * 3600)
    assert (ends_at - starts_at).total_seconds() == 3000


def test_the_same_form_twice_is_one_appointment(clinic: Clinic) -> None:
    client, key = clinic.client(), uuid4()
    _book(clinic, client, appointment_id=key)
    _book(clinic, client, appointment_id=key)
    assert Appointment.objects.count() == Visit.objects.count() == 1


def test_a_no_show_is_billed_only_by_its_fee(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    with pytest.raises(FeeNotDecided):
        set_status(clinic.owner, visit_id=visit.pk, status="no_show", charge_fee=True)
    add_service_type(
        clinic.owner, code="NOSHOW", name="Missed appointment", kind="non_cpt", rate_cents=5000, is_no_show_fee=True,
        bills_insurance=False,
    )  # fmt: skip
    set_status(clinic.owner, visit_id=visit.pk, status="no_show", initiated_by="client", charge_fee=True)
    assert bill_visit(clinic.biller, visit_id=visit.pk).created[0].total_cents == 5000


def test_a_waived_fee_needs_a_reason_and_leaves_nothing_to_bill(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    with pytest.raises(FeeNotDecided):
        set_status(clinic.owner, visit_id=visit.pk, status="late_cancel")
    set_status(clinic.owner, visit_id=visit.pk, status="late_cancel", fee_waived_reason="Storm")
    with pytest.raises(NothingToBill):
        bill_visit(clinic.biller, visit_id=visit.pk)
    set_status(clinic.owner, visit_id=visit.pk, status="kept")
    assert bill_visit(clinic.biller, visit_id=visit.pk).created[0].total_cents == 15000


def test_a_billed_visit_is_frozen(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    bill_visit(clinic.biller, visit_id=visit.pk)
    with pytest.raises(VisitBilled):
        set_status(clinic.owner, visit_id=visit.pk, status="canceled")
    assert Visit.objects.get().status == "upcoming"


def test_an_appointment_needs_a_client_and_a_provider(clinic: Clinic) -> None:
    with pytest.raises(AppointmentIncomplete):
        add_appointment(
            clinic.owner, day=date(2026, 11, 2), at=time(9), minutes=50, services={},
            staff_member_id=clinic.cast.carol.staff_member_id, location_id=clinic.location.pk,
        )  # fmt: skip
    with pytest.raises(AppointmentIncomplete):
        add_appointment(
            clinic.owner, day=date(2026, 11, 2), at=time(9), minutes=50, services={clinic.client(): []},
            staff_member_id=clinic.cast.dan.staff_member_id, location_id=clinic.location.pk,
        )  # fmt: skip


def test_a_visit_of_another_practice_does_not_exist(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        set_status(clinic.cast.actor(clinic.cast.charlie), visit_id=visit.pk, status="kept")

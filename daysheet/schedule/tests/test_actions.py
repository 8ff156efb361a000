"""Appointments and statuses: dates that never shift, fees, frozen visits, strangers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time
from uuid import UUID, uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import NothingToBill, bill_visit, void_invoice
from daysheet.kit.errors import NotFound
from daysheet.schedule.actions import (
    AppointmentIncomplete,
    ServiceChoice,
    Slot,
    VisitBilled,
    add_appointment,
    edit_appointment,
)
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.rules import span
from daysheet.schedule.statuses import set_status
from daysheet.services.actions import add_service_type
from tests.billing import Clinic, build_clinic
from tests.people import Cast


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _slot(clinic: Clinic, *, day: date = date(2026, 11, 2), at: time = time(10), staff: UUID | None = None) -> Slot:
    return Slot(day, at, 50, staff or clinic.cast.carol.staff_member_id, clinic.location.pk)


def _book(clinic: Clinic, *clients: UUID, at: time = time(10), appointment_id: UUID | None = None) -> Visit:
    members = {client: [ServiceChoice(clinic.talk.pk)] for client in clients}
    add_appointment(clinic.owner, slot=_slot(clinic, at=at), members=members, appointment_id=appointment_id)
    return Visit.objects.latest("id")


def test_a_late_evening_stays_on_its_date_everywhere(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client(), at=time(23, 30))
    appointment = Appointment.objects.get()
    assert appointment.starts_at.isoformat() == "2026-11-03T04:30:00+00:00"
    days = {appointment.service_on, visit.service_on, VisitService.objects.get().service_on}
    assert days == {date(2026, 11, 2)}


@pytest.mark.parametrize(("day", "offset"), [(date(2026, 3, 7), -5), (date(2026, 3, 8), -4), (date(2026, 11, 1), -5)])
def test_the_wall_clock_hour_is_kept_when_clocks_change(day: date, offset: int) -> None:
    starts_at, ends_at = span(day, time(10), 50, "America/New_York")
    assert (starts_at.hour, starts_at.utcoffset().total_seconds()) == (10, offset * 3600)
    assert (ends_at - starts_at).total_seconds() == 3000


def test_the_same_form_twice_is_one_appointment(clinic: Clinic) -> None:
    client, key = clinic.client(), uuid4()
    _book(clinic, client, appointment_id=key)
    _book(clinic, client, appointment_id=key)
    assert Appointment.objects.count() == Visit.objects.count() == 1


def test_a_no_show_is_billed_only_by_its_fee(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    add_service_type(
        clinic.owner, code="NOSHOW", name="Missed appointment", kind="non_cpt", rate_cents=5000, is_no_show_fee=True,
        bills_insurance=False,
    )  # fmt: skip
    set_status(clinic.owner, visit_id=visit.pk, status="no_show", initiated_by="client", charge_fee=True)
    assert bill_visit(clinic.biller, visit_id=visit.pk).created[0].total_cents == 5000


def test_a_waived_fee_leaves_nothing_to_bill(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    set_status(clinic.owner, visit_id=visit.pk, status="late_cancel", initiated_by="client", fee_waived_reason="Storm")
    with pytest.raises(NothingToBill):
        bill_visit(clinic.biller, visit_id=visit.pk)
    set_status(clinic.owner, visit_id=visit.pk, status="kept")
    assert bill_visit(clinic.biller, visit_id=visit.pk).created[0].total_cents == 15000


def test_an_appointment_needs_a_client_and_a_provider(clinic: Clinic) -> None:
    with pytest.raises(AppointmentIncomplete):
        add_appointment(clinic.owner, slot=_slot(clinic), members={})
    not_a_provider = _slot(clinic, staff=clinic.cast.dan.staff_member_id)
    with pytest.raises(AppointmentIncomplete):
        add_appointment(clinic.owner, slot=not_a_provider, members={clinic.client(): []})


def test_a_move_takes_the_date_of_service_along(clinic: Clinic) -> None:
    client = clinic.client()
    visit = _book(clinic, client)
    moved = _slot(clinic, day=date(2026, 11, 9), at=time(23, 45))
    members = {client: [ServiceChoice(clinic.talk.pk)]}
    edit_appointment(clinic.owner, appointment_id=visit.appointment_id, slot=moved, members=members)
    days = {Appointment.objects.get().service_on, Visit.objects.get().service_on, VisitService.objects.get().service_on}
    assert days == {date(2026, 11, 9)}


def test_members_join_leave_and_change_their_services(clinic: Clinic) -> None:
    stays, leaves, joins = clinic.client("Stays"), clinic.client("Leaves"), clinic.client("Joins")
    appointment_id = _book(clinic, stays, leaves).appointment_id
    members = {stays: [ServiceChoice(clinic.letter.pk)], joins: [ServiceChoice(clinic.talk.pk)]}
    edit_appointment(clinic.owner, appointment_id=appointment_id, slot=_slot(clinic), members=members)
    live = VisitService.objects.filter(removed_at=None).values_list("visit__client_id", "service_type_id")
    assert set(live) == {(stays, clinic.letter.pk), (joins, clinic.talk.pk)}


def test_a_billed_member_is_frozen_and_the_others_are_not(clinic: Clinic) -> None:
    billed, free = clinic.client("Billed"), clinic.client("Free")
    appointment_id = _book(clinic, billed, free).appointment_id
    bill_visit(clinic.biller, visit_id=Visit.objects.get(client_id=billed).pk)
    talk, letter = [ServiceChoice(clinic.talk.pk)], [ServiceChoice(clinic.letter.pk)]
    frozen = [
        (_slot(clinic, at=time(11)), {billed: talk, free: talk}),
        (_slot(clinic), {billed: letter, free: talk}),
        (_slot(clinic), {free: talk}),
    ]
    for slot, members in frozen:
        with pytest.raises(VisitBilled):
            edit_appointment(clinic.owner, appointment_id=appointment_id, slot=slot, members=members)
    edit_appointment(
        clinic.owner, appointment_id=appointment_id, slot=_slot(clinic), members={billed: talk, free: letter}
    )
    assert bill_visit(clinic.biller, visit_id=Visit.objects.get(client_id=free).pk).created[0].total_cents == 4000


def test_after_a_void_the_services_change_and_the_visit_stays_on_record(clinic: Clinic) -> None:
    client = clinic.client()
    visit = _book(clinic, client, clinic.client("Other"))
    visit = Visit.objects.get(client_id=client)
    invoice = bill_visit(clinic.biller, visit_id=visit.pk).created[0]
    void_invoice(clinic.biller, invoice_id=invoice.id, reason="Wrong service")
    other = Visit.objects.exclude(client_id=client).get().client_id
    talk, letter = [ServiceChoice(clinic.talk.pk)], [ServiceChoice(clinic.letter.pk)]
    with pytest.raises(VisitBilled, match="stays on record"):
        edit_appointment(clinic.owner, appointment_id=visit.appointment_id, slot=_slot(clinic), members={other: talk})
    edit_appointment(
        clinic.owner, appointment_id=visit.appointment_id, slot=_slot(clinic), members={client: letter, other: talk}
    )
    assert bill_visit(clinic.biller, visit_id=visit.pk).created[0].total_cents == 4000


def test_a_visit_of_another_practice_does_not_exist(clinic: Clinic) -> None:
    visit = _book(clinic, clinic.client())
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        set_status(clinic.cast.actor(clinic.cast.charlie), visit_id=visit.pk, status="kept")

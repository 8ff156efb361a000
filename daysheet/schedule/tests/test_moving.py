"""Moving one appointment: its dates go along, the billed one stays, and of two people one wins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.payments.actions import accept_payment
from daysheet.payments.models import Payment
from daysheet.practices.models import User
from daysheet.schedule.actions import ServiceChoice, Slot, VisitBilled, add_appointment, move_appointment
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.slots import AppointmentChanged
from daysheet.staff.models import StaffMember
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast, Person


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _slot(clinic: Clinic) -> Slot:
    return Slot(DAY, time(10), 50, clinic.cast.carol.staff_member_id, clinic.location.pk)


def _book(clinic: Clinic, *clients: UUID) -> UUID:
    return add_appointment(
        clinic.owner, slot=_slot(clinic), members={client: [ServiceChoice(clinic.talk.pk)] for client in clients}
    )


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def _dates() -> set[date]:
    models: list[Any] = [Appointment, Visit, VisitService]
    return {day for model in models for day in model.objects.values_list("service_on", flat=True)}


def test_visits_services_and_a_prepayment_go_along(clinic: Clinic) -> None:
    client = clinic.client()
    appointment = _book(clinic, client)
    visit = Visit.objects.get()
    accept_payment(
        clinic.biller, request_key=uuid4(), client_id=client, amount_cents=5000, method="cash", received_on=DAY,
        applications=None, visit_id=visit.pk, is_prepayment=True,
    )  # fmt: skip
    moved = replace(_slot(clinic), day=date(2026, 11, 12), at=time(23, 30))
    move_appointment(clinic.owner, appointment_id=appointment, slot=moved, version=1)
    assert _dates() == {date(2026, 11, 12)}
    assert Appointment.objects.get().starts_at.isoformat() == "2026-11-13T04:30:00+00:00"
    assert Payment.objects.get().visit_id == visit.pk
    bill_visit(clinic.biller, visit_id=visit.pk)
    assert Payment.objects.get().unapplied_cents == 0


def test_a_billed_one_stays_where_it_is(clinic: Clinic) -> None:
    appointment = _book(clinic, clinic.client())
    bill_visit(clinic.biller, visit_id=Visit.objects.get().pk)
    with pytest.raises(VisitBilled):
        move_appointment(clinic.owner, appointment_id=appointment, slot=replace(_slot(clinic), at=time(11)), version=1)
    assert Appointment.objects.get().version == 1


def test_of_two_people_one_moves_it_and_the_other_is_told_where_it_is(clinic: Clinic) -> None:
    appointment = _book(clinic, clinic.client())
    move_appointment(clinic.owner, appointment_id=appointment, slot=replace(_slot(clinic), at=time(13)), version=1)
    with pytest.raises(AppointmentChanged, match="now on 11/02/2026 at 1:00 PM with Carol Clinician"):
        move_appointment(clinic.owner, appointment_id=appointment, slot=replace(_slot(clinic), at=time(15)), version=1)
    assert Appointment.objects.get().version == 2


def test_the_second_hour_of_a_night_that_has_it_twice_is_not_lost_by_another_change(clinic: Clinic) -> None:
    """1:30 AM comes twice on November 1: an appointment of the second hour (from an import) keeps its moment."""
    appointment = _book(clinic, clinic.client())
    itself = Appointment.objects.filter(pk=appointment)
    itself.update(service_on=date(2026, 11, 1), starts_at="2026-11-01T06:30:00Z", ends_at="2026-11-01T07:20:00Z")
    shown = replace(_slot(clinic), day=date(2026, 11, 1), at=time(1, 30))
    elsewhere = replace(shown, staff_member_id=_second_provider(clinic))
    move_appointment(clinic.owner, appointment_id=appointment, slot=elsewhere, version=1)
    assert itself.get().starts_at.isoformat() == "2026-11-01T06:30:00+00:00"


def _second_provider(clinic: Clinic) -> UUID:
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(is_provider=True)
    return clinic.cast.dan.staff_member_id


def test_a_provider_who_left_keeps_the_old_appointments_and_gets_no_new_ones(clinic: Clinic) -> None:
    appointment = _book(clinic, clinic.client())
    StaffMember.objects.filter(pk=clinic.cast.carol.staff_member_id).update(is_active=False)
    dan = _as(clinic.cast.dan)
    page = dan.get(f"/alder/appointments/{appointment}/move/").content.decode()
    assert "Carol Clinician (not active)" in page
    assert dan.post(f"/alder/appointments/{appointment}/move/", {"version": 1, "at": "11:00"}).status_code == 303
    assert Appointment.objects.get().staff_member_id == clinic.cast.carol.staff_member_id


def test_moving_over_http(clinic: Clinic) -> None:
    appointment = _book(clinic, clinic.client())
    url, dan = f"/alder/appointments/{appointment}/move/", _as(clinic.cast.dan)
    page = dan.get(url).content.decode()
    assert 'name="version" value="1"' in page and 'value="10:00"' in page and "Ruiz, Ana" in page
    # What the Calendar's drag sends: the version and what changes; then back to where it was dragged.
    calendar = "/alder/calendar/?day=2026-11-02"
    moved = dan.post(url, {"version": 1, "day": "2026-11-04", "at": "08:15", "next": calendar})
    assert (moved.status_code, moved["Location"]) == (303, calendar)
    assert _dates() == {date(2026, 11, 4)}
    stale = dan.post(url, {"version": 1, "day": "2026-11-05"}, headers={"HX-Request": "true"})
    assert stale.status_code == 409
    answer = stale.content.decode()
    assert "Somebody else changed this appointment" in answer and "Open it as it is now" in answer
    assert "<html" not in answer
    wrong = dan.post(url, {"version": 2, "day": "someday"})
    assert wrong.status_code == 422
    dragged = dan.post(url, {"version": 2, "at": "09:00", "next": calendar}, headers={"HX-Request": "true"})
    assert dragged["HX-Redirect"] == calendar
    assert dan.post(url, {"version": 3, "next": "https://elsewhere.example/"})["Location"].startswith("/alder/agenda/")
    outside = dan.post(url, {"version": 3, "day": "2199-12-31", "at": "23:30"})
    assert outside.status_code == 422 and b"Check the year" in outside.content


def test_the_full_form_knows_of_two_people_too(clinic: Clinic) -> None:
    client = clinic.client()
    appointment = _book(clinic, client)
    url, dan = f"/alder/appointments/{appointment}/", _as(clinic.cast.dan)
    form = {
        "version": "1", "day": "2026-11-02", "at": "11:00", "minutes": "50", "save": "1", "client": [str(client)],
        "staff": str(clinic.cast.carol.staff_member_id), "location": str(clinic.location.pk),
        f"service-{client}": [str(clinic.talk.pk)],
    }  # fmt: skip
    assert dan.post(url, form).status_code == 303
    stale = dan.post(url, form | {"at": "12:00"})
    assert stale.status_code == 409 and b"Open it as it is now" in stale.content
    assert Appointment.objects.get().starts_at.hour == 16

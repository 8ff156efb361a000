"""New Appointment, its page and the client's Appointments over HTTP, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.practices.models import User
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.services.actions import set_client_service
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import Cast, Person

NEW = "/alder/appointments/new/"


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def _typed(clinic: Clinic, **more: Any) -> dict[str, Any]:
    return {
        "appointment_id": str(uuid4()), "day": "2026-11-02", "at": "10:00", "minutes": "50",
        "staff": str(clinic.cast.carol.staff_member_id), "location": str(clinic.location.pk), **more,
    }  # fmt: skip


def test_a_client_is_found_added_with_default_services_and_booked(clinic: Clinic) -> None:
    client = clinic.client()
    set_client_service(clinic.owner, client, clinic.talk.pk, is_default=True, set_payment_amount_cents=None)
    dan = _as(clinic.cast.dan)
    found = dan.post(NEW, _typed(clinic, find="rui", look="1")).content.decode()
    assert f'name="add" value="{client}"' in found
    added = dan.post(NEW, _typed(clinic, find="rui", add=str(client))).content.decode()
    assert f'name="client" value="{client}"' in added and f'value="{clinic.talk.pk}" selected' in added
    form = _typed(clinic, save="1", client=[str(client)], **{f"service-{client}": [str(clinic.talk.pk), ""]})
    for _ in range(2):
        assert dan.post(NEW, form).status_code in {302, 303}
    assert Appointment.objects.count() == 1
    assert VisitService.objects.get().service_type_id == clinic.talk.pk


def test_a_wrong_form_says_why_and_keeps_what_was_typed(clinic: Clinic) -> None:
    client = clinic.client()
    answer = _as(clinic.cast.dan).post(NEW, _typed(clinic, save="1", minutes="0", client=[str(client)]))
    assert answer.status_code == 422
    assert f'name="client" value="{client}"' in answer.content.decode()
    nobody = _as(clinic.cast.dan).post(NEW, _typed(clinic, save="1"))
    assert nobody.status_code == 422 and b"Choose at least one client" in nobody.content


def test_an_appointment_is_moved_and_a_billed_one_refused(clinic: Clinic) -> None:
    client = clinic.client()
    visit, _ = clinic.visit(client, clinic.talk)
    url = f"/alder/appointments/{Appointment.objects.get().pk}/"
    bob = _as(clinic.cast.bob)
    assert "Ruiz" in bob.get(url).content.decode()
    form = _typed(clinic, save="1", at="13:30", client=[str(client)], **{f"service-{client}": [str(clinic.talk.pk)]})
    assert bob.post(url, form).status_code in {302, 303}
    assert Appointment.objects.get().starts_at.isoformat() == "2026-11-02T18:30:00+00:00"
    bill_visit(clinic.biller, visit_id=visit)
    assert "Invoice 1" in bob.get(url).content.decode()
    refused = bob.post(url, form | {"at": "14:00"})
    assert refused.status_code == 422 and b"frozen" in refused.content


def test_another_practice_and_unassigned_clients_find_nothing(clinic: Clinic) -> None:
    client = clinic.client()
    clinic.visit(client, clinic.talk)
    appointment = Appointment.objects.get().pk
    charlie = _as(clinic.cast.charlie)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    dan = _as(clinic.cast.dan)
    for path in (f"appointments/{appointment}/", f"clients/{client}/appointments/"):
        assert charlie.get(f"/birch/{path}").status_code == 404
        assert dan.get(f"/alder/{path}").status_code == 404
    assert dan.get(f"{NEW}?client={client}").status_code == 404
    form = _typed(clinic, save="1", client=[str(client)])
    assert dan.post(NEW, form).status_code == 404
    assert Visit.objects.count() == 1


def test_the_appointments_of_a_client_are_listed(clinic: Clinic) -> None:
    client = clinic.client()
    bob = _as(clinic.cast.bob)
    assert "No appointments yet" in bob.get(f"/alder/clients/{client}/appointments/").content.decode()
    clinic.visit(client, clinic.talk)
    page = bob.get(f"/alder/clients/{client}/appointments/").content.decode()
    assert "11/02/2026" in page and "9T001 Talk" in page

"""The Agenda over HTTP: what each person sees, one click, and a fixed number of statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import time

import pytest
from django.test import Client as Browser

from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.practices.models import User
from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
from daysheet.staff.models import StaffMember
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast, Person

URL = f"/alder/agenda/?day={DAY.isoformat()}"


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def test_a_biller_adds_an_invoice_in_one_click(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    bob = _as(clinic.cast.bob)
    page = bob.get(URL).content.decode()
    assert "Ruiz, Ana" in page and "9T001 Talk" in page and "Add Invoice" in page
    cell = bob.post(f"/alder/visits/{visit}/invoice/", headers={"HX-Request": "true"}).content.decode()
    assert f'id="billing-cell-{visit}"' in cell and "Invoice 1" in cell and "Add Invoice" not in cell
    assert "tag-billed" in bob.get(URL).content.decode()


def test_without_billing_there_is_no_money_on_the_agenda(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    dan = _as(clinic.cast.dan)
    page = dan.get(URL).content.decode()
    assert "Ruiz, Ana" in page and "Add Invoice" not in page and "$" not in page and "Billing" not in page
    assert dan.post(f"/alder/visits/{visit}/invoice/").status_code == 403


def test_a_stranger_and_a_wrong_day_are_not_found(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    charlie = _as(clinic.cast.charlie)
    assert charlie.get(URL).status_code == 404
    assert charlie.get(f"/birch/visits/{visit}/status/").status_code == 404
    assert _as(clinic.cast.dan).get("/alder/agenda/?day=tomorrow").status_code == 404


def test_limited_people_see_only_their_clients(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    dan = _as(clinic.cast.dan)
    assert "No appointments on this day" in dan.get(URL).content.decode()
    assert dan.get(f"/alder/visits/{visit}/status/").status_code == 404


def test_a_group_with_somebody_unseen_is_listed_and_not_linked(clinic: Clinic) -> None:
    seen, unseen = clinic.client(), clinic.client()
    slot = Slot(DAY, time(9), 50, clinic.cast.carol.staff_member_id, clinic.location.pk, title="Circle")
    members = {client: [ServiceChoice(clinic.letter.pk)] for client in (seen, unseen)}
    group = add_appointment(clinic.owner, slot=slot, members=members)
    assign_staff(clinic.owner, seen, clinic.cast.dan.staff_member_id)
    dan = _as(clinic.cast.dan)
    pages = (URL, URL.replace("agenda", "calendar"), f"/alder/clients/{seen}/appointments/")
    for url in pages:
        assert f"/appointments/{group}/" in dan.get(url).content.decode()
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    for url in pages:
        page = dan.get(url).content.decode()
        assert "9:00" in page or "LETTER" in page
        assert f"/appointments/{group}/" not in page


def test_somebody_with_provider_permission_who_renders_nothing_sees_everybody(clinic: Clinic) -> None:
    clinic.visit(clinic.client(), clinic.talk)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(permissions=["provider"])
    page = _as(clinic.cast.dan).get(URL).content.decode()
    assert "Ruiz, Ana" in page
    assert "not one of the available choices" not in page


def test_a_full_day_needs_no_more_statements_than_an_empty_one(
    clinic: Clinic, django_assert_max_num_queries: object
) -> None:
    client = clinic.client()
    for _ in range(3):
        clinic.visit(client, clinic.talk, clinic.letter)
    bob = _as(clinic.cast.bob)
    with django_assert_max_num_queries(18):  # type: ignore[operator]
        bob.get(URL)
    for _ in range(40):
        clinic.visit(client, clinic.talk)
    with django_assert_max_num_queries(18):  # type: ignore[operator]
        bob.get(URL)


def test_the_line_of_totals_counts_statuses_and_what_is_billed(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(copay_cents=3000, insured=True), clinic.talk)
    clinic.visit(clinic.client("Later"), clinic.talk, clinic.letter)
    clinic.visit(clinic.client("Absent"), clinic.talk, status="no_show")
    bob = _as(clinic.cast.bob)
    assert _totals(bob) == "3 dates of service: 2 Kept, 1 No Show · 3 to bill"
    bill_visit(clinic.biller, visit_id=visit)
    said = "3 dates of service: 2 Kept, 1 No Show · 1 billed, $150.00, of which clients owe $30.00 · 2 to bill"
    assert _totals(bob) == said
    part = bob.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith("<b>3</b> dates of service") and "<html" not in part
    assert _totals(_as(clinic.cast.dan)) == "3 dates of service: 2 Kept, 1 No Show", "no word of money"


def _totals(browser: Browser) -> str:
    found = re.search(r'id="day-totals".*?>(.*?)</p>', browser.get(URL).content.decode())
    assert found
    return re.sub("<[^>]+>", "", found[1])


def test_an_empty_day_offers_what_would_fill_it(clinic: Clinic) -> None:
    bob = _as(clinic.cast.bob)
    day = DAY.isoformat()
    assert f'href="/alder/appointments/new/?day={day}">New Appointment</a>\n</div>' in bob.get(URL).content.decode()
    filtered = bob.get(f"{URL}&location={clinic.location.pk}").content.decode()
    assert f'href="/alder/agenda/?staff=&amp;day={day}">Show everybody’s</a>' in filtered


def test_telehealth_is_named_beside_the_location(clinic: Clinic) -> None:
    slot = Slot(DAY, time(9), 50, clinic.cast.carol.staff_member_id, clinic.location.pk, place_of_service="10")
    add_appointment(clinic.owner, slot=slot, members={clinic.client(): [ServiceChoice(clinic.talk.pk)]})
    clinic.visit(clinic.client("Office"), clinic.talk)
    assert _as(clinic.cast.dan).get(URL).content.decode().count("Telehealth at home") == 1

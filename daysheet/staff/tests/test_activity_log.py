"""Organization, Activity Log: who sees what was done, and what they see of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.test import Client as Browser
from django.urls import reverse

from daysheet.audit.actions import Happening, record, record_many
from daysheet.audit.models import AuditEvent
from daysheet.clients.actions import add_client, assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.kit.errors import NotAllowed
from daysheet.kit.ids import new_id
from daysheet.practices.models import User
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember
from daysheet.staff.organization.activity import people_choices
from tests.billing import build_clinic
from tests.people import NOW, Cast, Person

URL = reverse("audit:activity_log", kwargs={"practice": "alder"})


def as_person(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def page(person: Person, **filters: object) -> str:
    answer = as_person(person).get(URL, filters)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def admin(cast: Cast) -> Person:
    """Dan as an Administrator: no Billing, no Organization Administrator."""
    with practice_transaction(cast.alder.id):
        StaffMember.objects.filter(pk=cast.dan.staff_member_id).update(permissions=[Permission.ADMINISTRATOR.value])
    return cast.dan


@pytest.fixture
def invoice_number(cast: Cast) -> int:
    """Bob billed $190.00 to Ana Ruiz and voided it again."""
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        visit, _ = clinic.visit(clinic.client("Ruiz"), clinic.talk, clinic.letter)
        invoice = bill_visit(clinic.biller, visit_id=visit).created[0]
        void_invoice(clinic.biller, invoice_id=invoice.id, reason="Wrong day")
    return invoice.number


def test_the_log_tells_who_did_what_to_whom_newest_first(cast: Cast, invoice_number: int) -> None:
    shown = page(cast.alice)

    assert "Bob Biller" in shown and "Ruiz, Ana" in shown
    assert "Total: $190.00" in shown and "Reason: Wrong day" in shown
    assert f'href="/alder/invoices/{invoice_number}/">voided an invoice {invoice_number}</a>' in shown
    order = [shown.index(words) for words in ("voided an invoice ", "created an invoice ", "added a client</td>")]
    assert order == sorted(order)
    assert "11/16/2026" in shown and "10:00 AM" in shown


def test_an_amount_is_told_in_dollars_whatever_its_name(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        record(cast.actor(cast.bob), "write_off", "line", new_id(), side="client", cents=12345, reason="Hardship")
    shown = page(cast.alice)
    assert "Amount: $123.45" in shown
    assert "Cents" not in shown


def test_only_administrators_of_the_practice_open_it(cast: Cast) -> None:
    assert as_person(cast.bob).get(URL).status_code == 403
    assert as_person(cast.charlie).get(URL).status_code == 404
    assert as_person(cast.alice).post(URL).status_code == 405
    with practice_transaction(cast.alder.id), pytest.raises(NotAllowed):
        people_choices(cast.actor(cast.bob))


def test_another_practice_has_a_log_of_its_own(cast: Cast, invoice_number: int) -> None:
    answer = as_person(cast.charlie).get(URL.replace("alder", "birch")).content.decode()

    assert "created the practice" in answer and "Bob Biller" not in answer and "Ruiz" not in answer


def test_without_billing_amounts_reasons_and_links_to_money_are_not_shown(
    cast: Cast, admin: Person, invoice_number: int
) -> None:
    shown = page(admin)

    assert "voided an invoice" in shown
    assert "190.00" not in shown and "Wrong day" not in shown
    assert f"/alder/invoices/{invoice_number}/" not in shown


def test_a_limited_administrator_sees_assigned_clients_the_office_and_own_doings(
    cast: Cast, admin: Person, invoice_number: int
) -> None:
    with practice_transaction(cast.alder.id):
        mine = add_client(cast.actor(cast.alice), first_name="Mia", last_name="Mine")
        assign_staff(cast.actor(cast.alice), mine.pk, admin.staff_member_id)
        record(cast.actor(cast.alice), "add_appointment", "appointment", new_id(), clients=3)
        record(cast.actor(cast.dan), "add_appointment", "appointment", new_id(), clients=4)
        StaffMember.objects.filter(pk=admin.staff_member_id).update(limited_to_assigned=True)

    shown = page(admin)

    assert "Mine, Mia" in shown and "added a staff member" in shown
    assert "Ruiz" not in shown and "voided an invoice</td>" not in shown
    assert "Clients: 4" in shown and "Clients: 3" not in shown


def test_filters_by_person_kind_and_day_in_practice_time(cast: Cast) -> None:
    # Five past four in the morning in UTC is still the day before in New York.
    late = datetime(2026, 11, 20, 4, 5, tzinfo=UTC)
    with practice_transaction(cast.alder.id):
        record(cast.actor(cast.bob, now=late), "edit_client", "client", new_id(), fields=["phone"])
        record(cast.actor(cast.dan, now=late), "add_client", "client", new_id())

    on_the_19th = page(cast.alice, from_on="2026-11-19", to_on="11/19/2026")
    assert "changed a client</td>" in on_the_19th and "added a client</td>" in on_the_19th
    assert "Nothing was done that fits" in page(cast.alice, from_on="2026-11-20", to_on="2026-11-20")
    by_bob = page(cast.alice, who=cast.bob.staff_member_id, from_on="2026-11-19")
    assert "changed a client</td>" in by_bob and "added a client</td>" not in by_bob
    assert "changed a client</td>" not in page(cast.alice, verb="add_client")
    assert '<th scope="row" data-label="Who">Bob' not in page(cast.alice, who="daysheet")


def test_what_cannot_be_a_filter_is_refused(cast: Cast) -> None:
    browser = as_person(cast.alice)
    for wrong in ({"verb": "nonsense"}, {"from_on": "soon"}, {"from_on": "2026-11-02", "to_on": "2026-11-01"}):
        assert browser.get(URL, wrong).status_code == 422


def test_a_long_log_is_paged_and_asks_as_much_for_a_thousand_events(cast: Cast, django_assert_max_num_queries) -> None:
    with practice_transaction(cast.alder.id):
        record_many(
            cast.actor(cast.alice, now=NOW.replace(hour=16)),
            [Happening("edit_location", "location", new_id(), None, {"changed": ["place_of_service"]})] * 1000,
        )
        total = AuditEvent.objects.count()
    browser = as_person(cast.alice)

    with django_assert_max_num_queries(14):
        first = browser.get(URL).content.decode()
    last = browser.get(URL, {"page": total // 50 + 1}).content.decode()
    beyond = browser.get(URL, {"page": total // 50 + 2}).content.decode()

    assert "Changed: place of service" in first and "1–50" in first and "page=2" in first
    assert "created the practice" in last
    assert "Nothing on this page" in beyond


def test_the_menu_leads_there(cast: Cast) -> None:
    assert f'href="{URL}"' in as_person(cast.alice).get("/alder/organization/settings").content.decode()

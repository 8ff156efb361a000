"""Agenda, Add Invoice: one click; a second click, tab or person gets the same invoice; groups (B2, L5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from daysheet.clients.models import ClientAssignment
from daysheet.invoicing.billing_cells import cells_of
from daysheet.invoicing.models import Invoice
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.staff.models import StaffMember
from tests.billing import Clinic

from .conftest import SignIn, at

DAY = date(2026, 11, 2)
HTMX = {"HTTP_HX_REQUEST": "true"}


def group(shop: Clinic, *names: str) -> tuple[UUID, list[UUID]]:
    """A group appointment with a visit for each of these clients."""
    starts = datetime(2026, 11, 2, 15, tzinfo=UTC)
    appointment = Appointment.objects.create(
        service_on=DAY,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=50),
        location=shop.location,
        staff_member_id=shop.cast.carol.staff_member_id,
        is_group=True,
    )
    visits = []
    for name in names:
        visit = Visit.objects.create(
            appointment=appointment, client_id=shop.client(name), service_on=DAY, status="kept"
        )
        VisitService.objects.create(visit=visit, service_type=shop.talk, service_on=DAY)
        visits.append(visit.pk)
    return appointment.pk, visits


def test_one_click_bills_and_goes_back(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, shop.letter, day=DAY)
    answer = bob.post(at("add_invoice", visit=visit), {"next": at("unbilled")})
    assert (answer.status_code, answer["Location"]) == (303, at("unbilled"))
    assert Invoice.objects.count() == 1


def test_a_second_click_finds_the_same_invoice(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    for _ in range(2):
        assert bob.post(at("add_invoice", visit=visit)).status_code == 303
    assert Invoice.objects.count() == 1
    assert "Already billed on invoice 1" in bob.get(at("unbilled")).content.decode()


def test_it_never_leads_to_another_host(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    answer = bob.post(at("add_invoice", visit=visit), {"next": "https://elsewhere.example/"})
    assert "elsewhere" not in answer["Location"]


def test_a_missing_licence_names_person_and_year_and_bills_nothing(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY, staff_member_id=shop.cast.dan.staff_member_id)
    url = at("add_invoice", visit=visit)
    for headers in ({}, HTMX):
        answer = bob.post(url, **headers)
        assert answer.status_code == 422
        assert "Dan Desk has no AMA CPT license for 2026" in answer.content.decode()
    assert f'id="billing-cell-{visit}"' in answer.content.decode()
    assert Invoice.objects.count() == 0


def test_a_visit_without_a_service_says_so(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), day=DAY)
    answer = bob.post(at("add_invoice", visit=visit))
    assert answer.status_code == 422
    assert "nothing to bill" in answer.content.decode()


def test_the_group_list_bills_one_member_then_the_rest(shop: Clinic, bob: Browser) -> None:
    appointment, visits = group(shop, "Adams", "Baker", "Clark")
    url = at("add_group_invoices", appointment=appointment)
    page = bob.get(url).content.decode()
    assert page.count("Create Invoice") == 3
    assert ">All</button>" in page
    part = bob.post(url, {"visit": str(visits[0])}, **HTMX).content.decode()
    assert part.count("Create Invoice") == 2
    assert "<html" not in part
    bob.post(url, {"all": "1"})
    assert Invoice.objects.count() == 3
    assert ">All</button>" not in bob.get(url).content.decode()


def agenda_of(browser: Browser) -> str:
    """The Agenda of the day."""
    return browser.get(f"/alder/agenda/?day={DAY}").content.decode()


def test_the_groups_own_row_on_the_agenda_bills_one_member_or_all(shop: Clinic, bob: Browser) -> None:
    appointment, visits = group(shop, "Adams", "Baker", "Clark")
    page = agenda_of(bob)
    assert "3 clients" in page
    assert "3 to bill<" in page
    assert page.count(">Create Invoice</button>") == 3
    assert page.count("Carol Clinician") == 2, "said once for the group, and in the filter"
    part = bob.post(
        at("add_invoice", visit=visits[0]), {"member": "1", "next": f"/alder/agenda/?day={DAY}"}, **HTMX
    ).content.decode()
    assert f'id="group-billing-{appointment}" hx-swap-oob="true"' in part
    assert "2 to bill, 1 billed" in part
    assert f'value="/alder/agenda/?day={DAY}"' in part
    answer = bob.post(
        at("add_group_invoices", appointment=appointment),
        {"all": "1", "then": "next", "next": f"/alder/agenda/?day={DAY}&staff="},
    )
    assert (answer.status_code, answer["Location"]) == (303, f"/alder/agenda/?day={DAY}&staff=")
    assert Invoice.objects.count() == 3
    page = agenda_of(bob)
    assert "3 billed, nothing left to bill" in page
    assert "Create Invoice" not in page


def test_all_on_the_agenda_that_is_refused_opens_the_member_list_with_the_reason(shop: Clinic, bob: Browser) -> None:
    appointment, _ = group(shop, "Adams", "Baker")
    Appointment.objects.filter(pk=appointment).update(staff_member_id=shop.cast.dan.staff_member_id)
    answer = bob.post(
        at("add_group_invoices", appointment=appointment), {"all": "1", "then": "next", "next": "/alder/"}
    )
    assert answer.status_code == 422
    assert "Dan Desk has no AMA CPT license for 2026" in answer.content.decode()
    assert Invoice.objects.count() == 0


def test_a_member_refused_on_the_agenda_keeps_its_button(shop: Clinic, bob: Browser) -> None:
    appointment, visits = group(shop, "Adams", "Baker")
    Appointment.objects.filter(pk=appointment).update(staff_member_id=shop.cast.dan.staff_member_id)
    answer = bob.post(at("add_invoice", visit=visits[0]), {"member": "1"}, **HTMX)
    assert answer.status_code == 422
    assert ">Create Invoice</button>" in answer.content.decode()
    assert 'name="member" value="1"' in answer.content.decode()


def test_a_limited_person_sees_and_counts_only_the_members_assigned(shop: Clinic, bob: Browser) -> None:
    _, visits = group(shop, "Adams", "Baker", "Clark")
    StaffMember.objects.filter(pk=shop.cast.bob.staff_member_id).update(limited_to_assigned=True)
    mine = Visit.objects.get(pk=visits[0]).client_id
    ClientAssignment.objects.create(client_id=mine, staff_member_id=shop.cast.bob.staff_member_id)
    page = agenda_of(bob)
    assert "1 client<" in page
    assert "1 to bill<" in page
    assert "Baker" not in page


def test_without_billing_the_groups_row_shows_no_billing(shop: Clinic, sign_in: SignIn) -> None:
    appointment, _ = group(shop, "Adams", "Baker")
    page = agenda_of(sign_in(shop.cast.dan))
    assert "2 clients" in page
    assert f"group-billing-{appointment}" not in page
    assert "to bill" not in page


def test_the_agenda_cell_gives_way_to_the_invoice_number(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    bare, _ = shop.visit(shop.client(), day=DAY)
    before = cells_of(shop.biller, [visit, bare])
    assert (before[visit].invoice_number, before[visit].can_add_invoice) == (None, True)
    assert (before[bare].can_add_invoice, before[bare].why_not) == (False, "No service type yet")
    bob.post(at("add_invoice", visit=visit))
    after = cells_of(shop.biller, [visit])[visit]
    assert (after.invoice_number, after.can_add_invoice, after.invoice_url) == (1, False, at("invoice", number=1))


def test_people_without_billing_get_no_cells(shop: Clinic) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    assert cells_of(shop.cast.actor(shop.cast.dan), [visit]) == {}


def test_a_limited_person_cannot_bill_other_clients(shop: Clinic, bob: Browser) -> None:
    mine = shop.client("Mine")
    visit, _ = shop.visit(shop.client("Other"), shop.talk, day=DAY)
    StaffMember.objects.filter(pk=shop.cast.bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=mine, staff_member_id=shop.cast.bob.staff_member_id)
    assert bob.post(at("add_invoice", visit=visit)).status_code == 404
    assert Invoice.objects.count() == 0


def test_without_billing_it_refuses_and_a_stranger_finds_nothing(shop: Clinic, sign_in: SignIn) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    appointment, _ = group(shop, "Adams")
    for url in (at("add_invoice", visit=visit), at("add_group_invoices", appointment=appointment)):
        for verb in ("get", "post"):
            assert getattr(sign_in(shop.cast.dan), verb)(url).status_code == 403
            assert getattr(sign_in(shop.cast.charlie), verb)(url).status_code == 404
    assert sign_in(shop.cast.bob).post(at("add_invoice", visit=uuid4())).status_code == 404
    assert Invoice.objects.count() == 0


def test_create_invoice_on_the_groups_row_stays_within_eighteen_queries(shop: Clinic, bob: Browser) -> None:
    """The fifteen of Add Invoice, and three for the group's own row; however many members."""
    _, visits = group(shop, *(f"Member{number}" for number in range(12)))
    with CaptureQueriesContext(connection) as captured:
        assert bob.post(at("add_invoice", visit=visits[0]), {"member": "1"}, **HTMX).status_code == 200
    asked = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(asked) <= 18, asked


@pytest.mark.parametrize("headers", [{}, {"HTTP_HX_REQUEST": "true"}])
def test_add_invoice_takes_at_most_fifteen_queries_sign_in_included(
    shop: Clinic, bob: Browser, headers: dict[str, str]
) -> None:
    client = shop.client()
    for _ in range(20):
        shop.visit(client, shop.talk, day=DAY)
    visit, _ = shop.visit(client, shop.talk, shop.letter, day=DAY)
    with CaptureQueriesContext(connection) as captured:
        answer = bob.post(at("add_invoice", visit=visit), {"next": at("unbilled")}, **headers)
    assert answer.status_code == (200 if headers else 303)
    asked = [query["sql"] for query in captured if "SAVEPOINT" not in query["sql"]]
    assert len(asked) <= 15, asked

"""The invoice page: frozen facts, status in one function, print, and voiding with a reason."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest
from django.test import Client as Browser

from daysheet.clients.models import Client, ClientAssignment
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceVoid
from daysheet.invoicing.queries.invoice_page import invoice_by_number
from daysheet.invoicing.status import InvoiceStatus, invoice_status
from daysheet.kit.errors import NotFound
from daysheet.schedule.models import VisitService
from daysheet.staff.models import StaffMember
from tests.billing import Clinic
from tests.pages import filled

from .conftest import SignIn, at

ISSUED = date(2026, 11, 16)


@pytest.mark.parametrize(
    ("is_void", "open_cents", "today", "status"),
    [
        (False, 100, ISSUED, InvoiceStatus.OPEN),
        (False, 100, date(2026, 12, 16), InvoiceStatus.OPEN),
        (False, 100, date(2026, 12, 17), InvoiceStatus.OVERDUE),
        (False, 0, date(2027, 12, 17), InvoiceStatus.PAID),
        (True, 0, ISSUED, InvoiceStatus.VOID),
    ],
)
def test_the_status_is_computed_in_one_place(
    is_void: bool, open_cents: int, today: date, status: InvoiceStatus
) -> None:
    assert invoice_status(is_void=is_void, open_cents=open_cents, issued_on=ISSUED, today=today) is status


def test_the_page_shows_lines_sides_and_the_entries_behind_them(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(insured=True, copay_cents=2500), shop.talk, shop.letter)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    page = bob.get(at("invoice", number=number)).content.decode()
    assert "Invoice 1" in page
    assert "9T001" in page
    assert "$190.00" in page
    found = invoice_by_number(shop.biller, number)
    assert (found.total_cents, found.client_open_cents, found.insurance_open_cents) == (19000, 6500, 12500)
    assert sum(entry.amount_cents for entry in found.entries) == 19000
    assert found.status is InvoiceStatus.OPEN


def test_an_invoice_of_nothing_is_fully_paid_at_birth(shop: Clinic) -> None:
    visit, _ = shop.visit(shop.client(), shop.letter, rates=(0,))
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    found = invoice_by_number(shop.biller, number)
    assert (found.total_cents, found.status, found.entries) == (0, InvoiceStatus.PAID, ())


def test_a_later_change_of_names_does_not_touch_the_page(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    visit, _ = shop.visit(client, shop.talk)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    Client.objects.filter(pk=client).update(last_name="Renamed")
    assert invoice_by_number(shop.biller, number).client_name == "Ana Ruiz"
    assert "Renamed" not in bob.get(at("invoice", number=number)).content.decode()


def test_voiding_says_what_it_does_then_frees_the_visit(shop: Clinic, bob: Browser) -> None:
    visit, services = shop.visit(shop.client(), shop.talk)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    asked = bob.get(at("void_invoice", number=number)).text
    assert "1 date of service is unbilled again" in asked
    done = bob.post(at("void_invoice", number=number), filled(asked, reason="Wrong client", confirmed="1"))
    assert (done.status_code, done["Location"]) == (303, at("invoice", number=number))
    found = invoice_by_number(shop.biller, number)
    assert (found.status, found.void and found.void.reason) == (InvoiceStatus.VOID, "Wrong client")
    assert (found.total_cents, found.open_cents, found.settled_cents) == (15000, 0, 0)
    assert VisitService.objects.get(pk=services[0]).line_id is None


def test_a_void_needs_a_reason_and_happens_once(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    url = at("void_invoice", number=number)
    asked = bob.post(url, filled(bob.get(url).text, reason=" ", confirmed="1"))
    assert asked.status_code == 422 and "What this does" in asked.text
    assert InvoiceVoid.objects.count() == 0
    sent = filled(asked.text, reason="Wrong client", confirmed="1")
    assert bob.post(url, sent).status_code == 303
    again = bob.post(url, sent | {"request_key": str(uuid4()), "reason": "Again"})
    assert (again.status_code, "voided already" in again.text) == (422, True)
    assert "has been voided already" in bob.get(url).text
    assert InvoiceVoid.objects.count() == 1


def test_a_limited_person_finds_only_the_invoices_of_assigned_clients(shop: Clinic) -> None:
    mine, other = shop.client("Mine"), shop.client("Other")
    numbers = []
    for client in (mine, other):
        visit, _ = shop.visit(client, shop.talk)
        numbers.append(bill_visit(shop.biller, visit_id=visit).created[0].number)
    StaffMember.objects.filter(pk=shop.cast.bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=mine, staff_member_id=shop.cast.bob.staff_member_id)
    limited = shop.cast.actor(shop.cast.bob)
    assert invoice_by_number(limited, numbers[0]).client_id == mine
    with pytest.raises(NotFound):
        invoice_by_number(limited, numbers[1])


@pytest.mark.parametrize("page", ["invoice", "void_invoice"])
def test_without_billing_the_pages_refuse_and_a_stranger_finds_nothing(
    shop: Clinic, sign_in: SignIn, page: str
) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    assert sign_in(shop.cast.dan).get(at(page, number=number)).status_code == 403
    assert sign_in(shop.cast.charlie).get(at(page, number=number)).status_code == 404
    assert sign_in(shop.cast.bob).get(at(page, number=number + 1)).status_code == 404


@pytest.mark.parametrize("lines", [1, 9])
def test_the_number_of_queries_does_not_grow(
    shop: Clinic, bob: Browser, lines: int, django_assert_max_num_queries: object
) -> None:
    visit, _ = shop.visit(shop.client(), *[shop.talk] * lines)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        assert bob.get(at("invoice", number=number)).status_code == 200

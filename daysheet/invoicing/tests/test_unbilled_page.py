"""Unbilled: every date that is not billed is listed with what stops it, and only to those who may see it."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client as Browser

from daysheet.clients.models import ClientAssignment
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.queries.unbilled import Stop, unbilled_count, unbilled_page
from daysheet.schedule.models import Visit, VisitService
from daysheet.staff.models import StaffMember
from tests.billing import Clinic

from .conftest import SignIn, at

OLD = date(2026, 10, 5)
TODAY = date(2026, 11, 16)
LATER = date(2026, 12, 1)


def test_each_date_says_what_stops_it_oldest_first(shop: Clinic) -> None:
    client = shop.client()
    ready, _ = shop.visit(client, shop.talk, day=OLD)
    bare, _ = shop.visit(client, day=date(2026, 10, 6))
    missed, _ = shop.visit(client, day=date(2026, 10, 7), status="no_show")
    unlicensed, _ = shop.visit(client, shop.talk, day=date(2026, 10, 8), staff_member_id=shop.cast.dan.staff_member_id)
    waiting, _ = shop.visit(client, shop.talk, day=date(2026, 10, 9), status="upcoming")
    rows = unbilled_page(shop.biller).rows
    assert [(row.visit_id, row.stop) for row in rows] == [
        (ready, Stop.NOTHING),
        (bare, Stop.NO_SERVICE),
        (missed, Stop.NO_FEE_DECISION),
        (unlicensed, Stop.REFUSED),
        (waiting, Stop.NOT_MARKED),
    ]
    assert "Dan Desk has no AMA CPT license for 2026" in rows[3].reason
    assert rows[0].amount_cents == 15000
    assert rows[3].amount_cents is None


def test_what_is_billed_waived_canceled_or_in_the_future_is_not_listed(shop: Clinic) -> None:
    client = shop.client()
    billed, _ = shop.visit(client, shop.talk, day=OLD)
    bill_visit(shop.biller, visit_id=billed)
    shop.visit(client, shop.talk, day=LATER)
    waived, _ = shop.visit(client, day=OLD, status="no_show")
    Visit.objects.filter(pk=waived).update(fee_waived_reason="First time")
    canceled, _ = shop.visit(client, shop.talk, day=OLD, status="canceled")
    VisitService.objects.filter(visit_id=canceled).update(is_suspended=True)
    assert unbilled_page(shop.biller).rows == ()
    assert (unbilled_count(shop.biller).count, unbilled_count(shop.biller).oldest_age_days) == (0, None)


def test_the_count_is_of_dates_not_services_with_the_age_of_the_oldest(shop: Clinic) -> None:
    client = shop.client()
    shop.visit(client, shop.talk, shop.letter, day=OLD)
    shop.visit(client, shop.talk, day=TODAY)
    shop.visit(client, shop.talk, day=LATER)
    counted = unbilled_count(shop.biller)
    assert (counted.count, counted.oldest_age_days) == (2, 42)


def test_a_person_limited_to_assigned_clients_counts_and_sees_only_theirs(shop: Clinic) -> None:
    mine, other = shop.client("Mine"), shop.client("Other")
    shop.visit(mine, shop.talk, day=OLD)
    shop.visit(other, shop.talk, day=OLD)
    StaffMember.objects.filter(pk=shop.cast.bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=mine, staff_member_id=shop.cast.bob.staff_member_id)
    limited = shop.cast.actor(shop.cast.bob)
    assert unbilled_count(limited).count == 1
    assert [row.client_name for row in unbilled_page(limited).rows] == ["Mine, Ana"]


def test_the_page_shows_the_reasons_and_adds_an_invoice(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=OLD)
    answer = bob.get(at("unbilled"))
    assert answer.status_code == 200
    assert "Nothing stops it." in answer.content.decode()
    assert "<b>1</b> unbilled · oldest 42 days" in answer.content.decode()
    added = bob.post(at("add_invoice", visit=visit), {"next": at("unbilled")})
    assert (added.status_code, added["Location"]) == (303, at("unbilled"))
    assert "Nothing is unbilled" in bob.get(at("unbilled")).content.decode()


def test_staff_narrows_the_page(shop: Clinic, bob: Browser) -> None:
    shop.visit(shop.client(), shop.talk, day=OLD)
    carol, dan = shop.cast.carol.staff_member_id, shop.cast.dan.staff_member_id
    assert "Ruiz, Ana" in bob.get(at("unbilled"), {"staff": str(carol)}).content.decode()
    assert "Ruiz, Ana" not in bob.get(at("unbilled"), {"staff": str(dan)}).content.decode()


def test_only_an_administrator_is_offered_to_assign_the_license(shop: Clinic) -> None:
    from daysheet.invoicing.mending import mend_of

    offer = {"client_id": shop.client(), "service_on": OLD, "staff_member_id": shop.cast.dan.staff_member_id}
    assert mend_of(shop.biller, "license_missing", **offer) is None


def test_without_billing_the_page_refuses_and_a_stranger_finds_nothing(shop: Clinic, sign_in: SignIn) -> None:
    assert sign_in(shop.cast.dan).get(at("unbilled")).status_code == 403
    assert sign_in(shop.cast.charlie).get(at("unbilled")).status_code == 404


@pytest.mark.parametrize("visits", [1, 12])
def test_the_number_of_queries_does_not_grow(
    shop: Clinic, bob: Browser, visits: int, django_assert_max_num_queries: object
) -> None:
    for number in range(visits):
        shop.visit(shop.client(f"Client{number}"), shop.talk, day=OLD)
    with django_assert_max_num_queries(32):  # type: ignore[operator]
        assert bob.get(at("unbilled")).status_code == 200

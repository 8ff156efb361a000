"""Which dates a batch search finds, and which of them come ticked, beyond what the page's own tests show (B4)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.db.models import QuerySet

from daysheet.invoicing.actions import issue_invoices
from daysheet.invoicing.models import Invoice
from daysheet.invoicing.queries.batch_search import SearchFilters, find_unbilled_dates
from daysheet.invoicing.selection import Selection
from daysheet.practices.models import Location
from daysheet.schedule.models import Appointment, Visit, VisitService
from tests.billing import DAY, Clinic


def _found(shop: Clinic, **filters: object) -> dict[UUID, bool]:
    """The dates of the day, and whether each comes ticked."""
    wanted = SearchFilters(DAY, DAY, **filters)  # type: ignore[arg-type]
    return {each.visit_id: each.is_default for each in find_unbilled_dates(shop.biller, wanted)}


def _appointment(visit_id: UUID) -> QuerySet[Appointment]:
    return Appointment.objects.filter(pk__in=Visit.objects.filter(pk=visit_id).values("appointment_id"))


def _missed(shop: Clinic, status: str) -> tuple[UUID, tuple[UUID, ...]]:
    """A visit that did not happen, with two services put aside."""
    visit, services = shop.visit(shop.client(), shop.talk, shop.letter, status=status)
    VisitService.objects.filter(pk__in=services).update(is_suspended=True)
    return visit, services


@pytest.mark.parametrize("status", ["no_show", "late_cancel"])
def test_a_fee_ticks_the_date_of_somebody_who_did_not_come(shop: Clinic, status: str) -> None:
    without, _ = _missed(shop, status)
    charged, (_, fee) = _missed(shop, status)
    VisitService.objects.filter(pk=fee).update(is_suspended=False, is_fee=True)
    unasked, (put_back, _) = _missed(shop, status)
    VisitService.objects.filter(pk=put_back).update(is_suspended=False)
    assert _found(shop) == {without: False, charged: True, unasked: False}


@pytest.mark.parametrize("status", ["no_show", "late_cancel", "canceled", "rescheduled"])
def test_a_missed_date_of_which_something_is_billed_is_not_found(shop: Clinic, status: str) -> None:
    visit, (talk, letter) = _missed(shop, status)
    VisitService.objects.filter(pk=letter).update(is_suspended=False)
    assert issue_invoices(shop.biller, selection=Selection((letter,)), door=Invoice.Door.LEDGER).created
    assert VisitService.objects.get(pk=talk).is_suspended
    assert visit not in _found(shop)


def test_a_missed_date_with_nothing_left_on_it_is_not_found(shop: Clinic) -> None:
    visit, services = _missed(shop, "canceled")
    VisitService.objects.filter(pk=services[0]).update(removed_at=shop.biller.now)
    assert visit in _found(shop)
    VisitService.objects.filter(pk=services[1]).update(removed_at=shop.biller.now)
    assert visit not in _found(shop)
    kept, (only,) = shop.visit(shop.client(), shop.talk)
    VisitService.objects.filter(pk=only).update(is_suspended=True, removed_at=shop.biller.now)
    assert kept not in _found(shop)


def test_a_date_of_today_comes_ticked_from_its_hour_on(shop: Clinic) -> None:
    today, now = shop.biller.today, shop.biller.now
    begun, _ = shop.visit(shop.client(), shop.talk, day=today, status="upcoming")
    ahead, _ = shop.visit(shop.client(), shop.talk, day=today, status="upcoming")
    for visit, starts_at in ((begun, now), (ahead, now + timedelta(minutes=1))):
        _appointment(visit).update(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=50))
    found = find_unbilled_dates(shop.biller, SearchFilters(today, today))
    assert {each.visit_id: each.is_default for each in found} == {begun: True, ahead: False}


def test_a_location_narrows_the_search(shop: Clinic) -> None:
    here, _ = shop.visit(shop.client(), shop.talk)
    there, _ = shop.visit(shop.client(), shop.talk)
    annex = Location.objects.create(name="Annex", place_of_service="02")
    _appointment(there).update(location=annex)
    assert _found(shop, location_id=annex.pk) == {there: True}
    assert _found(shop, location_id=shop.location.pk) == {here: True}

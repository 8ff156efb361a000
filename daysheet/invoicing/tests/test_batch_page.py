"""Batch Invoicing: search, ticks that survive paging, edits, the exact promise, and the batch that comes of it (B4)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.clients.models import ClientAssignment
from daysheet.invoicing.batch_form import Ticks, read_ticks
from daysheet.invoicing.models import Batch, BatchItem
from daysheet.invoicing.queries.batch_search import FoundPart, SearchFilters, find_first_dates, find_unbilled_dates
from daysheet.invoicing.views import batch_page
from daysheet.schedule.models import Visit, VisitService
from daysheet.staff.models import StaffMember
from tests.billing import Clinic

from .conftest import SignIn, at

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 30)
DAY = date(2026, 11, 2)
HTMX = {"HTTP_HX_REQUEST": "true"}


def search(**filters: Any) -> str:
    """The address of a search of November."""
    query = {"from_on": FIRST.isoformat(), "to_on": LAST.isoformat(), **filters}
    return at("batch") + "?" + "&".join(f"{name}={value}" for name, value in query.items())


def ticked(page: str) -> set[str]:
    """The dates that are ticked on a page."""
    boxes = re.findall(r'<input type="checkbox" id="tick-([0-9a-f-]+)"[^>]*?( checked)?(?: aria-label="[^"]*")>', page)
    return {visit_id for visit_id, checked in boxes if checked}


def listed(page: str) -> set[str]:
    """The dates on a page."""
    return set(re.findall(r'id="tick-([0-9a-f-]+)"', page))


def hidden(page: str, name: str) -> str:
    """A hidden field's value."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def suspended(shop: Clinic, client: UUID, status: str) -> UUID:
    """A visit that did not happen, with its service kept but not to be billed."""
    visit, _ = shop.visit(client, shop.talk, day=DAY, status=status)
    VisitService.objects.filter(visit_id=visit).update(is_suspended=True)
    return visit


def test_dates_come_ticked_as_the_rules_say(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    kept, _ = shop.visit(client, shop.talk, day=DAY)
    past, _ = shop.visit(client, shop.talk, day=DAY, status="upcoming")
    shop.visit(client, shop.talk, day=date(2026, 11, 25), status="upcoming")
    with_fee, (fee,) = shop.visit(client, shop.letter, day=DAY, status="no_show")
    VisitService.objects.filter(pk=fee).update(is_fee=True)
    for status in ("no_show", "late_cancel", "canceled", "rescheduled"):
        suspended(shop, client, status)
    page = bob.get(search()).content.decode()
    assert len(listed(page)) == 8
    assert ticked(page) == {str(kept), str(past), str(with_fee)}
    assert "Canceled." in page
    hiding = bob.get(search(hide="on")).content.decode()
    assert len(listed(hiding)) == 3


def test_the_page_waits_for_search_and_names_the_current_month(shop: Clinic, bob: Browser) -> None:
    shop.visit(shop.client(), shop.talk, day=DAY)
    page = bob.get(at("batch")).content.decode()
    assert 'value="2026-11-01"' in page
    assert 'value="2026-11-30"' in page
    assert not listed(page)
    assert all(label in page for label in ("Create New Invoices", "Process Existing Invoices", "History"))


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [
        ({"client": "ruiz"}, {"Ruiz"}),
        ({"pays_by": "insurance"}, {"Insured"}),
        ({"service": "letter"}, {"Ruiz"}),
        ({"staff": "dan"}, {"Insured"}),
        ({}, {"Ruiz", "Insured"}),
    ],
)
def test_filters_narrow_the_search(shop: Clinic, narrowed: dict[str, str], expected: set[str]) -> None:
    people = {shop.client("Ruiz"): "Ruiz", shop.client("Insured", insured=True): "Insured"}
    ruiz, insured = people
    shop.visit(ruiz, shop.talk, shop.letter, day=DAY)
    shop.visit(insured, shop.talk, day=DAY, staff_member_id=shop.cast.dan.staff_member_id)
    filters = SearchFilters(
        FIRST,
        LAST,
        client_text=narrowed.get("client", ""),
        pays_by=narrowed.get("pays_by", ""),
        service_type_id=shop.letter.pk if "service" in narrowed else None,
        staff_member_id=shop.cast.dan.staff_member_id if "staff" in narrowed else None,
    )
    found = find_unbilled_dates(shop.biller, filters)
    assert {people[each.client_id] for each in found} == expected
    assert find_first_dates(shop.biller, filters, 9) == FoundPart(found, len(expected), len(found), len(found))


def test_the_first_clients_come_with_the_counts_of_all(shop: Clinic) -> None:
    for name in ("Clark", "Adams", "Baker"):
        client = shop.client(name)
        for day in (DAY, DAY + timedelta(days=1)):
            shop.visit(client, shop.talk, day=day)
    Visit.objects.filter(client__last_name="Clark", service_on=DAY).update(status="no_show")
    filters = SearchFilters(FIRST, LAST)
    found = find_unbilled_dates(shop.biller, filters)
    assert find_first_dates(shop.biller, filters, 2) == FoundPart(found[:4], 3, 6, 5)
    nothing = SearchFilters(FIRST, LAST, client_text="nobody")
    assert find_first_dates(shop.biller, nothing, 2) == FoundPart([], 0, 0, 0)


def test_ticks_survive_paging_and_select_all_reaches_every_page(
    shop: Clinic, bob: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_page, "CLIENTS_PER_PAGE", 1)
    visits = [shop.visit(shop.client(name), shop.talk, day=DAY)[0] for name in ("Adams", "Baker", "Clark")]
    one = bob.get(search()).content.decode()
    assert listed(one) == {str(visits[0])}
    assert "Clients 1–1 of 3" in one
    sent = {name: hidden(one, name) for name in ("base", "on", "off", "shown", "here")}
    two = bob.post(search(), {**sent, "go": "2"}).content.decode()  # nothing ticked on page 1
    assert (ticked(two), hidden(two, "off")) == ({str(visits[1])}, str(visits[0]))
    sent = {name: hidden(two, name) for name in ("base", "on", "off", "shown", "here")}
    back = bob.post(search(), {**sent, "visit": str(visits[1]), "go": "1"}).content.decode()
    assert ticked(back) == set()
    everything = bob.post(search(), {"select": "all"}).content.decode()
    assert hidden(everything, "base") == "all"
    sent = {name: hidden(everything, name) for name in ("base", "on", "off", "shown", "here")}
    promise = bob.post(search(), {**sent, "visit": str(visits[0]), "create": "1"}).content.decode()
    assert "3 invoices for 3 clients, 3 dates of service, $450.00 in all." in promise


def test_the_dialogue_names_count_and_total_and_yes_starts_the_batch_once(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    visits = [shop.visit(client, shop.talk, day=day)[0] for day in (DAY, date(2026, 11, 3))]
    sent: dict[str, Any] = {"shown": " ".join(map(str, visits)), "visit": list(map(str, visits)), "create": "1"}
    sent |= {"batch_id": str(uuid4()), "grouping": "date"}
    dialogue = bob.post(search(), sent, **HTMX).content.decode()
    assert "2 invoices for 1 client, 2 dates of service, $300.00 in all." in dialogue
    assert "Yes, I&#x27;m sure" in dialogue or "Yes, I'm sure" in dialogue
    assert "<html" not in dialogue
    assert Batch.objects.count() == 0
    del sent["create"]
    yes = {**sent, "confirmed": "yes", "expected_count": "2", "expected_cents": "30000"}
    answers = [bob.post(search(), yes) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [at("batch_run", batch=sent["batch_id"])] * 2
    batch = Batch.objects.get()
    assert (batch.expected_count, batch.expected_cents, batch.grouping) == (2, 30000, "date")
    assert len(BatchItem.objects.get().visit_service_ids) == 2


def test_without_script_the_confirm_page_carries_everything(shop: Clinic, bob: Browser) -> None:
    visit, (service,) = shop.visit(shop.client(), shop.talk, day=DAY)
    sent = {"shown": str(visit), "visit": str(visit), "create": "1", f"edit-{service}-rate": "99.00"}
    page = bob.post(search(), sent).content.decode()
    assert "1 invoice for 1 client, 1 date of service, $99.00 in all." in page
    carried = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))
    assert bob.post(search(), {**carried, "confirmed": "yes"}).status_code == 303
    (edit,) = BatchItem.objects.get().edits.values()
    assert edit == {"rate_cents": 9900}


def test_a_yes_to_another_total_is_asked_again(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    sent = {"shown": str(visit), "visit": str(visit), "confirmed": "yes", "expected_count": "1", "expected_cents": "1"}
    page = bob.post(search(), sent).content.decode()
    assert "Something changed since you looked" in page
    assert Batch.objects.count() == 0


def test_what_will_be_refused_is_said_and_the_rest_is_promised(shop: Clinic, bob: Browser) -> None:
    good, _ = shop.visit(shop.client("Good"), shop.talk, day=DAY)
    bad, _ = shop.visit(shop.client("Bad"), shop.talk, day=DAY, staff_member_id=shop.cast.dan.staff_member_id)
    both = {"shown": f"{good} {bad}", "visit": [str(good), str(bad)], "create": "1"}
    page = bob.post(search(), both).content.decode()
    assert "1 invoice for 1 client, 1 date of service, $150.00 in all. 1 ticked date of service cannot be" in page
    alone = bob.post(search(), {"shown": f"{good} {bad}", "visit": str(bad), "create": "1"})
    assert alone.status_code == 422


def test_nothing_ticked_is_refused(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    answer = bob.post(search(), {"shown": str(visit), "create": "1"})
    assert answer.status_code == 422
    assert "Nothing is ticked" in answer.content.decode()


def test_a_canceled_visit_ticked_on_purpose_is_marked_so(shop: Clinic, bob: Browser) -> None:
    visit = suspended(shop, shop.client(), "canceled")
    sent = {"shown": str(visit), "visit": str(visit), "confirmed": "yes"}
    bob.post(search(), {**sent, "expected_count": "1", "expected_cents": "15000"})
    (edit,) = BatchItem.objects.get().edits.values()
    assert edit == {"bill_although_suspended": True}


def test_edit_opens_the_fields_of_one_date_keeping_its_tick(shop: Clinic, bob: Browser) -> None:
    visit, (service,) = shop.visit(shop.client(), shop.talk, day=DAY)
    part = bob.get(at("batch_edit"), {"edit": str(visit), "visit": str(visit)}, **HTMX).content.decode()
    assert f'name="edit-{service}-rate" value="150.00"' in part
    assert ticked(part) == {str(visit)}
    whole = bob.post(search(), {"shown": str(visit), "edit": str(visit)}).content.decode()
    assert f'name="edit-{service}-rate"' in whole
    assert ticked(whole) == set()


def test_an_edit_that_cannot_be_read_starts_nothing(shop: Clinic, bob: Browser) -> None:
    visit, (service,) = shop.visit(shop.client(), shop.talk, day=DAY)
    sent = {"shown": str(visit), "visit": str(visit), "create": "1", f"edit-{service}-units": "0"}
    assert bob.post(search(), sent).status_code == 422


def test_a_limited_person_finds_only_assigned_clients(shop: Clinic) -> None:
    mine, other = shop.client("Mine"), shop.client("Other")
    for client in (mine, other):
        shop.visit(client, shop.talk, day=DAY)
    StaffMember.objects.filter(pk=shop.cast.bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=mine, staff_member_id=shop.cast.bob.staff_member_id)
    found = find_unbilled_dates(shop.cast.actor(shop.cast.bob), SearchFilters(FIRST, LAST))
    assert {each.client_id for each in found} == {mine}
    first = find_first_dates(shop.cast.actor(shop.cast.bob), SearchFilters(FIRST, LAST), 9)
    assert (first.dates, first.client_count, first.date_count) == (found, 1, 1)


def test_ticks_keep_only_what_differs_from_how_the_dates_came() -> None:
    on, off, plain = uuid4(), uuid4(), uuid4()
    ticks = read_ticks({"shown": f"{on} {off} {plain}"}, [str(on), str(plain), "nonsense"])
    kept = ticks.pruned({on: False, off: True, plain: True})
    assert kept == Ticks("default", frozenset({on}), frozenset({off}))


@pytest.mark.parametrize("page", ["batch", "batch_edit"])
def test_without_billing_the_pages_refuse_and_a_stranger_finds_nothing(
    shop: Clinic, sign_in: SignIn, page: str
) -> None:
    visit, _ = shop.visit(shop.client(), shop.talk, day=DAY)
    url = at(page) + f"?edit={visit}"
    assert sign_in(shop.cast.dan).get(url).status_code == 403
    assert sign_in(shop.cast.charlie).get(url).status_code == 404


def test_the_number_of_queries_does_not_grow(
    shop: Clinic, bob: Browser, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    shop.visit(shop.client("First"), shop.talk, day=DAY)
    with django_assert_max_num_queries(24) as few:
        assert "First" in bob.get(search()).content.decode()
    for number in range(12):
        shop.visit(shop.client(f"Client{number}"), shop.talk, day=DAY)
    with django_assert_num_queries(len(few)):
        assert "Client11" in bob.get(search()).content.decode()

"""Ledger, New Invoice: the editor holds every unbilled date of its filter, and saves exactly what it shows (B3)."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.schedule.models import VisitService
from tests.billing import Clinic

from .conftest import SignIn, at

RECENT = date(2026, 11, 2)
OLD = date(2026, 8, 3)
FUTURE = date(2026, 12, 7)


def item(number: int = 0, **typed: Any) -> dict[str, str]:
    """The fields of a manual item."""
    fields = {"name": "", "service": "", "service_on": "2026-11-10", "units": "1", "rate": "", "side": "client"}
    fields |= {name: str(value) for name, value in typed.items()}
    return {"items-TOTAL_FORMS": str(number + 1), **{f"items-{number}-{name}": v for name, v in fields.items()}}


def held(page: str) -> set[str]:
    """The lines on the page."""
    return set(re.findall(r'name="line" value="([0-9a-f-]+)"', page))


def test_the_filter_holds_recent_past_or_all_dates(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    recent, old, future = (shop.visit(client, shop.talk, day=day)[1][0] for day in (RECENT, OLD, FUTURE))
    url = at("new_invoice", client=client)
    page = bob.get(url).content.decode()
    assert all(label in page for label in ("Recent 30 Days", "All Past", "All", "Add an Invoice Item"))
    assert held(page) == {str(recent)}
    assert held(bob.get(url, {"show": "past"}).content.decode()) == {str(recent), str(old)}
    assert held(bob.post(url, {"show": "all"}).content.decode()) == {str(recent), str(old), str(future)}


def test_fifty_items_are_kept_and_there_is_no_fifty_first(shop: Clinic, bob: Browser) -> None:
    """Found by reading: from the fifty-first on all of them were gone without a word."""
    url = at("new_invoice", client=shop.client())
    fifty: dict[str, str] = {}
    for number in range(50):
        fifty |= item(number, name=f"Report {number}", rate="1")
    page = bob.post(url, {**fifty, "add_item": "1"}).text
    assert 'name="items-TOTAL_FORMS" id="id_items-TOTAL_FORMS" value="50"' in page
    assert "An invoice has room for 50 items." in page and 'id="add-item"' not in page
    assert bob.post(url, {**item(50, name="One more", rate="1"), **fifty, "items-TOTAL_FORMS": "51"}).status_code == 400
    assert bob.post(url, {**fifty, "then": "save", "request_key": str(uuid4())}).status_code == 303
    assert InvoiceLine.objects.count() == 50


def test_x_takes_a_line_off_this_invoice_only(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    one, two = (shop.visit(client, shop.talk, day=RECENT)[1][0] for _ in range(2))
    url = at("new_invoice", client=client)
    page = bob.post(url, {"take_off": str(one), "line": [str(one), str(two)]}).content.decode()
    assert held(page) == {str(two)}
    assert "Put back" in page
    back = bob.post(url, {"put_back": str(one), "removed": str(one)}).content.decode()
    assert held(back) == {str(one), str(two)}
    bob.post(url, {"then": "save", "removed": str(one), "line": [str(two)], "request_key": str(uuid4())})
    assert VisitService.objects.get(pk=one).line_id is None
    assert VisitService.objects.get(pk=two).line_id is not None


def test_what_was_edited_is_billed_and_only_that_counts_as_edited(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    _, (service,) = shop.visit(client, shop.talk, day=RECENT)
    key = f"edit-{service}"
    edited = {f"{key}-rate": "120.00", f"{key}-units": "2", f"{key}-place": "10", f"{key}-modifiers": "95, gt"}
    edited |= {f"{key}-provider": str(shop.cast.carol.staff_member_id), f"{key}-note": "Longer"}
    sent = {"then": "stay", "line": str(service), "request_key": str(uuid4()), **edited}
    answer = bob.post(at("new_invoice", client=client), sent)
    assert (answer.status_code, answer["Location"]) == (303, at("invoice", number=1))
    line = InvoiceLine.objects.get()
    assert (line.amount_cents, line.units, line.place_of_service, line.modifiers, line.note, line.price_source) == (
        24000, 2, "10", ["95", "GT"], "Longer", "edited",
    )  # fmt: skip


def test_a_rate_left_as_it_was_is_not_an_edit(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    _, (service,) = shop.visit(client, shop.talk, day=RECENT)
    key = f"edit-{service}"
    sent = {f"{key}-rate": "150", f"{key}-units": "1", f"{key}-place": "11", f"{key}-modifiers": ""}
    sent |= {f"{key}-provider": str(shop.cast.carol.staff_member_id), f"{key}-note": ""}
    bob.post(at("new_invoice", client=client), {"then": "save", "line": str(service), **sent})
    assert InvoiceLine.objects.get().price_source == "service"


def test_an_edit_that_cannot_be_read_is_refused_and_nothing_is_billed(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    _, (service,) = shop.visit(client, shop.talk, day=RECENT)
    sent = {"then": "save", "line": str(service), f"edit-{service}-rate": "lots", f"edit-{service}-units": "1"}
    answer = bob.post(at("new_invoice", client=client), sent)
    assert answer.status_code == 422
    assert "not an amount" in answer.content.decode()
    assert Invoice.objects.count() == 0


def test_the_same_form_sent_twice_is_one_invoice(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    _, (service,) = shop.visit(client, shop.talk, day=RECENT)
    sent = {"then": "stay", "line": str(service), "request_key": str(uuid4())}
    answers = [bob.post(at("new_invoice", client=client), sent) for _ in range(2)]
    assert [answer["Location"] for answer in answers] == [at("invoice", number=1)] * 2
    assert Invoice.objects.count() == 1


def test_a_manual_item_of_free_text_is_billed(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    sent = {"then": "print", "request_key": str(uuid4()), **item(name="Copies of records", rate="12.50", units=2)}
    answer = bob.post(at("new_invoice", client=client), sent)
    assert answer["Location"] == at("invoice", number=1) + "print/"
    line = InvoiceLine.objects.get()
    assert (line.name, line.amount_cents, line.client_cents, line.visit_service_id) == (
        "Copies of records",
        2500,
        2500,
        None,
    )


def test_an_item_without_a_rate_takes_the_service_types(shop: Clinic, bob: Browser) -> None:
    bob.post(at("new_invoice", client=shop.client()), {"then": "save", **item(service=shop.letter.pk)})
    assert InvoiceLine.objects.get().rate_cents == 4000


def test_an_item_like_an_unbilled_date_warns_once_and_never_blocks(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    _, (old,) = shop.visit(client, shop.letter, day=OLD)
    url = at("new_invoice", client=client)
    sent = {"then": "save", "request_key": str(uuid4()), **item(service=shop.letter.pk)}
    warned = bob.post(url, sent)
    assert warned.status_code == 422
    page = warned.content.decode()
    assert "Link it instead" in page
    assert f'value="0:{old}"' in page
    token = re.search(r'name="warned" value="([^"]+)"', page)
    assert token
    assert bob.post(url, {**sent, "warned": token.group(1)}).status_code == 303
    assert InvoiceLine.objects.get().visit_service_id is None


def test_link_it_instead_keeps_the_date_and_drops_the_item(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    _, (old,) = shop.visit(client, shop.letter, day=OLD)
    page = bob.post(at("new_invoice", client=client), {"link": f"0:{old}", **item(service=shop.letter.pk)})
    text = page.content.decode()
    assert held(text) == {str(old)}
    assert 'id="id_items-TOTAL_FORMS" value="0"' in text


def test_removing_an_item_keeps_the_others(shop: Clinic, bob: Browser) -> None:
    two = {**item(0, name="First", rate="1"), **item(1, name="Second", rate="2")}
    page = bob.post(at("new_invoice", client=shop.client()), {"drop": "0", **two}).content.decode()
    assert "First" not in page
    assert "Second" in page


def test_a_date_billed_meanwhile_is_not_billed_twice(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    visit, (service,) = shop.visit(client, shop.talk, day=RECENT)
    bill_visit(shop.biller, visit_id=visit)
    answer = bob.post(at("new_invoice", client=client), {"then": "save", "line": str(service)})
    assert answer.status_code == 422
    assert "Already billed on invoice 1" in answer.content.decode()


def test_lines_of_another_client_are_ignored(shop: Clinic, bob: Browser) -> None:
    _, (service,) = shop.visit(shop.client("Other"), shop.talk, day=RECENT)
    answer = bob.post(at("new_invoice", client=shop.client()), {"then": "save", "line": str(service)})
    assert answer.status_code == 422
    assert Invoice.objects.count() == 0


def test_a_missing_licence_stops_the_invoice_and_names_person_and_year(shop: Clinic, bob: Browser) -> None:
    client = shop.client()
    dan = shop.cast.dan.staff_member_id
    _, (service,) = shop.visit(client, shop.talk, day=RECENT, staff_member_id=dan)
    answer = bob.post(at("new_invoice", client=client), {"then": "save", "line": str(service)})
    assert answer.status_code == 422
    assert "Dan Desk has no AMA CPT license for 2026" in answer.content.decode()


def test_without_billing_the_editor_refuses_and_a_stranger_finds_nothing(shop: Clinic, sign_in: SignIn) -> None:
    url = at("new_invoice", client=shop.client())
    assert sign_in(shop.cast.dan).get(url).status_code == 403
    assert sign_in(shop.cast.dan).post(url, {"then": "save"}).status_code == 403
    assert sign_in(shop.cast.charlie).get(url).status_code == 404
    assert sign_in(shop.cast.bob).get(at("new_invoice", client=uuid4())).status_code == 404


@pytest.mark.parametrize("visits", [1, 15])
def test_the_number_of_queries_does_not_grow(
    shop: Clinic, bob: Browser, visits: int, django_assert_max_num_queries: object
) -> None:
    client = shop.client()
    for _ in range(visits):
        shop.visit(client, shop.talk, day=RECENT)
    with django_assert_max_num_queries(32):  # type: ignore[operator]
        assert bob.get(at("new_invoice", client=client)).status_code == 200


@pytest.mark.parametrize("kind", ["item", "line"])
def test_a_line_of_an_absurd_amount_is_refused_in_words_and_nothing_is_billed(
    shop: Clinic, bob: Browser, kind: str
) -> None:
    """Rate and units are each within their bounds; the line is not. Found by trying: it was billed."""
    client = shop.client()
    _, (service,) = shop.visit(client, shop.letter, day=RECENT)
    sent = {"then": "save", "line": str(service), "request_key": str(uuid4())}
    if kind == "item":
        sent |= item(name="Records", rate="9999999.99", units=999)
    else:
        sent |= {f"edit-{service}-rate": "9999999.99", f"edit-{service}-units": "999"}
    answer = bob.post(at("new_invoice", client=client), sent)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert "no line may be more than $10,000,000.00. Correct its rate or its units." in text
    assert not Invoice.objects.exists()
    sent |= item(name="Records", rate="9" * 30, units="9" * 30)
    assert bob.post(at("new_invoice", client=client), sent).status_code == 422

"""Good Faith Estimates: when they are due, what they must say, and the warning before a bill may be disputed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from daysheet.clients.actions import add_diagnosis, edit_client, set_bill_to
from daysheet.clients.models import Client
from daysheet.documents.composing.estimates import estimate_papers
from daysheet.documents.estimates.actions import (
    EstimateTerms,
    ExpectedService,
    NotEstimated,
    give_estimate,
    note_estimate_request,
)
from daysheet.documents.estimates.proposal import propose_estimate
from daysheet.documents.estimates.queries import estimates_of, owed_estimates
from daysheet.documents.estimates.rules import (
    BilledLine,
    EstimateFacts,
    ItemFacts,
    Level,
    due_when_requested,
    due_when_scheduled,
    excesses,
    holidays_after,
    plus_weekdays,
    weekdays_after,
)
from daysheet.documents.models import Estimate, EstimateItem, MadeDocument
from daysheet.documents.rendering import render_pdf
from daysheet.invoicing.actions import bill_visit
from daysheet.kit.errors import NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.reports.tests.conftest import SignIn
from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
from tests.billing import Clinic

from .reading import assert_accessible, page_texts

TODAY = date(2026, 11, 16)
MONDAY = date(2026, 11, 2)


@pytest.mark.parametrize(
    ("scheduled", "service", "due"),
    [
        ("2026-11-02", "2026-11-03", None),
        ("2026-11-02", "2026-11-04", None),
        ("2026-11-02", "2026-11-05", "2026-11-03"),
        ("2026-11-06", "2026-11-11", "2026-11-09"),  # Friday: the weekend does not count
        ("2026-11-07", "2026-11-11", "2026-11-09"),  # Saturday
        ("2026-11-02", "2026-11-13", "2026-11-03"),  # nine days, and Veterans Day among them
        ("2026-11-02", "2026-11-16", "2026-11-03"),  # ten weekdays, but nine without Veterans Day: the earlier deadline
        ("2026-11-02", "2026-11-17", "2026-11-05"),
        ("2026-06-01", "2026-06-12", "2026-06-02"),
        ("2026-06-01", "2026-06-15", "2026-06-04"),  # ten business days ahead
        ("2026-12-31", "2027-03-01", "2027-01-05"),  # a holiday does not put the deadline off
    ],
)
def test_an_estimate_is_due_by_how_far_ahead_it_was_scheduled(scheduled: str, service: str, due: str | None) -> None:
    found = due_when_scheduled(date.fromisoformat(scheduled), date.fromisoformat(service))
    assert found == (date.fromisoformat(due) if due else None)


def test_a_request_is_answered_within_three_business_days() -> None:
    assert due_when_requested(date(2026, 11, 2)) == date(2026, 11, 5)
    assert due_when_requested(date(2026, 11, 5)) == date(2026, 11, 10)


def test_weekdays_are_counted_as_a_calendar_counts_them() -> None:
    for start in (date(2026, 10, 30) + timedelta(days=shift) for shift in range(8)):
        for length in range(40):
            end = start + timedelta(days=length)
            counted = sum((start + timedelta(days=day)).weekday() < 5 for day in range(1, length + 1))
            assert weekdays_after(start, end) == counted
            assert counted == 0 or weekdays_after(start, plus_weekdays(start, counted)) == counted


def test_the_holidays_of_a_year() -> None:
    assert holidays_after(date(2025, 12, 31), date(2026, 12, 31)) == 11
    assert holidays_after(date(2026, 7, 2), date(2026, 7, 3)) == 1, "July 4 2026 is a Saturday"
    assert holidays_after(date(2027, 12, 30), date(2027, 12, 31)) == 1, "New Year 2028 is a Saturday"


def _facts(expected: int, **changed: object) -> EstimateFacts:
    base = EstimateFacts(
        UUID(int=1), UUID(int=9), MONDAY, MONDAY, date(2027, 4, 30), expected, (ItemFacts(None, "9T001", 15000),)
    )
    return replace(base, **changed)  # type: ignore[arg-type]


def _line(cents: int, on: date = MONDAY, units: int = 1, code: str = "9T001") -> BilledLine:
    return BilledLine(on, None, code, units, cents)


@pytest.mark.parametrize(
    ("billed", "level"),
    [(0, Level.FINE), (15000, Level.FINE), (44999, Level.FINE), (45000, Level.NEAR), (54999, Level.NEAR),
     (55000, Level.DISPUTABLE), (90000, Level.DISPUTABLE)],
)  # fmt: skip
def test_a_bill_is_near_from_300_and_disputable_from_400_above(billed: int, level: Level) -> None:
    (found,) = excesses([_facts(15000)], [_line(billed)])
    assert found.level is level


def test_an_invoice_alone_may_be_far_above_what_its_services_were_expected_to_cost() -> None:
    year = _facts(12 * 15000)
    other = [_line(15000), _line(55000)]
    (found,) = excesses([year], other, [_line(55000)])
    assert (found.period_excess_cents, found.invoice_excess_cents, found.level) == (-110000, 40000, Level.DISPUTABLE)
    (unlisted,) = excesses([year], [_line(30000, code="X")], [_line(30000, code="X")])
    assert unlisted.level is Level.NEAR, "a service that the estimate does not name was not expected at all"


def test_the_newest_estimate_given_before_the_service_counts() -> None:
    old, new = _facts(15000), _facts(60000, id=UUID(int=2), given_on=date(2026, 11, 10))
    before, after = _line(60000, date(2026, 11, 9)), _line(60000, date(2026, 11, 10))
    found = {each.estimate_id: each.level for each in excesses([old, new], [before, after])}
    assert found == {old.id: Level.DISPUTABLE, new.id: Level.FINE}
    assert excesses([old], [_line(90000, date(2027, 5, 1))]) == [], "outside its days"
    assert excesses([new], [_line(90000, date(2026, 11, 9))]) == [], "before it was given"


@pytest.fixture
def payer(shop: Clinic) -> UUID:
    """A client who pays themselves, with a date of birth."""
    client = shop.client("Self")
    edit_client(shop.owner, client, birth_on=date(1984, 5, 6))
    return client


def _book(shop: Clinic, client: UUID, *days: int) -> None:
    assert shop.cast.carol.staff_member_id is not None
    for day in days:
        slot = Slot(TODAY + timedelta(days=day), time(9), 50, shop.cast.carol.staff_member_id, shop.location.pk)
        add_appointment(shop.owner, slot=slot, members={client: [ServiceChoice(shop.talk.pk)]})


def _terms(shop: Clinic, **changed: object) -> EstimateTerms:
    base = EstimateTerms(TODAY, TODAY + timedelta(days=180), "Talking", shop.location.pk, recurrence="weekly")
    return replace(base, **changed)  # type: ignore[arg-type]


def _give(shop: Clinic, client: UUID, *, quantity: int = 1, actor: Actor | None = None, **changed: object) -> UUID:
    service = ExpectedService(shop.talk.pk, shop.cast.carol.staff_member_id, quantity, 15000)
    return give_estimate(
        actor or shop.biller, client, estimate_id=new_id(), terms=_terms(shop, **changed), services=[service]
    )


def test_the_list_says_who_is_owed_one_and_by_when(shop: Clinic, payer: UUID) -> None:
    insured = shop.client("Covered", insured=True)
    soon, asked = shop.client("Soon"), shop.client("Asked")
    edit_client(shop.owner, asked, birth_on=date(1990, 1, 1))
    _book(shop, payer, 4, 60)
    _book(shop, insured, 4)
    _book(shop, soon, 1)
    note_estimate_request(shop.biller, asked, request_id=uuid4(), requested_on=date(2026, 11, 6))
    rows = [(row.client_id, row.due_on, row.visit_on, row.visit_count) for row in owed_estimates(shop.biller)]
    assert rows == [
        (asked, date(2026, 11, 11), None, 0),
        (payer, date(2026, 11, 17), TODAY + timedelta(days=4), 2),
    ]
    assert owed_estimates(shop.biller)[0].is_late(TODAY)
    _give(shop, payer)
    _give(shop, asked)
    assert owed_estimates(shop.biller) == []
    set_bill_to(shop.owner, insured, pays_by="self")
    assert [row.client_id for row in owed_estimates(shop.biller)] == [insured]
    _book(shop, payer, 200)
    assert {row.client_id for row in owed_estimates(shop.biller)} == {insured, payer}, "after the estimate's last day"


def test_any_number_of_clients_is_asked_in_the_same_number_of_statements(shop: Clinic, payer: UUID) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            owed_estimates(shop.biller)
        return len(queries)

    _book(shop, payer, 4)
    few = asked()
    for number in range(5):
        _book(shop, shop.client(f"More {number}"), 4, 5)
    assert asked() == few <= 6


def test_an_estimate_lacks_nothing_that_the_regulation_asks_for(shop: Clinic, payer: UUID) -> None:
    Practice.objects.filter(slug="alder").update(
        tax_id="12-3456789", address_1="1 Main St", city="Albany", state="NY", postal_code="12207"
    )
    estimate = _give(
        shop, payer, quantity=12, scheduled_on=date(2026, 11, 20), diagnosis_codes=("F41.1",),
        separately="Psychological testing", description="Individual therapy", recurrence="weekly, 12 sessions",
    )  # fmt: skip
    rendered = render_pdf(estimate_papers(shop.biller, [estimate]))
    assert_accessible(rendered.pdf)
    text = " ".join(page_texts(rendered.pdf))
    for said in (
        "Ana Self", "05/06/1984",  # (c)(1)(i)
        "Individual therapy", "Scheduled for: 11/20/2026",  # (ii)
        "9T001", "Talk", "F41.1", "12", "$150.00", "$1,800.00",  # (iii), (iv)
        "Carol Clinician, LCSW", "1245319599", "Alder Clinic", "1234567893", "12-3456789", "Main", "Albany, NY",  # (v)
        "Psychological testing", "separate estimate when it is scheduled", "To ask, call or write",  # (vi)
        "We may recommend further services",  # (vii)
        "only an estimate",  # (viii)
        "patient-provider dispute resolution process", "$400.00", "www.cms.gov/nosurprises",
        "will not affect the quality of the care",  # (ix)
        "not a contract", "does not oblige you",  # (x)
        "weekly, 12 sessions", "at most twelve months",  # (b)(1)(x)
        "Date of this estimate: 11/16/2026",
    ):  # fmt: skip
        assert said in text, said


def test_what_is_missing_or_too_long_is_refused(shop: Clinic, payer: UUID) -> None:
    unborn = shop.client("Unborn")
    service = ExpectedService(shop.talk.pk, shop.cast.carol.staff_member_id, 1, 15000)

    def refused(client: UUID, terms: EstimateTerms, *services: ExpectedService) -> str:
        with pytest.raises(NotEstimated) as refusal:
            give_estimate(shop.biller, client, estimate_id=uuid4(), terms=terms, services=services)
        return refusal.value.message

    assert "date of birth" in refused(unborn, _terms(shop), service)
    assert "at least one service" in refused(payer, _terms(shop))
    assert "twelve months" in refused(payer, _terms(shop, last_on=date(2027, 11, 16)), service)
    assert "twelve months" in refused(payer, _terms(shop, last_on=date(2026, 11, 15)), service)
    assert "how often" in refused(payer, _terms(shop, recurrence=""), replace(service, quantity=2)).lower()
    with pytest.raises(NotEstimated):
        note_estimate_request(shop.biller, payer, request_id=uuid4(), requested_on=TODAY + timedelta(days=1))
    with pytest.raises(NotFound):
        _give(shop, payer, location_id=uuid4())
    _give(shop, payer, last_on=date(2027, 11, 15))


def test_a_newer_estimate_supersedes_and_neither_changes(shop: Clinic, payer: UUID) -> None:
    first, second = _give(shop, payer), _give(shop, payer)
    again = give_estimate(shop.biller, payer, estimate_id=second, terms=_terms(shop), services=[])
    assert again == second and Estimate.objects.count() == 2
    rows = estimates_of(shop.biller, payer)
    assert [(row.id, row.is_superseded) for row in rows] == [(second, False), (first, True)]
    old, new = estimate_papers(shop.biller, [first, second])
    assert (old.banner, new.banner) == ("Superseded by a newer estimate.", "")
    edit_client(shop.owner, payer, last_name="Renamed")
    shop.talk.__class__.objects.update(name="Other")
    assert estimate_papers(shop.biller, [second])[0] == new


def test_a_proposal_holds_the_appointments_ahead_at_the_doors_price(shop: Clinic, payer: UUID) -> None:
    add_diagnosis(shop.owner, payer, code="F41.1", starts_on=date(2026, 1, 1))
    set_bill_to(shop.owner, payer, pays_by="self", set_payment_amount_cents=9000)
    _book(shop, payer, 4, 11, 18, 500)
    proposal = propose_estimate(shop.biller, Client.objects.get(pk=payer))
    (service,) = proposal.services
    assert (service.quantity, service.unit_cents) == (3, 9000), "not the one after more than a year"
    assert (proposal.scheduled_on, proposal.location_id) == (TODAY + timedelta(days=4), shop.location.pk)
    assert proposal.diagnosis_codes == ("F41.1",)
    assert propose_estimate(shop.biller, Client.objects.get(pk=shop.client("None"))).services == ()


@pytest.fixture
def bob(shop: Clinic, sign_in: SignIn) -> Iterator[Browser]:
    yield sign_in(shop.cast.bob)


def at(name: str, **ids: object) -> str:
    return reverse(name, kwargs={"practice": "alder", **ids})


def test_an_estimate_is_given_from_its_page_and_made_as_a_document(shop: Clinic, payer: UUID, bob: Browser) -> None:
    _book(shop, payer, 4, 11)
    listed = bob.get(at("documents:owed_estimates")).content.decode()
    assert "11/17/2026" in listed and at("documents:give_estimate", client=payer) in listed
    url = at("documents:give_estimate", client=payer)
    page = bob.get(url)
    form, services = page.context["form"], page.context["services"]
    sent = {name: form[name].value() or "" for name in form.fields}
    sent |= {f"services-{name}": value for name, value in services.management_form.initial.items()}
    for number, row in enumerate(services):
        sent |= {f"services-{number}-{name}": row[name].value() or "" for name in row.fields}
    sent["services-0-unit_cents"] = "150.00"
    assert bob.post(url, sent | {"services-0-quantity": "0"}).status_code == 422
    made = bob.post(url, sent)
    assert made.status_code == 303, (made.context["form"].errors, made.context["services"].errors)
    assert [(item.quantity, item.expected_cents) for item in EstimateItem.objects.all()] == [(2, 30000)]
    assert bob.post(url, sent)["Location"] == made["Location"] and Estimate.objects.count() == 1
    assert bob.get(made["Location"]).status_code == 200
    file = bob.get(bob.post(made["Location"], {"request_id": str(uuid4())})["Location"])
    assert "Good Faith Estimate" in page_texts(file.content)[0]
    assert MadeDocument.objects.get().estimate_id == Estimate.objects.get().pk
    assert "No estimate is owed" in bob.get(at("documents:owed_estimates")).content.decode()


def test_invoice_editor_and_agenda_warn_and_stop_nobody(shop: Clinic, payer: UUID, bob: Browser) -> None:
    _give(
        shop, payer, actor=replace(shop.biller, now=shop.biller.now - timedelta(days=20)), first_on=date(2026, 10, 27)
    )
    visit, _ = shop.visit(payer, shop.talk, rates=(46000,))
    editor = bob.get(at("invoicing:new_invoice", client=payer), {"show": "all"}).content.decode()
    assert "$310.00 above the Good Faith Estimate of 10/27/2026" in editor and "banner-warning" in editor
    invoice = bill_visit(shop.biller, visit_id=visit).created[0]
    page = bob.get(at("invoicing:invoice", number=invoice.number)).content.decode()
    assert "$310.00 above" in page and "Give a new estimate before the next service" in page
    agenda = bob.get(at("schedule:agenda"), {"day": "2026-11-02"}).content.decode()
    assert "$310.00 above" in agenda
    other, _ = shop.visit(payer, shop.talk, day=date(2026, 11, 3), rates=(9000,))
    second = bill_visit(shop.biller, visit_id=other).created[0]
    page = bob.get(at("invoicing:invoice", number=second.number)).content.decode()
    assert "$400.00 above" in page and "banner-error" in page and "Give a new" not in page
    fine, _ = shop.visit(shop.client("Fine"), shop.talk)
    third = bill_visit(shop.biller, visit_id=fine).created[0]
    assert "Good Faith" not in bob.get(at("invoicing:invoice", number=third.number)).content.decode().split("<main")[1]

"""What would this visit bill, and why: the page, its dialogue over editor and batch, and prices of what is planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from django.urls import reverse

from daysheet.clients.actions import record_income, set_bill_to, take_income_back
from daysheet.clients.models import ClientAssignment, Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.explaining import Explanation
from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.queries.prices import PlannedService, price_planned, visit_price
from daysheet.invoicing.selection import LineEdit
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.schedule.models import Appointment
from daysheet.services.actions import NewStep, add_income_scale, add_payer_rate, add_payer_rule, edit_service_type
from daysheet.staff.models import StaffMember
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast

JANUARY = date(2026, 1, 1)


@dataclass
class Priced:
    """A client insured by Harbor with a copay of $25, an income, and every kind of price; one visit at place 10."""

    clinic: Clinic
    client: UUID
    payer: UUID
    visit: UUID
    service: UUID

    def lines(self, edits: dict[UUID, LineEdit] | None = None, **more: Any) -> tuple[Explanation, ...]:
        return visit_price(self.clinic.biller, self.visit, edits, **more).lines


@pytest.fixture
def priced(cast: Cast) -> Iterator[Priced]:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = clinic.client("Harbor", insured=True, copay_cents=2500)
        payer = Coverage.objects.get().payer_id
        add_payer_rate(clinic.owner, payer, clinic.talk.pk, rate_cents=11000, starts_on=JANUARY)
        add_payer_rule(clinic.owner, payer, place_of_service="10", added_modifiers=["95"], starts_on=JANUARY)
        add_payer_rule(clinic.owner, payer, added_modifiers=["GT"], billed_place_of_service="02", starts_on=JANUARY)
        steps = [NewStep(None, 1, 0, 2000), NewStep(None, 1, 2_000_000, None)]
        add_income_scale(clinic.owner, starts_on=JANUARY, period="year", steps=steps)
        record_income(clinic.biller, client, income_cents=100_000, period="month", household_size=2, given_on=JANUARY)
        visit, (service,) = clinic.visit(client, clinic.talk)
        Appointment.objects.update(place_of_service="10")
        yield Priced(clinic, client, payer, visit, service)


def test_every_price_is_named_and_the_first_is_billed(priced: Priced) -> None:
    (line,) = priced.lines()
    income = "$12,000.00 a year, household of 2, given 01/01/2026"
    assert [(option.words, option.cents, option.is_billed) for option in line.prices] == [
        ("Fee schedule of Payer of Harbor, from 01/01/2026", 11000, True),
        (f"Income Based Payment Amount from 01/01/2026: {income}", 2000, False),
        ("Rate of the service type", 15000, False),
    ]  # fmt: skip
    assert line.price_notes == ()
    bill_visit(priced.clinic.biller, visit_id=priced.visit)
    billed = InvoiceLine.objects.get()
    assert (billed.rate_cents, billed.modifiers, billed.place_of_service) == (11000, ["95"], "10")


def test_the_rules_that_fit_are_named_and_the_narrowest_is_followed(priced: Priced) -> None:
    (line,) = priced.lines()
    assert [(rule.words, rule.added_modifiers, rule.is_followed) for rule in line.payer_rules] == [
        ("Payer of Harbor, from 01/01/2026: all service types at place 10", ("95",), True),
        ("Payer of Harbor, from 01/01/2026: all service types at any place", ("GT",), False),
    ]
    assert line.modifiers == "The service type’s own, then those of the rule of Payer of Harbor."


def test_the_copay_says_what_took_it(priced: Priced) -> None:
    clinic = priced.clinic
    (alone,) = priced.lines()
    assert "The copay of $25.00 is taken once on 11/02/2026: $25.00 of this line" in alone.sides
    other, (beside,) = clinic.visit(priced.client, clinic.talk)
    first, second = sorted(
        [(priced.visit, beside), (other, priced.service)], key=lambda pair: str(pair[0])
    )  # the visit whose id is lower takes it
    (shared,) = visit_price(clinic.biller, second[0], beside=[second[1]]).lines
    assert "of it $25.00 by other services of this bill: $0.00 of this line" in shared.sides
    bill_visit(clinic.biller, visit_id=first[0])
    (after,) = visit_price(clinic.biller, second[0]).lines
    assert "of it $25.00 by lines billed already: $0.00 of this line" in after.sides
    assert (after.line.client_cents, after.line.insurance_cents) == (0, 11000)


def test_what_is_typed_wins_and_says_so(priced: Priced) -> None:
    edit = LineEdit(rate_cents=5000, units=2, modifiers=("HO",), place_of_service="11")
    (line,) = priced.lines({priced.service: edit})
    assert (line.prices[0].words, line.line.amount_cents) == ("Typed before billing", 10000)
    assert line.units == "Typed before billing." and line.place == "Typed before billing."
    assert line.modifiers == "Typed before billing: they stand as they are."


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({}, "The client’s income ($12,000.00 a year, household of 2, given 01/01/2026) falls on no step"),
        ({"income_cents": 9_000_000}, "falls on a step without an amount"),
        ({"renew_on": date(2026, 11, 1)}, "had to be renewed on 11/01/2026"),
        ({"given_on": date(2026, 11, 3)}, "No income of the client was on record by 11/02/2026"),
    ],
)
def test_a_price_that_might_have_been_expected_says_why_it_is_none(
    cast: Cast, change: dict[str, Any], note: str
) -> None:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = clinic.client()
        visit, _ = clinic.visit(client, clinic.talk)
        start = 2_000_000 if not change else 0
        steps = [NewStep(None, 1, start, 2000), NewStep(None, 1, 5_000_000, None)]
        add_income_scale(clinic.owner, starts_on=JANUARY, period="year", steps=steps)
        facts = {"income_cents": 1_200_000, "period": "year", "household_size": 2, "given_on": JANUARY} | change
        record_income(clinic.biller, client, **facts)
        (line,) = visit_price(clinic.biller, visit).lines
        assert any(note in words for words in line.price_notes), line.price_notes


def test_an_income_that_was_taken_back_says_so(priced: Priced) -> None:
    take_income_back(priced.clinic.biller, priced.client, given_on=DAY)
    assert priced.lines()[0].price_notes == ("The client’s income was taken back on 11/02/2026.",)


def test_sides_say_why_nothing_is_the_insurers(priced: Priced) -> None:
    clinic = priced.clinic
    letter, _ = clinic.visit(priced.client, clinic.letter)
    assert "never bills insurance" in visit_price(clinic.biller, letter).lines[0].sides
    set_bill_to(clinic.biller, priced.client, pays_by="self")
    assert "pays by self" in priced.lines()[0].sides
    set_bill_to(clinic.biller, priced.client, pays_by="insurance")
    Coverage.objects.update(ends_on=DAY)
    assert "No coverage is in force on 11/02/2026" in priced.lines()[0].sides


def test_units_say_their_rule(priced: Priced) -> None:
    edit_service_type(priced.clinic.owner, priced.clinic.talk.pk, unit_rule="per_minutes", unit_count=15)
    (line,) = priced.lines()
    assert line.units.startswith("1 Unit per 15 minutes: 50 minutes are 3.") and line.line.units == 3


def test_a_missing_licence_is_refused_with_the_way_to_mend_it(cast: Cast, sign_in: Any, priced: Priced) -> None:
    visit, _ = priced.clinic.visit(priced.client, priced.clinic.talk, staff_member_id=cast.dan.staff_member_id)
    page = sign_in(cast.alice).get(_url(visit)).content.decode()
    assert "Stops the invoice" in page and "Dan Desk has no AMA CPT license for 2026" in page
    assert "Assign the license" in page and "nothing of this visit would be billed" in page
    assert "Assign the license" not in sign_in(cast.bob).get(_url(visit)).content.decode()


def test_the_page_tells_of_rate_units_sides_and_providers(cast: Cast, sign_in: Any, priced: Priced) -> None:
    page = sign_in(cast.bob).get(_url(priced.visit)).content.decode()
    for words in (
        "$110.00", "Fee schedule of Payer of Harbor", "No, the first goes before it", "Always Bill For 1", "$25.00",
        "$85.00", "The appointment’s staff member.", "Carol Clinician, LCSW has an AMA CPT license",
        "practice’s own NPI",
    ):  # fmt: skip
        assert words in page, words


def test_the_dialogue_of_the_editor_takes_what_is_typed_and_what_is_beside(
    cast: Cast, sign_in: Any, priced: Priced
) -> None:
    _, (other,) = priced.clinic.visit(priced.client, priced.clinic.talk)
    typed = {
        f"edit-{priced.service}-{name}": value
        for name, value in (("rate", "77"), ("units", "1"), ("provider", ""), ("place", "10"), ("modifiers", "95"))
    }
    sent = {**typed, "line": [str(priced.service), str(other)]}
    answer = sign_in(cast.bob).post(_url(priced.visit), sent, headers={"HX-Request": "true"})
    part = answer.content.decode()
    assert "<html" not in part and 'id="price-place"' in part and "data-dialog-now" in part
    assert "$77.00" in part and "Typed before billing." in part
    page = sign_in(cast.bob).get(reverse("invoicing:new_invoice", args=["alder", priced.client]) + "?show=all")
    assert f'hx-post="{_url(priced.visit)}"' in page.content.decode()


def test_a_canceled_visit_is_refused_unless_it_is_ticked(cast: Cast, sign_in: Any, priced: Priced) -> None:
    from daysheet.schedule.models import Visit, VisitService

    Visit.objects.filter(pk=priced.visit).update(status="canceled")
    VisitService.objects.filter(pk=priced.service).update(is_suspended=True)
    bob = sign_in(cast.bob)
    assert "is Canceled with nothing to bill" in bob.get(_url(priced.visit)).content.decode()
    ticked = bob.post(_url(priced.visit), {"visit": str(priced.visit)}).content.decode()
    assert "Stops the invoice" not in ticked and "$110.00" in ticked


def test_a_billed_visit_leads_to_its_invoice(cast: Cast, sign_in: Any, priced: Priced) -> None:
    bill_visit(priced.clinic.biller, visit_id=priced.visit)
    page = sign_in(cast.bob).get(_url(priced.visit)).content.decode()
    assert "invoice 1" in page and "frozen" in page and "Stops the invoice" not in page


def test_agenda_and_appointment_lead_to_it_with_billing_only(cast: Cast, sign_in: Any, priced: Priced) -> None:
    appointment = Appointment.objects.get()
    for page in (
        reverse("schedule:agenda", args=["alder"]) + f"?day={DAY}",
        reverse("schedule:appointment", args=["alder", appointment.pk]),
    ):
        assert _url(priced.visit) in sign_in(cast.bob).get(page).content.decode(), page
        assert _url(priced.visit) not in sign_in(cast.dan).get(page).content.decode(), page


def test_it_needs_billing_and_a_client_of_ones_own(cast: Cast, sign_in: Any, priced: Priced) -> None:
    assert sign_in(cast.dan).get(_url(priced.visit)).status_code == 403
    assert sign_in(cast.charlie).get(_url(priced.visit)).status_code == 404
    assert sign_in(cast.bob).get(_url(new_id())).status_code == 404
    StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    assert sign_in(cast.bob).get(_url(priced.visit)).status_code == 404
    ClientAssignment.objects.create(client_id=priced.client, staff_member_id=cast.bob.staff_member_id)
    assert sign_in(cast.bob).get(_url(priced.visit)).status_code == 200


def test_another_clients_services_beside_are_left_out(priced: Priced) -> None:
    stranger = priced.clinic.client("Other", insured=True, copay_cents=2500)
    _, (foreign,) = priced.clinic.visit(stranger, priced.clinic.talk)
    (line,) = priced.lines(beside=[foreign, new_id()])
    assert line.line.client_cents == 2500


def test_what_is_planned_is_priced_like_what_is_billed(priced: Priced) -> None:
    clinic, carol = priced.clinic, priced.clinic.cast.carol.staff_member_id
    planned = [
        PlannedService(clinic.talk.pk, date(2026, 12, 8), staff_member_id=carol, place_of_service="10"),
        PlannedService(clinic.talk.pk, date(2026, 12, 1), staff_member_id=carol, place_of_service="10"),
        PlannedService(clinic.letter.pk, date(2026, 12, 1), units=2),
        PlannedService(clinic.talk.pk, date(2026, 12, 1)),
    ]
    found = price_planned(clinic.biller, priced.client, planned)
    assert [(each.line.service_on.day, each.line.amount_cents, each.line.client_cents) for each in found] == [
        (8, 11000, 2500), (1, 11000, 2500), (1, 4000, 4000), (1, 11000, 0),
    ]  # fmt: skip
    assert [each.refusal.code if each.refusal else "" for each in found] == ["", "", "", "no_rendering_provider"]
    assert found[0].line.modifiers == ("95",)
    for day in (1, 8):
        visit, _ = clinic.visit(priced.client, clinic.talk, day=date(2026, 12, day))
        Appointment.objects.update(place_of_service="10")
        bill_visit(clinic.biller, visit_id=visit)
        billed = InvoiceLine.objects.get(service_on=date(2026, 12, day))
        (like,) = [each.line for each in found[:2] if each.line.service_on.day == day]
        assert (billed.rate_cents, billed.client_cents, billed.insurance_cents, billed.modifiers) == (
            like.rate_cents, like.client_cents, like.insurance_cents, list(like.modifiers),
        )  # fmt: skip


def test_planned_services_are_of_the_practice_and_need_billing(cast: Cast, priced: Priced) -> None:
    planned = [PlannedService(priced.clinic.talk.pk, DAY)]
    with pytest.raises(NotAllowed):
        price_planned(cast.actor(cast.dan), priced.client, planned)
    with pytest.raises(NotFound):
        price_planned(priced.clinic.biller, new_id(), planned)
    with pytest.raises(NotFound):
        price_planned(priced.clinic.biller, priced.client, [PlannedService(new_id(), DAY)])


def test_the_page_needs_the_same_queries_however_many_services(
    cast: Cast, sign_in: Any, priced: Priced, django_assert_max_num_queries: Any
) -> None:
    many, _ = priced.clinic.visit(priced.client, *[priced.clinic.talk] * 12)
    bob = sign_in(cast.bob)
    with django_assert_max_num_queries(26):
        assert bob.get(_url(many)).status_code == 200


def _url(visit: UUID) -> str:
    return reverse("invoicing:visit_price", kwargs={"practice": "alder", "visit": visit})

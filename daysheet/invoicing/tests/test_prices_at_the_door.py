"""Income, fee schedules, modifiers and places of service as the door bills and freezes them (B9, B10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from daysheet.clients.actions import record_income, set_bill_to, take_income_back
from daysheet.clients.models import Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.door import preview
from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.queries.invoice_page import invoice_by_number
from daysheet.invoicing.selection import LineEdit, Selection
from daysheet.schedule.models import Appointment
from daysheet.services.actions import (
    NewStep,
    add_income_scale,
    add_payer_rate,
    add_payer_rule,
    edit_payer_rate,
    edit_service_type,
    end_payer_rate,
    remove_payer_rule,
)
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast

JANUARY = date(2026, 1, 1)


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        steps = [NewStep(None, 1, 0, 2000), NewStep(None, 1, 2_000_000, 4000), NewStep(None, 1, 4_000_000, None)]
        add_income_scale(clinic.owner, starts_on=JANUARY, period="year", steps=steps)
        yield clinic


def _income(clinic: Clinic, client: UUID, dollars: int, given_on: date = JANUARY, **more: Any) -> None:
    record_income(
        clinic.biller, client, income_cents=dollars * 100, period="year", household_size=1, given_on=given_on, **more
    )


def _insured(clinic: Clinic, place: str = "", copay_cents: int | None = None) -> tuple[UUID, UUID, UUID]:
    """Client, insurer, and a visit of the client that took place there."""
    client = clinic.client(insured=True, copay_cents=copay_cents)
    visit, _ = clinic.visit(client, clinic.talk)
    Appointment.objects.update(place_of_service=place)
    return client, Coverage.objects.get(client_id=client).payer_id, visit


def _bill(clinic: Clinic, visit: UUID) -> InvoiceLine:
    bill_visit(clinic.biller, visit_id=visit)
    return InvoiceLine.objects.get(visit_service__visit_id=visit, ended_at=None)


@pytest.mark.parametrize(
    ("dollars", "rate", "source"),
    [(0, 2000, "income"), (19_999, 2000, "income"), (20_000, 4000, "income"), (40_000, 15000, "service")],
)
def test_the_amount_by_income_is_billed_and_named(clinic: Clinic, dollars: int, rate: int, source: str) -> None:
    client = clinic.client()
    _income(clinic, client, dollars)
    line = _bill(clinic, clinic.visit(client, clinic.talk)[0])
    assert (line.rate_cents, line.client_cents, line.price_source) == (rate, rate, source)


def test_only_an_income_that_counts_on_the_date_of_service_prices_it(clinic: Clinic) -> None:
    late, expired, back = (clinic.client(name) for name in ("Late", "Expired", "Back"))
    _income(clinic, late, 0, date(2026, 11, 3))
    _income(clinic, expired, 0, renew_on=DAY)
    _income(clinic, back, 0)
    take_income_back(clinic.biller, back, given_on=DAY)
    lines = [_bill(clinic, clinic.visit(client, clinic.talk)[0]) for client in (late, expired, back)]
    assert {line.price_source for line in lines} == {"service"}
    before = _bill(clinic, clinic.visit(back, clinic.talk, day=date(2026, 11, 1))[0])
    assert before.price_source == "income"


def test_the_invoice_page_says_that_the_income_priced_it(clinic: Clinic) -> None:
    client = clinic.client()
    _income(clinic, client, 0)
    line = _bill(clinic, clinic.visit(client, clinic.talk)[0])
    (shown,) = invoice_by_number(clinic.biller, line.invoice.number).lines
    assert shown.price_source == "by Income Based Payment Amounts"


def test_a_set_payment_amount_goes_before_the_fee_schedule_and_that_before_the_income(clinic: Clinic) -> None:
    client, payer, visit = _insured(clinic)
    _income(clinic, client, 0)
    add_payer_rate(clinic.owner, payer, clinic.talk.pk, rate_cents=11000, starts_on=JANUARY)
    assert _bill(clinic, visit).price_source == "payer"
    set_bill_to(clinic.biller, client, pays_by="insurance", set_payment_amount_cents=8000)
    assert _bill(clinic, clinic.visit(client, clinic.talk)[0]).price_source == "client"
    set_bill_to(clinic.biller, client, pays_by="self")
    assert _bill(clinic, clinic.visit(client, clinic.talk)[0]).rate_cents == 2000


def test_a_rate_holds_until_its_end_and_what_is_billed_keeps_it(clinic: Clinic) -> None:
    client, payer, visit = _insured(clinic)
    rate = add_payer_rate(clinic.owner, payer, clinic.talk.pk, rate_cents=11000, starts_on=JANUARY)
    line = _bill(clinic, visit)
    edit_payer_rate(clinic.owner, rate.pk, rate_cents=12000)
    end_payer_rate(clinic.owner, rate.pk, ends_on=date(2026, 11, 9))
    line.refresh_from_db()
    assert line.rate_cents == 11000
    last, after = (clinic.visit(client, clinic.talk, day=date(2026, 11, day))[0] for day in (8, 9))
    assert [_bill(clinic, each).rate_cents for each in (last, after)] == [12000, 15000]


def test_a_payers_rule_adds_modifiers_and_bills_another_place_and_the_line_keeps_them(clinic: Clinic) -> None:
    _, payer, visit = _insured(clinic, place="02")
    edit_service_type(clinic.owner, clinic.talk.pk, modifiers=["HJ"])
    rule = add_payer_rule(
        clinic.owner, payer, place_of_service="02", added_modifiers=["95"], billed_place_of_service="10",
        starts_on=JANUARY,
    )  # fmt: skip
    line = _bill(clinic, visit)
    remove_payer_rule(clinic.owner, rule.pk)
    line.refresh_from_db()
    assert (line.modifiers, line.place_of_service) == (["HJ", "95"], "10")
    self_pay = clinic.client("Self")
    other, _ = clinic.visit(self_pay, clinic.talk)
    assert (_bill(clinic, other).modifiers, _bill(clinic, other).place_of_service) == (["HJ"], "11")


def test_in_person_and_lines_that_the_client_pays_have_none_of_the_rule(clinic: Clinic) -> None:
    client, payer, visit = _insured(clinic)
    add_payer_rule(clinic.owner, payer, place_of_service="10", added_modifiers=["95"], starts_on=JANUARY)
    assert _bill(clinic, visit).modifiers == []
    letter, _ = clinic.visit(client, clinic.letter)
    Appointment.objects.update(place_of_service="10")
    assert _bill(clinic, letter).modifiers == []


def test_what_was_typed_stands_and_a_typed_place_is_where_it_took_place(clinic: Clinic) -> None:
    client, payer, _ = _insured(clinic)
    add_payer_rule(
        clinic.owner, payer, place_of_service="10", added_modifiers=["95"], billed_place_of_service="02",
        starts_on=JANUARY,
    )  # fmt: skip
    _, (service,) = clinic.visit(client, clinic.talk)
    for edit, modifiers, place in (
        (LineEdit(), (), "11"),
        (LineEdit(place_of_service="10"), ("95",), "10"),
        (LineEdit(place_of_service="10", modifiers=("GT",)), ("GT",), "10"),
    ):
        (shown,) = preview(clinic.biller, Selection((service,), {service: edit}))
        assert shown.line and (shown.line.modifiers, shown.line.place_of_service) == (modifiers, place)


def test_more_modifiers_than_a_claim_holds_are_refused_until_they_are_typed(clinic: Clinic) -> None:
    client, payer, visit = _insured(clinic)
    edit_service_type(clinic.owner, clinic.talk.pk, modifiers=["A1", "A2", "A3"])
    add_payer_rule(clinic.owner, payer, added_modifiers=["95", "GT"], starts_on=JANUARY)
    issued = bill_visit(clinic.biller, visit_id=visit)
    assert [(refused.code, "A1 A2 A3 95 GT" in refused.message) for refused in issued.refused] == [
        ("too_many_modifiers", True)
    ]
    _, (service,) = clinic.visit(client, clinic.talk)
    edit = LineEdit(modifiers=("A1", "95"))
    (shown,) = preview(clinic.biller, Selection((service,), {service: edit}))
    assert shown.refusal is None


def test_one_click_costs_the_same_queries_with_every_kind_of_price(clinic: Clinic, django_assert_max_num_queries):  # type: ignore[no-untyped-def]
    client, payer, visit = _insured(clinic, place="10", copay_cents=1000)
    _income(clinic, client, 0)
    add_payer_rate(clinic.owner, payer, clinic.talk.pk, rate_cents=11000, starts_on=JANUARY)
    add_payer_rule(clinic.owner, payer, place_of_service="10", added_modifiers=["95"], starts_on=JANUARY)
    with django_assert_max_num_queries(15):
        assert bill_visit(clinic.biller, visit_id=visit).created

"""The pages of insurers' prices, of Income Based Payment Amounts and of a client's income, over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from daysheet.clients import actions as clients
from daysheet.clients.models import Client, ClientIncome, Payer
from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.services import actions
from daysheet.services.actions import NewStep
from daysheet.services.models import IncomeScale, IncomeStep, PayerRate, PayerRule, ServiceType
from daysheet.staff.models import StaffMember
from tests.people import Cast

JANUARY = date(2026, 1, 1)


@pytest.fixture
def session(cast: Cast) -> ServiceType:
    with practice_transaction(cast.alder.id):
        return actions.add_service_type(
            cast.actor(cast.alice), code="9T001", name="Long session", kind="cpt", rate_cents=15000
        )


@pytest.fixture
def payer(cast: Cast) -> Payer:
    with practice_transaction(cast.alder.id):
        return clients.add_payer(cast.actor(cast.alice), name="Blue Plan")


@pytest.fixture
def ana(cast: Cast) -> Client:
    with practice_transaction(cast.alder.id):
        return clients.add_client(cast.actor(cast.alice), first_name="Ana", last_name="Ruiz")


def at(name: str, **kwargs: object) -> str:
    return reverse(name, kwargs={"practice": "alder", **kwargs})


def words(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_fee_schedule_is_changed_by_an_administrator_and_read_on_the_insurers_page(cast, sign_in, session, payer):
    alice, bob = sign_in(cast.alice), sign_in(cast.bob)
    page, insurer = at("services:payer_prices", payer=payer.pk), at("clients:insurer", payer=payer.pk)
    assert "No rates" in words(alice.get(page)) and "An administrator can add" in words(bob.get(insurer))
    typed = {
        "rate_id": str(new_id()), "service_type_id": str(session.pk), "rate_cents": "90", "starts_on": "2026-01-01",
    }  # fmt: skip
    add = at("services:add_payer_rate", payer=payer.pk)
    for _ in range(2):
        assert alice.post(add, typed).status_code == 303
    later = typed | {"rate_id": str(new_id()), "rate_cents": "95", "starts_on": "2026-07-01"}
    assert alice.post(add, later).status_code == 303
    shown = words(alice.get(page))
    assert "$95.00" in shown and "$90.00" not in shown and "1 that ended is left out" in shown
    assert "$90.00" in words(alice.get(page, {"show": "all"}))
    assert "$95.00" in words(bob.get(insurer)) and "Change prices" not in words(bob.get(insurer))
    assert "Change prices" in words(alice.get(insurer))
    clash = alice.post(add, typed | {"rate_id": str(new_id())})
    assert clash.status_code == 422 and "edit or remove that one" in words(clash)


def test_a_rate_is_corrected_ended_and_removed(cast, sign_in, session, payer):
    alice = sign_in(cast.alice)
    with practice_transaction(cast.alder.id):
        rate = actions.add_payer_rate(
            cast.actor(cast.alice), payer.pk, session.pk, rate_cents=9000, starts_on=JANUARY
        ).pk
    assert 'value="90.00"' in words(alice.get(at("services:edit_payer_rate", rate=rate)))
    assert alice.post(at("services:edit_payer_rate", rate=rate), {"rate_cents": "91.50"}).status_code == 303
    end = at("services:end_payer_rate", rate=rate)
    assert alice.post(end, {"ends_on": "2026-01-01"}).status_code == 422
    assert alice.post(end, {"ends_on": "2027-01-01"}).status_code == 303
    page = words(alice.get(at("services:payer_prices", payer=payer.pk)))
    assert "$91.50" in page and "01/01/2027" in page and "Take the end back" in page
    remove = at("services:remove_payer_rate", rate=rate)
    assert "Yes, remove it" in words(alice.post(remove))
    assert alice.post(remove, {"confirmed": "yes"}).status_code == 303
    assert alice.post(remove, {"confirmed": "yes"}).status_code == 404
    with practice_transaction(cast.alder.id):
        assert list(PayerRate.objects.values_list("rate_cents", flat=True)) == [None]


def test_a_schedule_is_copied_with_a_change_and_the_answer_counts(cast, sign_in, session, payer):
    alice = sign_in(cast.alice)
    copy = at("services:copy_fee_schedule", payer=payer.pk)
    typed = {"from_payer_id": str(payer.pk), "as_of": "2026-11-16", "starts_on": "2027-01-01", "percent": "2.5"}
    nothing = alice.post(copy, typed)
    assert nothing.status_code == 422 and "no rate in force on 11/16/2026" in words(nothing)
    with practice_transaction(cast.alder.id):
        actions.add_payer_rate(cast.actor(cast.alice), payer.pk, session.pk, rate_cents=10001, starts_on=JANUARY)
    wrong = alice.post(copy, typed | {"percent": "a lot"})
    assert wrong.status_code == 422 and "such as 3 or -2.5" in words(wrong)
    assert "1 rate copied." in words(alice.post(copy, typed, follow=True))
    again = words(alice.post(copy, typed, follow=True))
    assert "0 rates copied. 1 service type has a rate from that day already" in again
    assert "$102.51" in again and "to come" in again


def test_the_schedule_is_downloaded_as_it_can_be_imported(cast, sign_in, session, payer):
    with practice_transaction(cast.alder.id):
        alice = cast.actor(cast.alice)
        rate = actions.add_payer_rate(alice, payer.pk, session.pk, rate_cents=9000, starts_on=JANUARY)
        actions.end_payer_rate(alice, rate.pk, ends_on=date(2026, 6, 1))
    answer = sign_in(cast.alice).get(at("services:payer_prices", payer=payer.pk), {"format": "csv"})
    assert 'filename="fee_schedules.csv"' in answer["Content-Disposition"]
    assert words(answer).lstrip("\ufeff").splitlines() == [
        "Insurer,Service Type,From,Rate", "Blue Plan,9T001,01/01/2026,90.00", "Blue Plan,9T001,06/01/2026,",
    ]  # fmt: skip


def test_a_rule_is_added_ended_and_removed(cast, sign_in, session, payer):
    alice = sign_in(cast.alice)
    page, add = at("services:payer_prices", payer=payer.pk), at("services:add_payer_rule", payer=payer.pk)
    typed = {
        "rule_id": str(new_id()), "service_type_id": "", "place_of_service": "10", "added_modifiers": "95, gt",
        "billed_place_of_service": "02", "starts_on": "2026-01-01",
    }  # fmt: skip
    for _ in range(2):
        assert alice.post(add, typed).status_code == 303
    assert "95 GT" in words(alice.get(page)) and "95 GT" in words(sign_in(cast.bob).get(
        at("clients:insurer", payer=payer.pk)
    ))  # fmt: skip
    for wrong, why in (
        ({"place_of_service": "1"}, "two digits"), ({"added_modifiers": "950"}, "two characters each"),
        ({"rule_id": str(new_id())}, "begins on 01/01/2026 already"),
    ):  # fmt: skip
        refused = alice.post(add, typed | wrong)
        assert refused.status_code == 422 and why in words(refused), wrong
    with practice_transaction(cast.alder.id):
        rule = PayerRule.objects.get()
    end = at("services:end_payer_rule", payer_rule=rule.pk)
    assert "All service types at place 10" in words(alice.get(end))
    assert alice.post(end, {"ends_on": "2025-01-01"}).status_code == 422
    assert alice.post(end, {"ends_on": "2027-01-01"}).status_code == 303
    remove = at("services:remove_payer_rule", payer_rule=rule.pk)
    assert "Remove this rule?" in words(alice.get(remove))
    assert alice.post(remove, {"confirmed": "yes"}).status_code == 303
    with practice_transaction(cast.alder.id):
        assert PayerRule.objects.get().is_end


def typed_scale(*rows: tuple[str, str, str, str], **more: str) -> dict[str, str]:
    typed = {"starts_on": "2026-01-01", "period": "year", "scale_id": str(new_id())}
    typed |= {"steps-TOTAL_FORMS": str(len(rows)), "steps-INITIAL_FORMS": "0"}
    for number, row in enumerate(rows):
        for name, value in zip(("service", "household", "income", "amount"), row, strict=True):
            typed[f"steps-{number}-{name}"] = value
    return typed | more


def test_amounts_are_saved_as_the_rows_that_were_filled_in(cast, sign_in, session):
    alice = sign_in(cast.alice)
    page, add = at("services:income_amounts"), at("services:add_income_amounts")
    assert "No amounts" in words(alice.get(page))
    typed = typed_scale(
        ("", "1", "0", "20"), ("", "1", "20000", ""), ("", "1", "", ""), (str(session.pk), "2", "0", "15")
    )
    for _ in range(2):
        assert alice.post(add, typed).status_code == 303
    shown = words(alice.get(page))
    assert "In force" in shown and "$19" not in shown and "$20,000.00" in shown and "usual price" in shown
    with practice_transaction(cast.alder.id):
        assert IncomeStep.objects.count() == 3
        scale = IncomeScale.objects.get()
    assert 'value="20000.00"' in words(alice.get(add))
    edit = at("services:edit_income_amounts", scale=scale.pk)
    assert 'value="20000.00"' in words(alice.get(edit))
    assert alice.post(edit, typed_scale(("", "1", "0", "25"), period="month")).status_code == 303
    shown = words(alice.get(page))
    assert "Monthly income from" in shown and "$25.00" in shown and "$20,000.00" not in shown
    remove = at("services:remove_income_amounts", scale=scale.pk)
    assert "Remove the amounts from 01/01/2026?" in words(alice.get(remove))
    assert alice.post(remove, {"confirmed": "yes"}).status_code == 303
    assert "No amounts" in words(alice.get(page))


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        (typed_scale(("", "1", "", "20")), "Row 1, Income from: This field is required"),
        (typed_scale(("", "0", "10", "20")), "Row 1, Household size from"),
        (typed_scale(("", "1", "ten", "20")), "is not an amount"),
        (typed_scale(("", "1", "10", "20"), ("", "1", "10.00", "30")), "Two rows have the same"),
        (typed_scale(("", "1", "10", "20"), starts_on="soon"), "is not a date"),
        (typed_scale(("", "1", "10", "20"), period="week"), "Select a valid choice"),
        ({"starts_on": "2026-01-01", "period": "year"}, "ManagementForm data is missing"),
    ],
)
def test_amounts_that_cannot_be_read_are_refused_in_words(cast, sign_in, typed, why):
    answer = sign_in(cast.alice).post(at("services:add_income_amounts"), typed)
    assert answer.status_code == 422 and why in words(answer)
    with practice_transaction(cast.alder.id):
        assert not IncomeScale.objects.exists()


def test_an_income_is_recorded_and_bill_to_says_what_it_comes_to(cast, sign_in, ana):
    bob = sign_in(cast.bob)
    bill_to, record = at("clients:bill_to", client=ana.pk), at("clients:record_income", client=ana.pk)
    assert "No income on record" in words(bob.get(bill_to))
    typed = {
        "income_id": str(new_id()), "income_cents": "1500", "period": "month", "household_size": "2",
        "given_on": "2026-11-02", "renew_on": "2027-11-02", "note": "Payslip",
    }  # fmt: skip
    for _ in range(2):
        assert bob.post(record, typed).status_code == 303
    assert "No Income Based Payment Amounts are in force today" in words(bob.get(bill_to))
    with practice_transaction(cast.alder.id):
        steps = [NewStep(None, 1, 0, 2000), NewStep(None, 1, 1_800_000, 4000)]
        actions.add_income_scale(cast.actor(cast.alice), starts_on=JANUARY, period="year", steps=steps)
    page = words(bob.get(bill_to))
    assert "$1,500.00 a month" in page and "$40.00 a unit" in page and "Payslip" in page
    assert 'value="2"' in words(bob.get(record))
    for wrong, why in (
        ({"given_on": "2026-11-17"}, "still to come"), ({"renew_on": "2026-11-02"}, "only be renewed on a later day"),
        ({"household_size": "0"}, "greater than or equal to 1"), ({"income_cents": ""}, "required"),
    ):  # fmt: skip
        refused = bob.post(record, typed | {"income_id": str(new_id())} | wrong)
        assert refused.status_code == 422 and why in words(refused), wrong
    back = at("clients:take_income_back", client=ana.pk)
    assert bob.post(back, {"income_id": str(new_id()), "given_on": "2026-11-16"}).status_code == 303
    assert "taken back" in words(bob.get(bill_to))
    refused = bob.post(back, {"income_id": str(new_id()), "given_on": "2026-11-16"})
    assert refused.status_code == 422 and "nothing to take back" in words(refused)
    with practice_transaction(cast.alder.id):
        assert ClientIncome.objects.count() == 2


def test_bill_to_warns_of_an_income_that_has_to_be_renewed(cast, sign_in, ana):
    with practice_transaction(cast.alder.id):
        clients.record_income(
            cast.actor(cast.bob), ana.pk, income_cents=1, period="year", household_size=1, given_on=JANUARY,
            renew_on=date(2026, 11, 16),
        )  # fmt: skip
    page = words(sign_in(cast.bob).get(at("clients:bill_to", client=ana.pk)))
    assert "had to be renewed on 11/16/2026" in page and "usual prices until a new one is recorded" in page


def test_an_income_needs_billing_and_a_client_of_ones_own(cast, sign_in, ana):
    pages = [at("clients:record_income", client=ana.pk), at("clients:take_income_back", client=ana.pk)]
    for page in pages:
        assert sign_in(cast.dan).get(page).status_code == 403, page
        assert sign_in(cast.charlie).get(page).status_code == 404, page
    with practice_transaction(cast.alder.id):
        StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    for page in pages:
        assert sign_in(cast.bob).get(page).status_code == 404, page


def test_the_pages_need_the_same_queries_however_many_prices_there_are(
    cast, sign_in, payer, django_assert_max_num_queries: DjangoAssertNumQueries
):
    with practice_transaction(cast.alder.id):
        alice = cast.actor(cast.alice)
        for number in range(30):
            service = actions.add_service_type(
                alice, code=f"OWN{number:02d}", name="Own", kind="non_cpt", rate_cents=100
            )
            actions.add_payer_rate(alice, payer.pk, service.pk, rate_cents=1, starts_on=JANUARY)
            actions.add_payer_rule(alice, payer.pk, service_type_id=service.pk, starts_on=JANUARY)
            steps = [NewStep(service.pk, 1, cents, 1) for cents in range(3)]
            day = date(2026, 1, 1 + number)
            actions.add_income_scale(alice, starts_on=day, period="year", steps=steps)
    browser = sign_in(cast.alice)
    for page in (
        at("services:payer_prices", payer=payer.pk), at("services:priced_payers"), at("services:income_amounts"),
        at("services:add_income_amounts"), at("clients:insurer", payer=payer.pk),
    ):  # fmt: skip
        with django_assert_max_num_queries(17):
            assert browser.get(page).status_code == 200, page

"""Accepting money: what is written, what is refused, the same request twice, two people at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daysheet.audit.models import AuditEvent
from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.ledger import queries as ledger
from daysheet.ledger.models import Entry
from daysheet.ledger.tests.test_post_and_reverse import at_once
from daysheet.payments.actions import (
    NewPayment,
    PaymentInFuture,
    RequestKeyReused,
    SurplusNotConfirmed,
    accept_payment,
    accept_payments,
)
from daysheet.payments.models import Payment
from daysheet.payments.rules import (
    AppliedMoreThanDue,
    AppliedMoreThanReceived,
    LineNotOpen,
    PaymentNotPositive,
    PaymentTooLarge,
)
from daysheet.practices.actor import Actor
from daysheet.staff.models import StaffMember
from tests.people import Cast

from .desk import DAY, TODAY, a_client, bill, insure, lines_of, open_of, pay


@pytest.fixture
def bob(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


@pytest.fixture
def ana(bob: Actor) -> Client:
    return a_client(bob)


def test_a_payment_pays_the_oldest_date_first_and_keeps_the_rest_as_credit(bob: Actor, ana: Client) -> None:
    late = bill(bob, ana.pk, 5_000, on=date(2026, 11, 9))
    early = bill(bob, ana.pk, 3_000, 1_000, on=DAY)
    first = pay(bob, ana.pk, 3_500)
    assert (first.applied_cents, first.credit_cents, first.is_repeat) == (3_500, 0, False)
    assert (open_of(early), open_of(late)) == ([0, 500], [5_000])
    second = pay(bob, ana.pk, 10_000)
    assert (second.applied_cents, second.credit_cents) == (5_500, 4_500)
    assert (open_of(early), open_of(late)) == ([0, 0], [0])
    balances = ledger.client_balances(bob, ana.pk)
    assert (balances.client_due_cents, balances.credit_cents) == (0, 4_500)


def test_the_insurers_side_is_never_touched(bob: Actor, ana: Client) -> None:
    insure(bob, ana.pk)
    insured = bill(bob, ana.pk, 9_000, side="insurance")
    accepted = pay(bob, ana.pk, 4_000)
    assert (accepted.applied_cents, accepted.credit_cents) == (0, 4_000)
    with pytest.raises(LineNotOpen):
        pay(bob, ana.pk, 4_000, applications={lines_of(insured)[0]: 4_000})
    assert ledger.client_balances(bob, ana.pk).insurance_due_cents == 9_000


def test_everything_the_form_holds_is_kept_and_audited(bob: Actor, ana: Client) -> None:
    invoice = bill(bob, ana.pk, 6_000)
    facts = {"method": "hsa", "received_on": DAY, "number": " 77 ", "notes": "by mail", "is_copay": True}
    accepted = pay(bob, ana.pk, None, applications=dict.fromkeys(lines_of(invoice)), **facts)
    row = Payment.objects.get(pk=accepted.payment_id)
    assert (row.amount_cents, row.unapplied_cents, row.method, row.received_on) == (6_000, 0, "hsa", DAY)
    assert (row.number, row.notes, row.is_copay, row.created_by_name) == ("77", "by mail", True, "Bob Biller")
    event = AuditEvent.objects.get(verb="accept_payment")
    assert (event.object_id, event.client_id, event.actor_name) == (str(row.pk), ana.pk, "Bob Biller")
    assert event.details == {"method": "hsa", "amount_cents": 6_000, "applied_cents": 6_000, "lines": 1}


def test_a_line_is_never_paid_on_a_day_before_its_invoice_existed(bob: Actor, ana: Client) -> None:
    bill(bob, ana.pk, 5_000, on=DAY, issued_on=date(2026, 11, 10))
    pay(bob, ana.pk, 5_000, received_on=date(2026, 11, 5))
    for day in range(1, 17):
        balances = ledger.client_balances(bob, ana.pk, as_of=date(2026, 11, day))
        assert balances.client_due_cents >= 0 <= balances.credit_cents
    assert ledger.client_balances(bob, ana.pk, as_of=date(2026, 11, 9)).credit_cents == 5_000
    assert ledger.client_balances(bob, ana.pk, as_of=date(2026, 11, 10)).credit_cents == 0


@pytest.mark.parametrize(
    ("refusal", "amount", "typed"),
    [
        (PaymentNotPositive, 0, None),
        (PaymentNotPositive, -5, None),
        (PaymentNotPositive, None, None),
        (PaymentTooLarge, 1_000_000_001, None),
        (AppliedMoreThanDue, 9_000, 5_001),
        (AppliedMoreThanReceived, 4_000, 4_001),
    ],
)
def test_a_refused_payment_leaves_nothing_behind(
    bob: Actor, ana: Client, refusal: type[Refusal], amount: int | None, typed: int | None
) -> None:
    invoice = bill(bob, ana.pk, 5_000)
    entries = Entry.objects.count()
    with pytest.raises(refusal):
        pay(bob, ana.pk, amount, applications=None if typed is None else {lines_of(invoice)[0]: typed})
    assert (Payment.objects.count(), Entry.objects.count(), open_of(invoice)) == (0, entries, [5_000])


def test_money_is_entered_up_to_today_in_practice_time(bob: Actor, ana: Client) -> None:
    assert pay(bob, ana.pk, 100, received_on=bob.today).credit_cents == 100
    with pytest.raises(PaymentInFuture, match="lies in the future"):
        pay(bob, ana.pk, 100, received_on=bob.today + timedelta(days=1))


def test_the_person_must_have_been_told_of_the_credit_they_leave(bob: Actor, ana: Client) -> None:
    bill(bob, ana.pk, 5_000)
    key = uuid4()
    with pytest.raises(SurplusNotConfirmed, match=r"\$30.00 of this payment will be kept as credit") as caught:
        pay(bob, ana.pk, 8_000, request_key=key, expected_credit_cents=0)
    assert (caught.value.credit_cents, Payment.objects.count()) == (3_000, 0)
    accepted = pay(bob, ana.pk, 8_000, request_key=key, expected_credit_cents=3_000)
    again = pay(bob, ana.pk, 8_000, request_key=key, expected_credit_cents=0)
    assert (again.payment_id, again.is_repeat) == (accepted.payment_id, True)


def test_the_same_request_twice_is_one_payment_even_though_its_lines_are_paid_by_now(bob: Actor, ana: Client) -> None:
    invoice = bill(bob, ana.pk, 5_000)
    request = {"request_key": uuid4(), "applications": {lines_of(invoice)[0]: 2_000}, "number": "12"}
    first = pay(bob, ana.pk, None, **request)
    again = pay(bob, ana.pk, None, **request)
    assert (again.payment_id, again.applied_cents, again.is_repeat) == (first.payment_id, 2_000, True)
    assert (Payment.objects.count(), open_of(invoice)) == (1, [3_000])
    assert AuditEvent.objects.filter(verb="accept_payment").count() == 1


@pytest.mark.parametrize(
    "change", [{"amount_cents": 2_001}, {"number": "13"}, {"method": "cash"}, {"received_on": DAY}, {"is_copay": True}]
)
def test_the_same_key_with_other_content_is_refused(bob: Actor, ana: Client, change: dict[str, object]) -> None:
    request = {"request_key": uuid4(), "client_id": ana.pk, "amount_cents": 2_000, "method": "check", "number": "12"}
    request |= {"received_on": TODAY}
    accept_payment(bob, **request)  # type: ignore[arg-type]
    with pytest.raises(RequestKeyReused, match="saved before with other content"):
        accept_payment(bob, **request | change)  # type: ignore[arg-type]
    assert Payment.objects.count() == 1


def test_equal_payments_with_different_keys_are_two(bob: Actor, ana: Client) -> None:
    assert pay(bob, ana.pk, 700, number="12").payment_id != pay(bob, ana.pk, 700, number="12").payment_id
    assert ledger.client_balances(bob, ana.pk).credit_cents == 1_400


def test_a_key_of_another_clients_payment_is_refused(bob: Actor, ana: Client) -> None:
    key = uuid4()
    pay(bob, ana.pk, 700, request_key=key)
    with pytest.raises(RequestKeyReused):
        pay(bob, a_client(bob, "Other").pk, 700, request_key=key)


def test_nobody_without_the_right_or_the_client_takes_money(cast: Cast, bob: Actor, ana: Client) -> None:
    other = bill(bob, a_client(bob, "Other").pk, 900)
    with pytest.raises(NotAllowed, match="Billing"):
        pay(cast.actor(cast.dan), ana.pk, 100)
    with pytest.raises(LineNotOpen):
        pay(bob, ana.pk, 100, applications={lines_of(other)[0]: 100})
    with pytest.raises(NotFound):
        pay(bob, uuid4(), 100)
    with pytest.raises(NotFound):
        pay(bob, ana.pk, 100, visit_id=uuid4())
    StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    with pytest.raises(NotFound):
        pay(cast.actor(cast.bob), ana.pk, 100)
    with practice_transaction(cast.birch.id), pytest.raises(NotFound):
        pay(cast.actor(cast.charlie), ana.pk, 100)
    assert Payment.objects.count() == 0


def test_many_payments_at_once_decide_one_after_the_other(bob: Actor, ana: Client) -> None:
    other = a_client(bob, "Other")
    invoice, theirs = bill(bob, ana.pk, 1_000, 1_000), bill(bob, other.pk, 500)
    payments = [_new(ana.pk, 700), _new(other.pk, 500), _new(ana.pk, 700), _new(ana.pk, 700)]
    accepted = accept_payments(bob, [*payments, payments[0]])
    assert [(each.applied_cents, each.credit_cents) for each in accepted] == [
        (700, 0), (500, 0), (700, 0), (600, 100), (700, 0),
    ]  # fmt: skip
    assert [each.is_repeat for each in accepted] == [False, False, False, False, True]
    assert accepted[4].payment_id == accepted[0].payment_id
    assert (open_of(invoice), open_of(theirs)) == ([0, 0], [0])
    assert all(each.is_repeat for each in accept_payments(bob, payments))
    assert Payment.objects.count() == 4
    with pytest.raises(PaymentNotPositive):
        accept_payments(bob, [_new(ana.pk, 100), _new(ana.pk, 0)])
    assert Payment.objects.count() == 4


def test_a_thousand_payments_take_no_more_statements_than_one(
    bob: Actor, ana: Client, django_assert_max_num_queries: object
) -> None:
    bill(bob, ana.pk, *[100] * 50)
    started = time.perf_counter()
    with django_assert_max_num_queries(21):  # type: ignore[operator]
        accepted = accept_payments(bob, [_new(ana.pk, 7) for _ in range(1_000)])
    assert sum(each.applied_cents for each in accepted) == 5_000
    assert sum(each.credit_cents for each in accepted) == 2_000
    assert time.perf_counter() - started < 10
    assert ledger.client_balances(bob, ana.pk).balance_cents == 5_000 - 7_000


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    bills=st.lists(st.integers(1, 5_000), max_size=5),
    payments=st.lists(st.integers(1, 6_000), min_size=1, max_size=5),
)
def test_whatever_is_paid_the_ledger_accounts_for_every_cent(bob: Actor, bills: list[int], payments: list[int]) -> None:
    client = a_client(bob)
    invoices = [bill(bob, client.pk, cents) for cents in bills]
    accepted = [pay(bob, client.pk, cents) for cents in payments]
    balances = ledger.client_balances(bob, client.pk)
    assert sum(each.applied_cents + each.credit_cents for each in accepted) == sum(payments)
    assert balances.client_due_cents == sum(sum(open_of(invoice)) for invoice in invoices)
    assert balances.balance_cents == sum(bills) - sum(payments)
    assert balances.client_due_cents == 0 or balances.credit_cents == 0
    assert ledger.practice_proof(bob).proves


@pytest.mark.race
def test_two_people_who_take_money_for_the_same_line_at_once_pay_it_once(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client(bob)
    for _ in range(10):
        with practice_transaction(live_cast.alder.id):
            line = lines_of(bill(bob, client.pk, 500))[0]
        outcomes = at_once(live_cast, *[lambda line=line: pay(bob, client.pk, 500, applications={line: 500})] * 2)
        assert sorted(outcomes) == ["done", "line_not_open"]


@pytest.mark.race
def test_the_same_form_sent_twice_at_once_is_one_payment(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client(bob)
    for number in range(1, 11):
        key = uuid4()
        outcomes = at_once(live_cast, *[lambda key=key: pay(bob, client.pk, 500, request_key=key)] * 2)
        assert outcomes == ["done", "done"]
        with practice_transaction(live_cast.alder.id):
            assert Payment.objects.count() == number


def _new(client_id: UUID, cents: int) -> NewPayment:
    return NewPayment(uuid4(), client_id, cents, "cash", TODAY)

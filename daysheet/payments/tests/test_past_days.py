"""As of any past day too, no side and no credit is below nothing (M8): what is dated back waits for its line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import uuid4

import pytest

from daysheet.clients.models import Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.ledger.closing import close_day
from daysheet.ledger.models import Entry
from daysheet.ledger.queries import client_balances
from daysheet.payments.corrections import RefundTooEarly, change_responsibility, refund_payment, unapply
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.models import Payment
from daysheet.reports.queries.day_sheet import day_sheet
from tests.billing import Clinic, build_clinic
from tests.people import Cast

from .desk import TODAY, bill, pay


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def test_a_refund_cannot_be_dated_before_the_money_was_free(clinic: Clinic) -> None:
    """As of the day between, the payment would have been overspent (M8)."""
    client = clinic.client()
    bill(clinic.biller, client, 10_000)
    payment = pay(clinic.biller, client, 10_000, received_on=date(2026, 11, 10)).payment_id
    clear = {"request_key": uuid4(), "payment_id": payment, "amount_cents": 4_000, "reason": "Moved away"}
    unapply(clinic.biller, request_key=uuid4(), payment_id=payment, reason="Wrong line")
    for day in (date(2026, 11, 9), date(2026, 11, 15)):
        with pytest.raises(RefundTooEarly, match=r"On 11/\d+/2026 only \$0.00 of the payment was not applied"):
            refund_payment(clinic.biller, refunded_on=day, **clear)
    refund_payment(clinic.biller, refunded_on=TODAY, **clear)
    assert Payment.objects.get(pk=payment).unapplied_cents == 6_000


def test_a_refund_of_credit_that_was_always_free_may_be_dated_back(clinic: Clinic) -> None:
    client = clinic.client()
    payment = pay(clinic.biller, client, 10_000, received_on=date(2026, 11, 10), applications={}).payment_id
    facts = {"payment_id": payment, "reason": "Moved away"}
    refund_payment(clinic.biller, request_key=uuid4(), amount_cents=4_000, refunded_on=date(2026, 11, 10), **facts)
    with pytest.raises(RefundTooEarly):
        refund_payment(clinic.biller, request_key=uuid4(), amount_cents=1, refunded_on=date(2026, 11, 9), **facts)


def test_money_is_on_a_line_only_from_the_day_the_side_owed_it(clinic: Clinic) -> None:
    """A payment dated back is on the line from the day the client came to owe it; until then it is credit (M8)."""
    client = clinic.client(insured=True)
    visit, _ = clinic.visit(client, clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    line = InvoiceLine.objects.get()
    change_responsibility(
        clinic.biller, request_key=uuid4(), line_id=line.pk, to_side="client", amount_cents=5_000, reason="Deductible"
    )
    pay(clinic.biller, client, 5_000, received_on=date(2026, 11, 10))
    before = client_balances(clinic.biller, client, as_of=date(2026, 11, 12))
    assert (before.client_due_cents, before.credit_cents) == (0, 5_000)
    now = client_balances(clinic.biller, client)
    assert (now.client_due_cents, now.credit_cents) == (0, 0)


def test_an_insurers_money_is_on_a_line_only_from_the_day_insurance_owed_it(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=15_000)
    visit, _ = clinic.visit(client, clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    line = InvoiceLine.objects.get()
    change_responsibility(
        clinic.biller, request_key=uuid4(), line_id=line.pk, to_side="insurance", amount_cents=5_000, reason="No copay"
    )
    accept_insurance_payment(
        clinic.biller, request_key=uuid4(), payer_id=Coverage.objects.get().payer_id, amount_cents=None, method="eft",
        received_on=date(2026, 11, 10), postings={line.pk: LinePosting(5_000)},
    )  # fmt: skip
    assert client_balances(clinic.biller, client, as_of=date(2026, 11, 12)).insurance_due_cents == 0
    assert client_balances(clinic.biller, client).insurance_due_cents == 0


def test_a_refund_of_a_closed_day_counts_from_the_day_it_is_posted_on(clinic: Clinic) -> None:
    """Received and given back on days that are closed by now: both are posted on the first open one."""
    client = clinic.client()
    totals = day_sheet(clinic.biller, date(2026, 11, 12)).totals
    close_day(
        clinic.biller, day=date(2026, 11, 12), expected_closing_cents=totals.closing_cents,
        expected_entry_count=totals.entry_count,
    )  # fmt: skip
    payment = pay(clinic.biller, client, 10_000, received_on=date(2026, 11, 9), applications={}).payment_id
    refund_payment(
        clinic.biller, request_key=uuid4(), payment_id=payment, amount_cents=4_000, refunded_on=date(2026, 11, 11),
        reason="Moved away",
    )  # fmt: skip
    days = Entry.objects.filter(payment_id=payment).values_list("effective_on", flat=True)
    assert set(days) == {date(2026, 11, 13)}

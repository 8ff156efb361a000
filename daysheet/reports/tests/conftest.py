"""A few days of a practice made by the real actions: charges of two sides, money of both, corrections."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from daysheet.clients.models import ClientAssignment
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.payments.actions import accept_payment
from daysheet.payments.corrections import refund_payment, write_off
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast, Person

TODAY = date(2026, 11, 16)
EARLIER = date(2026, 11, 10)
OLD = date(2026, 7, 1)
SignIn = Callable[[Person], Browser]


@dataclass(frozen=True)
class Week:
    """Ana Ruiz is insured (copay 25.00), Ana Long pays herself. Everything was posted today unless said otherwise:

    Ruiz: 150.00 of 11/10, client 25.00 paid 11/10 of 40.00 (15.00 credit); insurer paid 80.00 of a check of 100.00,
    adjusted 20.00, so 25.00 of insurance stay open. Long: 150.00 of 07/01, of which 10.00 written off; a payment of
    60.00 as credit, 5.00 refunded.
    """

    clinic: Clinic
    biller: Actor
    ruiz: UUID
    long: UUID
    payer: UUID


@pytest.fixture
def shop(cast: Cast) -> Iterator[Clinic]:
    """Alder Clinic ready to bill, the clock standing. Inside its transaction."""
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        yield build_clinic(cast)


@pytest.fixture
def week(shop: Clinic) -> Week:
    biller = shop.biller
    ruiz, long = shop.client("Ruiz", insured=True, copay_cents=2500), shop.client("Long")
    for client, day in ((ruiz, EARLIER), (long, OLD)):
        bill_visit(biller, visit_id=shop.visit(client, shop.talk, day=day)[0])
    line = InvoiceLine.objects.select_related("coverage").get(client_id=ruiz)
    own = InvoiceLine.objects.get(client_id=long)
    assert line.coverage is not None
    accept_payment(biller, request_key=uuid4(), client_id=ruiz, amount_cents=4000, method="cash", received_on=EARLIER)
    accept_insurance_payment(
        biller, request_key=uuid4(), payer_id=line.coverage.payer_id, amount_cents=10000, method="ins_check",
        received_on=TODAY, postings={line.pk: LinePosting(8000, 2000)}, number="=C1", expected_credit_cents=2000,
    )  # fmt: skip
    write_off(biller, request_key=uuid4(), line_id=own.pk, side="client", amount_cents=1000, reason="Hardship")
    credit = keep_as_credit(biller, long, 6000, TODAY)
    refund_payment(
        biller, request_key=uuid4(), payment_id=credit, amount_cents=500, refunded_on=TODAY, reason="Moved away"
    )
    return Week(shop, biller, ruiz, long, line.coverage.payer_id)


def keep_as_credit(biller: Actor, client: UUID, cents: int, day: date) -> UUID:
    """Cash that is put on no line; its payment's id."""
    return accept_payment(
        biller, request_key=uuid4(), client_id=client, amount_cents=cents, method="cash", received_on=day,
        applications={},
    ).payment_id  # fmt: skip


@pytest.fixture
def limited(week: Week) -> Actor:
    """Bob, who may see Ana Ruiz only."""
    bob = week.clinic.cast.bob
    StaffMember.objects.filter(pk=bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=week.ruiz, staff_member_id=bob.staff_member_id)
    return week.clinic.cast.actor(bob)


@pytest.fixture
def sign_in(shop: Clinic) -> SignIn:
    def signed_in(person: Person) -> Browser:
        browser = Browser(raise_request_exception=False)
        browser.force_login(User.objects.get(pk=person.user_id))
        return browser

    return signed_in


@pytest.fixture
def bob(week: Week, sign_in: SignIn) -> Browser:
    """The biller's browser."""
    return sign_in(week.clinic.cast.bob)


def at(name: str) -> str:
    """The address of a report of Alder Clinic."""
    return reverse(f"reports:{name}", kwargs={"practice": "alder"})

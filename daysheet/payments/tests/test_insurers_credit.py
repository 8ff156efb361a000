"""Ticks on an insurer's cheque, and its credit put on lines later: the pages and what they may not do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from daysheet.clients.actions import add_payer
from daysheet.clients.models import Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.ledger.queries import client_balances
from daysheet.payments.actions import NoCredit
from daysheet.payments.corrections import reverse_payment, unapply
from daysheet.payments.insurance import LinePosting, accept_insurance_payment, apply_insurance_credit
from daysheet.payments.models import Payment
from daysheet.payments.rules import (
    AppliedMoreThanDue,
    AppliedMoreThanReceived,
    LineNotOpen,
    PaymentNotPositive,
    insurer_shares,
)
from daysheet.staff.models import StaffMember
from tests.architecture.world import browser_of
from tests.billing import DAY, Clinic, build_clinic
from tests.invariants.books import INVARIANTS
from tests.pages import filled
from tests.people import Cast
from tests.worked import rows_under


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _lines(clinic: Clinic, *names: str) -> list[InvoiceLine]:
    """A line of 150.00 for each client, all of one insurer."""
    for name in names:
        bill_visit(clinic.biller, visit_id=clinic.visit(clinic.client(name, insured=True), clinic.talk)[0])
    Coverage.objects.update(payer_id=Coverage.objects.earliest("pk").payer_id)
    return list(InvoiceLine.objects.select_related("client", "coverage").order_by("client__last_name"))


def _payer() -> UUID:
    return Coverage.objects.earliest("pk").payer_id


def _cheque(clinic: Clinic, postings: dict[UUID, LinePosting], **more: Any) -> UUID:
    facts = {"request_key": uuid4(), "amount_cents": None, "method": "ins_check", "received_on": DAY, **more}
    payment = accept_insurance_payment(clinic.biller, payer_id=_payer(), postings=postings, **facts).payment_id
    assert payment
    return payment


def _credit(clinic: Clinic, cents: int) -> UUID:
    return _cheque(clinic, {}, amount_cents=cents, expected_credit_cents=cents)


def _apply(clinic: Clinic, payment: UUID, postings: dict[UUID, LinePosting], **more: Any) -> Any:
    return apply_insurance_credit(
        clinic.biller, payment_id=payment, postings=postings, **{"request_key": uuid4(), **more}
    )


def _open() -> list[int]:
    rows = InvoiceLine.objects.order_by("client__last_name")
    return list(rows.values_list("insurance_open_cents", flat=True))


def _books_hold(clinic: Clinic) -> None:
    assert {rule.__name__: found for rule in INVARIANTS if (found := rule(clinic.biller))} == {}


@pytest.mark.parametrize("row", rows_under("application.md", "An insurer's cheque"), ids=lambda row: " ".join(row))
def test_each_row_of_the_page(row: list[str]) -> None:
    amount, chosen, *shares = row
    ids = {name: UUID(int=number) for number, name in enumerate("ABC", start=1)}
    rooms = {"A": 4_000, "B": 2_500, "C": 6_000}
    paid: dict[UUID, int | None] = {}
    for part in filter(lambda text: text != "–", chosen.split(", ")):
        name, *typed = part.split()
        paid[ids[name]] = _cents(typed[0]) if typed else None
    shared = insurer_shares(
        None if amount == "–" else _cents(amount), [(ids[name], room) for name, room in rooms.items()], paid
    )
    assert [shared.get(ids[name], 0) for name in ids] == [_cents(share) for share in shares]


def _cents(text: str) -> int:
    return int(text.replace(".", ""))


def test_ticked_lines_are_paid_in_full_and_typed_ones_as_typed(clinic: Clinic) -> None:
    one, two, three = _lines(clinic, "A", "B", "C")
    payment = _cheque(
        clinic,
        {one.pk: LinePosting(None), two.pk: LinePosting(2_000), three.pk: LinePosting(None, 3_000, 1_000)},
    )
    assert Payment.objects.get(pk=payment).amount_cents == 15_000 + 2_000 + 11_000
    assert _open() == [0, 13_000, 0]
    _books_hold(clinic)


def test_what_a_typed_amount_leaves_goes_to_the_ticked_lines_in_order(clinic: Clinic) -> None:
    one, two, three = _lines(clinic, "A", "B", "C")
    ticks = {line.pk: LinePosting(None) for line in (three, one)}
    _cheque(clinic, ticks | {two.pk: LinePosting(1_000)}, amount_cents=20_000)
    assert _open() == [0, 14_000, 11_000]
    _books_hold(clinic)


def test_the_tick_for_all_without_scripts(clinic: Clinic) -> None:
    _lines(clinic, "A", "B")
    bob, url = browser_of(clinic.cast.bob), f"/alder/billing/batch-payments/?payer={_payer()}"
    assert "Pay all lines" in bob.get(url).text
    typed = {"request_key": str(uuid4()), "method": "eft", "received_on": "2026-11-16", "pay_all": "on"}
    assert bob.post(url, typed | {"amount": "200.00"}).status_code == 303
    assert (_open(), Payment.objects.get().amount_cents) == ([0, 10_000], 20_000)


def test_credit_of_an_insurer_is_put_on_lines_later(clinic: Clinic) -> None:
    """Taken off a wrong line of a cheque over two clients, it goes on the right one; the other line keeps its money."""
    wrong, right, other = _lines(clinic, "A", "B", "C")
    payment = _cheque(clinic, {wrong.pk: LinePosting(9_000), other.pk: LinePosting(15_000)})
    unapply(clinic.biller, request_key=uuid4(), payment_id=payment, reason="Wrong client", line_ids=[wrong.pk])
    bob, url = browser_of(clinic.cast.bob), f"/alder/payments/{payment}/apply/"
    assert f'href="{url}"' in bob.get(f"/alder/payments/{payment}/").text
    page = bob.get(url).text
    assert "$90.00 of the" in page and "B, Ana" in page
    typed = {"request_key": str(uuid4()), f"tick-{right.pk}": "on", f"adjusted-{right.pk}": "10.00"}
    assert [bob.post(url, typed).status_code for _ in range(2)] == [303, 303]
    assert bob.post(url, typed | {f"adjusted-{right.pk}": "11.00"}).status_code == 409
    assert _open() == [15_000, 5_000, 0]
    assert Payment.objects.get().unapplied_cents == 0
    assert client_balances(clinic.biller, right.client_id).insurance_due_cents == 5_000
    _books_hold(clinic)


def test_an_insurers_credit_is_refused_where_it_does_not_fit(clinic: Clinic) -> None:
    one, two = _lines(clinic, "A", "B")
    payment = _credit(clinic, 5_000)
    for postings, refusal in (
        ({one.pk: LinePosting(5_001)}, AppliedMoreThanReceived),
        ({one.pk: LinePosting(1_000, 14_001)}, AppliedMoreThanDue),
        ({one.pk: LinePosting(0, 1_000)}, PaymentNotPositive),
        ({}, PaymentNotPositive),
        ({one.pk: LinePosting(-1)}, PaymentNotPositive),
    ):
        with pytest.raises(refusal):
            _apply(clinic, payment, postings)
    stranger = clinic.client("Z", insured=True)
    bill_visit(clinic.biller, visit_id=clinic.visit(stranger, clinic.talk)[0])
    with pytest.raises(LineNotOpen):
        _apply(clinic, payment, {InvoiceLine.objects.get(client_id=stranger).pk: LinePosting(1)})
    _apply(clinic, payment, {one.pk: LinePosting(None), two.pk: LinePosting(1_000)})
    assert _open()[:2] == [11_000, 14_000]
    with pytest.raises(NoCredit):
        _apply(clinic, payment, {two.pk: LinePosting(1)})
    _books_hold(clinic)


def test_corrections_of_an_insurers_payment_show_its_own_figures(clinic: Clinic) -> None:
    """Not the sums of the whole practice, in which a cheque of one insurer is lost."""
    one, _ = _lines(clinic, "A", "B")
    bill_visit(clinic.biller, visit_id=clinic.visit(clinic.client("Self"), clinic.talk)[0])
    payment = _cheque(clinic, {one.pk: LinePosting(9_000)})
    bob, url = browser_of(clinic.cast.bob), f"/alder/payments/{payment}/unapply/"
    page = bob.post(url, filled(bob.get(url).text, reason="Wrong")).text
    assert "Due from the insurer" in page and "$210.00" in page and "<b>$300.00</b>" in page
    assert "The insurer’s credit" in page and "<b>$90.00</b>" in page


def test_a_checks_number_that_was_used_before_by_the_same_insurer_is_told(clinic: Clinic) -> None:
    """M5: it warned of clients' checks only, and an insurer's is what is posted twice."""
    one, two = _lines(clinic, "A", "B")
    first = _cheque(clinic, {one.pk: LinePosting(1_000)}, number="77")
    bob, url = browser_of(clinic.cast.bob), f"/alder/billing/batch-payments/?payer={_payer()}"
    typed = {"request_key": str(uuid4()), "method": "ins_check", "received_on": "2026-11-16", "number": "77"}
    said = bob.post(url, typed | {f"paid-{two.pk}": "20.00"}, follow=True).text
    assert "The same number is on a payment of $10.00 from Payer of A, 11/02/2026. Both are kept." in said
    assert "The same number is on a" in bob.get(f"/alder/payments/{first}/").text
    other = add_payer(clinic.owner, name="Harbor Health").pk
    accept_insurance_payment(
        clinic.biller, request_key=uuid4(), payer_id=other, amount_cents=500, method="ins_check", received_on=DAY,
        postings={}, expected_credit_cents=500, number="78",
    )  # fmt: skip
    said = bob.post(
        url, typed | {"request_key": str(uuid4()), "number": "78", f"paid-{two.pk}": "20.00"}, follow=True
    ).text
    assert "The same number" not in said  # another insurer counts its checks by itself


def test_the_payments_entered_last_stand_where_the_next_one_begins(clinic: Clinic, cast: Cast) -> None:
    one, two = _lines(clinic, "A", "B")
    Coverage.objects.filter(client=two.client_id).update(payer_id=add_payer(clinic.owner, name="Harbor Health").pk)
    paid = _cheque(clinic, {one.pk: LinePosting(1_000)}, number="77")
    wrong = _credit(clinic, 700)
    reverse_payment(clinic.biller, request_key=uuid4(), payment_id=wrong, reason="Typed twice")
    bob, url = browser_of(cast.bob), "/alder/billing/batch-payments/"
    rows = bob.get(url).text.split("Entered last")[-1].split("<tbody>")[1].split("</tr>")
    assert f"/alder/payments/{wrong}/" in rows[0] and "Deleted" in rows[0] and "$7.00" in rows[0]
    assert f"/alder/payments/{paid}/" in rows[1] and "Deleted" not in rows[1] and ">77<" in rows[1]
    Coverage.objects.update(payer_id=Payment.objects.get(pk=paid).payer_id)
    assert "Entered last" in bob.get(url).text and "Insurance due" in bob.get(url).text  # also where one alone owes
    assert "Entered last" not in bob.get(f"{url}?payer={Payment.objects.get(pk=paid).payer_id}").text
    StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    assert "Entered last" not in bob.get(url).text

"""An insurer's payment: over many clients, line by line, never touching a client's credit; and its pages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest

from daysheet.clients.models import Coverage
from daysheet.config.verify import run_verify
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import InvoiceHasInsuranceMoney, bill_visit, void_invoice
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.queries import client_activity, client_balances
from daysheet.payments.actions import NoCredit, SurplusNotConfirmed, apply_credit
from daysheet.payments.corrections import NotAWriteOff, refund_payment, remove_write_off, reverse_payment, unapply
from daysheet.payments.insurance import InsurerPosted, LinePosting, accept_insurance_payment
from daysheet.payments.models import Payment
from daysheet.payments.queries.correcting import write_offs
from daysheet.payments.receiving import RequestKeyReused
from daysheet.payments.rules import AppliedMoreThanDue, AppliedMoreThanReceived, LineNotOpen, PaymentNotPositive
from tests.architecture.world import browser_of
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _line(clinic: Clinic, name: str = "Ruiz", copay_cents: int | None = None) -> InvoiceLine:
    visit, _ = clinic.visit(clinic.client(name, insured=True, copay_cents=copay_cents), clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    return InvoiceLine.objects.select_related("coverage").latest("id")


def _same_payer(*lines: InvoiceLine) -> UUID:
    assert lines[0].coverage is not None
    payer = lines[0].coverage.payer_id
    Coverage.objects.update(payer_id=payer)
    return payer


def _post(clinic: Clinic, payer: UUID, postings: dict[UUID, LinePosting], **more: Any) -> InsurerPosted:
    facts = {"request_key": uuid4(), "amount_cents": None, "method": "ins_check", "received_on": DAY, **more}
    return accept_insurance_payment(clinic.biller, payer_id=payer, postings=postings, **facts)


def _figures(clinic: Clinic, client_id: UUID) -> tuple[int, int, int]:
    balances = client_balances(clinic.biller, client_id)
    return balances.client_due_cents, balances.insurance_due_cents, balances.credit_cents


def _books_are_right() -> None:
    out = StringIO()
    assert run_verify("alder", out) == 0, out.getvalue()


def test_one_cheque_over_two_clients_line_by_line(clinic: Clinic) -> None:
    one, two = _line(clinic, "One", copay_cents=2500), _line(clinic, "Two")
    payer = _same_payer(one, two)
    posted = _post(
        clinic, payer, {one.pk: LinePosting(8000, 3000, 1500), two.pk: LinePosting(10000)}, amount_cents=18000
    )
    assert (posted.paid_cents, posted.adjusted_cents, posted.to_client_cents, posted.credit_cents) == (
        18000, 3000, 1500, 0,
    )  # fmt: skip
    assert _figures(clinic, one.client_id) == (4000, 0, 0)
    assert _figures(clinic, two.client_id) == (0, 5000, 0)
    assert client_activity(clinic.biller, two.client_id).rows[0].balance_cents == 5000
    _books_are_right()


def test_an_insurers_surplus_is_its_credit_and_no_clients(clinic: Clinic) -> None:
    line = _line(clinic)
    payer = _same_payer(line)
    with pytest.raises(SurplusNotConfirmed):
        _post(clinic, payer, {line.pk: LinePosting(10000)}, amount_cents=12000)
    posted = _post(clinic, payer, {line.pk: LinePosting(10000)}, amount_cents=12000, expected_credit_cents=2000)
    assert posted.credit_cents == 2000
    assert _figures(clinic, line.client_id) == (0, 5000, 0)
    with pytest.raises(NoCredit):
        apply_credit(clinic.biller, request_key=uuid4(), client_id=line.client_id)
    refund_payment(
        clinic.biller, request_key=uuid4(), payment_id=posted.payment_id, amount_cents=2000, refunded_on=DAY,
        reason="Take-back",
    )  # fmt: skip
    _books_are_right()


def test_a_denial_moves_the_whole_line_to_the_client_without_money(clinic: Clinic) -> None:
    line = _line(clinic)
    key = uuid4()
    for _ in range(2):
        posted = _post(clinic, _same_payer(line), {line.pk: LinePosting(0, 0, 15000)}, request_key=key)
        assert posted.payment_id is None
    assert _figures(clinic, line.client_id) == (15000, 0, 0)
    assert not Payment.objects.exists()
    _books_are_right()


def test_the_same_key_is_one_payment_and_other_content_is_refused(clinic: Clinic) -> None:
    line, key = _line(clinic), uuid4()
    payer = _same_payer(line)
    first = _post(clinic, payer, {line.pk: LinePosting(100)}, request_key=key)
    assert _post(clinic, payer, {line.pk: LinePosting(100)}, request_key=key).payment_id == first.payment_id
    with pytest.raises(RequestKeyReused):
        _post(clinic, payer, {line.pk: LinePosting(200)}, request_key=key)
    assert Payment.objects.count() == 1


def test_the_key_of_a_payment_that_claimed_none_is_refused_too(clinic: Clinic) -> None:
    """A card's or an import's payment has a key that no form was claimed with."""
    line, key = _line(clinic), uuid4()
    payer = _same_payer(line)
    _post(clinic, payer, {line.pk: LinePosting(100)})
    Payment.objects.create(
        payer_id=payer, method=Payment.Method.EFT, amount_cents=1, unapplied_cents=1, received_on=DAY,
        created_at=clinic.biller.now, created_by_name="Import", request_key=key, request_digest="x",
    )  # fmt: skip
    with pytest.raises(RequestKeyReused):
        _post(clinic, payer, {line.pk: LinePosting(200)}, request_key=key)
    assert Payment.objects.count() == 2


def test_too_much_nothing_and_another_insurer_are_refused(clinic: Clinic) -> None:
    line, other = _line(clinic, "One"), _line(clinic, "Two")
    assert line.coverage is not None
    payer = line.coverage.payer_id
    for postings, more, refusal in (
        ({line.pk: LinePosting(10000, 5000, 1)}, {}, AppliedMoreThanDue),
        ({line.pk: LinePosting(200)}, {"amount_cents": 100}, AppliedMoreThanReceived),
        ({}, {}, PaymentNotPositive),
        ({line.pk: LinePosting(-1, 5)}, {}, PaymentNotPositive),
        ({other.pk: LinePosting(1)}, {}, LineNotOpen),
    ):
        with pytest.raises(refusal):
            _post(clinic, payer, postings, **more)
    with pytest.raises(NotFound):
        _post(clinic, uuid4(), {line.pk: LinePosting(1)})
    assert not Payment.objects.exists()


def test_it_is_unapplied_and_deleted_and_the_invoice_can_be_voided_then(clinic: Clinic) -> None:
    line = _line(clinic)
    posted = _post(clinic, _same_payer(line), {line.pk: LinePosting(15000)})
    assert posted.payment_id
    with pytest.raises(InvoiceHasInsuranceMoney):
        void_invoice(clinic.biller, invoice_id=line.invoice_id, reason="x")
    unapply(clinic.biller, request_key=uuid4(), payment_id=posted.payment_id, reason="Wrong line")
    assert _figures(clinic, line.client_id) == (0, 15000, 0)
    reverse_payment(clinic.biller, request_key=uuid4(), payment_id=posted.payment_id, reason="Bounced")
    void_invoice(clinic.biller, invoice_id=line.invoice_id, reason="x")
    assert _figures(clinic, line.client_id) == (0, 0, 0)
    _books_are_right()


def test_strangers_and_people_without_billing_post_nothing(clinic: Clinic) -> None:
    line = _line(clinic)
    payer = _same_payer(line)
    facts = {"request_key": uuid4(), "payer_id": payer, "amount_cents": 1, "method": "eft", "received_on": DAY}
    with pytest.raises(NotAllowed):
        accept_insurance_payment(clinic.cast.actor(clinic.cast.dan), postings={line.pk: LinePosting(1)}, **facts)
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        accept_insurance_payment(clinic.cast.actor(clinic.cast.charlie), postings={}, **facts)


def test_the_page_posts_a_cheque_and_asks_before_it_keeps_credit(clinic: Clinic) -> None:
    one, two = _line(clinic, "One"), _line(clinic, "Two")
    payer = _same_payer(one, two)
    bob = browser_of(clinic.cast.bob)
    url = f"/alder/billing/batch-payments/?payer={payer}"
    assert b"One, Ana" in bob.get(url).content
    typed = {
        "request_key": str(uuid4()), "amount": "250.00", "method": "ins_check", "received_on": "2026-11-16",
        "number": "4711", "notes": "", f"paid-{one.pk}": "100.00", f"adjusted-{one.pk}": "50.00",
        f"paid-{two.pk}": "140.00",
    }  # fmt: skip
    asked = bob.post(url, typed)
    assert b"<b>$10.00</b> will be kept" in asked.content and not Payment.objects.exists()
    assert bob.post(url, typed | {"expected_credit": "1000"}).status_code in {302, 303}
    payment = Payment.objects.get()
    assert (payment.amount_cents, payment.unapplied_cents, payment.number) == (25000, 1000, "4711")
    assert InvoiceLine.objects.get(pk=one.pk).insurance_open_cents == 0
    page = bob.get(f"/alder/payments/{payment.pk}/").content.decode()
    assert "Payer of One" in page and "Unapply" in page
    too_much = bob.post(url, typed | {"request_key": str(uuid4()), f"paid-{two.pk}": "140.00"})
    assert too_much.status_code == 422
    assert date(2026, 11, 16) == payment.received_on


def test_the_desk_needs_a_fixed_number_of_statements(clinic: Clinic, django_assert_max_num_queries: Any) -> None:
    lines = [_line(clinic, f"Client{number}") for number in range(12)]
    payer = _same_payer(*lines)
    bob = browser_of(clinic.cast.bob)
    with django_assert_max_num_queries(14):
        bob.get(f"/alder/billing/batch-payments/?payer={payer}")


def test_an_adjustment_can_be_taken_back_so_that_its_invoice_can_be_voided(clinic: Clinic) -> None:
    """An invoice with nothing but a contractual adjustment on it could be neither voided nor changed, for ever."""
    line = _line(clinic)
    _post(clinic, _same_payer(line), {line.pk: LinePosting(adjusted_cents=4_000)}, amount_cents=0)
    with pytest.raises(InvoiceHasInsuranceMoney, match="take its adjustments back under Write-Offs"):
        void_invoice(clinic.biller, invoice_id=line.invoice_id, reason="Wrong client")
    [adjustment] = write_offs(clinic.biller, line.client_id)
    assert (adjustment.side, adjustment.entry.reason) == ("insurance", "Contractual adjustment")
    remove_write_off(
        clinic.biller,
        request_key=uuid4(),
        line_id=line.pk,
        entry_id=adjustment.entry.id,
        reason="Read from another line",
    )
    assert _figures(clinic, line.client_id) == (0, 15_000, 0)
    with pytest.raises(NotAWriteOff):
        remove_write_off(
            clinic.biller, request_key=uuid4(), line_id=line.pk, entry_id=adjustment.entry.id, reason="Again"
        )
    void_invoice(clinic.biller, invoice_id=line.invoice_id, reason="Wrong client")
    _books_are_right()

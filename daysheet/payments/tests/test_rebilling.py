"""Void with payments, void and rebill, the edited line: the money follows, the total is explained, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from uuid import UUID, uuid4

import pytest

from daysheet.config.verify import run_verify
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import InvoiceHasInsuranceMoney, NoLongerThere, bill_visit, void_invoice
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.selection import LineEdit
from daysheet.invoicing.voiding import ReasonMissing as VoidReasonMissing
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account
from daysheet.ledger.queries import client_balances
from daysheet.ledger.requests import RequestKeyReused
from daysheet.payments.actions import accept_payment
from daysheet.payments.corrections import ReasonMissing, change_responsibility, unapply, write_off
from daysheet.payments.models import Payment
from daysheet.payments.rebilling import EditNotPossible, RebillRefused, edit_line, void_and_rebill
from daysheet.schedule.models import VisitService
from daysheet.staff.models import CptLicense
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _figures(clinic: Clinic, client_id: UUID) -> tuple[int, int, int]:
    balances = client_balances(clinic.biller, client_id)
    return balances.client_due_cents, balances.insurance_due_cents, balances.credit_cents


def _pay(clinic: Clinic, client_id: UUID, cents: int) -> UUID:
    return accept_payment(
        clinic.biller, request_key=uuid4(), client_id=client_id, amount_cents=cents, method="check", received_on=DAY
    ).payment_id


def _books_are_right() -> None:
    out = StringIO()
    assert run_verify("alder", out) == 0, out.getvalue()


def test_a_void_with_payments_moves_them_to_credit_and_takes_write_offs_back(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=2500)
    visit, _ = clinic.visit(client, clinic.talk)
    invoice = bill_visit(clinic.biller, visit_id=visit).created[0]
    _pay(clinic, client, 2500)
    line = InvoiceLine.objects.get()
    change_responsibility(
        clinic.biller, request_key=uuid4(), line_id=line.pk, to_side="client", amount_cents=3000, reason="Deductible"
    )
    write_off(clinic.biller, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=1000, reason="Hardship")
    void_invoice(clinic.biller, invoice_id=invoice.id, reason="Wrong client")
    assert _figures(clinic, client) == (0, 0, 2500)
    assert VisitService.objects.get().line_id is None
    _books_are_right()


def test_insurance_money_stops_a_void(clinic: Clinic) -> None:
    client = clinic.client(insured=True)
    visit, _ = clinic.visit(client, clinic.talk)
    invoice = bill_visit(clinic.biller, visit_id=visit).created[0]
    payment = _pay(clinic, client, 100)
    line = InvoiceLine.objects.get()
    movement = Movement(
        Account.CREDIT, Account.INSURANCE_RECEIVABLE, 100, client, DAY, line_id=line.pk, payment_id=payment,
        coverage_id=line.coverage_id,
    )  # fmt: skip
    post(clinic.biller, [movement], event_id=uuid4())
    with pytest.raises(InvoiceHasInsuranceMoney):
        void_invoice(clinic.biller, invoice_id=invoice.id, reason="x")
    assert not InvoiceLine.objects.exclude(ended_at=None).exists()


def test_void_and_rebill_keeps_the_payments_on_the_new_invoice(clinic: Clinic) -> None:
    client = clinic.client()
    visit, (service,) = clinic.visit(client, clinic.talk)
    old = bill_visit(clinic.biller, visit_id=visit).created[0]
    payment = _pay(clinic, client, 10000)
    key = uuid4()
    new = void_and_rebill(
        clinic.biller,
        request_key=key,
        invoice_id=old.id,
        reason="It was a letter",
        services={service: clinic.letter.pk},
    )
    assert (new.number, new.total_cents, new.reapplied_cents, new.credit_cents) == (2, 4000, 4000, 6000)
    assert _figures(clinic, client) == (0, 0, 6000)
    assert Payment.objects.get(pk=payment).unapplied_cents == 6000
    assert InvoiceLine.objects.get(ended_at=None).code == "LETTER"
    asked = {"invoice_id": old.id, "services": {service: clinic.letter.pk}}
    again = void_and_rebill(clinic.biller, request_key=key, reason="It was a letter", **asked)
    assert again.number == 2 and Invoice.objects.count() == 2
    with pytest.raises(RequestKeyReused):
        void_and_rebill(clinic.biller, request_key=key, reason="It was a talk", **asked)
    with pytest.raises(NoLongerThere):
        void_and_rebill(clinic.biller, request_key=uuid4(), invoice_id=old.id, reason="another tab")
    _books_are_right()


def test_a_dearer_rebill_leaves_the_difference_due(clinic: Clinic) -> None:
    client = clinic.client()
    visit, (service,) = clinic.visit(client, clinic.talk)
    old = bill_visit(clinic.biller, visit_id=visit).created[0]
    _pay(clinic, client, 15000)
    void_and_rebill(
        clinic.biller, request_key=uuid4(), invoice_id=old.id, reason="Two units", edits={service: LineEdit(units=2)}
    )
    assert _figures(clinic, client) == (15000, 0, 0)
    _books_are_right()


def test_a_refused_rebill_changes_nothing(clinic: Clinic) -> None:
    client = clinic.client()
    visit, (service,) = clinic.visit(client, clinic.talk)
    old = bill_visit(clinic.biller, visit_id=visit).created[0]
    _pay(clinic, client, 15000)
    unlicensed = LineEdit(rendering_staff_member_id=clinic.cast.dan.staff_member_id)
    with pytest.raises(RebillRefused, match="CPT license"):
        void_and_rebill(
            clinic.biller, request_key=uuid4(), invoice_id=old.id, reason="Other provider", edits={service: unlicensed}
        )
    assert CptLicense.objects.count() == 1
    assert (_figures(clinic, client), InvoiceLine.objects.get().ended_at) == ((0, 0, 0), None)
    with pytest.raises(VoidReasonMissing):
        void_and_rebill(clinic.biller, request_key=uuid4(), invoice_id=old.id, reason=" ")
    _books_are_right()


def test_an_edited_line_stands_in_the_place_of_the_old_one(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=2500)
    visit, (service,) = clinic.visit(client, clinic.talk)
    number = bill_visit(clinic.biller, visit_id=visit).created[0].number
    _pay(clinic, client, 2500)
    line = InvoiceLine.objects.get()
    key = uuid4()
    for _ in range(2):
        edit_line(
            clinic.biller, request_key=key, line_id=line.pk, rate_cents=15000, units=2, client_cents=5000,
            note="Double session", reason="Was two hours",
        )  # fmt: skip
    live = InvoiceLine.objects.get(ended_at=None)
    assert (live.invoice.number, live.amount_cents, live.insurance_cents) == (number, 30000, 25000)
    assert (live.visit_service_id, VisitService.objects.get().line_id) == (service, live.pk)
    assert _figures(clinic, client) == (2500, 25000, 0)
    _books_are_right()


def test_an_edit_that_does_not_add_up_is_refused(clinic: Clinic) -> None:
    client = clinic.client()
    visit, _ = clinic.visit(client, clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    line = InvoiceLine.objects.get()

    def edit(rate: int, units: int, part: int, reason: str = "x") -> None:
        edit_line(
            clinic.biller, request_key=uuid4(), line_id=line.pk, rate_cents=rate, units=units, client_cents=part,
            note="", reason=reason,
        )  # fmt: skip

    for rate, units, part in ((-1, 1, 0), (100, 0, 0), (100, 1, 101), (100, 1, 50)):
        with pytest.raises(EditNotPossible):
            edit(rate, units, part)
    with pytest.raises(ReasonMissing):
        edit(100, 1, 100, reason="")
    with pytest.raises(NotAllowed):
        edit_line(
            clinic.cast.actor(clinic.cast.dan), request_key=uuid4(), line_id=line.pk, rate_cents=1, units=1,
            client_cents=1, note="", reason="x",
        )  # fmt: skip
    stranger = clinic.cast.actor(clinic.cast.charlie)
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        void_and_rebill(stranger, request_key=uuid4(), invoice_id=line.invoice_id, reason="x")


def test_an_edited_line_takes_more_of_the_prepayment_named_for_its_date(clinic: Clinic) -> None:
    """Prepaid 200.00 for a date billed at 150.00: raised to 180.00, it is still paid (M3). What was taken off by hand
    stays off."""
    client = clinic.client()
    visit, _ = clinic.visit(client, clinic.talk)
    prepaid = accept_payment(
        clinic.biller, request_key=uuid4(), client_id=client, amount_cents=20_000, method="cash", received_on=DAY,
        applications={}, visit_id=visit, is_prepayment=True,
    ).payment_id  # fmt: skip
    bill_visit(clinic.biller, visit_id=visit)
    assert _figures(clinic, client) == (0, 0, 5_000)
    _edit(clinic, 18_000)
    assert _figures(clinic, client) == (0, 0, 2_000)
    unapply(clinic.biller, request_key=uuid4(), payment_id=prepaid, reason="Keep it for another date")
    _edit(clinic, 17_000)
    assert _figures(clinic, client) == (17_000, 0, 20_000)
    _books_are_right()


def test_a_line_cannot_be_edited_to_more_than_one_may_be(clinic: Clinic) -> None:
    client = clinic.client()
    bill_visit(clinic.biller, visit_id=clinic.visit(client, clinic.talk)[0])
    with pytest.raises(EditNotPossible, match=r"\$9,990,000,000.00 is more than one line may be"):
        _edit(clinic, 1_000_000_000, units=999)
    assert _figures(clinic, client) == (15_000, 0, 0)


def _edit(clinic: Clinic, rate_cents: int, units: int = 1) -> None:
    line = InvoiceLine.objects.get(ended_at=None)
    edit_line(
        clinic.biller, request_key=uuid4(), line_id=line.pk, rate_cents=rate_cents, units=units,
        client_cents=rate_cents * units, note="", reason="Agreed",
    )  # fmt: skip

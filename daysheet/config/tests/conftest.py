"""Histories to verify."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from daysheet.clients.models import Coverage
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.ledger.closing import close_day
from daysheet.payments.actions import apply_credit
from daysheet.payments.corrections import refund_payment, write_off
from daysheet.payments.insurance import LinePosting, accept_insurance_payment
from daysheet.payments.rebilling import edit_line
from daysheet.payments.tests.desk import TODAY, pay
from daysheet.reports.queries.day_sheet import day_sheet
from tests.billing import DAY, build_clinic, clinic_of
from tests.people import Cast


@pytest.fixture
def history(live_cast: Cast) -> Cast:
    """Three visits billed, one of them voided and billed again; a payment, credit, and credit applied."""
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        ana = clinic.client(copay_cents=2_000, insured=True)
        ben = clinic.client("Long")
        visits = [
            clinic.visit(ana, clinic.talk, clinic.letter, day=date(2026, 11, 2))[0],
            clinic.visit(ben, clinic.talk, day=date(2026, 11, 3))[0],
            clinic.visit(ben, clinic.talk, day=date(2026, 11, 10))[0],
        ]
        clinic.visit(ben, clinic.letter, day=date(2026, 11, 12))
        for visit in visits:
            issued = bill_visit(clinic.biller, visit_id=visit)
        void_invoice(clinic.biller, invoice_id=issued.created[0].id, reason="Wrong day")
        pay(clinic.biller, ana, 5_000)
        pay(clinic.biller, ben, 20_000)
        bill_visit(clinic.biller, visit_id=visits[2])
        apply_credit(clinic.biller, request_key=visits[2], client_id=ben)
    return live_cast


@pytest.fixture
def closed_history(history: Cast) -> Cast:
    """The same with its day closed."""
    with practice_transaction(history.alder.id):
        biller = clinic_of(history).biller
        sheet = day_sheet(biller, biller.today).totals
        close_day(
            biller, day=biller.today, expected_closing_cents=sheet.closing_cents,
            expected_entry_count=sheet.entry_count,
        )  # fmt: skip
    return history


@pytest.fixture
def money_history(history: Cast) -> Cast:
    """More of everything: two insurers, an insurer's cheque, a refund, a write-off, an edited line, a batch."""
    with practice_transaction(history.alder.id):
        clinic = clinic_of(history)
        cyd = clinic.client("Stone", copay_cents=2_500, insured=True)
        visit, _ = clinic.visit(cyd, clinic.talk)
        bill_visit(clinic.biller, visit_id=visit)
        line = InvoiceLine.objects.get(client_id=cyd)
        payer = Coverage.objects.get(client_id=cyd).payer_id
        accept_insurance_payment(
            clinic.biller, request_key=uuid4(), payer_id=payer, amount_cents=7_000, method="eft", received_on=TODAY,
            postings={line.pk: LinePosting(6_000, 1_000, 500)}, expected_credit_cents=1_000,
        )  # fmt: skip
        paid = pay(clinic.biller, cyd, 9_000, applications={}).payment_id
        refund_payment(
            clinic.biller, request_key=uuid4(), payment_id=paid, amount_cents=2_000, refunded_on=TODAY, reason="Moved"
        )
        write_off(clinic.biller, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=100, reason="Kind")
        dora = clinic.client("Dahl")
        visit, (service,) = clinic.visit(dora, clinic.talk)
        batch = start_batch(
            clinic.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=[BatchRequest(dora, (service,))],
            expected_count=1, expected_cents=15_000,
        )  # fmt: skip
        run = JobRun.objects.get(subject_id=batch).pk
    run_job(history.alder.id, run)
    with practice_transaction(history.alder.id):
        edit_line(
            clinic.biller, request_key=uuid4(), line_id=InvoiceLine.objects.get(client_id=dora).pk, rate_cents=14_000,
            units=1, client_cents=14_000, note="", reason="Agreed",
        )  # fmt: skip
    return history

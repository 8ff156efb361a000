"""The door on real PostgreSQL: what it makes, what it skips, what it refuses."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Sum

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import (
    InvoiceAlreadyVoid,
    NothingToBill,
    bill_visit,
    issue_invoices,
    void_invoice,
)
from daysheet.invoicing.door import preview
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.selection import LineEdit, ManualLine, Selection
from daysheet.invoicing.voiding import ReasonMissing
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.ledger.actions import Movement, post
from daysheet.ledger.models import Account, Entry
from daysheet.schedule.models import VisitService
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def test_add_invoice_bills_all_services_of_the_visit_in_one_invoice(clinic: Clinic) -> None:
    visit, services = clinic.visit(clinic.client(), clinic.talk, clinic.letter)
    issued = bill_visit(clinic.biller, visit_id=visit)
    (created,) = issued.created
    assert (created.number, created.total_cents, created.client_cents, created.line_count) == (1, 19000, 19000, 2)
    lines = InvoiceLine.objects.filter(invoice_id=created.id).order_by("position")
    assert [line.visit_service_id for line in lines] == list(services)
    assert [line.rendering_name for line in lines] == ["Carol Clinician, LCSW"] * 2
    assert [line.billing_npi for line in lines] == ["1234567893"] * 2
    assert set(VisitService.objects.values_list("line_id", flat=True)) == {line.pk for line in lines}


def test_a_second_click_gives_the_same_invoice(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    first = bill_visit(clinic.biller, visit_id=visit)
    again = bill_visit(clinic.biller, visit_id=visit)
    assert again.created == ()
    assert [skipped.invoice_number for skipped in again.skipped] == [first.created[0].number]
    assert Invoice.objects.count() == 1


def test_the_copay_is_taken_once_per_date_of_service(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=2500)
    _, first = clinic.visit(client, clinic.talk, clinic.talk)
    _, second = clinic.visit(client, clinic.talk)
    one = issue_invoices(clinic.biller, selection=Selection(first), door=Invoice.Door.LEDGER).created[0]
    two = issue_invoices(clinic.biller, selection=Selection(second), door=Invoice.Door.LEDGER).created[0]
    assert (one.client_cents, one.insurance_cents) == (2500, 27500)
    assert (two.client_cents, two.insurance_cents) == (0, 15000)


def test_a_missing_licence_stops_the_invoice_and_names_person_and_year(clinic: Clinic) -> None:
    visit, services = clinic.visit(
        clinic.client(), clinic.talk, clinic.letter, staff_member_id=clinic.cast.dan.staff_member_id
    )
    issued = bill_visit(clinic.biller, visit_id=visit)
    assert issued.created == ()
    refusal = issued.refused[0]
    assert (refusal.code, refusal.staff_member_id, refusal.year) == (
        "license_missing", clinic.cast.dan.staff_member_id, 2026,
    )  # fmt: skip
    assert "Dan Desk" in refusal.message
    assert {i for refused in issued.refused for i in refused.visit_service_ids} == set(services)
    assert not VisitService.objects.exclude(line_id=None).exists()
    assert not Invoice.objects.exists()


def test_a_line_without_a_cpt_code_needs_no_licence(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.letter, staff_member_id=clinic.cast.dan.staff_member_id)
    assert bill_visit(clinic.biller, visit_id=visit).created


def test_edits_of_the_preview_are_billed(clinic: Clinic) -> None:
    _, (service,) = clinic.visit(clinic.client(), clinic.talk)
    edit = LineEdit(rate_cents=9900, units=2, place_of_service="10", modifiers=("95",), note="hello")
    issue_invoices(clinic.biller, selection=Selection((service,), {service: edit}), door=Invoice.Door.BATCH)
    line = InvoiceLine.objects.get()
    assert (line.amount_cents, line.place_of_service, line.modifiers, line.note, line.price_source) == (
        19800, "10", ["95"], "hello", "edited",
    )  # fmt: skip


def test_the_preview_is_what_is_billed(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=20000)
    _, ids = clinic.visit(client, clinic.talk, clinic.letter, clinic.talk)
    shown = [item.line for item in preview(clinic.biller, Selection(ids))]
    issue_invoices(clinic.biller, selection=Selection(ids), door=Invoice.Door.BATCH)
    billed = {line.visit_service_id: (line.client_cents, line.insurance_cents) for line in InvoiceLine.objects.all()}
    assert {line.visit_service_id: (line.client_cents, line.insurance_cents) for line in shown if line} == billed


def test_a_canceled_visit_is_billed_only_when_it_was_ticked_on_purpose(clinic: Clinic) -> None:
    visit, (service,) = clinic.visit(clinic.client(), clinic.talk, status="canceled")
    VisitService.objects.filter(pk=service).update(is_suspended=True)
    with pytest.raises(NothingToBill):
        bill_visit(clinic.biller, visit_id=visit)
    refused = issue_invoices(clinic.biller, selection=Selection((service,)), door=Invoice.Door.BATCH).refused
    assert [refusal.code for refusal in refused] == ["not_kept"]
    purpose = {service: LineEdit(bill_although_suspended=True)}
    assert issue_invoices(
        clinic.biller, selection=Selection((service,), purpose), door=Invoice.Door.BATCH
    ).created  # fmt: skip


def test_one_invoice_per_date_of_service(clinic: Clinic) -> None:
    client = clinic.client()
    _, one = clinic.visit(client, clinic.talk)
    _, two = clinic.visit(client, clinic.talk, day=DAY.replace(day=9))
    issued = issue_invoices(clinic.biller, selection=Selection(one + two), door=Invoice.Door.BATCH, grouping="date")
    assert [created.number for created in issued.created] == [1, 2]


def test_a_manual_line_stands_beside_the_linked_ones(clinic: Clinic) -> None:
    client = clinic.client()
    manual = ManualLine(None, "Copy of records", DAY, 2, 500)
    issued = issue_invoices(
        clinic.biller, selection=Selection((), manual=(manual,), client_id=client), door=Invoice.Door.LEDGER
    )
    assert issued.created[0].client_cents == 1000


def test_the_same_form_twice_is_one_invoice(clinic: Clinic) -> None:
    client, key = clinic.client(), uuid4()
    selection = Selection((), manual=(ManualLine(None, "Records", DAY, 1, 500),), client_id=client)
    answers = [
        issue_invoices(clinic.biller, selection=selection, door=Invoice.Door.LEDGER, request_key=key) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert Invoice.objects.count() == 1


def test_an_amount_of_zero_is_billed_without_entries(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.letter, rates=(0,))
    assert bill_visit(clinic.biller, visit_id=visit).created[0].total_cents == 0
    assert not Entry.objects.exists()


def test_a_void_keeps_the_number_reverses_the_charges_and_frees_the_visit(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    first = bill_visit(clinic.biller, visit_id=visit).created[0]
    void_invoice(clinic.biller, invoice_id=first.id, reason="Wrong service")
    signed = dict.fromkeys(Account.values, 0)
    for entry in Entry.objects.all():
        signed[entry.debit_account] += entry.amount_cents
        signed[entry.credit_account] -= entry.amount_cents
    assert set(signed.values()) == {0}
    assert bill_visit(clinic.biller, visit_id=visit).created[0].number == 2
    with pytest.raises(InvoiceAlreadyVoid):
        void_invoice(clinic.biller, invoice_id=first.id, reason="Again")


def test_a_void_needs_a_reason_and_takes_a_write_off_back(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    created = bill_visit(clinic.biller, visit_id=visit).created[0]
    with pytest.raises(ReasonMissing):
        void_invoice(clinic.biller, invoice_id=created.id, reason=" ")
    line = InvoiceLine.objects.get()
    movement = Movement(
        Account.WRITE_OFF, Account.CLIENT_RECEIVABLE, 100, line.client_id, DAY, line_id=line.pk, reason="kindness"
    )
    post(clinic.biller, [movement], event_id=uuid4())
    void_invoice(clinic.biller, invoice_id=created.id, reason="x")
    line.refresh_from_db()
    assert (line.client_open_cents, line.ended_at is not None) == (0, True)


def test_entries_equal_lines(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=2500)
    for day in (2, 3, 4):
        visit, _ = clinic.visit(client, clinic.talk, clinic.letter, day=DAY.replace(day=day))
        bill_visit(clinic.biller, visit_id=visit)
    charged = Entry.objects.filter(credit_account=Account.REVENUE).aggregate(sum=Sum("amount_cents"))["sum"]
    assert charged == InvoiceLine.objects.aggregate(sum=Sum("amount_cents"))["sum"] == 3 * 19000


def test_the_database_refuses_a_second_live_line(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    line = InvoiceLine.objects.get()
    line.pk = uuid4()
    with pytest.raises(IntegrityError, match="line_one_live"), transaction.atomic():
        line.save(force_insert=True)


def test_without_billing_or_in_another_practice_nothing_is_billed(clinic: Clinic) -> None:
    visit, services = clinic.visit(clinic.client(), clinic.talk)
    with pytest.raises(NotAllowed):
        bill_visit(clinic.cast.actor(clinic.cast.dan), visit_id=visit)
    stranger = clinic.cast.actor(clinic.cast.charlie)
    with practice_transaction(clinic.cast.birch.id):
        with pytest.raises(NothingToBill):
            bill_visit(stranger, visit_id=visit)
        with pytest.raises(NotFound):
            issue_invoices(stranger, selection=Selection(services), door=Invoice.Door.BATCH)


def test_visit_services_of_others_than_the_named_clients_do_not_exist(clinic: Clinic) -> None:
    ana, ben = clinic.client(), clinic.client(last_name="Berg")
    (_, of_ana), (_, of_ben) = clinic.visit(ana, clinic.talk), clinic.visit(ben, clinic.talk)
    with pytest.raises(NotFound), transaction.atomic():
        named = Selection((*of_ana, *of_ben), client_ids=frozenset({ana}))
        issue_invoices(clinic.biller, selection=named, door=Invoice.Door.BATCH)
    assert not Invoice.objects.exists()
    named = Selection((*of_ana, *of_ben), client_ids=frozenset({ana, ben}))
    issued = issue_invoices(clinic.biller, selection=named, door=Invoice.Door.BATCH)
    assert {created.client_id for created in issued.created} == {ana, ben}


def test_add_invoice_needs_at_most_fifteen_queries(clinic: Clinic, django_assert_max_num_queries) -> None:
    visit, _ = clinic.visit(clinic.client(insured=True, copay_cents=2500), clinic.talk, clinic.letter)
    with django_assert_max_num_queries(15):
        bill_visit(clinic.biller, visit_id=visit)


def test_an_insured_client_is_billed_an_item_without_a_service_type(clinic: Clinic) -> None:
    client = clinic.client(insured=True)
    item = ManualLine(None, "Copy of records", DAY, 1, 500, side="insurance")
    issued = issue_invoices(
        clinic.biller, selection=Selection((), manual=(item,), client_id=client), door=Invoice.Door.LEDGER
    )
    assert [created.insurance_cents for created in issued.created] == [500]

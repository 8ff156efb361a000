"""Claims Awaiting Submission: how invoices get there, stay in step, and leave (B3, B6, C1, C3, C4, I2)."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser
from django.urls import reverse

from daysheet.claims.actions import NothingToClaim, queue_claims, withdraw_claim
from daysheet.claims.models import Claim, ClaimLine
from daysheet.claims.queries import PAGE_SIZE, waiting_claims
from daysheet.invoicing.actions import InvoiceAlreadyVoid, bill_visit, issue_invoices, void_invoice
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.selection import LineEdit, Selection
from daysheet.invoicing.undoing import undo_batch
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.payments.rebilling import edit_line, void_and_rebill
from daysheet.staff.models import CptLicense
from tests.billing import DAY, Clinic
from tests.people import NOW

SLOTS = PAGE_SIZE + 3


def insured_invoice(shop: Clinic, name: str = "Ruiz") -> tuple[UUID, int]:
    """The invoice of one insured visit with a $25.00 copay: its id and number."""
    visit, _ = shop.visit(shop.client(name, insured=True, copay_cents=2500), shop.talk)
    created = bill_visit(shop.biller, visit_id=visit).created[0]
    return created.id, created.number


def at(name: str, **kwargs: object) -> str:
    return reverse(f"claims:{name}", kwargs={"practice": "alder", **kwargs})


def test_an_invoice_is_queued_once_however_often_it_is_asked(shop: Clinic) -> None:
    invoice, number = insured_invoice(shop)
    assert queue_claims(shop.biller, invoice_id=invoice) == 1
    assert queue_claims(shop.biller, invoice_id=invoice) == 0
    waiting = waiting_claims(shop.biller)
    row = waiting.rows[0]
    assert (row.invoice_number, row.line_count, row.amount_cents, row.insurance_open_cents) == (number, 1, 15000, 12500)
    assert (len(waiting.rows), waiting.total_count, waiting.total_cents) == (1, 1, 15000)


def test_each_rendering_provider_has_a_claim_of_its_own(shop: Clinic) -> None:
    client = shop.client(insured=True)
    _, services = shop.visit(client, shop.talk)
    _, other = shop.visit(client, shop.talk, day=DAY.replace(day=3))
    dan = shop.cast.dan.staff_member_id
    CptLicense.objects.create(staff_member_id=dan, year=2026, fee_cents=2150, assigned_at=NOW, assigned_by="Alice")
    edits = {other[0]: LineEdit(rendering_staff_member_id=dan)}
    issued = issue_invoices(
        shop.biller, selection=Selection(visit_service_ids=(*services, *other), edits=edits, client_id=client),
        door="ledger", request_key=uuid4(),
    )  # fmt: skip
    assert not issued.refused
    assert queue_claims(shop.biller, invoice_id=issued.created[0].id) == 2
    assert sorted(Claim.objects.values_list("rendering_staff_member_id", flat=True)) == sorted(
        [dan, shop.cast.carol.staff_member_id]
    )


def test_what_no_insurer_owes_needs_no_claim(shop: Clinic) -> None:
    visit, _ = shop.visit(shop.client("Selfpay"), shop.talk)
    invoice = bill_visit(shop.biller, visit_id=visit).created[0]
    with pytest.raises(NothingToClaim, match="No insurer owes anything"):
        queue_claims(shop.biller, invoice_id=invoice.id)


def test_a_void_takes_the_claim_along_and_a_void_invoice_has_none(shop: Clinic) -> None:
    invoice, _ = insured_invoice(shop)
    queue_claims(shop.biller, invoice_id=invoice)
    void_invoice(shop.biller, invoice_id=invoice, reason="Wrong client")
    claim = Claim.objects.get()
    assert (claim.withdrawn_reason, claim.withdrawn_at) == ("Voided: Wrong client", shop.biller.now)
    assert waiting_claims(shop.biller).total_count == 0
    with pytest.raises(InvoiceAlreadyVoid):
        queue_claims(shop.biller, invoice_id=invoice)


def test_a_claim_keeps_an_invoice_from_being_undone_with_its_batch(shop: Clinic) -> None:
    client = shop.client(insured=True)
    _, services = shop.visit(client, shop.talk)
    batch = start_batch(
        shop.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=[BatchRequest(client, services)],
        expected_count=1, expected_cents=15000,
    )  # fmt: skip
    run_job(shop.cast.alder.id, JobRun.objects.get(subject_id=batch).pk)
    line = InvoiceLine.objects.get()
    queue_claims(shop.biller, invoice_id=line.invoice_id)
    undone = undo_batch(shop.biller, batch_id=batch, reason="Too early")
    assert (undone.voided, len(undone.remaining)) == ((), 1)
    assert "a claim" in undone.remaining[0][1]


def test_a_changed_line_takes_the_old_ones_place_until_no_insurer_owes_any(shop: Clinic) -> None:
    invoice, _ = insured_invoice(shop)
    queue_claims(shop.biller, invoice_id=invoice)

    def change(client_cents: int) -> None:
        line = InvoiceLine.objects.get(invoice_id=invoice, ended_at=None)
        edit_line(
            shop.biller, request_key=uuid4(), line_id=line.pk, rate_cents=14000, units=1, client_cents=client_cents,
            note="", reason="Contract",
        )  # fmt: skip

    change(2500)
    assert [row.amount_cents for row in waiting_claims(shop.biller).rows] == [14000]
    change(14000)
    assert waiting_claims(shop.biller).rows == ()
    assert ClaimLine.objects.filter(left_at=None).count() == 0


def test_void_and_rebill_puts_the_new_invoice_in_the_old_ones_place(shop: Clinic) -> None:
    invoice, _ = insured_invoice(shop)
    queue_claims(shop.biller, invoice_id=invoice)
    rebilled = void_and_rebill(shop.biller, request_key=uuid4(), invoice_id=invoice, reason="Wrong units")
    assert [row.invoice_number for row in waiting_claims(shop.biller).rows] == [rebilled.number]


def test_taking_back_by_hand_frees_the_lines(shop: Clinic) -> None:
    invoice, _ = insured_invoice(shop)
    queue_claims(shop.biller, invoice_id=invoice)
    claim = Claim.objects.get().pk
    assert withdraw_claim(shop.biller, claim_id=claim) is True
    assert withdraw_claim(shop.biller, claim_id=claim) is False
    assert queue_claims(shop.biller, invoice_id=invoice) == 1


def test_people_without_billing_and_strangers_queue_nothing(shop: Clinic) -> None:
    invoice, _ = insured_invoice(shop)
    with pytest.raises(NotAllowed):
        queue_claims(shop.cast.actor(shop.cast.carol), invoice_id=invoice)
    with pytest.raises(NotFound):
        queue_claims(shop.biller, invoice_id=uuid4())
    with pytest.raises(NotFound):
        withdraw_claim(shop.biller, claim_id=uuid4())


def test_the_pages_add_list_and_take_back(shop: Clinic, bob: Browser) -> None:
    assert "No claim awaits submission" in bob.get(at("list")).text
    invoice, number = insured_invoice(shop)
    page = bob.get(reverse("invoicing:invoice", kwargs={"practice": "alder", "number": number})).text
    assert "Add to Claims Awaiting Submission" in page
    for said in ("is in Claims", "was in Claims"):
        answer = bob.post(at("add", number=number), follow=True)
        assert f"Invoice {number} {said} Awaiting Submission" in answer.text
    assert ">Awaiting Submission</a>" in answer.text
    listed = bob.get(at("list")).text
    assert "Ruiz, Ana" in listed
    assert "$150.00" in listed
    taken = bob.post(at("withdraw", claim=Claim.objects.get().pk), follow=True)
    assert "The claim was taken back" in taken.text
    assert Claim.objects.get(invoice_id=invoice).withdrawn_at == shop.biller.now


def test_an_invoice_without_an_insurer_is_answered_in_words(shop: Clinic, bob: Browser) -> None:
    visit, _ = shop.visit(shop.client("Selfpay"), shop.talk)
    number = bill_visit(shop.biller, visit_id=visit).created[0].number
    page = bob.get(reverse("invoicing:invoice", kwargs={"practice": "alder", "number": number})).text
    assert "Add to Claims Awaiting Submission" not in page
    assert "No insurer owes anything" in bob.post(at("add", number=number), follow=True).text


def test_a_long_list_has_pages_and_a_constant_number_of_queries(
    shop: Clinic, bob: Browser, django_assert_max_num_queries: object
) -> None:
    for position in range(SLOTS):
        queue_claims(shop.biller, invoice_id=insured_invoice(shop, f"Client{position:03}")[0])
    with django_assert_max_num_queries(16):  # type: ignore[operator]
        first = bob.get(at("list")).text
    assert f"<b>{SLOTS}</b> claims" in first
    assert "Client000" in first
    assert "Client052" not in first
    assert "Client052" in bob.get(at("list") + "?page=2").text
    assert "There are not so many claims" in bob.get(at("list") + "?page=9").text


def test_an_address_that_only_takes_a_form_answers_in_words(shop: Clinic, bob: Browser) -> None:
    answer = bob.get(at("add", number=insured_invoice(shop)[1]))
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "not a page to open" in answer.text
    assert Claim.objects.count() == 0

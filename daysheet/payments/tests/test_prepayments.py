"""Prepayments named for an appointment apply themselves when it is billed, whichever door bills it; nothing else does
(M3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import partial
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from daysheet.audit.models import AuditEvent
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, issue_invoices, void_invoice
from daysheet.invoicing.batches import BatchRequest, run_batch, start_batch
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.invoicing.selection import CreatedInvoice, ManualLine, Selection
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import NotFound
from daysheet.kit.money import Money
from daysheet.ledger import queries as ledger
from daysheet.ledger.models import Entry
from daysheet.ledger.tests.test_post_and_reverse import at_once
from daysheet.payments.corrections import unapply
from daysheet.payments.models import Payment
from daysheet.payments.prepayments import credit_by_client
from daysheet.payments.rebilling import void_and_rebill
from daysheet.payments.rules import Credit, OpenLine, prepay
from daysheet.practices.models import User
from daysheet.schedule.models import VisitService
from tests.billing import DAY, Clinic, build_clinic
from tests.pages import words_of
from tests.people import Cast
from tests.worked import rows_under

from .desk import TODAY, open_of, pay
from .test_rules import IDS

LATER = date(2026, 11, 20)


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def prepaid(clinic: Clinic, client: UUID, visit: UUID, cents: int, **facts: object) -> UUID:
    accepted = pay(clinic.biller, client, cents, visit_id=visit, is_prepayment=True, **facts)
    return accepted.payment_id


def left_of(payment_id: UUID) -> int:
    return Payment.objects.get(pk=payment_id).unapplied_cents


def books_agree(clinic: Clinic, client: UUID) -> None:
    """Lines and payments say what the entries say."""
    balances = ledger.client_balances(clinic.biller, client)
    open_lines = InvoiceLine.objects.filter(client_id=client, ended_at=None)
    assert balances.client_due_cents == sum(open_lines.values_list("client_open_cents", flat=True))
    payments = Payment.objects.filter(client_id=client)
    assert balances.credit_cents == sum(payments.values_list("unapplied_cents", flat=True))


@pytest.mark.parametrize("row", rows_under("application.md", "Prepayments"), ids=" ".join)
def test_the_page_of_worked_prepayments(row: list[str]) -> None:
    before, a, b, c, p_left, q_left = row
    received = {"P": date(2026, 10, 1), "Q": date(2026, 10, 15)}
    left, named = {}, []
    for name, cents, is_named in re.findall(r"([PQ]) ([\d.]+)( for V)?", before):
        left[IDS[name]] = Money.parse(cents).cents
        named += [Credit(IDS[name], received[name], left[IDS[name]])] if is_named else []
    lines = [OpenLine(IDS["B"], DAY, 0, 2, 2_500), OpenLine(IDS["A"], DAY, 0, 1, 4_000)]
    got = {IDS["A"]: 0, IDS["B"]: 0, IDS["C"]: 0}
    for payment_id, line_id, cents in prepay(named, lines):
        got[line_id] += cents
        left[payment_id] -= cents
    assert [got[IDS[name]] for name in "ABC"] == [Money.parse(text).cents for text in (a, b, c)]
    for name, text in (("P", p_left), ("Q", q_left)):
        assert left.get(IDS[name]) == (None if text == "–" else Money.parse(text).cents)


def test_the_page_has_not_lost_its_table_of_prepayments() -> None:
    assert len(rows_under("application.md", "Prepayments")) == 8


def _by_agenda(clinic: Clinic, client: UUID, visit: UUID, services: tuple[UUID, ...]) -> CreatedInvoice:
    return bill_visit(clinic.biller, visit_id=visit).created[0]


def _by_ledger(clinic: Clinic, client: UUID, visit: UUID, services: tuple[UUID, ...]) -> CreatedInvoice:
    manual = (ManualLine(None, "Session", DAY, 1, 6_000),)
    selection = Selection(services, manual=manual, client_id=client)
    return issue_invoices(clinic.biller, selection=selection, door=Invoice.Door.LEDGER).created[0]


def _by_batch(clinic: Clinic, client: UUID, visit: UUID, services: tuple[UUID, ...]) -> CreatedInvoice:
    batch_id = start_batch(
        clinic.biller, batch_id=uuid4(), from_on=DAY, to_on=DAY, items=[BatchRequest(client, services)],
        expected_count=1, expected_cents=0,
    )  # fmt: skip
    run_batch(RunningJob(clinic.cast.alder, JobRun.objects.get(subject_id=batch_id).pk, batch_id))
    invoice = Invoice.objects.get(batch_id=batch_id)
    return CreatedInvoice(invoice.pk, invoice.number, client, 0, 0, 0, 2)


@pytest.mark.parametrize("door", [_by_agenda, _by_ledger, _by_batch])
def test_it_applies_itself_at_every_door(clinic: Clinic, door: object) -> None:
    client = clinic.client()
    visit, services = clinic.visit(client, clinic.talk, clinic.letter)
    payment = prepaid(clinic, client, visit, 16_000)
    other = pay(clinic.biller, client, 5_000).payment_id
    invoice = door(clinic, client, visit, services)  # type: ignore[operator]
    assert open_of(invoice) == [0, 3_000] + ([6_000] if door is _by_ledger else [])
    assert (left_of(payment), left_of(other)) == (0, 5_000)
    assert AuditEvent.objects.filter(verb="apply_prepayment", object_id=invoice.id).count() == 1
    books_agree(clinic, client)


def test_what_the_date_does_not_take_stays_credit_and_is_offered(clinic: Clinic) -> None:
    client = clinic.client(insured=True, copay_cents=2_500)
    visit, _ = clinic.visit(client, clinic.talk)
    clinic.visit(client, clinic.talk, day=date(2026, 11, 9))
    payment = prepaid(clinic, client, visit, 4_000)
    made = bill_visit(clinic.biller, visit_id=visit).created[0]
    assert (made.client_cents, made.prepaid_cents, made.client_open_cents, made.credit_cents) == (
        2_500,
        2_500,
        0,
        1_500,
    )
    assert open_of(made) == [0] and left_of(payment) == 1_500
    [line] = InvoiceLine.objects.filter(invoice_id=made.id)
    assert line.insurance_open_cents == 12_500
    assert credit_by_client(clinic.biller, [client]) == {client: 1_500}
    books_agree(clinic, client)


def test_other_credit_and_other_clients_money_never_apply_themselves(clinic: Clinic) -> None:
    client, other = clinic.client(), clinic.client("Stone")
    visit, _ = clinic.visit(client, clinic.letter)
    of_other_date, _ = clinic.visit(client, clinic.letter, day=date(2026, 11, 9))
    pay(clinic.biller, client, 4_000)
    pay(clinic.biller, client, 4_000, visit_id=visit)  # taken for it at the Agenda, and not a prepayment
    prepaid(clinic, client, of_other_date, 4_000)
    with pytest.raises(NotFound):
        prepaid(clinic, other, visit, 4_000)
    with pytest.raises(NotFound, match="names its appointment"):
        pay(clinic.biller, client, 4_000, is_prepayment=True)
    assert open_of(bill_visit(clinic.biller, visit_id=visit).created[0]) == [4_000]
    books_agree(clinic, client)


def test_lines_that_were_chosen_are_paid_first(clinic: Clinic) -> None:
    client = clinic.client()
    old, _ = clinic.visit(client, clinic.letter)
    [line] = InvoiceLine.objects.filter(invoice_id=bill_visit(clinic.biller, visit_id=old).created[0].id)
    visit, _ = clinic.visit(client, clinic.letter, day=date(2026, 11, 9))
    payment = prepaid(clinic, client, visit, 5_000, applications={line.pk: 1_000})
    line.refresh_from_db()
    assert (line.client_open_cents, left_of(payment)) == (3_000, 4_000)
    assert open_of(bill_visit(clinic.biller, visit_id=visit).created[0]) == [0]


def test_billed_meanwhile_it_goes_on_the_dates_lines_at_once(clinic: Clinic) -> None:
    client = clinic.client()
    old, _ = clinic.visit(client, clinic.letter)
    bill_visit(clinic.biller, visit_id=old)
    visit, _ = clinic.visit(client, clinic.letter, day=date(2026, 11, 9))
    made = bill_visit(clinic.biller, visit_id=visit).created[0]
    payment = prepaid(clinic, client, visit, 5_000)
    assert (open_of(made), left_of(payment)) == ([0], 1_000)
    books_agree(clinic, client)


def test_the_day_of_the_entry_is_never_before_the_money_or_the_invoice(clinic: Clinic) -> None:
    client = clinic.client()
    visit, services = clinic.visit(client, clinic.letter)
    payment = prepaid(clinic, client, visit, 4_000, received_on=TODAY)
    selection = Selection(services, client_id=client)
    issue_invoices(clinic.biller, selection=selection, door=Invoice.Door.IMPORT, issued_on=DAY)
    entry = Entry.objects.get(payment_id=payment, debit_account="credit")
    assert (entry.credit_account, entry.effective_on, entry.amount_cents) == ("client_receivable", TODAY, 4_000)


def test_a_void_puts_it_back_to_credit_and_billed_again_it_applies_again(clinic: Clinic) -> None:
    client = clinic.client()
    visit, _ = clinic.visit(client, clinic.letter)
    payment = prepaid(clinic, client, visit, 4_000)
    first = bill_visit(clinic.biller, visit_id=visit).created[0]
    void_invoice(clinic.biller, invoice_id=first.id, reason="Wrong day")
    assert left_of(payment) == 4_000
    again = bill_visit(clinic.biller, visit_id=visit).created[0]
    assert (again.number, open_of(again), left_of(payment)) == (2, [0], 0)
    books_agree(clinic, client)


def test_void_and_rebill_keeps_it_on_the_new_invoice_and_uses_what_was_left(clinic: Clinic) -> None:
    client = clinic.client()
    visit, services = clinic.visit(client, clinic.letter)
    payment = prepaid(clinic, client, visit, 10_000)
    first = bill_visit(clinic.biller, visit_id=visit).created[0]
    rebilled = void_and_rebill(
        clinic.owner, request_key=uuid4(), invoice_id=first.id, reason="It was a talk",
        services={services[0]: clinic.talk.pk},
    )  # fmt: skip
    assert (rebilled.client_cents, rebilled.reapplied_cents, left_of(payment)) == (15_000, 4_000, 0)
    assert InvoiceLine.objects.get(invoice_id=rebilled.invoice_id).client_open_cents == 5_000
    books_agree(clinic, client)


def test_taken_off_by_hand_it_stays_off(clinic: Clinic) -> None:
    client = clinic.client()
    visit, _ = clinic.visit(client, clinic.letter)
    payment = prepaid(clinic, client, visit, 4_000)
    made = bill_visit(clinic.biller, visit_id=visit).created[0]
    unapply(clinic.biller, request_key=uuid4(), payment_id=payment, reason="For another day")
    assert bill_visit(clinic.biller, visit_id=visit).created == ()
    assert (open_of(made), left_of(payment)) == ([4_000], 4_000)


@pytest.mark.parametrize(
    "change", ["visit_id = NULL, is_prepayment = true", "charge_id = gen_random_uuid(), method = 'cash'"]
)
def test_the_database_refuses_a_prepayment_for_nothing_and_a_charge_in_cash(clinic: Clinic, change: str) -> None:
    payment = pay(clinic.biller, clinic.client(), 100).payment_id
    columns = [field.column for field in Payment._meta.concrete_fields]
    given = {"id": "gen_random_uuid()", "request_key": "gen_random_uuid()"} | dict(
        part.split(" = ") for part in change.split(", ")
    )
    values = ", ".join(given.get(name, name) for name in columns)
    with (
        pytest.raises(IntegrityError, match=r"payment_prepayment_has_visit|payment_charge_is_card"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            f"INSERT INTO payments_payment ({', '.join(columns)}) SELECT {values} FROM payments_payment WHERE id = %s",
            [payment],
        )


def test_add_invoice_with_a_prepayment_stays_within_fifteen_queries(
    clinic: Clinic, django_assert_max_num_queries: object
) -> None:
    client = clinic.client(insured=True, copay_cents=2_500)
    visit, _ = clinic.visit(client, clinic.talk, clinic.letter)
    prepaid(clinic, client, visit, 10_000)
    pay(clinic.biller, client, 1_000)
    with django_assert_max_num_queries(15):  # type: ignore[operator]
        made = bill_visit(clinic.biller, visit_id=visit).created[0]
    assert made.prepaid_cents == 6_500


def browser_of(clinic: Clinic) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=clinic.cast.bob.user_id))
    return browser


def at(name: str, **kwargs: object) -> str:
    return reverse(name, kwargs={"practice": "alder", **kwargs})


def test_from_the_agenda_before_it_is_billed(clinic: Clinic) -> None:
    bob, client = browser_of(clinic), clinic.client(insured=True, copay_cents=2_500)
    visit, _ = clinic.visit(client, clinic.talk, status="upcoming")
    kept, _ = clinic.visit(client, clinic.talk)
    agenda = bob.get(at("schedule:agenda"), {"day": DAY.isoformat()}).content.decode()
    prepay_url = at("payments:apply_payment", visit=visit)
    assert f'id="prepay-{visit}" href="{prepay_url}">Accept Payment</a>' in agenda
    assert f"prepay-{kept}" not in agenda  # after the visit: Add Invoice, then Apply Payment
    page = bob.get(prepay_url)
    assert "A prepayment for the date of service 11/02/2026" in words_of(page)
    assert 'value="25.00"' in page.content.decode()
    assert f'<option value="{visit}" selected>' in page.content.decode()
    typed = {
        "request_key": str(uuid4()), "method": "cash", "received_on": "2026-11-16", "amount": "40",
        "appointment": str(visit),
    }  # fmt: skip
    told = bob.post(prepay_url, typed)
    assert "$40.00 will be kept as credit. It is for the appointment" in words_of(told)
    assert bob.post(prepay_url, typed | {"expected_credit": "4000"}).status_code == 303
    payment = Payment.objects.get()
    assert (payment.is_prepayment, payment.visit_id, payment.unapplied_cents) == (True, visit, 4_000)
    assert bob.post(prepay_url, typed | {"expected_credit": "4000"}).status_code == 303
    assert Payment.objects.count() == 1
    assert "Prepaid for the date of service 11/02/2026" in words_of(bob.get(at("payments:payment", payment=payment.pk)))
    bob.post(at("invoicing:add_invoice", visit=visit))
    payment.refresh_from_db()
    assert payment.unapplied_cents == 1_500


def test_accept_payment_names_an_appointment(clinic: Clinic) -> None:
    bob, client = browser_of(clinic), clinic.client()
    old, _ = clinic.visit(client, clinic.letter)
    bill_visit(clinic.biller, visit_id=old)
    visit, _ = clinic.visit(client, clinic.talk, day=LATER, status="upcoming")
    url = at("payments:accept_payment", client=client)
    assert "11/20/2026 9T001 Talk" in words_of(bob.get(url))
    typed = {
        "request_key": str(uuid4()), "method": "cash", "received_on": "2026-11-16", "amount": "30",
        "appointment": str(visit), "expected_credit": "3000",
    }  # fmt: skip
    assert bob.post(url, typed).status_code == 303
    assert Payment.objects.get().unapplied_cents == 3_000
    assert bob.post(url, typed | {"request_key": str(uuid4()), "appointment": str(uuid4())}).status_code == 404
    assert bob.post(url, typed | {"request_key": str(uuid4()), "appointment": "next week"}).status_code == 422


def test_credit_is_offered_wherever_an_invoice_is_open(clinic: Clinic) -> None:
    bob, client = browser_of(clinic), clinic.client()
    visit, _ = clinic.visit(client, clinic.letter)
    pay(clinic.biller, client, 1_500)
    added = bob.post(at("invoicing:add_invoice", visit=visit), HTTP_HX_REQUEST="true")
    offer = f'href="{at("payments:apply_credit", client=client)}?invoice=1">Apply $15.00 credit</a>'
    assert offer in added.content.decode()
    assert offer in bob.get(at("schedule:agenda"), {"day": DAY.isoformat()}).content.decode()
    invoice = words_of(bob.get(at("invoicing:invoice", number=1)))
    assert "$15.00 of this client’s credit is not applied. Apply to Invoices" in invoice
    assert "Apply to Invoices" in words_of(bob.get(at("payments:ledger", client=client)))
    ticked = bob.get(at("payments:apply_credit", client=client), {"invoice": 1}).content.decode()
    assert len(re.findall(r'<input type="checkbox" name="tick-[^>]* checked', ticked)) == 1
    pay(clinic.biller, client, 4_000)
    assert "Apply $15.00 credit" not in bob.get(at("schedule:agenda"), {"day": DAY.isoformat()}).content.decode()
    assert "credit is not applied" not in words_of(bob.get(at("invoicing:invoice", number=1)))


def test_add_invoice_over_http_with_a_prepayment_asks_no_more_than_fifteen_times(clinic: Clinic) -> None:
    bob, client = browser_of(clinic), clinic.client()
    visit, _ = clinic.visit(client, clinic.talk)
    pay(clinic.biller, client, 1_000)
    with CaptureQueriesContext(connection) as captured:
        bob.post(at("invoicing:add_invoice", visit=visit), HTTP_HX_REQUEST="true")
    assert len([query for query in captured if "SAVEPOINT" not in query["sql"]]) <= 15


@pytest.mark.race
def test_billing_and_prepaying_at_once_never_leave_the_money_beside_its_invoice(live_cast: Cast) -> None:
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        client = clinic.client()
        visits = [clinic.visit(client, clinic.letter)[0] for _ in range(30)]

    def add_invoice(visit: UUID) -> None:
        bill_visit(clinic.biller, visit_id=visit)

    def take(visit: UUID) -> None:
        prepaid(clinic, client, visit, 4_000)

    for visit in visits:
        assert at_once(live_cast, partial(add_invoice, visit), partial(take, visit)) == ["done", "done"]
    with practice_transaction(live_cast.alder.id):
        assert set(InvoiceLine.objects.values_list("client_open_cents", flat=True)) == {0}
        assert set(Payment.objects.values_list("unapplied_cents", flat=True)) == {0}
        assert VisitService.objects.exclude(line_id=None).count() == 30
        books_agree(clinic, client)

"""The Ledger, Accept Payment, Apply Payment, Apply to Invoices and Billing Notes over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from daysheet.clients.actions import add_billing_note
from daysheet.clients.models import BillingNoteText
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.payments.models import Payment
from daysheet.practices.models import User
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.pages import words_of
from tests.people import NOW, Cast, Person

from .desk import DAY, TODAY, bill, lines_of, open_of, pay


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        yield build_clinic(cast)


@pytest.fixture
def bob(clinic: Clinic) -> Browser:
    return browser(clinic.cast.bob)


def browser(person: Person) -> Browser:
    """Somebody's signed-in browser."""
    client = Browser()
    client.force_login(
        User.objects.get(pk=person.user_id), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def url(name: str, **kwargs: Any) -> str:
    return reverse(f"payments:{name}", kwargs={"practice": "alder", **kwargs})


def form_of(**typed: Any) -> dict[str, Any]:
    return {"request_key": str(uuid4()), "method": "check", "received_on": TODAY.isoformat()} | typed


def test_the_ledger_has_its_tiles_tabs_buttons_and_sections(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client(copay_cents=2_000, insured=True)
    visit, _ = clinic.visit(ana, clinic.talk)
    clinic.visit(ana, clinic.letter, day=date(2026, 11, 9))
    clinic.visit(ana, clinic.talk, day=date(2026, 11, 20), status="upcoming")
    number = bill_visit(clinic.biller, visit_id=visit).created[0].number
    pay(clinic.biller, ana, 5_000)
    answer = bob.get(url("ledger", client=ana))
    text = words_of(answer)
    assert answer.status_code == 200
    for tile in (
        "Client Balance Due $0.00",
        "Client Credit $30.00",
        "Insurance Balance Due $130.00",
        "Primary Copay $20.00",
        "Next Appointment 11/20/2026",
        "10:00 AM",
    ):
        assert tile in text
    for label in ("Open Invoices", "Fully Paid Invoices", "Payment History", "All Activity"):
        assert f">{label}" in answer.content.decode()
    assert "New Invoice" in text and "Accept Payment" in text
    assert "Unapplied Payments/Credits and Refunds" in text and "Billing Notes" in text
    assert "1 date of service is not billed yet: 11/09/2026" in text
    assert f"{number} 11/16/2026 11/02/2026" in text


def test_an_invoice_moves_to_fully_paid_when_nothing_is_open(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    invoice = bill(clinic.biller, ana, 5_000)
    bill(clinic.biller, ana, 0)
    pages = {tab: url("ledger", client=ana) + f"?tab={tab}" for tab in ("open", "paid", "payments", "activity")}
    assert "$50.00" in words_of(bob.get(pages["open"]))
    pay(clinic.biller, ana, 5_000, applications={lines_of(invoice)[0]: 5_000})
    assert "No open invoices" in words_of(bob.get(pages["open"]))
    paid = words_of(bob.get(pages["paid"]))
    assert "1 11/02/2026" in paid and "2 11/02/2026" in paid  # a zero amount is fully paid at birth (C5)
    assert "11/16/2026 Check" in words_of(bob.get(pages["payments"]))
    activity = words_of(bob.get(pages["activity"]))
    assert activity.index("Payment applied") < activity.index("Payment received") < activity.index("Charge 11/02")


def test_every_tab_pages_and_seven_hundred_visits_cost_no_more_queries(
    clinic: Clinic, bob: Browser, django_assert_max_num_queries: Any
) -> None:
    few, many = clinic.client("Few"), clinic.client("Many")
    bill(clinic.biller, few, 5_000)
    _seven_hundred(clinic, many)
    pay(clinic.biller, few, 1_000)
    for tab in ("open", "paid", "payments", "activity"):
        for client in (few, many):
            with django_assert_max_num_queries(22):
                answer = bob.get(url("ledger", client=client), {"tab": tab})
            assert answer.status_code == 200
    second = bob.get(url("ledger", client=many), {"tab": "activity", "page": "2"}).content.decode()
    assert 'rel="prev"' in second and 'rel="next"' in second
    assert bob.get(url("ledger", client=many), {"tab": "nonsense", "page": "x"}).status_code == 200


def _seven_hundred(clinic: Clinic, client: UUID) -> None:
    lines = [1_000] * 70
    for day in range(10):
        bill(clinic.biller, client, *lines, on=date(2026, 10, day + 1))
    for _ in range(60):
        pay(clinic.biller, client, 5_000)


def test_a_payment_is_taken_with_an_amount_only(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    invoice = bill(clinic.biller, ana, 3_000, 4_000)
    page = bob.get(url("accept_payment", client=ana))
    assert "Credit/Debit Card (recorded elsewhere)" in words_of(page) and "Amount to apply" in words_of(page)
    answer = bob.post(url("accept_payment", client=ana), form_of(amount="50.00", method="cash"), follow=True)
    assert answer.redirect_chain == [(url("ledger", client=ana), 303)]
    assert "Payment of $50.00 saved: $50.00 applied." in words_of(answer)
    assert open_of(invoice) == [0, 2_000]


def test_lines_decide_the_amount_where_none_is_entered(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    invoice = bill(clinic.biller, ana, 3_000, 4_000, 500)
    first, second, third = lines_of(invoice)
    typed = form_of(**{f"apply-{first}": "", f"tick-{first}": "on", f"apply-{second}": "15", f"apply-{third}": ""})
    bob.post(url("accept_payment", client=ana), typed)
    assert Payment.objects.get().amount_cents == 4_500
    assert open_of(invoice) == [0, 2_500, 500]
    everything = form_of(pay_all="on", **{f"apply-{line}": "" for line in (second, third)})
    bob.post(url("accept_payment", client=ana), everything)
    assert open_of(invoice) == [0, 0, 0]
    assert bob.post(url("accept_payment", client=ana), everything, follow=True).status_code == 200
    assert Payment.objects.count() == 2


def test_an_invoice_can_be_chosen_in_the_address(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    bill(clinic.biller, ana, 3_000)
    number = bill(clinic.biller, ana, 4_000, on=date(2026, 11, 9)).number
    html = bob.get(url("accept_payment", client=ana), {"invoice": number}).content.decode()
    assert 'value="40.00"' in html
    assert len(re.findall(r'<input type="checkbox" name="tick-[^>]* checked', html)) == 1


def test_the_surplus_is_told_before_anything_is_saved(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    bill(clinic.biller, ana, 3_000)
    typed = form_of(amount="50")
    told = bob.post(url("accept_payment", client=ana), typed)
    assert told.status_code == 200
    assert "$20.00 will be kept as credit." in words_of(told) and "Save anyway" in words_of(told)
    assert Payment.objects.count() == 0
    assert 'name="expected_credit" id="id_expected_credit" value="2000"' in told.content.decode()
    saved = bob.post(url("accept_payment", client=ana), typed | {"expected_credit": "2000"}, follow=True)
    assert "$30.00 applied, $20.00 kept as credit." in words_of(saved)
    again = bob.post(url("accept_payment", client=ana), typed | {"expected_credit": "2000"}, follow=True)
    assert "had been saved already" in words_of(again)
    assert Payment.objects.count() == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({}, "Enter the amount that was received"),
        ({"amount": "twelve"}, "is not an amount such as 125.00"),
        ({"amount": "-5"}, "cannot be less than nothing"),
        ({"amount": "0"}, "Enter the amount that was received"),
        ({"amount": "5", "received_on": "11/17/2026"}, "lies in the future"),
        ({"amount": "5", "received_on": "yesterday"}, "is not a date such as 11/23/2026"),
        ({"amount": "5", "method": "gold"}, "gold is not one of the available choices"),
        ({"is_copay": "on"}, "No copay is known for this client"),
        ({"amount": "10", "LINE": "20"}, "The lines take $20.00, but only $10.00 was received"),
        ({"amount": "99", "LINE": "40.01"}, "is more than the $40.00 that the client still owes on invoice 1"),
    ],
)
def test_what_is_refused_is_said_on_the_form_with_422(
    clinic: Clinic, bob: Browser, typed: dict[str, str], said: str
) -> None:
    ana = clinic.client()
    [line] = lines_of(bill(clinic.biller, ana, 4_000))
    sent = {f"apply-{line}" if name == "LINE" else name: value for name, value in typed.items()}
    answer = bob.post(url("accept_payment", client=ana), form_of(**sent))
    assert answer.status_code == 422
    assert "The payment was not saved" in words_of(answer)
    assert said in words_of(answer)
    assert Payment.objects.count() == 0


def test_the_same_key_with_another_amount_is_refused(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    bill(clinic.biller, ana, 4_000)
    typed = form_of(amount="10")
    bob.post(url("accept_payment", client=ana), typed)
    answer = bob.post(url("accept_payment", client=ana), typed | {"amount": "11"})
    assert (answer.status_code, Payment.objects.count()) == (409, 1)
    assert "saved before with other content" in words_of(answer)


def test_co_pay_fills_in_the_copay(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client(copay_cents=2_500, insured=True)
    visit, _ = clinic.visit(ana, clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    bob.post(url("accept_payment", client=ana), form_of(is_copay="on"))
    payment = Payment.objects.get()
    assert (payment.amount_cents, payment.unapplied_cents, payment.is_copay) == (2_500, 0, True)


def test_a_repeated_number_warns_and_names_only_whom_the_person_may_see(clinic: Clinic, bob: Browser) -> None:
    ana, ben = clinic.client("Ruiz"), clinic.client("Secret")
    pay(clinic.biller, ben, 700, number="1042")
    typed = form_of(amount="5", number="1042", expected_credit="500")
    answer = bob.post(url("accept_payment", client=ana), typed, follow=True)
    assert "The same number is on a payment of $7.00 from Ana Secret, 11/16/2026. Both are kept." in words_of(answer)
    assert Payment.objects.count() == 2
    limit(clinic, to=ana)
    payment = Payment.objects.get(client_id=ana)
    assert "Secret" not in words_of(bob.get(url("payment", payment=payment.pk)))
    another = form_of(amount="6", number="1042", expected_credit="600")
    answer = bob.post(url("accept_payment", client=ana), another, follow=True)
    assert "Secret" not in words_of(answer) and "payment of $5.00 from Ana Ruiz" in words_of(answer)


def test_apply_payment_takes_the_full_client_amount_of_the_visits_invoice(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client(copay_cents=2_000, insured=True)
    visit, _ = clinic.visit(ana, clinic.talk, clinic.letter)
    before = bob.get(url("apply_payment", visit=visit))
    assert (before.status_code, "which is not billed yet" in words_of(before)) == (200, True)
    bill_visit(clinic.biller, visit_id=visit)
    page = bob.get(url("apply_payment", visit=visit))
    assert 'value="60.00"' in page.content.decode()
    lines = InvoiceLine.objects.filter(visit_service__visit_id=visit)
    typed = form_of(
        amount="60.00", **{f"tick-{line.pk}": "on" for line in lines}, **{f"apply-{x.pk}": "" for x in lines}
    )
    answer = bob.post(url("apply_payment", visit=visit), typed)
    assert answer.status_code == 303
    payment = Payment.objects.get()
    assert (payment.amount_cents, payment.unapplied_cents, payment.visit_id) == (6_000, 0, visit)


def test_credit_is_applied_from_its_own_page(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    assert "No credit to apply" in words_of(bob.get(url("apply_credit", client=ana)))
    pay(clinic.biller, ana, 5_000)
    assert "Nothing is open" in words_of(bob.get(url("apply_credit", client=ana)))
    invoice = bill(clinic.biller, ana, 3_000, 4_000)
    typed = {"request_key": str(uuid4())} | {f"apply-{line}": "30.00" for line in lines_of(invoice)}
    refused = bob.post(url("apply_credit", client=ana), typed)
    assert (refused.status_code, "only $50.00 of credit" in words_of(refused)) == (422, True)
    answer = bob.post(url("apply_credit", client=ana), {"request_key": str(uuid4())}, follow=True)
    assert "The credit was applied." in words_of(answer)
    assert open_of(invoice) == [0, 2_000]


def test_a_payment_shows_where_it_went_and_its_entries(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    number = bill(clinic.biller, ana, 3_000).number
    payment = pay(clinic.biller, ana, 5_000, number="77", notes="by mail", is_copay=True).payment_id
    text = words_of(bob.get(url("payment", payment=payment)))
    assert "Payment of $50.00: Ana Ruiz" in text
    assert f"Invoice {number} $30.00 Credit $20.00" in text
    for part in ("Number 77", "by mail", "Co-Pay", "Payment received", "Payment applied", "11/16/2026 10:00 AM"):
        assert part in text


def test_billing_notes_keep_their_earlier_texts(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    note = str(uuid4())
    for _ in range(2):
        bob.post(url("add_note", client=ana), {"note_id": note, "text": "Calls about <b>rates</b>"})
    text = bob.get(url("ledger", client=ana)).content.decode()
    assert text.count("Calls about &lt;b&gt;rates&lt;/b&gt;") == 1
    update = url("update_note", note=note)
    assert "Calls about" in words_of(bob.get(update))
    bob.post(update, {"text": "Pays in two parts"})
    ledger = words_of(bob.get(url("ledger", client=ana)))
    assert "Pays in two parts" in ledger and "1 earlier text" in ledger and "Bob Biller, 11/16/2026 10:00 AM" in ledger
    assert bob.post(update, {"text": "  "}).status_code == 422
    assert bob.post(url("add_note", client=ana), {"text": ""}).status_code == 422
    assert BillingNoteText.objects.count() == 2


def limit(clinic: Clinic, *, to: UUID | None = None) -> None:
    """Bob sees assigned clients only: none, or one."""
    from daysheet.clients.actions import assign_staff

    if to:
        assign_staff(clinic.owner, to, clinic.cast.bob.staff_member_id)
    StaffMember.objects.filter(pk=clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)


def test_the_money_of_a_client_is_closed_to_whom_it_does_not_concern(clinic: Clinic, bob: Browser) -> None:
    ana = clinic.client()
    visit, _ = clinic.visit(ana, clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    payment = pay(clinic.biller, ana, 500).payment_id
    note = add_billing_note(clinic.biller, ana, text="Private").pk
    pages = [
        url("ledger", client=ana),
        url("accept_payment", client=ana),
        url("apply_credit", client=ana),
        url("apply_payment", visit=visit),
        url("payment", payment=payment),
        url("add_note", client=ana),
        url("update_note", note=note),
    ]
    dan, charlie = browser(clinic.cast.dan), browser(clinic.cast.charlie)
    for page in pages:
        assert bob.get(page).status_code == 200, page
        assert dan.get(page).status_code == 403, page
        assert charlie.get(page).status_code == 404, page
        assert charlie.get(page.replace("/alder/", "/birch/")).status_code == 404, page
        assert Browser().get(page).status_code == 302, page
        if page != url("payment", payment=payment) and page != url("ledger", client=ana):
            sent = form_of(amount="5", text="Mine", expected_credit="500")
            assert dan.post(page, sent).status_code == 403, page
            assert charlie.post(page.replace("/alder/", "/birch/"), sent).status_code == 404, page
    limit(clinic)
    for page in pages:
        assert bob.get(page).status_code == 404, page
    assert (Payment.objects.count(), BillingNoteText.objects.count()) == (1, 1)


def test_moments_are_shown_in_practice_time(clinic: Clinic) -> None:
    ana = clinic.client()
    pay(clinic.biller, ana, 500)
    late = datetime(2026, 11, 17, 4, 30, tzinfo=UTC)  # 11:30 PM of the 16th in New York
    with time_machine.travel(late, tick=False):
        bob = browser(clinic.cast.bob)  # the session of the morning has ended
        typed = form_of(amount="5", received_on=DAY.isoformat(), expected_credit="500")
        bob.post(url("accept_payment", client=ana), typed)
        payment = Payment.objects.get(received_on=DAY)
        assert "11/16/2026 11:30 PM" in words_of(bob.get(url("payment", payment=payment.pk)))
        tomorrow = form_of(amount="5", received_on="2026-11-17")
        assert bob.post(url("accept_payment", client=ana), tomorrow).status_code == 422


def test_batch_payments_opens_without_a_reproach(clinic: Clinic, bob: Browser) -> None:
    for name in ("Ruiz", "Stone"):
        visit, _ = clinic.visit(clinic.client(name, insured=True), clinic.talk)
        bill_visit(clinic.biller, visit_id=visit)
    page = url("batch_payments")
    opened, unanswered = bob.get(page), bob.get(page, {"payer": ""})
    assert "Choose the insurer whose money came in." in words_of(opened)
    assert "This field is required" not in words_of(opened) and "This field is required" in words_of(unanswered)
    assert "Charge Cards" in words_of(opened) and opened.status_code == 200


def test_accept_payment_asks_whose_money_it_is(clinic: Clinic, bob: Browser) -> None:
    """M1: Accept Payment → Client Payment or Insurance Payment, each a link on the other's page."""
    client = clinic.client("Ana")
    taking = bob.get(f"/alder/clients/{client}/payments/new/").content.decode()
    insurer = bob.get(f"/alder/clients/{client}/insurance-payments/new/").content.decode()
    assert f'href="/alder/clients/{client}/insurance-payments/new/">Insurance Payment' in taking
    assert f'href="/alder/clients/{client}/payments/new/">Client Payment' in insurer
    assert "Accept Payment: Ana" in insurer

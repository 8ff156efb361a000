"""The correction pages over HTTP: the effect in numbers first, then once; refusals; who may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.clients.models import ClientAssignment
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.ledger.closing import close_day
from daysheet.ledger.models import Entry
from daysheet.payments.actions import accept_payment
from daysheet.payments.corrections import write_off
from daysheet.payments.models import Payment, PaymentReversal
from daysheet.reports.queries.day_sheet import day_sheet
from daysheet.staff.models import StaffMember
from tests.architecture.world import browser_of
from tests.billing import DAY, Clinic, build_clinic
from tests.pages import filled
from tests.people import Cast

from .desk import pay
from .pages import agreed


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _billed(clinic: Clinic, paid_cents: int = 0, **coverage: Any) -> tuple[InvoiceLine, UUID | None]:
    client = clinic.client(**coverage)
    visit, _ = clinic.visit(client, clinic.talk)
    bill_visit(clinic.biller, visit_id=visit)
    payment = None
    if paid_cents:
        payment = accept_payment(
            clinic.biller, request_key=uuid4(), client_id=client, amount_cents=paid_cents, method="check",
            received_on=DAY,
        ).payment_id  # fmt: skip
    return InvoiceLine.objects.get(), payment


def _twice(browser: Browser, url: str, typed: dict[str, Any]) -> tuple[str, int]:
    """The page with the effect, and the status of the confirmation."""
    shown = browser.post(url, filled(browser.get(url).text, **typed))
    assert shown.status_code == 200, shown.text
    return shown.text, browser.post(url, filled(shown.text, confirmed="1")).status_code


def test_the_effect_is_shown_before_it_happens_and_nothing_is_written_by_showing_it(clinic: Clinic) -> None:
    line, payment = _billed(clinic, paid_cents=15000)
    bob = browser_of(clinic.cast.bob)
    before = Entry.objects.count()
    url = f"/alder/payments/{payment}/unapply/"
    page = bob.post(url, filled(bob.get(url).text, reason="Wrong"))
    text = page.content.decode()
    assert "Client Balance Due" in text and "<b>$150.00</b>" in text and "Yes, unapply payment" in text
    assert Entry.objects.count() == before
    assert _twice(bob, url, {"reason": "Wrong"})[1] == 303
    line.refresh_from_db()
    assert line.client_open_cents == 15000


def test_write_off_and_take_back(clinic: Clinic) -> None:
    line, _ = _billed(clinic)
    bob = browser_of(clinic.cast.bob)
    page, _ = _twice(
        bob, f"/alder/lines/{line.pk}/write-off/", {"side": "client", "amount": "50.00", "reason": "Hardship"}
    )
    assert "$150.00" in page and "<b>$100.00</b>" in page
    listing = bob.get(f"/alder/clients/{line.client_id}/write-offs/").content.decode()
    assert "Hardship" in listing and "Take back" in listing
    entry = Entry.objects.get(debit_account="write_off")
    _twice(bob, f"/alder/lines/{line.pk}/write-offs/{entry.pk}/", {"reason": "Paid after all"})
    line.refresh_from_db()
    assert line.client_open_cents == 15000
    again = bob.post(f"/alder/lines/{line.pk}/write-offs/{entry.pk}/", {"request_key": str(uuid4()), "reason": "x"})
    assert again.status_code == 422 and b"taken back before" in again.content


def test_responsibility_moves_by_page(clinic: Clinic) -> None:
    line, _ = _billed(clinic, insured=True)
    url = f"/alder/lines/{line.pk}/responsibility/"
    _twice(browser_of(clinic.cast.bob), url, {"to_side": "client", "amount": "40", "reason": "Deductible"})
    line.refresh_from_db()
    assert (line.client_open_cents, line.insurance_open_cents) == (4000, 11000)


def test_refund_edit_and_delete_by_page(clinic: Clinic) -> None:
    _, payment = _billed(clinic, paid_cents=20000)
    bob, url = browser_of(clinic.cast.bob), f"/alder/payments/{payment}/"
    _twice(bob, f"{url}refund/", {"amount": "10.00", "refunded_on": "2026-11-16", "reason": "Overpaid"})
    assert Payment.objects.get().unapplied_cents == 4000
    edited = {"method": "cash", "received_on": "2026-11-03", "number": "9", "notes": "", "reason": "Typed wrong"}
    _twice(bob, f"{url}edit/", edited)
    assert Payment.objects.get().method == "cash"
    refused = bob.post(f"{url}delete/", {"request_key": str(uuid4()), "reason": "Bounced"})
    assert refused.status_code == 422 and b"Unapply it first" in refused.content
    assert not PaymentReversal.objects.exists()
    page = bob.get(url).content.decode()
    assert "Refunded" in page and "$10.00" in page


def test_void_and_rebill_by_page_keeps_the_payment(clinic: Clinic) -> None:
    line, _ = _billed(clinic, paid_cents=5000)
    bob = browser_of(clinic.cast.bob)
    url = f"/alder/invoices/{line.invoice.number}/rebill/"
    assert bob.get(url).status_code == 200
    typed = {
        f"service-{line.visit_service_id}": str(clinic.letter.pk), f"units-{line.visit_service_id}": "",
        f"provider-{line.visit_service_id}": "", "reason": "It was a letter",
    }  # fmt: skip
    page, _ = _twice(bob, url, typed)
    assert "<b>$10.00</b>" in page  # credit: 50.00 paid, the letter costs 40.00
    assert list(Invoice.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    live = InvoiceLine.objects.get(ended_at=None)
    assert (live.code, live.client_open_cents) == ("LETTER", 0)


def test_an_edited_line_by_page(clinic: Clinic) -> None:
    line, _ = _billed(clinic)
    typed = {"units": "2", "rate": "100.00", "client_part": "200.00", "note": "", "reason": "Two"}
    _twice(browser_of(clinic.cast.bob), f"/alder/lines/{line.pk}/edit/", typed)
    assert InvoiceLine.objects.get(ended_at=None).amount_cents == 20000
    late = browser_of(clinic.cast.bob).get(f"/alder/lines/{line.pk}/edit/", follow=True)
    assert late.redirect_chain == [("/alder/invoices/1/", 303)]
    assert b"Nothing was changed by you; invoice 1 shows how it stands now." in late.content


def test_a_reason_is_always_asked_for(clinic: Clinic) -> None:
    line, payment = _billed(clinic, paid_cents=100)
    bob = browser_of(clinic.cast.bob)
    for url in (f"payments/{payment}/unapply/", f"lines/{line.pk}/write-off/", f"lines/{line.pk}/edit/"):
        assert bob.post(f"/alder/{url}", {"request_key": str(uuid4())}).status_code == 422


def test_a_correction_meant_for_a_closed_day_says_when_it_is_posted(clinic: Clinic) -> None:
    _, payment = _billed(clinic, paid_cents=17000)
    totals = day_sheet(clinic.biller, DAY).totals
    close_day(
        clinic.biller, day=DAY, expected_closing_cents=totals.closing_cents, expected_entry_count=totals.entry_count
    )
    bob, typed = browser_of(clinic.cast.bob), {"request_key": str(uuid4()), "amount": "20.00", "reason": "Moved away"}
    said = "11/02/2026 is closed: this is posted on 11/03/2026, the first open day."
    url = f"/alder/payments/{payment}/refund/"
    assert said in bob.post(url, typed | {"refunded_on": "2026-11-02"}).text
    assert "is closed" not in bob.post(url, typed | {"refunded_on": "2026-11-16"}).text


def test_a_payment_comes_off_the_lines_that_are_ticked(clinic: Clinic) -> None:
    """A cheque over two dates, one of them wrong: the other keeps its money."""
    client = clinic.client()
    for service in (clinic.talk, clinic.letter):
        bill_visit(clinic.biller, visit_id=clinic.visit(client, service)[0])
    talk, letter = InvoiceLine.objects.order_by("-amount_cents")
    paid = pay(clinic.biller, client, 19_000).payment_id
    bob, url = browser_of(clinic.cast.bob), f"/alder/payments/{paid}/unapply/"
    page = bob.get(url).text
    assert "$150.00 on 9T001 Talk of 11/02/2026, invoice 1, Ana Ruiz" in page and page.count(" checked") == 2
    assert "Tick at least one line." in bob.post(url, {"request_key": str(uuid4()), "reason": "Wrong"}).text
    _twice(bob, url, {"reason": "Wrong date", "lines": [str(letter.pk)]})
    talk.refresh_from_db()
    letter.refresh_from_db()
    assert (talk.client_open_cents, letter.client_open_cents) == (0, 4_000)
    assert "Take it off" not in bob.get(url).text  # of one line there is nothing to choose
    _twice(bob, url, {"reason": "That one too"})
    assert Payment.objects.get().unapplied_cents == 19_000


def test_a_tick_of_an_old_page_never_takes_money_off_another_line(clinic: Clinic) -> None:
    """Found by trying: of two lines one was taken off in another tab, and the old page, on which that one was ticked,
    took the payment off the other."""
    client = clinic.client()
    for service in (clinic.talk, clinic.letter):
        bill_visit(clinic.biller, visit_id=clinic.visit(client, service)[0])
    talk, letter = InvoiceLine.objects.order_by("-amount_cents")
    paid = pay(clinic.biller, client, 19_000).payment_id
    bob, url = browser_of(clinic.cast.bob), f"/alder/payments/{paid}/unapply/"
    shown = bob.post(url, filled(bob.get(url).text, reason="Wrong date", lines=[str(letter.pk)])).text
    sent = filled(shown, confirmed="1", lines=[str(letter.pk)])
    assert [bob.post(url, sent).status_code for _ in range(2)] == [303, 303]  # two clicks are one
    for lines in ([letter.pk], [letter.pk, talk.pk]):
        late = bob.post(url, sent | {"request_key": str(uuid4()), "lines": [str(each) for each in lines]})
        assert late.status_code == 422 and "reload to see what it is on" in late.text
    assert bob.post(url, sent | {"request_key": str(uuid4()), "lines": ["x"]}).status_code == 422
    talk.refresh_from_db()
    assert (talk.client_open_cents, Payment.objects.get().unapplied_cents) == (0, 4_000)


def test_a_correction_sent_twice_is_one_and_its_key_is_good_for_nothing_else(clinic: Clinic) -> None:
    """A double click without scripts: the second answer is the first one's, not that there is nothing to do."""
    line, payment = _billed(clinic, paid_cents=10_000)
    write_off(clinic.biller, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=1_000, reason="Hardship")
    entry = Entry.objects.get(debit_account="write_off")
    edited = {"method": "cash", "received_on": "2026-11-03", "number": "9", "notes": ""}
    bob = browser_of(clinic.cast.bob)
    for url, typed in (
        (f"lines/{line.pk}/write-offs/{entry.pk}/", {}),
        (f"payments/{payment}/edit/", edited),
        (f"payments/{payment}/unapply/", {}),
        (f"payments/{payment}/delete/", {}),
    ):
        sent = agreed(bob, f"/alder/{url}", **typed)
        before = Entry.objects.count()
        assert bob.post(f"/alder/{url}", sent).status_code == 303, url
        once = Entry.objects.count()
        assert bob.post(f"/alder/{url}", sent).status_code == 303, url
        assert Entry.objects.count() == once > before, url
        other = bob.post(f"/alder/{url}", sent | {"reason": "Something else"})
        assert (other.status_code, "Nothing was saved" in other.text) == (409, True), url


def test_another_date_shows_the_deposits_that_it_changes(clinic: Clinic) -> None:
    _, payment = _billed(clinic, paid_cents=10_000)
    bob, url = browser_of(clinic.cast.bob), f"/alder/payments/{payment}/edit/"
    typed = filled(bob.get(url).text, received_on="2026-11-09", reason="Misread")
    page = bob.post(url, typed | {"method": "check"}).text
    effect = page.split("What this does")[1].split("</table>")[0]
    rows = [" ".join(re.sub("<[^>]+>", " ", row).split()) for row in effect.split("<tr>")[2:]]
    assert rows[-2:] == [
        "Deposit of 11/02/2026, Check $100.00 $0.00",
        "Deposit of 11/09/2026, Check $0.00 $100.00",
    ]
    page = bob.post(url, typed | {"method": "cash", "received_on": "2026-11-02"}).text
    assert "Deposit of 11/02/2026, Cash" in page and "Deposit of 11/09/2026" not in page
    StaffMember.objects.filter(pk=clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)
    ClientAssignment.objects.create(
        client_id=Payment.objects.get().client_id, staff_member_id=clinic.cast.bob.staff_member_id
    )
    assert "Deposit of" not in bob.post(url, typed | {"method": "check"}).text  # other clients' money is in it


def test_voiding_shows_what_it_does_to_the_cent(clinic: Clinic) -> None:
    """Paid 25.00 and written off 5.00: 25.00 becomes credit, not 30.00."""
    line, _ = _billed(clinic, paid_cents=2_500)
    write_off(clinic.biller, request_key=uuid4(), line_id=line.pk, side="client", amount_cents=500, reason="Hardship")
    before = Entry.objects.count()
    page = browser_of(clinic.cast.bob).get("/alder/invoices/1/void/").text
    assert "<b>$25.00</b>" in page and "$30.00" not in page
    assert Entry.objects.count() == before

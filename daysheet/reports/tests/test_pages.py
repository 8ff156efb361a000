"""The reports over HTTP: pages, files, closing a day, and how many statements they take."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from python_calamine import CalamineWorkbook

from daysheet.clients.models import ClientAssignment
from daysheet.invoicing.actions import bill_visit
from daysheet.ledger.closing import closed_day
from daysheet.ledger.models import Account, ClosedDay, Entry
from daysheet.payments.corrections import unapply
from daysheet.payments.models import Payment
from daysheet.payments.redating import DayClosed, edit_payment
from daysheet.reports.queries.day_sheet import day_sheet
from daysheet.staff.models import StaffMember

from .conftest import EARLIER, TODAY, SignIn, Week, at, keep_as_credit

PAGES = (
    "index", "day_sheet", "entries", "invoice_aging", "aging_lines", "payments", "payment_methods", "credits",
    "unbilled", "collections",
)  # fmt: skip
FILES = tuple(name for name in PAGES if name != "index")


def _text(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize("name", PAGES)
def test_each_report_opens_for_the_biller_and_for_nobody_without_billing(bob: Browser, sign_in: SignIn, week: Week,
                                                                         name: str) -> None:  # fmt: skip
    cast = week.clinic.cast
    assert bob.get(at(name)).status_code == 200
    assert sign_in(cast.dan).get(at(name)).status_code == 403
    assert sign_in(cast.charlie).get(at(name)).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_a_busier_practice_takes_no_more_statements(bob: Browser, week: Week, name: str) -> None:
    shop = week.clinic
    shop.visit(week.ruiz, shop.talk, day=TODAY)
    with CaptureQueriesContext(connection) as quiet:
        assert bob.get(at(name), {"bucket": "0"}).status_code == 200
    for number in range(12):
        client = shop.client(f"Busy{number}", insured=True, copay_cents=1000)
        bill_visit(shop.biller, visit_id=shop.visit(client, shop.talk, day=EARLIER)[0])
        shop.visit(client, shop.talk, day=TODAY)
        keep_as_credit(shop.biller, client, 500 + number, TODAY)
    with CaptureQueriesContext(connection) as busy:
        assert bob.get(at(name), {"bucket": "0"}).status_code == 200
    assert len(busy) <= len(quiet) <= 22


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_each_report_is_a_file_too_with_the_filters_of_the_page(bob: Browser, name: str, kind: str) -> None:
    answer = bob.get(at(name), {"from_on": EARLIER.isoformat(), "format": kind})
    assert answer.status_code == 200
    assert f'.{kind}"' in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"
    if kind == "xlsx":
        assert CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).sheet_names
    else:
        assert list(csv.reader(io.StringIO(_text(answer).lstrip("\ufeff"))))


def test_files_carry_amounts_as_numbers_and_text_that_no_program_runs(bob: Browser) -> None:
    asked = {"from_on": EARLIER.isoformat(), "to_on": TODAY.isoformat()}
    rows = list(csv.reader(io.StringIO(_text(bob.get(at("payments"), asked | {"format": "csv"})).lstrip("\ufeff"))))
    assert rows[0][:4] == ["From", "Posted on", "Received on", "What"]
    assert [row[-1] for row in rows[1:]] == ["40.00", "100.00", "60.00", "-5.00", "195.00"]
    assert rows[2][5] == "'=C1"
    book = CalamineWorkbook.from_filelike(io.BytesIO(bob.get(at("payments"), asked | {"format": "xlsx"}).content))
    cells = book.get_sheet_by_index(0).to_python()
    assert [row[-1] for row in cells[1:]] == [40.0, 100.0, 60.0, -5.0, 195.0]
    assert cells[2][5] == "'=C1"
    assert cells[2][1] == TODAY


def test_limited_people_get_their_clients_only_on_pages_and_in_files(week: Week, bob: Browser) -> None:
    member = week.clinic.cast.bob.staff_member_id
    StaffMember.objects.filter(pk=member).update(limited_to_assigned=True)
    ClientAssignment.objects.create(client_id=week.ruiz, staff_member_id=member)
    week.clinic.visit(week.long, week.clinic.talk, day=TODAY)
    for name in FILES:
        for kind in ("", "csv"):
            shown = _text(bob.get(at(name), {"from_on": EARLIER.isoformat(), "format": kind, "bucket": "0"}))
            assert "Long" not in shown, (name, kind)
    assert "Ruiz" in _text(bob.get(at("payments"), {"from_on": EARLIER.isoformat()}))
    sheet = _text(bob.get(at("day_sheet")))
    assert "of the clients you are assigned to" in sheet
    assert "Close Day" not in sheet


def test_the_figures_of_the_day_sheet_lead_to_their_entries(bob: Browser) -> None:
    sheet = _text(bob.get(at("day_sheet")))
    assert "It adds up: " in sheet
    assert f"{at('entries')}?from_on=2026-11-16&amp;to_on=2026-11-16&amp;kind=payment" in sheet
    behind = _text(bob.get(at("entries"), {"from_on": TODAY, "to_on": TODAY, "kind": "adjustment"}))
    assert "Contractual adjustment" in behind
    assert "Hardship" in behind
    assert "$30.00" in behind


def test_paper_says_what_was_asked_for(bob: Browser) -> None:
    asked = {"from_on": EARLIER.isoformat(), "to_on": TODAY.isoformat(), "method": "cash"}
    page = _text(bob.get(at("payment_methods"), asked))
    assert "From: 11/10/2026 · To: 11/16/2026 · Method: Cash</p>" in page
    assert "By: Client: what clients owe · Age by: Date of service · As of: 11/16/2026" in _text(
        bob.get(at("invoice_aging"))
    )


def test_filters_that_make_no_sense_are_told_and_the_usual_report_is_shown(bob: Browser) -> None:
    answer = bob.get(at("payments"), {"from_on": "2026-11-20", "to_on": "2026-11-01"})
    assert answer.status_code == 200
    assert "The range ends before it begins" in _text(answer)
    assert "is not a date" in _text(bob.get(at("day_sheet"), {"day": "yesterday"}))
    assert bob.get(at("invoice_aging"), {"by": "moon", "page": "-4", "of": "x"}).status_code == 200


def _closing(week: Week, day: Any = EARLIER) -> dict[str, str]:
    totals = day_sheet(week.biller, day).totals
    return {
        "day": day.isoformat(),
        "expected_closing_cents": str(totals.closing_cents),
        "expected_entry_count": str(totals.entry_count),
    }


def test_a_day_is_closed_after_a_word_on_what_that_locks(week: Week, bob: Browser) -> None:
    asked = bob.post(at("close_day"), _closing(week))
    assert "Closing is final" in _text(asked)
    assert "closes at −$40.00" in _text(asked)
    assert not ClosedDay.objects.exists()
    done = bob.post(at("close_day"), _closing(week) | {"confirmed": "yes"})
    assert done.status_code == 303
    again = bob.post(at("close_day"), _closing(week) | {"confirmed": "yes"})
    assert again.status_code == 303
    assert ClosedDay.objects.count() == 1
    sheet = _text(bob.get(at("day_sheet"), {"day": EARLIER.isoformat()}))
    assert "Closed by Bob Biller, 11/16/2026 10:00 AM" in sheet
    assert "Close Day" not in sheet
    before = _text(bob.get(at("day_sheet"), {"day": (EARLIER - timedelta(days=1)).isoformat()}))
    assert "Closed with 11/10/2026 by Bob Biller" in before


def test_a_sheet_that_changed_a_broken_form_and_people_without_billing_close_nothing(
    week: Week, bob: Browser, sign_in: SignIn
) -> None:
    stale = bob.post(at("close_day"), _closing(week) | {"expected_entry_count": "99", "confirmed": "yes"})
    assert (stale.status_code, "Something was posted meanwhile" in _text(stale)) == (422, True)
    assert bob.post(at("close_day"), {"day": "soon"}).status_code == 422
    assert bob.get(at("close_day")).status_code == 405
    desk = sign_in(week.clinic.cast.dan)
    assert desk.post(at("close_day"), _closing(week) | {"confirmed": "yes"}).status_code == 403
    StaffMember.objects.filter(pk=week.clinic.cast.bob.staff_member_id).update(limited_to_assigned=True)
    assert bob.post(at("close_day"), _closing(week) | {"confirmed": "yes"}).status_code == 403
    assert not ClosedDay.objects.exists()


def test_money_received_on_a_closed_day_keeps_its_date_and_is_posted_later(week: Week, bob: Browser) -> None:
    bob.post(at("close_day"), _closing(week) | {"confirmed": "yes"})
    url = reverse("payments:accept_payment", kwargs={"practice": "alder", "client": week.long})
    page = bob.post(
        url,
        {"request_key": str(uuid4()), "method": "cash", "amount": "7.00", "received_on": EARLIER.isoformat()},
        follow=True,
    )
    assert "11/10/2026 is closed. The payment keeps this date and is posted on 11/11/2026" in _text(page)
    payment = Payment.objects.get(amount_cents=700)
    receipt = Entry.objects.get(payment_id=payment.pk, debit_account=Account.CASH)
    assert (payment.received_on, receipt.effective_on) == (EARLIER, EARLIER + timedelta(days=1))
    closed = closed_day(week.biller, EARLIER)
    assert closed is not None
    assert closed.totals == day_sheet(week.biller, EARLIER).totals


def test_the_method_of_a_payment_in_a_closed_deposit_stays(week: Week, bob: Browser) -> None:
    payment = Payment.objects.get(client_id=week.ruiz)
    facts = {"payment_id": payment.pk, "received_on": EARLIER, "number": "", "notes": "", "reason": "Was a check"}
    bob.post(at("close_day"), _closing(week) | {"confirmed": "yes"})
    with pytest.raises(DayClosed):
        edit_payment(week.biller, request_key=uuid4(), method="check", **facts)
    edit_payment(week.biller, request_key=uuid4(), method="cash", **(facts | {"number": "17"}))
    unapply(week.biller, request_key=uuid4(), payment_id=payment.pk, reason="Corrected the day after")
    payment.refresh_from_db()
    assert (payment.method, payment.number, payment.unapplied_cents) == ("cash", "17", 4000)
    later = Payment.objects.get(client_id=week.long)
    edit_payment(
        week.biller, request_key=uuid4(), method="check", **(facts | {"payment_id": later.pk, "received_on": TODAY})
    )
    later.refresh_from_db()
    assert later.method == "check"


def test_a_chart_has_its_figures_as_data_and_its_table_beside_it(bob: Browser) -> None:
    for name in ("invoice_aging", "collections"):
        page = _text(bob.get(at(name)))
        assert '<script id="chart-figures" type="application/json">' in page
        assert "<table" in page
        assert 'role="img"' in page

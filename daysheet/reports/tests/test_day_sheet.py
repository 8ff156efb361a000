"""The Day Sheet over real histories: every table adds up to the proof, and every figure opens to its entries."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from daysheet.clients.models import ClientAssignment
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import NotAllowed
from daysheet.ledger.models import Account
from daysheet.ledger.queries import practice_proof
from daysheet.ledger.rules import EntryClass
from daysheet.payments.corrections import unapply
from daysheet.payments.models import Payment
from daysheet.practices.actor import Actor
from daysheet.reports.queries.day_sheet import DaySheet, day_sheet
from daysheet.reports.queries.entries import NO_LINE, EntryFilters, entries_behind

from .conftest import EARLIER, OLD, TODAY, Week


def _adds_up(sheet: DaySheet) -> None:
    totals = sheet.totals
    assert totals.proves
    for people in (sheet.by_staff, sheet.by_provider):
        assert sum(each.charges_cents for each in people) == totals.charges_cents
        assert sum(each.payments_cents for each in people) == totals.payments_cents
        assert sum(each.adjustments_cents for each in people) == totals.adjustments_cents
    assert sum(row.deposit_cents for row in sheet.deposit) == totals.payments_cents


def test_the_sheet_of_a_busy_day(week: Week) -> None:
    sheet = day_sheet(week.biller, TODAY)
    _adds_up(sheet)
    totals = sheet.totals
    assert (totals.opening_cents, totals.charges_cents) == (-4000, 30000)
    assert totals.payments_cents == 10000 + 6000 - 500
    assert totals.adjustments_cents == 2000 + 1000
    assert totals.closing_cents == -4000 + 30000 - 15500 - 3000
    assert [row.name for row in sheet.by_staff] == [week.biller.person_name]
    providers = {row.name: row.payments_cents for row in sheet.by_provider}
    assert providers.pop(NO_LINE) == 2000 + 6000 - 500 - 2500  # kept as credit today, less what was applied of 11/10
    assert list(providers.values()) == [8000 + 2500]
    assert [(row.method, row.received_cents, row.returned_cents) for row in sheet.deposit] == [
        ("cash", 6000, 500),
        ("ins_check", 10000, 0),
    ]


def test_the_day_of_a_payment_is_the_day_it_was_received(week: Week) -> None:
    sheet = day_sheet(week.biller, EARLIER)
    _adds_up(sheet)
    assert (sheet.totals.payments_cents, sheet.totals.closing_cents) == (4000, -4000)
    assert day_sheet(week.biller, OLD).totals.entry_count == 0


def test_every_figure_opens_to_entries_that_add_up_to_it(week: Week) -> None:
    sheet = day_sheet(week.biller, TODAY)

    def figure(**asked: object) -> int:
        filters = EntryFilters(TODAY, TODAY, **asked)  # type: ignore[arg-type]
        page = entries_behind(week.biller, filters, limit=1000)
        assert sum(row.figure_cents for row in page.rows) == page.figure_cents
        assert len(page.rows) == page.count
        return page.figure_cents

    kinds = (
        (EntryClass.CHARGE, "charges_cents"),
        (EntryClass.PAYMENT, "payments_cents"),
        (EntryClass.ADJUSTMENT, "adjustments_cents"),
    )
    for kind, name in kinds:
        assert figure(kind=kind) == getattr(sheet.totals, name) != 0
        for person in sheet.by_staff:
            assert figure(kind=kind, staff=person.name) == getattr(person, name)
        for person in sheet.by_provider:
            assert figure(kind=kind, provider=person.name) == getattr(person, name)
    for row in sheet.deposit:
        assert figure(kind=EntryClass.PAYMENT, method=row.method) == row.deposit_cents
    assert figure(kind=EntryClass.CHARGE, staff="Nobody") == 0


def test_a_correction_counts_on_its_own_day_and_leaves_the_earlier_sheet(week: Week) -> None:
    before = day_sheet(week.biller, EARLIER)
    payment = Payment.objects.get(client_id=week.ruiz)
    unapply(week.biller, request_key=uuid4(), payment_id=payment.pk, reason="Wrong client")
    assert day_sheet(week.biller, EARLIER).totals == before.totals
    _adds_up(day_sheet(week.biller, TODAY))


def test_the_closing_balance_is_that_of_the_trial_balance_and_of_lines_and_payments(week: Week) -> None:
    proof = practice_proof(week.biller)
    closing = day_sheet(week.biller, TODAY).totals.closing_cents
    held = (Account.CLIENT_RECEIVABLE, Account.INSURANCE_RECEIVABLE, Account.CREDIT)
    assert closing == sum(proof.balance_of(account) for account in held)
    lines = InvoiceLine.objects.values_list("client_open_cents", "insurance_open_cents")
    unapplied = Payment.objects.values_list("unapplied_cents", flat=True)
    assert closing == sum(map(sum, lines)) - sum(unapplied)


def test_unfinished_work_of_the_day_says_what_stops_it(week: Week) -> None:
    shop = week.clinic
    shop.visit(week.long, shop.talk, day=EARLIER, staff_member_id=shop.cast.dan.staff_member_id)
    shop.visit(week.long, day=date(2026, 11, 11))
    [row] = day_sheet(week.biller, EARLIER).unfinished
    assert "Dan Desk has no AMA CPT license for 2026" in row.reason
    [other] = day_sheet(week.biller, date(2026, 11, 11)).unfinished
    assert other.reason.startswith("It has no service type")


def test_limited_people_see_the_entries_of_their_clients_and_it_still_adds_up(week: Week, limited: Actor) -> None:
    sheet = day_sheet(limited, TODAY)
    _adds_up(sheet)
    assert not sheet.is_whole_practice
    # An insurer's check belongs to no client: what of it was applied is the payment.
    assert (sheet.totals.charges_cents, sheet.totals.payments_cents, sheet.totals.adjustments_cents) == (
        15000, 8000, 2000,
    )  # fmt: skip
    page = entries_behind(limited, EntryFilters(TODAY, TODAY), limit=100)
    assert {row.client_id for row in page.rows} == {week.ruiz}
    ClientAssignment.objects.all().delete()
    assert day_sheet(limited, TODAY).totals.entry_count == 0


def test_it_needs_billing(week: Week) -> None:
    desk = week.clinic.cast.actor(week.clinic.cast.dan)
    with pytest.raises(NotAllowed):
        day_sheet(desk, TODAY)
    with pytest.raises(NotAllowed):
        entries_behind(desk, EntryFilters(TODAY, TODAY), limit=1)

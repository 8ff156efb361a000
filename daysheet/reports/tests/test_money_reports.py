"""Payments, Payment Methods, Collections and Unbilled agree with the Day Sheets they are made of."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from daysheet.kit.errors import NotAllowed
from daysheet.ledger.rules import EntryClass
from daysheet.practices.actor import Actor
from daysheet.reports.queries.collections import collections
from daysheet.reports.queries.day_sheet import day_sheet
from daysheet.reports.queries.entries import EntryFilters, entries_behind
from daysheet.reports.queries.receipts import ReceiptFilters, method_totals, receipts
from daysheet.reports.queries.unbilled import unbilled_ages

from .conftest import EARLIER, OLD, TODAY, Week


def test_payments_list_money_in_and_out_and_add_up_to_the_day_sheets(week: Week) -> None:
    rows, total, count = receipts(week.biller, ReceiptFilters(EARLIER, TODAY), limit=100)
    assert [(row.posted_on, row.name, row.what, row.cents) for row in rows] == [
        (EARLIER, "Ruiz, Ana", "Payment", 4000),
        (TODAY, "Payer of Ruiz", "Payment", 10000),
        (TODAY, "Long, Ana", "Payment", 6000),
        (TODAY, "Long, Ana", "Refund", -500),
    ]
    days = [day_sheet(week.biller, EARLIER + timedelta(days=n)).totals.payments_cents for n in range(7)]
    assert (sum(days), count) == (total, 4)


def test_payments_can_be_narrowed(week: Week) -> None:
    def found(**asked: str) -> list[int]:
        return [row.cents for row in receipts(week.biller, ReceiptFilters(EARLIER, TODAY, **asked), limit=100)[0]]

    assert found(method="ins_check") == [10000]
    assert found(source="client") == [4000, 6000, -500]
    assert found(source="insurer") == [10000]
    assert receipts(week.biller, ReceiptFilters(EARLIER, EARLIER), limit=100)[1:] == (4000, 1)


def test_the_deposit_by_method_is_that_of_the_day_sheet(week: Week) -> None:
    rows = method_totals(week.biller, ReceiptFilters(TODAY, TODAY))
    sheet = day_sheet(week.biller, TODAY).deposit
    assert [(row.method, row.received_cents, row.returned_cents) for row in rows] == [
        (row.method, row.received_cents, row.returned_cents) for row in sheet
    ]
    assert [row.count for row in rows] == [1, 1]


def test_collections_are_the_day_sheets_month_by_month_with_empty_months_in_between(week: Week) -> None:
    months = collections(week.biller, date(2026, 9, 15), TODAY)
    assert [(month.from_on, month.to_on) for month in months] == [
        (date(2026, 9, 15), date(2026, 9, 30)),
        (date(2026, 10, 1), date(2026, 10, 31)),
        (date(2026, 11, 1), TODAY),
    ]
    assert [month.charges_cents for month in months] == [0, 0, 30000]
    november = months[2]
    assert (november.payments_cents, november.adjustments_cents) == (4000 + 15500, 3000)
    behind = entries_behind(
        week.biller, EntryFilters(november.from_on, november.to_on, kind=EntryClass.PAYMENT), limit=100
    )
    assert behind.figure_cents == november.payments_cents


def test_unbilled_dates_are_counted_by_reason_and_age_and_open_to_the_dates(week: Week) -> None:
    shop = week.clinic
    shop.visit(week.long, shop.talk, day=TODAY - timedelta(days=40))
    shop.visit(week.long, shop.letter, day=TODAY)
    shop.visit(week.long, shop.talk, day=OLD, staff_member_id=shop.cast.dan.staff_member_id)
    ages = unbilled_ages(week.biller)
    counted = {row.reason: (row.bucket_counts, row.amount_cents) for row in ages.reasons}
    assert counted == {
        "nothing": ((1, 1, 0, 0, 0), 19000),
        "license_missing": ((0, 0, 0, 0, 1), 0),
    }
    assert ages.rows == ()
    [row] = unbilled_ages(week.biller, reason="nothing", bucket=1).rows
    assert row.service_on == TODAY - timedelta(days=40)
    assert len(unbilled_ages(week.biller, bucket=4).rows) == 1


def test_limited_people_get_their_clients_money_and_dates_only(week: Week, limited: Actor) -> None:
    shop = week.clinic
    shop.visit(week.long, shop.talk, day=TODAY)
    shop.visit(week.ruiz, shop.talk, day=TODAY)
    assert [row.client_id for row in receipts(limited, ReceiptFilters(EARLIER, TODAY), limit=9)[0]] == [week.ruiz]
    assert [row.received_cents for row in method_totals(limited, ReceiptFilters(EARLIER, TODAY))] == [4000]
    assert collections(limited, EARLIER, TODAY)[0].charges_cents == 15000
    assert [row.client_id for row in unbilled_ages(limited, bucket=0).rows] == [week.ruiz]


def test_they_need_billing(week: Week) -> None:
    desk = week.clinic.cast.actor(week.clinic.cast.dan)
    for ask in (
        lambda: receipts(desk, ReceiptFilters(TODAY, TODAY), limit=1),
        lambda: method_totals(desk, ReceiptFilters(TODAY, TODAY)),
        lambda: collections(desk, TODAY, TODAY),
        lambda: unbilled_ages(desk),
    ):
        with pytest.raises(NotAllowed):
            ask()

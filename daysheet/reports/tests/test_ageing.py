"""Invoice Aging: every row of docs/money/ageing.md, and that both ways of reckoning it agree with each other and with
the Day Sheet."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daysheet.kit.errors import NotAllowed
from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.reports.queries.ageing import Aging, AgingFilters, Debtor, Since, invoice_aging, open_lines
from daysheet.reports.queries.as_of import Way, way_to
from daysheet.reports.queries.credits import CreditFilters, credits_on
from daysheet.reports.queries.day_sheet import day_sheet
from daysheet.reports.queries.scope import scope_of
from daysheet.reports.rules import BUCKETS, Aged, age_days, bucket_of, total_of
from tests.billing import Clinic

from .conftest import EARLIER, OLD, TODAY, Week

PAGE = (Path(__file__).parents[3] / "docs" / "money" / "ageing.md").read_text(encoding="utf-8")


def _table(heading: str) -> list[list[str]]:
    lines = PAGE.splitlines()
    rows = []
    for line in lines[lines.index(heading) + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    assert rows
    return rows


def _day(text: str) -> date:
    month, day = text.split("/")
    return date(2026, int(month), int(day))


AGES = _table("| since | as of | days | bucket |")
DEBTORS = _table("| who | 0–30 | 31–60 | 61–90 | 91–120 | 120+ | credit | balance |")


@pytest.mark.parametrize(("since", "as_of", "days", "bucket"), AGES)
def test_each_age_of_the_page_is_in_its_bucket(since: str, as_of: str, days: str, bucket: str) -> None:
    assert age_days(_day(since), _day(as_of)) == int(days)
    assert BUCKETS[bucket_of(int(days))].label == bucket


def test_the_rows_of_the_page_add_up_to_their_balances_and_to_the_total() -> None:
    aged = {who: Aged(tuple(Money.parse(c).cents for c in cells[:5]), Money.parse(cells[5]).cents)
            for who, *cells in DEBTORS}  # fmt: skip
    for who, *cells in DEBTORS:
        assert aged[who].balance_cents == Money.parse(cells[6]).cents
    total = aged.pop("Total")
    assert total_of(list(aged.values())) == total


@given(st.integers(0, 100_000))
def test_every_age_is_in_exactly_one_bucket(days: int) -> None:
    holding = [b for b in BUCKETS if b.first_days <= days and (b.last_days is None or days <= b.last_days)]
    assert holding == [BUCKETS[bucket_of(days)]]


def _rows(aging: Aging) -> dict[str, tuple[tuple[int, ...], int]]:
    return {row.name: (row.aged.bucket_cents, row.aged.credit_cents) for row in aging.rows}


def test_what_clients_owe_by_the_age_of_the_service_or_of_the_invoice(week: Week) -> None:
    assert _rows(invoice_aging(week.biller, AgingFilters(TODAY))) == {
        "Long, Ana": ((0, 0, 0, 0, 14000), 5500),
        "Ruiz, Ana": ((0, 0, 0, 0, 0), 1500),
    }
    by_invoice = invoice_aging(week.biller, AgingFilters(TODAY, since=Since.INVOICE))
    assert _rows(by_invoice)["Long, Ana"] == ((14000, 0, 0, 0, 0), 5500)


def test_what_insurers_owe_with_their_own_credit(week: Week) -> None:
    assert _rows(invoice_aging(week.biller, AgingFilters(TODAY, Debtor.INSURER))) == {
        "Payer of Ruiz": ((2500, 0, 0, 0, 0), 2000)
    }
    both = invoice_aging(week.biller, AgingFilters(TODAY, Debtor.BOTH))
    assert _rows(both)["Ruiz, Ana"] == ((2500, 0, 0, 0, 0), 1500)


@pytest.mark.parametrize("days_ago", [0, 1, 6, 7, 30])
def test_clients_and_insurers_together_are_the_closing_balance_of_any_day(week: Week, days_ago: int) -> None:
    day = TODAY - timedelta(days=days_ago)
    balances = [
        invoice_aging(week.biller, AgingFilters(day, debtor)).total.balance_cents
        for debtor in (Debtor.CLIENT, Debtor.INSURER)
    ]
    assert sum(balances) == day_sheet(week.biller, day).totals.closing_cents
    assert _rows(invoice_aging(week.biller, AgingFilters(EARLIER))) == {"Ruiz, Ana": ((0, 0, 0, 0, 0), 4000)}


@pytest.mark.parametrize("debtor", list(Debtor))
@pytest.mark.parametrize("since", list(Since))
def test_amounts_kept_on_lines_and_sums_of_entries_agree(
    week: Week, debtor: Debtor, since: Since, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On each day, from whichever end its amounts are found."""
    answers: dict[date, list[object]] = {}
    for way in Way:
        for report in ("ageing", "credits"):
            monkeypatch.setattr(f"daysheet.reports.queries.{report}.way_to", lambda *_, way=way: way)
        for day in (OLD, EARLIER - timedelta(days=1), EARLIER, TODAY - timedelta(days=1), TODAY):
            if way is not Way.KEPT or day == TODAY:
                aging = invoice_aging(week.biller, AgingFilters(day, debtor, since))
                lines = open_lines(week.biller, AgingFilters(day, debtor, since), of=None, bucket=None, limit=100)
                credit = credits_on(week.biller, CreditFilters(day), limit=100)
                answers.setdefault(day, []).append((aging, lines, credit))
    assert sorted(len(same) for same in answers.values()) == [2, 2, 2, 2, 3]
    for day, same in answers.items():
        assert all(answer == same[0] for answer in same), day
    assert invoice_aging(week.biller, AgingFilters(TODAY, debtor, since)).total.due_cents > 0


@pytest.mark.parametrize(
    ("day", "way"),
    [
        (TODAY + timedelta(days=9), Way.KEPT),
        (TODAY, Way.KEPT),
        (TODAY - timedelta(days=1), Way.BACK),
        (TODAY - timedelta(days=3), Way.BACK),
        (EARLIER + timedelta(days=2), Way.FORWARD),
        (OLD, Way.FORWARD),
    ],
)
def test_a_past_day_is_found_from_the_nearer_end(week: Week, day: date, way: Way) -> None:
    assert way_to(scope_of(week.biller), day) is way


def test_before_the_first_entry_nothing_is_open(shop: Clinic) -> None:
    assert way_to(scope_of(shop.biller), TODAY) is Way.KEPT
    assert invoice_aging(shop.biller, AgingFilters(OLD)).rows == ()


@pytest.mark.parametrize("day", [TODAY, EARLIER, TODAY - timedelta(days=3)])
def test_every_amount_opens_to_lines_or_payments_that_add_up_to_it(week: Week, day: date) -> None:
    for debtor in Debtor:
        filters = AgingFilters(day, debtor)
        aging = invoice_aging(week.biller, filters)
        for row in aging.rows:
            for bucket, cents in enumerate(row.aged.bucket_cents):
                lines, total, count = open_lines(week.biller, filters, of=row.id, bucket=bucket, limit=100)
                assert (sum(line.open_cents for line in lines), total, len(lines)) == (cents, cents, count)
            owner = {"payer_id": row.id} if debtor is Debtor.INSURER else {"client_id": row.id}
            credits, total, _ = credits_on(week.biller, CreditFilters(day, **owner), limit=100)
            assert sum(each.unapplied_cents for each in credits) == total == row.aged.credit_cents
        assert open_lines(week.biller, filters, of=None, bucket=None, limit=100)[1] == aging.total.due_cents


@pytest.mark.parametrize("way", list(Way))
@pytest.mark.parametrize("day", [OLD, EARLIER, TODAY - timedelta(days=1), TODAY])
def test_limited_people_see_no_insurers_money_of_any_day(
    week: Week, limited: Actor, way: Way, day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entries that apply it name a client whom they do see."""
    if way is not Way.KEPT or day == TODAY:
        for report in ("ageing", "credits"):
            monkeypatch.setattr(f"daysheet.reports.queries.{report}.way_to", lambda *_: way)
    credits = credits_on(limited, CreditFilters(day), limit=9)[0]
    assert [row.client_id for row in credits] == [week.ruiz] * (day >= EARLIER)
    assert invoice_aging(limited, AgingFilters(day, Debtor.INSURER)).total.credit_cents == 0
    own = invoice_aging(limited, AgingFilters(day)).total.credit_cents
    assert own == sum(row.unapplied_cents for row in credits)


def test_limited_people_see_their_clients_only(week: Week, limited: Actor) -> None:
    for debtor in (Debtor.CLIENT, Debtor.BOTH):
        assert list(_rows(invoice_aging(limited, AgingFilters(TODAY, debtor)))) == ["Ruiz, Ana"]
        assert list(_rows(invoice_aging(limited, AgingFilters(EARLIER, debtor)))) == ["Ruiz, Ana"]
    assert _rows(invoice_aging(limited, AgingFilters(TODAY, Debtor.INSURER))) == {
        "Payer of Ruiz": ((2500, 0, 0, 0, 0), 0)
    }
    lines, total, count = open_lines(limited, AgingFilters(TODAY), of=None, bucket=None, limit=100)
    assert (lines, total, count) == ((), 0, 0)
    assert [row.client_id for row in credits_on(limited, CreditFilters(TODAY), limit=9)[0]] == [week.ruiz]


def test_it_needs_billing(week: Week) -> None:
    desk = week.clinic.cast.actor(week.clinic.cast.dan)
    with pytest.raises(NotAllowed):
        invoice_aging(desk, AgingFilters(TODAY))
    with pytest.raises(NotAllowed):
        open_lines(desk, AgingFilters(TODAY), of=None, bucket=None, limit=1)
    with pytest.raises(NotAllowed):
        credits_on(desk, CreditFilters(TODAY), limit=1)

"""Closing a day (M10): what it locks, what is posted afterwards, and that nothing slips in between."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.db.utils import ProgrammingError

from daysheet.audit.models import AuditEvent
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed
from daysheet.ledger.actions import Movement, post, reverse
from daysheet.ledger.books import closed_through, first_open_day
from daysheet.ledger.closing import (
    Closed,
    DayBeforeClosed,
    DayInFuture,
    SheetChanged,
    close_day,
    closed_day,
    closing_of,
)
from daysheet.ledger.day import Scope, read_day_totals
from daysheet.ledger.models import Account, Books, ClosedDay, Entry
from daysheet.ledger.rules import posting_day
from daysheet.practices.actor import Actor
from daysheet.staff.models import StaffMember
from tests.people import Cast

from .rows import a_client, a_line, a_payment

MONDAY = date(2026, 11, 2)
TODAY = date(2026, 11, 16)


@pytest.fixture
def biller(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


def _close(actor: Actor, day: date) -> Closed:
    totals = read_day_totals(Scope(actor.practice.id), day)
    return close_day(
        actor, day=day, expected_closing_cents=totals.closing_cents, expected_entry_count=totals.entry_count
    )


def test_closing_writes_down_the_sheet_who_and_when(biller: Actor) -> None:
    client = a_client()
    a_line(biller, client, 15000)
    a_payment(biller, client, 4000)
    closed = _close(biller, MONDAY)
    assert (closed.totals.charges_cents, closed.totals.payments_cents) == (15000, 4000)
    assert (closed.totals.opening_cents, closed.totals.closing_cents, closed.totals.entry_count) == (0, 11000, 2)
    assert (closed.closed_by_name, closed.closed_at) == (biller.person_name, biller.now)
    assert closed_through(biller) == MONDAY
    assert closed_day(biller, MONDAY) == closed
    assert closing_of(biller, MONDAY - timedelta(days=3)) == (MONDAY, biller.now, biller.person_name)
    assert closing_of(biller, MONDAY + timedelta(days=1)) is None
    assert AuditEvent.objects.filter(verb="close_day").count() == 1


def test_what_is_meant_for_a_closed_day_is_posted_on_the_first_open_one(biller: Actor) -> None:
    client = a_client()
    assert first_open_day(biller) is None
    _close(biller, MONDAY)
    assert first_open_day(biller) == MONDAY + timedelta(days=1)
    a_line(biller, client, 15000, on=MONDAY)
    a_payment(biller, client, 4000, on=MONDAY - timedelta(days=5))
    a_payment(biller, client, 3000, on=TODAY)
    days = Entry.objects.order_by("posted_at", "pk").values_list("amount_cents", "effective_on")
    after = MONDAY + timedelta(days=1)
    assert list(days) == [(15000, after), (4000, after), (3000, TODAY)]
    assert read_day_totals(Scope(biller.practice.id), MONDAY).entry_count == 0


@pytest.mark.parametrize("count", [1, 21])
def test_a_handful_and_many_entries_are_posted_on_the_same_days(biller: Actor, count: int) -> None:
    """One INSERT writes a handful, COPY writes more; and either finds or makes the books."""
    client = a_client()
    payment = a_payment(biller, client, 100 * count)
    _close(biller, MONDAY)
    wanted = [MONDAY - timedelta(days=1), MONDAY, MONDAY + timedelta(days=1), TODAY]
    for day in wanted:
        posted = post(
            biller,
            [Movement(Account.CREDIT, Account.CASH, 1, client.pk, day, payment_id=payment)] * count,
            event_id=uuid4(),
        )
        days = set(Entry.objects.filter(pk__in=posted).values_list("effective_on", flat=True))
        assert days == {posting_day(day, MONDAY)}
        assert len(set(posted)) == count


def test_a_practice_without_books_gets_them_with_its_first_entry(live_cast: Cast) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute("DELETE FROM ledger_books")
    with practice_transaction(live_cast.alder.id):
        a_payment(live_cast.actor(live_cast.bob), a_client(), 4000)
        assert Entry.objects.count() == Books.objects.count() == 1


def test_a_reversal_after_the_close_of_today_carries_tomorrows_date(biller: Actor) -> None:
    client = a_client()
    a_payment(biller, client, 4000, on=TODAY)
    _close(biller, TODAY)
    entry = Entry.objects.get(debit_account=Account.CASH)
    reverse(biller, [entry.pk], event_id=uuid4(), reason="Bounced")
    mirror = Entry.objects.get(reverses_id=entry.pk)
    assert mirror.effective_on == TODAY + timedelta(days=1)
    assert closed_day(biller, TODAY) is not None
    assert read_day_totals(Scope(biller.practice.id), TODAY).closing_cents == -4000


def test_closing_a_closed_day_again_changes_nothing(biller: Actor) -> None:
    first = _close(biller, MONDAY)
    assert close_day(biller, day=MONDAY, expected_closing_cents=1, expected_entry_count=99) == first
    assert ClosedDay.objects.count() == 1
    assert AuditEvent.objects.filter(verb="close_day").count() == 1


def test_a_day_to_come_an_earlier_day_and_a_changed_sheet_are_refused(biller: Actor) -> None:
    with pytest.raises(DayInFuture):
        _close(biller, TODAY + timedelta(days=1))
    with pytest.raises(SheetChanged, match=r"closes at \$0\.00 with 0 entries"):
        close_day(biller, day=MONDAY, expected_closing_cents=0, expected_entry_count=1)
    _close(biller, MONDAY)
    with pytest.raises(DayBeforeClosed):
        _close(biller, MONDAY - timedelta(days=1))
    assert [row.day for row in ClosedDay.objects.all()] == [MONDAY]


def test_it_needs_billing_and_the_whole_practice(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        with pytest.raises(NotAllowed):
            _close(cast.actor(cast.dan), MONDAY)
        StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
        limited = cast.actor(cast.bob)
        with pytest.raises(NotAllowed, match="whole practice"):
            _close(limited, MONDAY)
        assert closed_day(limited, MONDAY) is None
        assert not ClosedDay.objects.exists()


def test_another_practice_stays_open(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        _close(cast.actor(cast.bob), MONDAY)
    with practice_transaction(cast.birch.id):
        assert closed_through(cast.actor(cast.charlie)) is None


def test_a_closed_day_cannot_be_reopened_or_rewritten(biller: Actor) -> None:
    _close(biller, MONDAY)
    for statement in ("UPDATE ledger_closedday SET day = day + 1", "DELETE FROM ledger_closedday"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            _execute(statement)
    with pytest.raises(IntegrityError, match="closed_day_proves"), transaction.atomic():
        _execute(
            "INSERT INTO ledger_closedday SELECT practice_id, gen_random_uuid(), day + 1, closed_at, closed_by_name, "
            "1, 0, 0, 0, 0, 0 FROM ledger_closedday".replace(
                "INSERT INTO ledger_closedday",
                "INSERT INTO ledger_closedday (practice_id, id, day, closed_at, closed_by_name, opening_cents_snapshot,"
                " charges_cents_snapshot, payments_cents_snapshot, adjustments_cents_snapshot, closing_cents_snapshot,"
                " entry_count_snapshot)",
            )
        )


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.race
def test_nothing_slips_into_a_day_that_is_being_closed(live_cast: Cast) -> None:
    """Two people at once, fifty days: whoever comes second, the closed sheet is what the entries say."""
    practice_id = live_cast.alder.id
    with practice_transaction(practice_id):
        biller = live_cast.actor(live_cast.bob)
        client = a_client()
    slipped_before = 0
    for number in range(50):
        day = date(2026, 9, 1) + timedelta(days=number)
        slipped_before += _pay_while_closing(biller, client, day)
        with practice_transaction(practice_id):
            closed = closed_day(biller, day)
            assert closed is not None
            assert closed.totals == read_day_totals(Scope(practice_id), day)
    with practice_transaction(practice_id):
        assert Entry.objects.count() == 50
        assert Books.objects.count() == 1
    assert 0 <= slipped_before <= 50


def _pay_while_closing(biller: Actor, client: object, day: date) -> bool:
    """Both start together. Whether the payment came first."""
    start = threading.Barrier(2)
    failures: list[BaseException] = []

    def run(work: object) -> None:
        try:
            start.wait(5)
            work()  # type: ignore[operator]
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    def pay() -> None:
        with practice_transaction(biller.practice.id):
            a_payment(biller, client, 100, on=day)  # type: ignore[arg-type]

    def close() -> None:
        for _ in range(3):  # the sheet may change while one looks at it
            try:
                with practice_transaction(biller.practice.id):
                    _close(biller, day)
                return
            except SheetChanged:
                continue
        raise AssertionError("the day would not close")

    threads = [threading.Thread(target=run, args=(work,)) for work in (pay, close)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert failures == []
    with practice_transaction(biller.practice.id):
        return Entry.objects.filter(effective_on=day).count() > 0

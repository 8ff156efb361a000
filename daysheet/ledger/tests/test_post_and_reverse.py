"""`post` and `reverse`: what they write, what they refuse, and two people at once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import UUID

import pytest

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger.actions import AlreadyReversed, MoreThanOpen, MoreThanUnapplied, post, reverse
from daysheet.ledger.models import Account, Entry
from daysheet.practices.actor import Actor
from tests.invariants.at_once import at_once as run_at_once
from tests.people import Cast

from .rows import a_client, a_line, a_payment, application, open_cents, unapplied_cents


@pytest.fixture
def bob(cast: Cast) -> Actor:
    return cast.actor(cast.bob)


def test_an_application_moves_the_entry_the_line_and_the_payment_together(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 10_000, 5_000), a_payment(bob, client, 6_000)
        event = new_id()
        [entry_id] = post(bob, [application(client, payment, line, 4_000)], event_id=event)
        entry = Entry.objects.get(pk=entry_id)
        assert (entry.debit_account, entry.credit_account, entry.amount_cents) == ("credit", "client_receivable", 4_000)
        assert (entry.actor_name, entry.event_id, entry.posted_at) == ("Bob Biller", event, bob.now)
        assert open_cents(line) == (6_000, 5_000)
        assert unapplied_cents(payment) == 2_000


def test_more_than_the_line_owes_is_refused_and_nothing_is_written(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 1_000), a_payment(bob, client, 5_000)
        before = Entry.objects.count()
        with pytest.raises(MoreThanOpen, match="more than is still open"), practice_transaction(cast.alder.id):
            post(bob, [application(client, payment, line, 1_001)], event_id=new_id())
        assert Entry.objects.count() == before
        assert open_cents(line) == (1_000, 0)


def test_client_money_cannot_reduce_the_other_side_beyond_its_due(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 1_000, 9_000), a_payment(bob, client, 5_000)
        with pytest.raises(MoreThanOpen), practice_transaction(cast.alder.id):
            post(bob, [application(client, payment, line, 5_000)], event_id=new_id())
        assert open_cents(line) == (1_000, 9_000)


def test_more_than_the_payment_has_is_refused_and_nothing_is_written(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 10_000), a_payment(bob, client, 500)
        with pytest.raises(MoreThanUnapplied, match="left of the payment"), practice_transaction(cast.alder.id):
            post(bob, [application(client, payment, line, 501)], event_id=new_id())
        assert (unapplied_cents(payment), open_cents(line)) == (500, (10_000, 0))


def test_one_bad_movement_refuses_the_whole_event(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        first, second = a_line(bob, client, 1_000), a_line(bob, client, 1_000, number=2)
        payment = a_payment(bob, client, 5_000)
        with pytest.raises(MoreThanOpen), practice_transaction(cast.alder.id):
            movements = [application(client, payment, first, 1_000), application(client, payment, second, 1_001)]
            post(bob, movements, event_id=new_id())
        assert open_cents(first) == (1_000, 0)


def test_a_line_of_another_practice_is_as_good_as_closed(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.birch.id):
        charlie = cast.actor(cast.charlie)
        theirs = a_line(charlie, a_client(), 1_000)
    with practice_transaction(cast.alder.id):
        client = a_client()
        payment = a_payment(bob, client, 1_000)
        with pytest.raises(Exception, match="foreign key"), practice_transaction(cast.alder.id):
            post(bob, [application(client, payment, theirs, 100)], event_id=new_id())


def test_a_reversal_mirrors_the_entry_once_and_gives_back_what_it_took(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 10_000), a_payment(bob, client, 4_000)
        [entry_id] = post(bob, [application(client, payment, line, 4_000)], event_id=new_id())
        [mirror_id] = reverse(bob, [entry_id], event_id=new_id(), reason="Wrong line")
        mirror = Entry.objects.get(pk=mirror_id)
        assert (mirror.debit_account, mirror.credit_account) == ("client_receivable", "credit")
        assert (mirror.reverses_id, mirror.reason, mirror.effective_on) == (entry_id, "Wrong line", bob.today)
        assert (open_cents(line), unapplied_cents(payment)) == ((10_000, 0), 4_000)
        with pytest.raises(AlreadyReversed, match="reversed already"):
            reverse(bob, [entry_id], event_id=new_id(), reason="Again")
        assert (open_cents(line), unapplied_cents(payment)) == ((10_000, 0), 4_000)


def test_money_that_is_applied_cannot_be_reversed_out_of_its_payment(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 10_000), a_payment(bob, client, 4_000)
        post(bob, [application(client, payment, line, 1)], event_id=new_id())
        received = Entry.objects.get(payment_id=payment, debit_account=Account.CASH)
        with pytest.raises(MoreThanUnapplied), practice_transaction(cast.alder.id):
            reverse(bob, [received.pk], event_id=new_id(), reason="Bounced")
        assert unapplied_cents(payment) == 3_999


def test_forty_movements_go_by_copy_and_move_the_same_amounts(cast: Cast, bob: Actor) -> None:
    with practice_transaction(cast.alder.id):
        client = a_client()
        lines = [a_line(bob, client, 100, number=number) for number in range(1, 41)]
        payment = a_payment(bob, client, 4_000)
        ids = post(bob, [application(client, payment, line, 100) for line in lines], event_id=new_id())
        assert Entry.objects.filter(pk__in=ids).count() == 40
        assert unapplied_cents(payment) == 0
        assert {open_cents(line) for line in lines} == {(0, 0)}


@pytest.mark.race
def test_two_people_who_pay_the_same_line_at_once_never_pay_it_twice(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client()
        payments = [a_payment(bob, client, 1_000) for _ in range(2)]
    for number in range(1, 11):
        with practice_transaction(live_cast.alder.id):
            line = a_line(bob, client, 100, number=number)
        pay = [_posting(bob, client, payment, line, 100) for payment in payments]
        outcomes = at_once(live_cast, *pay)
        assert sorted(outcomes) == ["done", "more_than_open"]
        with practice_transaction(live_cast.alder.id):
            assert open_cents(line) == (0, 0)


@pytest.mark.race
def test_two_people_who_spend_the_same_payment_at_once_never_spend_it_twice(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client()
        lines = [a_line(bob, client, 5_000, number=number) for number in (1, 2)]
    for _ in range(10):
        with practice_transaction(live_cast.alder.id):
            payment = a_payment(bob, client, 100)
        outcomes = at_once(live_cast, *(_posting(bob, client, payment, line, 100) for line in lines))
        assert sorted(outcomes) == ["done", "more_than_unapplied"]
        with practice_transaction(live_cast.alder.id):
            assert unapplied_cents(payment) == 0


@pytest.mark.race
def test_two_people_who_reverse_at_once_reverse_once(live_cast: Cast) -> None:
    bob = live_cast.actor(live_cast.bob)
    with practice_transaction(live_cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 5_000), a_payment(bob, client, 5_000)
    for _ in range(10):
        with practice_transaction(live_cast.alder.id):
            [entry_id] = post(bob, [application(client, payment, line, 100)], event_id=new_id())
        outcomes = at_once(live_cast, *[_reversing(bob, entry_id)] * 2)
        assert sorted(outcomes) == ["already_reversed", "done"]
        with practice_transaction(live_cast.alder.id):
            assert (open_cents(line), unapplied_cents(payment)) == ((5_000, 0), 5_000)


def _posting(bob: Actor, client: Client, payment: UUID, line: UUID, cents: int) -> Callable[[], object]:
    return lambda: post(bob, [application(client, payment, line, cents)], event_id=new_id())


def _reversing(bob: Actor, entry_id: UUID) -> Callable[[], object]:
    return lambda: reverse(bob, [entry_id], event_id=new_id(), reason="Twice")


def at_once(cast: Cast, *works: Callable[[], object]) -> list[str]:
    """Run each in a transaction and a connection of its own, all at once; "done" or the code of the refusal of each, in
    order."""

    def outcome_of(work: Callable[[], object]) -> str:
        try:
            with practice_transaction(cast.alder.id):
                work()
        except Refusal as refusal:
            return refusal.code
        return "done"

    return run_at_once(*(partial(outcome_of, work) for work in works))

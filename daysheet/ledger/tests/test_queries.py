"""Every figure is the same sum over the same entries, as of any day (M8)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, Refusal
from daysheet.kit.ids import new_id
from daysheet.ledger import queries
from daysheet.ledger.actions import post, reverse
from daysheet.ledger.models import Account, Entry
from daysheet.ledger.queries import ClientBalances, LineSides
from daysheet.practices.actor import Actor
from tests.people import Cast

from .rows import SERVICE_ON, a_client, a_line, a_payment, application, open_cents, unapplied_cents


def test_balances_are_sums_as_of_any_day(cast: Cast) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client = a_client()
        line = a_line(bob, client, 10_000, 5_000, on=date(2026, 11, 2))
        payment = a_payment(bob, client, 12_000, on=date(2026, 11, 5))
        post(bob, [application(client, payment, line, 10_000, on=date(2026, 11, 9))], event_id=new_id())
        on = {day: queries.client_balances(bob, client.pk, as_of=date(2026, 11, day)) for day in (1, 2, 5, 9)}
        assert on[1] == ClientBalances()
        assert on[2] == ClientBalances(10_000, 5_000, 0)
        assert on[5] == ClientBalances(10_000, 5_000, 12_000)
        assert on[9] == ClientBalances(0, 5_000, 2_000) == queries.client_balances(bob, client.pk)
        assert [balances.balance_cents for balances in on.values()] == [0, 15_000, 3_000, 3_000]
        assert queries.line_sides(bob, [line]) == {line: LineSides(0, 5_000)}
        assert queries.line_sides(bob, [line], as_of=date(2026, 11, 5)) == {line: LineSides(10_000, 5_000)}


def test_the_proof_lists_every_account_and_adds_up(cast: Cast) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client = a_client()
        line = a_line(bob, client, 10_000)
        payment = a_payment(bob, client, 4_000)
        post(bob, [application(client, payment, line, 3_000)], event_id=new_id())
        proof = queries.practice_proof(bob)
        assert proof.proves
        assert proof.debit_cents == proof.credit_cents == 17_000
        assert {total.account: total.balance_cents for total in proof.accounts if total.balance_cents} == {
            Account.CLIENT_RECEIVABLE: 7_000,
            Account.REVENUE: -10_000,
            Account.CASH: 4_000,
            Account.CREDIT: -1_000,
        }
        assert proof.balance_of(Account.CASH) == 4_000
        assert queries.practice_proof(bob, as_of=SERVICE_ON - timedelta(days=1)).debit_cents == 0


def test_activity_is_paged_newest_first_with_the_balance_after_each_entry(cast: Cast) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client, other = a_client(), a_client("Other")
        for day in range(1, 8):
            a_line(bob, client, 1_000, 500, number=day, on=date(2026, 11, day))
        a_line(bob, other, 99_000, number=8)
        a_payment(bob, client, 2_500, on=date(2026, 11, 3))  # entered last, but received on the 3rd
        first = queries.client_activity(bob, client.pk, page=1, page_size=6)
        last = queries.client_activity(bob, client.pk, page=99, page_size=6)
        assert (first.total_count, first.number, last.number) == (15, 1, 3)
        assert (first.has_previous, first.has_next, last.has_previous, last.has_next) == (False, True, True, False)
        assert first.rows[0].effective_on == date(2026, 11, 7)
        assert first.rows[0].balance_cents == 7 * 1_500 - 2_500
        assert first.rows[0].client_balance_cents == 7 * 1_000 - 2_500
        assert [row.client_balance_cents for row in last.rows] == [2_000, 1_000, 1_000]
        assert [row.balance_cents for row in last.rows] == [2_500, 1_500, 1_000]
        [received] = [
            row
            for page in (1, 2, 3)
            for row in queries.client_activity(bob, client.pk, page=page, page_size=6).rows
            if row.payment_id
        ]
        assert (received.change_cents, received.balance_cents) == (-2_500, 3 * 1_500 - 2_500)


def test_a_client_without_entries_has_an_empty_page(cast: Cast) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        page = queries.client_activity(bob, a_client().pk)
        assert (page.rows, page.number, page.has_next, page.has_previous) == ((), 1, False, False)


def test_a_payment_tells_what_was_left_of_it_after_each_entry(cast: Cast) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 900), a_payment(bob, client, 1_000)
        event = new_id()
        post(bob, [application(client, payment, line, 900)], event_id=event)
        assert [row.balance_cents for row in queries.payment_movements(bob, payment)] == [1_000, 100]
        assert queries.event_movements(bob, client.pk, event) == [(payment, line, 900)]


def test_figures_need_billing_and_stay_inside_the_practice(cast: Cast) -> None:
    bob, charlie, dan = cast.actor(cast.bob), cast.actor(cast.charlie), cast.actor(cast.dan)
    with practice_transaction(cast.alder.id):
        client = a_client()
        line, payment = a_line(bob, client, 900), a_payment(bob, client, 1_000)
        for refused in (
            lambda: queries.client_balances(dan, client.pk),
            lambda: queries.line_sides(dan, [line]),
            lambda: queries.practice_proof(dan),
            lambda: queries.client_activity(dan, client.pk),
            lambda: queries.payment_movements(dan, payment),
            lambda: queries.event_movements(dan, client.pk, payment),
        ):
            with pytest.raises(NotAllowed, match="Billing"):
                refused()
    with practice_transaction(cast.birch.id):
        assert queries.client_balances(charlie, client.pk) == ClientBalances()
        assert queries.client_activity(charlie, client.pk).rows == ()
        assert queries.payment_movements(charlie, payment) == ()
        assert queries.practice_proof(charlie).debit_cents == 0


class Step(NamedTuple):
    """One thing somebody tries: "bill" or "receive" so many cents, or "apply" / "reverse" with which pick."""

    verb: str
    cents: int
    pick: int
    day: int


_STEPS = st.lists(
    st.builds(
        Step,
        st.sampled_from(["bill", "bill_insured", "receive", "apply", "apply", "reverse"]),
        st.integers(1, 5_000),
        st.integers(0, 9),
        st.integers(0, 20),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
def test_whatever_is_tried_the_guarded_amounts_and_every_figure_equal_the_entries(
    cast: Cast, steps: list[Step]
) -> None:
    bob = cast.actor(cast.bob)
    with practice_transaction(cast.alder.id):
        client = a_client()
        lines, payments = _play(bob, client, steps)
        sides = queries.line_sides(bob, lines)
        for line in lines:
            assert open_cents(line) == (sides[line].client_cents, sides[line].insurance_cents)
        balances = queries.client_balances(bob, client.pk)
        assert balances.client_due_cents == sum(side.client_cents for side in sides.values())
        assert balances.insurance_due_cents == sum(side.insurance_cents for side in sides.values())
        assert balances.credit_cents == sum(unapplied_cents(payment) for payment in payments)
        activity = queries.client_activity(bob, client.pk, page_size=1_000)
        newest = activity.rows[0].balance_cents if activity.rows else 0
        assert newest == balances.balance_cents == sum(row.change_cents for row in activity.rows)
        for row in activity.rows[:: max(len(activity.rows) // 3, 1)]:
            until = [other for other in activity.rows if (other.effective_on, other.entry_id) <= _place(row)]
            assert row.balance_cents == sum(other.change_cents for other in until)
        assert queries.practice_proof(bob).proves


def _place(row: queries.ActivityRow) -> tuple[date, UUID]:
    return row.effective_on, row.entry_id


def _play(bob: Actor, client: object, steps: list[Step]) -> tuple[list[UUID], list[UUID]]:
    """Try every step; a refusal leaves everything as it was."""
    lines: list[UUID] = []
    payments: list[UUID] = []
    number = Entry.objects.count() * 100
    for step in steps:
        number += 1
        on = SERVICE_ON + timedelta(days=step.day)
        try:
            with practice_transaction(bob.practice.id):
                if step.verb in ("bill", "bill_insured"):
                    insured = step.cents // 3 if step.verb == "bill_insured" else 0
                    lines.append(a_line(bob, client, step.cents - insured, insured, number=number, on=on))  # type: ignore[arg-type]
                elif step.verb == "receive":
                    payments.append(a_payment(bob, client, step.cents, on=on))  # type: ignore[arg-type]
                elif step.verb == "apply" and lines and payments:
                    target = application(client, _at(payments, step), _at(lines, step), step.cents, on=on)  # type: ignore[arg-type]
                    post(bob, [target], event_id=new_id())
                elif step.verb == "reverse":
                    applied = Entry.objects.filter(debit_account=Account.CREDIT).order_by("pk")
                    chosen = applied.values_list("pk", flat=True)[step.pick : step.pick + 1]
                    reverse(bob, list(chosen), event_id=new_id(), reason="Tried")
        except Refusal:
            continue
    return lines, payments


def _at(items: list[UUID], step: Step) -> UUID:
    return items[step.pick % len(items)]

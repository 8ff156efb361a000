"""Fee schedules, modifiers and places of service by insurer: through their actions, and what the database refuses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from daysheet.audit.models import AuditEvent
from daysheet.clients import actions as clients
from daysheet.clients.models import Payer
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.services import actions, queries
from daysheet.services.models import PayerRate, PayerRule, ServiceType
from tests.people import Cast

JANUARY, MARCH, JUNE, NOVEMBER = date(2026, 1, 1), date(2026, 3, 1), date(2026, 6, 1), date(2026, 11, 30)


@dataclass
class Prices:
    """Blue Plan and its prices of two services, changed by Alice on November 16."""

    alice: Actor
    payer: Payer
    talk: ServiceType
    group: ServiceType

    def rate(self, cents: int, starts_on: date, ends_on: date | None = None, service: UUID | None = None) -> PayerRate:
        return actions.add_payer_rate(
            self.alice, self.payer.pk, service or self.talk.pk, rate_cents=cents, starts_on=starts_on, ends_on=ends_on
        )

    def rule(self, **facts: object) -> PayerRule:
        return actions.add_payer_rule(self.alice, self.payer.pk, **{"starts_on": JANUARY, **facts})  # type: ignore[arg-type]

    def steps(self) -> list[tuple[date, int | None]]:
        rows = PayerRate.objects.filter(payer=self.payer, service_type=self.talk).order_by("starts_on")
        return list(rows.values_list("starts_on", "rate_cents"))


@pytest.fixture
def prices(cast: Cast) -> Iterator[Prices]:
    with practice_transaction(cast.alder.id):
        alice = cast.actor(cast.alice)
        payer = clients.add_payer(alice, name="Blue Plan")
        talk, group = (
            actions.add_service_type(alice, code=code, name="Session", kind="cpt", rate_cents=15000)
            for code in ("9T001", "9T002")
        )
        yield Prices(alice, payer, talk, group)


def test_a_rate_holds_until_the_next_begins_and_no_two_begin_on_one_day(prices: Prices) -> None:
    prices.rate(9000, JANUARY)
    prices.rate(9500, JUNE)
    assert prices.steps() == [(JANUARY, 9000), (JUNE, 9500)]
    with pytest.raises(actions.RateAlreadyThere):
        prices.rate(1, JUNE)
    prices.rate(9200, MARCH)
    assert prices.steps() == [(JANUARY, 9000), (MARCH, 9200), (JUNE, 9500)]
    shown = queries.payer_rates(prices.alice, prices.payer.pk)
    assert [(row.rate_cents, row.starts_on, row.ends_on, row.is_in_force, row.is_over) for row in shown] == [
        (9500, JUNE, None, True, False), (9200, MARCH, JUNE, False, True), (9000, JANUARY, MARCH, False, True),
    ]  # fmt: skip


def test_after_a_rate_with_an_end_holds_again_what_held_before(prices: Prices) -> None:
    prices.rate(9000, JANUARY)
    prices.rate(9200, MARCH, JUNE)
    assert prices.steps() == [(JANUARY, 9000), (MARCH, 9200), (JUNE, 9000)]
    with pytest.raises(actions.RateAlreadyThere):
        prices.rate(1, date(2026, 2, 1), date(2026, 4, 1))
    with pytest.raises(actions.RateEndsBeforeStart):
        prices.rate(1, date(2025, 1, 1), date(2025, 1, 1))
    prices.rate(8000, date(2025, 1, 1), JANUARY)
    assert prices.steps()[0] == (date(2025, 1, 1), 8000)


def test_the_same_rate_twice_is_one(prices: Prices) -> None:
    rate_id = new_id()
    for _ in range(2):
        actions.add_payer_rate(
            prices.alice, prices.payer.pk, prices.talk.pk, rate_cents=9000, starts_on=JANUARY, rate_id=rate_id
        )
    assert prices.steps() == [(JANUARY, 9000)]
    assert AuditEvent.objects.filter(verb="add_payer_rate").count() == 1


def test_an_end_is_a_step_that_can_be_taken_back(prices: Prices) -> None:
    rate = prices.rate(9000, JANUARY)
    with pytest.raises(actions.RateEndsBeforeStart):
        actions.end_payer_rate(prices.alice, rate.pk, ends_on=JANUARY)
    for _ in range(2):
        actions.end_payer_rate(prices.alice, rate.pk, ends_on=JUNE)
    with pytest.raises(actions.RateEndsBeforeStart):
        actions.end_payer_rate(prices.alice, rate.pk, ends_on=date(2026, 9, 1))
    assert prices.steps() == [(JANUARY, 9000), (JUNE, None)]
    (row,) = queries.payer_rates(prices.alice, prices.payer.pk)
    assert row.ends_on == JUNE and row.end_id is not None
    actions.remove_payer_rate(prices.alice, row.end_id)
    assert prices.steps() == [(JANUARY, 9000)]
    assert AuditEvent.objects.filter(verb="end_payer_rate").count() == 1


def test_a_rate_is_corrected_and_removed_with_what_it_was_in_the_log(prices: Prices) -> None:
    rate = prices.rate(9000, JANUARY)
    for _ in range(2):
        actions.edit_payer_rate(prices.alice, rate.pk, rate_cents=9900)
    assert AuditEvent.objects.get(verb="edit_payer_rate").details["rate_cents"] == [9000, 9900]
    actions.remove_payer_rate(prices.alice, rate.pk)
    assert AuditEvent.objects.get(verb="remove_payer_rate").details["rate_cents"] == 9900
    assert prices.steps() == []
    with pytest.raises(NotFound):
        actions.remove_payer_rate(prices.alice, rate.pk)


def test_a_schedule_is_copied_to_a_new_date_once(prices: Prices) -> None:
    prices.rate(10000, JANUARY)
    prices.rate(5050, JANUARY, service=prices.group.pk)
    prices.rate(1, NOVEMBER, service=prices.group.pk)
    copy = {"as_of": JUNE, "starts_on": NOVEMBER, "hundredths": 250}
    assert actions.copy_fee_schedule(prices.alice, prices.payer.pk, **copy) == actions.Copied(1, 1)  # type: ignore[arg-type]
    assert prices.steps() == [(JANUARY, 10000), (NOVEMBER, 10250)]
    assert actions.copy_fee_schedule(prices.alice, prices.payer.pk, **copy) == actions.Copied(0, 2)  # type: ignore[arg-type]
    assert AuditEvent.objects.filter(verb="copy_fee_schedule").count() == 1


def test_another_insurers_schedule_is_copied_without_what_has_ended_or_is_archived(prices: Prices) -> None:
    other = clients.add_payer(prices.alice, name="Green Plan")
    ended = prices.rate(10000, JANUARY)
    prices.rate(7000, JANUARY, service=prices.group.pk)
    actions.end_payer_rate(prices.alice, ended.pk, ends_on=MARCH)
    copied = actions.copy_fee_schedule(
        prices.alice, other.pk, as_of=JUNE, starts_on=NOVEMBER, from_payer_id=prices.payer.pk
    )
    assert copied == actions.Copied(1, 0)
    assert list(PayerRate.objects.filter(payer=other).values_list("service_type_id", "rate_cents")) == [
        (prices.group.pk, 7000)
    ]
    actions.archive_service_type(prices.alice, prices.group.pk)
    with pytest.raises(actions.NothingToCopy):
        actions.copy_fee_schedule(prices.alice, other.pk, as_of=NOVEMBER, starts_on=date(2027, 1, 1))


def test_a_rule_is_one_for_each_case_and_day(prices: Prices) -> None:
    rule_id = new_id()
    for _ in range(2):
        prices.rule(place_of_service="10", added_modifiers=("95",), rule_id=rule_id)
    with pytest.raises(actions.RuleAlreadyThere):
        prices.rule(place_of_service="10")
    prices.rule(place_of_service="10", service_type_id=prices.talk.pk, billed_place_of_service="02")
    prices.rule(place_of_service="")
    prices.rule(place_of_service="10", starts_on=JUNE)
    assert PayerRule.objects.count() == 4
    assert AuditEvent.objects.filter(verb="add_payer_rule").count() == 4
    shown = queries.payer_rules(prices.alice, prices.payer.pk)
    assert [(row.service, row.place_of_service, row.starts_on, row.is_in_force) for row in shown] == [
        ("", "", JANUARY, True), ("", "10", JUNE, True), ("", "10", JANUARY, False), ("9T001 Session", "10", JANUARY,
        True),
    ]  # fmt: skip


def test_a_rule_ends_and_the_end_is_taken_back(prices: Prices) -> None:
    rule = prices.rule(place_of_service="10", added_modifiers=("95",))
    with pytest.raises(actions.RuleEndsBeforeStart):
        actions.end_payer_rule(prices.alice, rule.pk, ends_on=JANUARY)
    for _ in range(2):
        actions.end_payer_rule(prices.alice, rule.pk, ends_on=JUNE)
    with pytest.raises(actions.RuleEndsBeforeStart):
        actions.end_payer_rule(prices.alice, rule.pk, ends_on=NOVEMBER)
    (row,) = queries.payer_rules(prices.alice, prices.payer.pk)
    assert (row.ends_on, row.is_over) == (JUNE, True) and row.end_id
    actions.remove_payer_rule(prices.alice, row.end_id)
    actions.remove_payer_rule(prices.alice, rule.pk)
    assert not PayerRule.objects.exists()
    with pytest.raises(NotFound):
        actions.end_payer_rule(prices.alice, rule.pk, ends_on=JUNE)


def test_prices_of_insurers_are_the_administrators(cast: Cast, prices: Prices) -> None:
    bob, rate, rule = cast.actor(cast.bob), prices.rate(1, JANUARY), prices.rule()
    for write in (
        lambda: actions.add_payer_rate(bob, prices.payer.pk, prices.talk.pk, rate_cents=1, starts_on=JUNE),
        lambda: actions.edit_payer_rate(bob, rate.pk, rate_cents=2),
        lambda: actions.end_payer_rate(bob, rate.pk, ends_on=JUNE),
        lambda: actions.remove_payer_rate(bob, rate.pk),
        lambda: actions.copy_fee_schedule(bob, prices.payer.pk, as_of=JUNE, starts_on=NOVEMBER),
        lambda: actions.add_payer_rule(bob, prices.payer.pk, starts_on=JUNE),
        lambda: actions.end_payer_rule(bob, rule.pk, ends_on=JUNE),
        lambda: actions.remove_payer_rule(bob, rule.pk),
        lambda: queries.payer_prices(bob, prices.payer.pk),
        lambda: queries.priced_payers(bob),
    ):
        with pytest.raises(NotAllowed):
            write()
    assert [row.rate_cents for row in queries.payer_rates(bob, prices.payer.pk)] == [1]
    with pytest.raises(NotAllowed):
        queries.payer_rates(cast.actor(cast.dan), prices.payer.pk)


def test_nothing_is_found_in_another_practice(cast: Cast, prices: Prices) -> None:
    rate, rule, charlie = prices.rate(1, JANUARY), prices.rule(), cast.actor(cast.charlie)
    with practice_transaction(cast.birch.id):
        for write in (
            lambda: actions.add_payer_rate(charlie, prices.payer.pk, prices.talk.pk, rate_cents=1, starts_on=JUNE),
            lambda: actions.edit_payer_rate(charlie, rate.pk, rate_cents=2),
            lambda: actions.remove_payer_rate(charlie, rate.pk),
            lambda: actions.copy_fee_schedule(charlie, prices.payer.pk, as_of=JUNE, starts_on=NOVEMBER),
            lambda: actions.add_payer_rule(charlie, prices.payer.pk, starts_on=JUNE),
            lambda: actions.remove_payer_rule(charlie, rule.pk),
            lambda: queries.payer_prices(charlie, prices.payer.pk),
        ):
            with pytest.raises(NotFound):
                write()
        assert queries.priced_payers(charlie) == []


@pytest.mark.parametrize(
    ("table", "change", "constraint"),
    [
        ("payerrate", "rate_cents = -1", "payer_rate_not_negative"),
        ("payerrate", "starts_on = '2026-06-01'", "payer_rate_once"),
        ("payerrate", "service_type_id = gen_random_uuid()", "services_payerrate_service_type_id_fk"),
        ("payerrate", "payer_id = gen_random_uuid()", "services_payerrate_payer_id_fk"),
    ],
)
def test_the_database_refuses_a_wrong_rate(
    cast: Cast, prices: Prices, table: str, change: str, constraint: str
) -> None:
    prices.rate(1, JANUARY)
    prices.rate(2, JUNE)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE services_{table} SET {change} WHERE practice_id = %s", [cast.alder.id])


RULE = (
    "INSERT INTO services_payerrule (practice_id, id, payer_id, service_type_id, place_of_service, starts_on, "
    "added_modifiers, billed_place_of_service, is_end) SELECT practice_id, gen_random_uuid(), payer_id, "
    "service_type_id, {place}, {starts_on}, {modifiers}, {billed}, {is_end} FROM services_payerrule"
)
GOOD = {"place": "'11'", "starts_on": "starts_on", "modifiers": "'{}'", "billed": "''", "is_end": "false"}


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"place": "place_of_service"}, "payer_rule_once"),
        ({"place": "'1'"}, "payer_rule_places_digits"),
        ({"billed": "'ab'"}, "payer_rule_places_digits"),
        ({"modifiers": "'{A1,A2,A3,A4,A5}'"}, "payer_rule_modifiers_fit"),
        ({"is_end": "true", "modifiers": "'{95}'"}, "payer_rule_end_says_nothing"),
        ({"is_end": "true", "billed": "'11'"}, "payer_rule_end_says_nothing"),
    ],
)
def test_the_database_refuses_a_wrong_rule(prices: Prices, wrong: dict[str, str], constraint: str) -> None:
    """The key holds for rules of all service types too, whose service type is null."""
    prices.rule(place_of_service="10")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RULE.format(**GOOD))
    PayerRule.objects.filter(place_of_service="11").delete()
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RULE.format(**{**GOOD, **wrong}))

"""Income Based Payment Amounts through their actions, and what the database refuses."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import IntegrityError, connection, transaction

from daysheet.audit.models import AuditEvent
from daysheet.clients.rules import IncomeFacts
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.services import actions, queries
from daysheet.services.actions import NewStep
from daysheet.services.models import IncomeScale, IncomeStep, ServiceType
from tests.people import Cast

JANUARY, JUNE = date(2026, 1, 1), date(2026, 6, 1)
STEPS = [NewStep(None, 1, 0, 2000), NewStep(None, 1, 2_000_000, 4000), NewStep(None, 3, 0, 1000)]


@pytest.fixture
def alice(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.alice)


@pytest.fixture
def group(alice: Actor) -> ServiceType:
    return actions.add_service_type(alice, code="GROUP", name="Group", kind="non_cpt", rate_cents=5000)


def add(actor: Actor, starts_on: date = JANUARY, steps: list[NewStep] | None = None, **more: object) -> IncomeScale:
    return actions.add_income_scale(
        actor, starts_on=starts_on, period="year", steps=STEPS if steps is None else steps, **more
    )  # type: ignore[arg-type]


def test_a_scale_is_added_once_and_one_begins_on_a_day(alice: Actor) -> None:
    scale_id = new_id()
    for _ in range(2):
        add(alice, scale_id=scale_id)
    with pytest.raises(actions.ScaleStartTaken):
        add(alice)
    add(alice, JUNE)
    assert IncomeScale.objects.count() == 2 and IncomeStep.objects.count() == 6
    assert AuditEvent.objects.filter(verb="add_income_scale").count() == 2


def test_two_steps_never_begin_at_the_same_income(alice: Actor, group: ServiceType) -> None:
    with pytest.raises(actions.StepTwice):
        add(alice, steps=[NewStep(None, 1, 0, 1), NewStep(None, 1, 0, 2)])
    with pytest.raises(actions.TooManySteps):
        add(alice, steps=[NewStep(None, 1, cents, 1) for cents in range(actions.MOST_STEPS + 1)])
    with pytest.raises(NotFound):
        add(alice, steps=[NewStep(new_id(), 1, 0, 1)])
    assert not IncomeScale.objects.exists()
    add(alice, steps=[NewStep(None, 1, 0, 1), NewStep(group.pk, 1, 0, 2), NewStep(None, 2, 0, 3)])


def test_a_scale_becomes_exactly_what_was_saved(alice: Actor, group: ServiceType) -> None:
    scale = add(alice)
    new = [NewStep(group.pk, 1, 0, None), NewStep(None, 1, 0, 2000)]
    for _ in range(2):
        actions.edit_income_scale(alice, scale.pk, starts_on=JUNE, period="month", steps=new)
    kept, steps = queries.income_scale(alice, scale.pk)
    assert (kept.starts_on, kept.period) == (JUNE, "month")
    assert [(step.service_type_id, step.amount_cents) for step in steps] == [(None, 2000), (group.pk, None)]
    event = AuditEvent.objects.get(verb="edit_income_scale")
    assert (event.details["before"]["starts_on"], event.details["after"]["period"]) == ("2026-01-01", "month")
    add(alice)
    with pytest.raises(actions.ScaleStartTaken):
        actions.edit_income_scale(alice, scale.pk, starts_on=JANUARY, period="year", steps=new)


def test_a_scale_without_steps_ends_the_one_before_and_can_be_removed(alice: Actor) -> None:
    add(alice)
    none = add(alice, JUNE, [])
    income = IncomeFacts(100, 1, JANUARY, None)
    assert queries.amounts_by_income(alice, income) == []
    actions.remove_income_scale(alice, none.pk)
    assert [row.amount_cents for row in queries.amounts_by_income(alice, income)] == [2000]
    assert AuditEvent.objects.get(verb="remove_income_scale").details["starts_on"] == "2026-06-01"
    with pytest.raises(NotFound):
        actions.remove_income_scale(alice, none.pk)


def test_a_scale_is_shown_by_service_household_and_income(alice: Actor, group: ServiceType) -> None:
    add(alice, steps=[*STEPS, NewStep(group.pk, 1, 1_000_000, 1500), NewStep(None, 1, 5_000_000, None)])
    add(alice, date(2027, 1, 1), [])
    later, now = queries.income_scales(alice)
    assert (later.is_in_force, later.ends_on, now.is_in_force, now.ends_on) == (False, None, True, date(2027, 1, 1))
    everything, own = now.groups
    assert [(row.household, row.from_cents, row.below_cents, row.amount_cents) for row in everything.rows] == [
        ("1 to 2", 0, 2_000_000, 2000), ("1 to 2", 2_000_000, 5_000_000, 4000), ("1 to 2", 5_000_000, None, None),
        ("3 and more", 0, None, 1000),
    ]  # fmt: skip
    assert own.label == "GROUP Group"
    assert [(row.household, row.from_cents, row.below_cents) for row in own.rows] == [("", 1_000_000, None)]
    poor, of_three = IncomeFacts(100, 1, JANUARY, None), IncomeFacts(2_500_000, 4, JANUARY, None)
    assert [(row.label, row.amount_cents) for row in queries.amounts_by_income(alice, poor)] == [
        ("", 2000), ("GROUP Group", None),
    ]  # fmt: skip
    assert [row.amount_cents for row in queries.amounts_by_income(alice, of_three)] == [1000, 1500]


def test_the_amounts_are_the_administrators_and_of_one_practice(cast: Cast, alice: Actor) -> None:
    scale, bob, charlie = add(alice), cast.actor(cast.bob), cast.actor(cast.charlie)
    for write in (
        lambda: add(bob, JUNE),
        lambda: actions.edit_income_scale(bob, scale.pk, starts_on=JUNE, period="year", steps=STEPS),
        lambda: actions.remove_income_scale(bob, scale.pk),
        lambda: queries.income_scales(bob),
    ):
        with pytest.raises(NotAllowed):
            write()
    with practice_transaction(cast.birch.id):
        assert queries.income_scales(charlie) == []
        for write in (
            lambda: actions.edit_income_scale(charlie, scale.pk, starts_on=JUNE, period="year", steps=STEPS),
            lambda: actions.remove_income_scale(charlie, scale.pk),
            lambda: queries.income_scale(charlie, scale.pk),
        ):
            with pytest.raises(NotFound):
                write()


STEP = (
    "INSERT INTO services_incomestep (practice_id, id, scale_id, service_type_id, household_from, income_from_cents, "
    "amount_cents) SELECT practice_id, gen_random_uuid(), {scale}, NULL, {household}, {income}, {amount} "
    "FROM services_incomestep"
)
GOOD = {"scale": "scale_id", "household": "1", "income": "9", "amount": "1"}


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"income": "0"}, "income_step_once"),
        ({"household": "0"}, "income_step_household_sane"),
        ({"household": "31"}, "income_step_household_sane"),
        ({"income": "-1"}, "income_step_from_not_negative"),
        ({"amount": "-1"}, "income_step_amount_not_negative"),
        ({"scale": "gen_random_uuid()"}, "services_incomestep_scale_id_fk"),
    ],
)
def test_the_database_refuses_a_wrong_step(alice: Actor, wrong: dict[str, str], constraint: str) -> None:
    add(alice, steps=[NewStep(None, 1, 0, 1)])
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STEP.format(**{**GOOD, **wrong}))
    with connection.cursor() as cursor:
        cursor.execute(STEP.format(**GOOD))


@pytest.mark.parametrize(
    ("change", "constraint"),
    [("period = 'week'", "income_scale_period_known"), ("starts_on = '2026-01-01'", "income_scale_start_once")],
)
def test_the_database_refuses_a_wrong_scale(cast: Cast, alice: Actor, change: str, constraint: str) -> None:
    add(alice)
    add(alice, JUNE)
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE services_incomescale SET {change} WHERE practice_id = %s", [cast.alder.id])

"""The income of a client's household: recorded, renewed, taken back, never changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from daysheet.audit.models import AuditEvent
from daysheet.clients import actions, queries
from daysheet.clients.models import Client, ClientIncome
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from tests.people import Cast

JANUARY, JUNE, TODAY = date(2026, 1, 10), date(2026, 6, 1), date(2026, 11, 16)


@pytest.fixture
def bob(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.bob)


@pytest.fixture
def ana(bob: Actor, cast: Cast) -> Client:
    return actions.add_client(cast.actor(cast.alice), first_name="Ana", last_name="Ruiz")


def give(actor: Actor, client: Client, given_on: date = JANUARY, **facts: object) -> ClientIncome:
    typed = {"income_cents": 3_000_000, "period": "year", "household_size": 2, "given_on": given_on} | facts
    return actions.record_income(actor, client.pk, **typed)  # type: ignore[arg-type]


def test_the_newest_counts_and_all_stay_readable(bob: Actor, ana: Client) -> None:
    give(bob, ana)
    give(bob, ana, JUNE, income_cents=200_000, period="month", note="Payslip")
    newest, oldest = queries.income_history(bob, ana.pk)
    assert (newest.counts, oldest.counts) == (True, False)
    assert (newest.facts.yearly_cents, newest.note, newest.recorded_by_name) == (2_400_000, "Payslip", bob.person_name)


def test_one_that_has_to_be_renewed_counts_no_longer_and_the_older_does_not_come_back(bob: Actor, ana: Client) -> None:
    give(bob, ana)
    give(bob, ana, JUNE, renew_on=TODAY)
    assert [row.counts for row in queries.income_history(bob, ana.pk)] == [False, False]
    give(bob, ana, TODAY)
    assert [row.counts for row in queries.income_history(bob, ana.pk)] == [True, False, False]


def test_a_correction_of_the_same_day_takes_the_place(bob: Actor, ana: Client) -> None:
    give(bob, ana)
    give(bob, ana, income_cents=1)
    assert [(row.income_cents, row.counts) for row in queries.income_history(bob, ana.pk)] == [
        (1, True), (3_000_000, False),
    ]  # fmt: skip


def test_it_is_taken_back_once(bob: Actor, ana: Client) -> None:
    with pytest.raises(actions.NoIncomeOnRecord):
        actions.take_income_back(bob, ana.pk, given_on=TODAY)
    give(bob, ana)
    income_id = new_id()
    for _ in range(2):
        actions.take_income_back(bob, ana.pk, given_on=TODAY, note="Asked us to", income_id=income_id)
    with pytest.raises(actions.NoIncomeOnRecord):
        actions.take_income_back(bob, ana.pk, given_on=TODAY)
    assert [(row.is_taken_back, row.counts) for row in queries.income_history(bob, ana.pk)] == [
        (True, False), (False, False),
    ]  # fmt: skip
    assert AuditEvent.objects.filter(verb="take_income_back").count() == 1


def test_the_same_form_twice_is_one_record_and_the_log_names_no_amount(bob: Actor, ana: Client) -> None:
    income_id = new_id()
    for _ in range(2):
        give(bob, ana, income_id=income_id, renew_on=date(2027, 1, 10))
    event = AuditEvent.objects.get(verb="record_income")
    assert event.client_id == ana.pk
    assert event.details == {"given_on": "2026-01-10", "renew_on": "2027-01-10"}
    other = actions.add_client(bob, first_name="Bea", last_name="Ortiz")
    with pytest.raises(NotFound):
        give(bob, other, income_id=income_id)


def test_what_cannot_be_is_refused(bob: Actor, ana: Client) -> None:
    with pytest.raises(actions.IncomeNotGivenYet):
        give(bob, ana, date(2026, 11, 17))
    with pytest.raises(actions.IncomeRenewedBeforeGiven):
        give(bob, ana, renew_on=JANUARY)
    assert not ClientIncome.objects.exists()


def test_it_needs_billing_and_the_client_must_be_ones_own(cast: Cast, bob: Actor, ana: Client) -> None:
    for actor in (cast.actor(cast.dan), cast.actor(cast.carol)):
        for read in (lambda: give(actor, ana), lambda: queries.income_history(actor, ana.pk)):  # noqa: B023
            with pytest.raises(NotAllowed):
                read()
    charlie = cast.actor(cast.charlie)
    with practice_transaction(cast.birch.id):
        for read in (lambda: give(charlie, ana), lambda: queries.income_history(charlie, ana.pk)):
            with pytest.raises(NotFound):
                read()


ROW = (
    "INSERT INTO clients_clientincome (practice_id, id, client_id, income_cents, period, household_size, given_on, "
    "renew_on, note, recorded_at, recorded_by_name) SELECT practice_id, gen_random_uuid(), {client}, {income}, "
    "{period}, {household}, '2026-01-10', {renew}, '', now(), 'x' FROM clients_client"
)
GOOD = {"client": "id", "income": "1", "period": "'year'", "household": "1", "renew": "NULL"}


@pytest.mark.parametrize(
    ("wrong", "constraint"),
    [
        ({"income": "-1"}, "client_income_not_negative"),
        ({"household": "0"}, "client_income_household_sane"),
        ({"household": "31"}, "client_income_household_sane"),
        ({"household": "NULL"}, "client_income_whole_or_taken_back"),
        ({"income": "NULL"}, "client_income_whole_or_taken_back"),
        ({"income": "NULL", "household": "NULL", "renew": "'2027-01-01'"}, "client_income_whole_or_taken_back"),
        ({"renew": "'2026-01-10'"}, "client_income_renewed_later"),
        ({"period": "'week'"}, "client_income_period_known"),
        ({"client": "gen_random_uuid()"}, "clients_clientincome_client_id_fk"),
    ],
)
def test_the_database_refuses_a_wrong_income(ana: Client, wrong: dict[str, str], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROW.format(**{**GOOD, **wrong}))
    with connection.cursor() as cursor:
        cursor.execute(ROW.format(**GOOD))


@pytest.mark.parametrize(
    "statement", ["UPDATE clients_clientincome SET note = 'x'", "DELETE FROM clients_clientincome"]
)
def test_nothing_recorded_is_ever_changed(bob: Actor, ana: Client, statement: str) -> None:
    give(bob, ana)
    refused = pytest.raises(DatabaseError, match="permission denied")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

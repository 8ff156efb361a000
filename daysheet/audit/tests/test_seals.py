"""The nightly chain over the Activity Log: what happened later to a sealed night is found by name."""

from __future__ import annotations

import logging
import os
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest

from daysheet.audit.models import AuditSeal, RecordView
from daysheet.audit.seals import seal_night
from daysheet.config.verify import differences_of
from daysheet.database.scope import practice_transaction
from tests.billing import build_clinic
from tests.people import Cast

#: 05:20 in New York, the night after the cast's day (11/16).
NIGHT = datetime(2026, 11, 17, 10, 20, tzinfo=UTC)
_FIRST = (
    "id = (SELECT min(id::text)::uuid FROM audit_auditevent "
    "WHERE practice_id = (SELECT min(practice_id) FROM audit_auditseal))"
)


@pytest.fixture
def sealed(live_cast: Cast) -> Cast:
    """Three nights with something in each."""
    with practice_transaction(live_cast.alder.id):
        client = build_clinic(live_cast).client()
    for day in range(3):
        with practice_transaction(live_cast.alder.id):
            RecordView.objects.create(
                at=NIGHT + timedelta(days=day, hours=-12), person_name="Bob", client_id=client, page="clients:details"
            )
        assert seal_night(live_cast.alder, NIGHT + timedelta(days=day))
    return live_cast


def wrong(cast: Cast) -> list[str]:
    return [each for each in differences_of(cast.alder, NIGHT + timedelta(days=4)) if "sealed each night" in each]


def by_owner(statement: str) -> None:
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        assert connection.execute(statement).rowcount > 0


def test_an_untouched_chain_verifies_and_each_night_is_sealed_once(sealed: Cast) -> None:
    assert wrong(sealed) == []
    with practice_transaction(sealed.alder.id):
        seals = list(AuditSeal.objects.order_by("to_at"))
    assert [seal.view_count for seal in seals] == [1, 1, 1]
    assert seals[0].event_count > 0 and seals[0].previous_hash == "" and seals[0].from_at is None
    assert [seal.previous_hash for seal in seals[1:]] == [seal.hash for seal in seals[:-1]]
    assert seal_night(sealed.alder, NIGHT + timedelta(days=2, hours=3)) is None


def test_nights_that_were_missed_are_sealed_together(live_cast: Cast) -> None:
    with practice_transaction(live_cast.alder.id):
        build_clinic(live_cast)
    assert seal_night(live_cast.alder, NIGHT + timedelta(days=30))
    assert wrong(live_cast) == []


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (f"UPDATE audit_auditevent SET actor_name = 'Nobody' WHERE {_FIRST}", "was changed"),
        (f"UPDATE audit_auditevent SET details = '{{\"x\": 1}}' WHERE {_FIRST}", "was changed"),
        (f"DELETE FROM audit_auditevent WHERE {_FIRST}", "events were sealed, there are"),
        ("INSERT INTO audit_auditevent (practice_id, id, at, actor_kind, actor_name, verb, object_type, object_id, "
         "request_id, details) SELECT practice_id, gen_random_uuid(), at, actor_kind, 'Forger', verb, object_type, "
         "object_id, request_id, details FROM audit_auditevent LIMIT 1", "events were sealed, there are"),
        ("UPDATE audit_recordview SET person_name = 'Carol'", "was changed"),
        ("DELETE FROM audit_recordview", "record views were sealed, there are 0"),
        ("DELETE FROM audit_auditseal WHERE previous_hash = ''", "does not follow the one before"),
        ("UPDATE audit_auditseal SET hash = repeat('0', 64) WHERE previous_hash = ''", "does not follow the one"),
    ],
)  # fmt: skip
def test_each_damage_of_a_sealed_night_is_found(sealed: Cast, damage: str, said: str) -> None:
    by_owner(damage)
    found = wrong(sealed)
    assert found and any(said in each for each in found), found


def test_a_night_rewritten_with_its_seal_breaks_the_next(sealed: Cast) -> None:
    """Who changes an event and computes that night's seal anew has to rewrite every seal after it as well."""
    by_owner("UPDATE audit_recordview SET person_name = 'Carol'")
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute("UPDATE audit_auditseal SET hash = repeat('a', 64) WHERE previous_hash = ''")
    assert any("does not follow" in each for each in wrong(sealed))


def test_the_newest_hash_leaves_the_database_with_the_log(live_cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    with practice_transaction(live_cast.alder.id):
        build_clinic(live_cast)
    with caplog.at_level(logging.INFO, "daysheet.audit"):
        seal = seal_night(live_cast.alder, NIGHT)
    assert seal is not None
    assert seal.hash in caplog.text


def test_the_runtime_role_can_add_seals_and_views_and_never_change_them(live_cast: Cast) -> None:
    with practice_transaction(live_cast.alder.id):
        build_clinic(live_cast)
        RecordView.objects.create(at=NIGHT, person_name="Bob", client_id=uuid4(), page="clients:details")
    seal_night(live_cast.alder, NIGHT)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        for table in ("audit_auditseal", "audit_recordview", "audit_auditevent"):
            for verb in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id", f"TRUNCATE {table}"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(verb)

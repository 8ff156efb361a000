"""services/0003 took the ends of insurers' rates away: what was in force on any day before it is in force after it.

The statement that does so runs every time, on a table of its own; with HISTORY_STEPS, as `make test-slow` sets it, the
migration itself on a database as it was before.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from importlib import import_module
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from tests.plugin import CLUSTER, ROOT

_NAME = f"daysheet_test_{os.getpid()}_prices"
IS_SLOW = "HISTORY_STEPS" in os.environ
PRACTICES = (1, 2)
#: {service: [(first day, first day no longer, cents)]}
RATES: dict[UUID, list[tuple[date, date | None, int]]] = {
    uuid4(): [(date(2025, 1, 1), date(2025, 7, 1), 100)],
    uuid4(): [(date(2025, 1, 1), date(2025, 7, 1), 200), (date(2025, 7, 1), date(2026, 1, 1), 210)],
    uuid4(): [(date(2025, 1, 1), None, 300)],
    uuid4(): [(date(2025, 1, 1), date(2025, 3, 1), 400), (date(2025, 6, 1), None, 0)],
}
_READ = "SELECT practice_id, service_type_id, starts_on, rate_cents FROM services_payerrate"


def test_ends_become_steps() -> None:
    payer = uuid4()
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        # It stands before the real one in the search path, for this connection alone.
        owner.execute(
            "CREATE TEMPORARY TABLE services_payerrate (practice_id bigint, id uuid, payer_id uuid, "
            "service_type_id uuid, rate_cents bigint, starts_on date, ends_on date)"
        )
        for practice, service, starts_on, ends_on, cents in rates():
            owner.execute(
                "INSERT INTO pg_temp.services_payerrate VALUES (%s, gen_random_uuid(), %s, %s, %s, %s, %s)",
                [practice, payer, service, cents, starts_on, ends_on],
            )
        owner.execute(import_module("daysheet.services.migrations.0003_prices")._ENDS_BECOME_STEPS)
        compare(owner.execute(_READ).fetchall(), PRACTICES)


@pytest.mark.skipif(not IS_SLOW, reason="makes a database and migrates it: make test-slow")
def test_the_migration_itself(database: str) -> None:
    with psycopg.connect(database) as owner:
        practices = {
            number: insert(owner, "practices_practice", slug=f"p{number}", name="P", time_zone="America/New_York")
            for number in PRACTICES
        }
        payers = {
            number: insert(owner, "clients_payer", practice_id=practice, name="Blue")
            for number, practice in practices.items()
        }
        for practice in practices.values():
            for service in RATES:
                insert(owner, "services_servicetype", practice_id=practice, id=service, code=str(service)[:8],
                       name="S", kind="non_cpt", unit_rule="always", modifiers=[])  # fmt: skip
        for number, service, starts_on, ends_on, cents in rates():
            insert(owner, "services_payerrate", practice_id=practices[number], payer_id=payers[number],
                   service_type_id=service, rate_cents=cents, starts_on=starts_on, ends_on=ends_on)  # fmt: skip
    migrate("0003")
    with psycopg.connect(database) as owner:
        compare(owner.execute(_READ).fetchall(), practices.values())


@pytest.fixture
def database() -> Iterator[str]:
    """A database as it was before 0003: the owner's address."""
    CLUSTER.drop_database(_NAME)
    CLUSTER.create_database(_NAME)
    try:
        migrate("0002")
        yield CLUSTER.owner_url(_NAME)
    finally:
        CLUSTER.drop_database(_NAME)


def rates() -> Iterator[tuple[int, UUID, date, date | None, int]]:
    """The rows of RATES, in each practice."""
    for practice in PRACTICES:
        for service, periods in RATES.items():
            for period in periods:
                yield practice, service, *period


def compare(rows: Iterable[Any], practices: Iterable[Any]) -> None:
    """On every day the steps say what the periods said."""
    steps: dict[tuple[Any, UUID], list[tuple[date, int | None]]] = {}
    for practice, service, starts_on, cents in rows:
        steps.setdefault((practice, service), []).append((starts_on, cents))
    assert set(steps) == {(practice, service) for practice in practices for service in RATES}
    assert sorted(len(each) for each in steps.values()) == [1, 1, 2, 2, 3, 3, 3, 3]
    days = [date(year, month, day) for year in (2024, 2025, 2026) for month in range(1, 13) for day in (1, 28)]
    for (_, service), found in steps.items():
        for day in days:
            held = [cents for start, end, cents in RATES[service] if start <= day and (end is None or day < end)]
            begun = [cents for starts_on, cents in sorted(found) if starts_on <= day]
            assert (begun or [None])[-1] == (held or [None])[0], (RATES[service], day)


def migrate(number: str) -> None:
    command = [sys.executable, "-m", "django", "migrate", "services", number, "--database=owner", "-v0"]
    addresses = {"DATABASE_URL": CLUSTER.app_url(_NAME), "DATABASE_OWNER_URL": CLUSTER.owner_url(_NAME)}
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | addresses)


def insert(owner: psycopg.Connection[Any], table: str, **given: object) -> Any:
    """A row with what is given; every other column that must have something gets its type's nothing. Returns its id."""
    columns = owner.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s AND is_nullable = 'NO' "
        "AND column_default IS NULL AND is_identity = 'NO'",
        [table],
    ).fetchall()
    empty = {
        "uuid": uuid4(), "bigint": 0, "integer": 0, "smallint": 1, "boolean": False, "character varying": "",
        "timestamp with time zone": date(2025, 1, 1),
    }  # fmt: skip
    # What is given needs no such value, so a type that is not here is asked for by name.
    row = {str(name): empty[str(kind)] for name, kind in columns if name not in given} | given
    places = ", ".join(["%s"] * len(row))
    found = owner.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places}) RETURNING id", list(row.values()))
    [identifier] = found.fetchone() or (None,)
    return identifier

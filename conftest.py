"""Fixtures for every test: the database as the runtime role, people, and clean-up for tests that really commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
import time_machine
from django.core.cache import cache
from django.db import connections
from django.test import Client as Browser
from hypothesis import HealthCheck, settings
from pytest_django.plugin import DjangoDbBlocker

from daysheet.database.scope import practice_transaction
from daysheet.practices.models import User
from tests.architecture.unscoped import switch_scoping_off
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast, Person, build_cast

# How long an example takes says how busy the machine is; what we are quick at stands in bench/. Examples that nobody
# has seen are for `make test-slow`: elsewhere a run says something of what was changed, not of luck.
_IS_SLOW = bool({"HISTORY_STEPS", "TEST_WITHOUT_SCOPING"} & os.environ.keys())
settings.register_profile(
    "daysheet", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=not _IS_SLOW
)
settings.load_profile("daysheet")

_KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session")
def django_db_setup() -> None:
    """tests/plugin.py has made the database."""


@pytest.fixture(scope="session", autouse=True)
def without_scoping() -> Iterator[None]:
    """TEST_WITHOUT_SCOPING=1: what keeps practices apart in this run is row security alone."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("TEST_WITHOUT_SCOPING"):
            switch_scoping_off(patch)
        yield


@pytest.fixture(autouse=True)
def nobody_has_asked_yet() -> None:
    """Counts of who asks too often are kept by the process, and many tests are at the same minute: what one asked is
    not to close a page to the next."""
    cache.clear()


@pytest.fixture
def clock() -> Iterator[None]:
    """The cast's moment also for code that reads the clock (requests, jobs), so that no test depends on its day."""
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def cast(db: None, clock: None) -> Cast:
    """Two practices and their people, in a transaction that is rolled back after the test."""
    return build_cast()


@pytest.fixture
def sign_in(cast: Cast) -> Callable[[Person], Browser]:
    """A browser in which this person is signed in; one more each time."""

    def enter(person: Person) -> Browser:
        browser = Browser()
        browser.force_login(User.objects.get(pk=person.user_id))
        return browser

    return enter


@pytest.fixture
def live_db(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The database with real commits, for races and browsers; the owner empties it afterwards."""
    with django_db_blocker.unblock():
        yield
        connections.close_all()
        empty_database()


@pytest.fixture
def live_cast(live_db: None, clock: None) -> Cast:
    """The same people, committed."""
    return build_cast()


@pytest.fixture
def live_clinic(live_cast: Cast) -> Clinic:
    """The same clinic as elsewhere (tests/billing.py), committed."""
    with practice_transaction(live_cast.alder.id):
        return build_clinic(live_cast)


def empty_database() -> None:
    """TRUNCATE everything that a test may have written, as the owner."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as connection:
        rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        tables = ", ".join(f'"{name}"' for (name,) in rows if name not in _KEPT)
        connection.execute(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")

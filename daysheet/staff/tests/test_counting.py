"""Who asks too often has to wait, also where the counts lie in the database: in production they do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings as live
from django.core.cache import cache
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from daysheet.cards.tests.conftest import connect_desk
from daysheet.cards.views import hook
from daysheet.database.scope import practice_transaction
from daysheet.web.requests import too_many
from tests.billing import build_clinic
from tests.people import NOW, Cast


@pytest.fixture(autouse=True)
def counts_in_the_database(db: None, settings: Any) -> None:
    settings.CACHES = {"default": live.SHARED_CACHE}
    cache.clear()


def test_a_minute_ends_also_for_who_comes_back_every_few_minutes() -> None:
    for visit in range(40):
        moment = NOW + timedelta(minutes=4 * visit)
        with time_machine.travel(moment, tick=False):
            assert not too_many("calendar", 30, moment)


def test_within_a_minute_the_next_is_one_too_many_and_another_is_not() -> None:
    with time_machine.travel(NOW, tick=False):
        assert [too_many("calendar", 3, NOW) for _ in range(5)] == [False] * 3 + [True] * 2
        assert not too_many("another", 3, NOW)


@pytest.mark.parametrize("address", ["/alder/join/guess-{}", "/alder/calendar/feeds/guess{}.ics"])
def test_guesses_are_counted_although_each_is_refused(cast: Cast, address: str) -> None:
    answers = [Browser().get(address.format(n)).status_code for n in range(31)]
    assert answers == [404] * 30 + [429]
    assert Browser().get(address.format("other"), REMOTE_ADDR="192.0.2.5").status_code == 404


def test_made_up_accounts_do_not_push_out_the_count_of_wrong_passwords(cast: Cast) -> None:
    """What is counted is bounded by what exists and by who asks: nobody empties the shared place alone."""
    wrong = {"login": cast.alice.email, "password": "wrong"}
    for _ in range(12):
        refused = Browser().post("/account/login/", wrong)
    assert b"Too many" in refused.content
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM shared_cache")
        (before,) = cursor.fetchone() or (0,)
        for _ in range(40):
            Browser().post(f"/alder/cards/webhook/{uuid4()}/", {}, content_type="application/json")
        cursor.execute("SELECT count(*) FROM shared_cache")
        assert cursor.fetchone() == (before + 1,)
    assert b"Too many" in Browser().post("/account/login/", wrong).content


def test_messages_are_counted_before_the_work_so_that_none_waits_for_the_count(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hook, "MOST_A_MINUTE", 2)
    with practice_transaction(cast.alder.id):
        account = connect_desk(build_clinic(cast), monkeypatch).account
    url = f"/alder/cards/webhook/{account.pk}/"
    with CaptureQueriesContext(connection) as seen:
        assert Browser().post(url, {}, content_type="application/json").status_code == 400
    statements = [each["sql"] for each in seen.captured_queries]
    *_, begun = [n for n, sql in enumerate(statements) if "app.practice_id" in sql and "LOCAL" in sql]
    counted = [n for n, sql in enumerate(statements) if live.SHARED_CACHE["LOCATION"] in sql]
    assert counted and max(counted) < begun
    assert [Browser().post(url, {}, content_type="application/json").status_code for _ in range(2)] == [400, 429]

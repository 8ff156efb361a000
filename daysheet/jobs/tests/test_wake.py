"""A wake-up call is sent on commit, from pages and from workers alike."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.testing import InMemoryConnector

from daysheet.database.scope import practice_transaction
from daysheet.jobs.actions import start_job
from daysheet.practices.actor import system_actor
from tests.people import NOW, Cast


def _start(cast: Cast) -> None:
    start_job(system_actor(cast.alder, NOW), kind="x", subject_id=uuid4(), unit="things", total_count=1)


def test_a_page_writes_the_call_in_its_own_transaction(live_cast: Cast) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), practice_transaction(live_cast.alder.id):
        _start(live_cast)
        raise Undone
    assert _calls() == 0
    with practice_transaction(live_cast.alder.id):
        _start(live_cast)
    assert _calls() == 1


def test_a_worker_which_writes_over_another_connection_waits_for_the_commit(live_cast: Cast) -> None:
    queue = InMemoryConnector()
    with app.replace_connector(queue):
        with practice_transaction(live_cast.alder.id):
            _start(live_cast)
            assert not queue.jobs, "another worker would look for a run that is not there yet"
        assert len(queue.jobs) == 1


def _calls() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])

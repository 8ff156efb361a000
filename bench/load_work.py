"""What the people of bench.load work with, and the batch that runs beside them: made ready in the database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from daysheet.config.verify import verify_practice
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import local_date, utc_now
from daysheet.kit.ids import new_id
from daysheet.practices.models import User
from daysheet.staff.models import StaffMember

from . import home
from .loading.people import Loaded, find_people
from .loading.pool import Pool
from .people_at_work import Desk
from .shape import Shape
from .sql import owner

#: Visits that each person may bill by a click.
_CLICKS_EACH = 60
_WORDS = ("ru", "ruiz", "ana", "han", "stei", "555-00", "castro", "vito", "no", "bauer ben")


@dataclass(frozen=True, slots=True)
class Preparation:
    """Everything is there: desks, and the visits of each batch by client."""

    loaded: Loaded
    desks: Sequence[Desk]
    batches: list[dict[UUID, list[UUID]]]

    @staticmethod
    def make(visits: int, *, people: int, batch: int, batches: int) -> Preparation:
        facts = home.recall()
        loaded = find_people(Shape(facts["visits"], date.fromisoformat(facts["today"])))
        pool = Pool(loaded)
        clicks = [str(visit_id) for visit_id in pool.visits(pool.make(people * _CLICKS_EACH))]
        later = [pool.services(pool.make(batch)) for _ in range(batches)]
        return Preparation(loaded, list(_desks(loaded, clicks, people)), later)

    def start_batch(self) -> UUID:
        """The next batch, as the page starts it; the server's worker carries it out."""
        batch = self.batches.pop()
        with practice_transaction(self.loaded.practice.id):
            return start_batch(
                # At this moment, not on the day the practice was built for: the worker may have sealed that night.
                replace(self.loaded.owner, now=utc_now()), batch_id=new_id(), from_on=self.loaded.shape.first_monday,
                to_on=self.loaded.shape.today, items=[BatchRequest(key, tuple(ids)) for key, ids in batch.items()],
                expected_count=len(batch), expected_cents=0,
            )  # fmt: skip

    def is_done(self, batch_id: UUID) -> bool:
        """With all that comes after the last invoice. Raises where it failed."""
        with practice_transaction(self.loaded.practice.id):
            state = JobRun.objects.values_list("state", flat=True).get(subject_id=batch_id)
        assert state != JobRun.State.FAILED, "the batch failed: see the server's log"
        return state == JobRun.State.DONE

    def differences(self) -> list[str]:
        """What `verify` finds afterwards."""
        verified = verify_practice(self.loaded.practice, utc_now())
        return [f"{found.name}: {words}" for found in verified.results for words in found.first]


def _desks(loaded: Loaded, clicks: list[str], people: int) -> Iterator[Desk]:
    practice = loaded.practice
    with practice_transaction(practice.id):
        logins = list(StaffMember.objects.exclude(user_id=None).order_by("pk").values_list("user_id", flat=True))
    with owner() as connection:
        clients = _ids(connection, _CLIENTS, practice.id)
        owing = _ids(connection, _OWING, practice.id)
    assert len(logins) >= people, f"only {len(logins)} people can sign in"
    shape, today = loaded.shape, local_date(utc_now(), practice.time_zone)
    days = [
        (shape.today - timedelta(days=5 + 7 * week + weekday)).isoformat() for week in range(4) for weekday in (0, 1)
    ]
    for number, user_id in enumerate(logins[:people]):
        yield Desk(
            shape.slug, _session(user_id), today.isoformat(), clients[number::people], owing[number::people],
            [str(each) for each in loaded.staff], days, clicks[number::people], _WORDS,
        )  # fmt: skip


_CLIENTS = "SELECT id FROM clients_client WHERE practice_id = %s ORDER BY md5(id::text) LIMIT 5000"
_OWING = """
    SELECT client_id FROM invoicing_invoiceline WHERE practice_id = %s AND client_open_cents > 2000
    GROUP BY 1 HAVING sum(client_open_cents) > 10000 ORDER BY md5(client_id::text) LIMIT 2000"""


def _ids(connection: Any, sql: str, practice_id: int) -> list[str]:
    return [str(row[0]) for row in connection.execute(sql, [practice_id]).fetchall()]


def _session(user_id: int) -> str:
    """Signed in, as the sign-in page would leave it."""
    user = User.objects.get(pk=user_id)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session["seen_at"] = int(time.time())  # as after signing in: `staff.guarding`
    session.save()
    return str(session.session_key)

"""What the tests of faults share: a committed practice in the present, real processes on it, and a browser without a
browser. FAULT_REPEATS=10, as `make test-slow` sets it, runs each of them ten times.
"""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import psycopg
import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Model

from daysheet.audit.seals import seal_night
from daysheet.config.verify import differences_of
from daysheet.database.postmaster import free_port
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.batches import BatchRequest, start_batch
from daysheet.invoicing.models import Batch, BatchProblem, InvoiceLine
from daysheet.jobs.models import JobRun
from daysheet.kit.dates import local_date, utc_now
from daysheet.practices.models import User
from daysheet.schedule.models import VisitService
from tests.billing import Clinic, build_clinic
from tests.pages import words_of
from tests.people import build_cast
from tests.processes import children_of

ROOT = Path(__file__).resolve().parents[2]
REPEATS = int(os.environ.get("FAULT_REPEATS") or 1)
#: Marks a test of a fault: each again and again, with a practice of its own each time.
again = pytest.mark.parametrize("number", range(REPEATS))
PATIENCE_SECONDS = 60
_CSRF = "b" * 32


def present_clinic() -> Clinic:
    """Alder Clinic, committed, in the present: real processes read the real clock. Past nights are sealed, as a worker
    does it sooner or later: who writes into one is found by `check_books`."""
    now = utc_now()
    cast = build_cast(now=now)
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast, now=now)
    seal_night(cast.alder, now)
    return clinic


def today(clinic: Clinic) -> date:
    return local_date(utc_now(), clinic.cast.alder.time_zone)


def a_batch(clinic: Clinic, clients: int, *, visits: Mapping[UUID, tuple[UUID, ...]] | None = None) -> UUID:
    """A queued batch of so many new clients, a visit each; or of the visits that are given."""
    day = today(clinic) - timedelta(days=1)
    with practice_transaction(clinic.cast.alder.id):
        wanted = dict(visits or {})
        for number in range(clients):
            client = clinic.client(f"Client{number:03d}")
            wanted[client] = clinic.visit(client, clinic.talk, day=day)[1]
        return start_batch(
            clinic.cast.actor(clinic.cast.bob, now=utc_now()), batch_id=uuid4(), from_on=day, to_on=day,
            items=[BatchRequest(client, services) for client, services in wanted.items()], expected_count=0,
            expected_cents=0,
        )  # fmt: skip


def a_visit(clinic: Clinic) -> tuple[UUID, UUID]:
    """A new client and a visit of today, not billed yet."""
    with practice_transaction(clinic.cast.alder.id):
        client = clinic.client()
        return client, clinic.visit(client, clinic.talk, day=today(clinic))[0]


def last_client(clinic: Clinic) -> UUID:
    """The client whose visit was made last, who also comes last in a batch."""
    with practice_transaction(clinic.cast.alder.id):
        found = VisitService.objects.order_by("-pk").values_list("visit__client_id", flat=True).first()
    assert found
    return found


def count_of(clinic: Clinic, model: type[Model]) -> int:
    with practice_transaction(clinic.cast.alder.id):
        return model._default_manager.count()


def run_of(clinic: Clinic, batch_id: UUID) -> JobRun:
    with practice_transaction(clinic.cast.alder.id):
        return JobRun.objects.get(subject_id=batch_id)


def has_finished(clinic: Clinic, batch_id: UUID) -> bool:
    with practice_transaction(clinic.cast.alder.id):
        is_done = JobRun.objects.filter(subject_id=batch_id, state=JobRun.State.DONE).exists()
        return is_done and Batch.objects.filter(pk=batch_id, finished_at__isnull=False).exists()


def check_books(clinic: Clinic, *, lines: int) -> None:
    """So many services are billed, each once, nothing was refused, and `verify` finds nothing."""
    facts = clinic.cast.alder
    with practice_transaction(facts.id):
        assert not BatchProblem.objects.filter(kind=BatchProblem.Kind.REFUSED).exists()
        live = InvoiceLine.objects.filter(ended_at=None)
        assert live.values("visit_service").distinct().count() == live.count() == lines
    differences = differences_of(facts, utc_now())
    assert differences == [], differences


@contextmanager
def row_held(table: str, row_id: UUID | int) -> Iterator[Callable[[], None]]:
    """Somebody else holds a row, so that whoever wants it stands still; let go at the end, or by the call."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as other:
        other.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [row_id])
        yield other.rollback


def wait_for(what: Callable[[], bool], *, alive: Process | None = None, seconds: int = PATIENCE_SECONDS) -> None:
    """Until it is so. `alive` has to run all the while; what it wrote is what a failure shows."""
    deadline = time.monotonic() + seconds
    while not what():
        if alive is not None:
            assert alive.popen.poll() is None, alive.words()
        assert time.monotonic() < deadline, alive.words() if alive else what
        time.sleep(0.05)


def is_waiting_for_a_lock() -> bool:
    """Whether somebody in this database waits for another's lock."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        row = owner.execute(
            "SELECT count(*) FROM pg_locks w JOIN pg_stat_activity a USING (pid) "
            "WHERE NOT w.granted AND a.datname = current_database()"
        ).fetchone()
    return bool(row and row[0])


def let_time_pass(passed: timedelta) -> None:
    """As if every run had last moved so long ago: nobody waits here until it counts as abandoned."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute("UPDATE jobs_jobrun SET heartbeat_at = heartbeat_at - %s", [passed])


@dataclass
class Process:
    """A process of an installation and its log."""

    popen: subprocess.Popen[bytes]
    log: Path
    port: int = 0

    def kill(self) -> None:
        """As the kernel kills."""
        self.popen.kill()
        self.popen.wait()

    def children(self) -> list[int]:
        return children_of(self.popen.pid)

    def words(self) -> str:
        return self.log.read_text()


@contextmanager
def running(log: Path, *command: str, port: int = 0, ends: int = 0, without: Collection[str] = ()) -> Iterator[Process]:
    """`python -m …` as an installation runs it, `without` these settings; told to end at the end, which it does with
    exit code `ends`."""
    left_out = {"DAYSHEET_TESTING", *without}
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    with log.open("ab") as output:
        popen = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
    try:
        yield Process(popen, log, port)
    finally:
        popen.send_signal(signal.SIGTERM)
        popen.wait(timeout=60)
    assert popen.returncode == ends, log.read_text()


@contextmanager
def serving(log: Path, *options: str) -> Iterator[Process]:
    """`daysheet serve`, once it answers."""
    port = free_port("127.0.0.1")
    with running(log, "daysheet", "serve", *options, "--port", str(port), port=port) as server:
        wait_for(lambda: Visitor(port).get("/account/login/")[0] == 200, alive=server)
        yield server


@contextmanager
def serving_pages(log: Path) -> Iterator[Process]:
    """`daysheet serve --only web`, once it answers."""
    with serving(log, "--only", "web") as server:
        yield server


@contextmanager
def working(log: Path, *, at_once: int = 2, ends: int = 0) -> Iterator[Process]:
    """A worker that does so many things at once."""
    with running(log, "django", "procrastinate", "worker", "--concurrency", str(at_once), ends=ends) as worker:
        yield worker


@dataclass
class Visitor:
    """Somebody with a session who sends forms, and sees when the connection breaks: status 0."""

    port: int
    session: str = ""

    @classmethod
    def signed_in(cls, port: int, user_id: int) -> Visitor:
        user = User.objects.get(pk=user_id)
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["seen_at"] = int(time.time())  # as after signing in: `staff.guarding`
        session.create()
        return cls(port, session.session_key or "")

    def get(self, path: str) -> tuple[int, str]:
        return self._ask("GET", path, None)

    def post(self, path: str, facts: Mapping[str, str]) -> tuple[int, str]:
        return self._ask("POST", path, urlencode(facts))

    def _ask(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        headers = {"Cookie": f"sessionid={self.session}; csrftoken={_CSRF}", "X-CSRFToken": _CSRF}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, words_of(answer.read().decode(errors="replace"))
        except (OSError, http.client.HTTPException):
            return 0, ""
        finally:
            connection.close()

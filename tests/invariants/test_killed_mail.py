"""Statements to many clients, as one PDF and as e-mails over a real SMTP server, by a worker that is really killed:
everybody gets theirs, nobody gets two, and the memory stays flat.

60 clients; with HISTORY_STEPS, as `make test-slow` sets it, 2,000 and more kills. Prints its figures (`pytest -s`).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from daysheet.database.scope import practice_transaction
from daysheet.documents.models import MadeDocument
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.jobs.queue import wake
from daysheet.kit.dates import local_date, utc_now
from daysheet.mail.actions import mark_sent
from daysheet.mail.jobs import wake_where_due
from daysheet.mail.models import DeliveryStep, Message
from daysheet.mailings.models import Mailing, MailingFile, MailingItem
from daysheet.mailings.queries.files import open_file
from daysheet.mailings.rules import Ways
from daysheet.mailings.running import CLIENTS_PER_PIECE
from tests.billing import build_clinic
from tests.mail_server import MailServer, running_mail_server
from tests.people import build_cast
from tests.post import Post, read_messages, read_pages

ROOT = Path(__file__).resolve().parents[2]
IS_SLOW = "HISTORY_STEPS" in os.environ
CLIENTS = 2_000 if IS_SLOW else 60
#: Kills at moments that nobody chose, beside those at chosen ones.
RANDOM_KILLS = 6 if IS_SLOW else 1
PATIENCE_SECONDS = 900 if IS_SLOW else 120
#: How much more the worker may hold at the end of a run than in its middle.
FLAT_MB = 48
MOST_MB = 400
pytestmark = [pytest.mark.system, pytest.mark.timeout(3_000 if IS_SLOW else 400)]


@dataclass
class Worker:
    """Worker processes, one after the other, and the most memory that each held."""

    environment: dict[str, str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    #: Resident memory in MB, as it was seen while waiting.
    seen_mb: list[float] = field(default_factory=list)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "django", "procrastinate", "worker", "--concurrency", "2"],
                cwd=ROOT, env=self.environment, stdout=output, stderr=output,
            )  # fmt: skip

    def kill(self) -> None:
        """As the kernel kills: no farewell."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def wait_for(self, what: Callable[[], bool], pause: float = 0.1) -> None:
        assert self.process is not None
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not what():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            self.seen_mb.append(_resident_mb(self.process.pid))
            time.sleep(pause)


@dataclass
class Scene:
    """A committed practice in the present, its mail server and its worker."""

    post: Post
    smtp: MailServer
    worker: Worker

    @contextmanager
    def practice(self) -> Iterator[None]:
        with practice_transaction(self.post.biller.practice.id):
            yield

    def ask(self, question: Callable[[], Any]) -> Any:
        with self.practice():
            return question()

    def count(self, state: str) -> int:
        return int(self.ask(lambda: Message.objects.filter(state=state).count()))

    def start_again(self) -> None:
        """A new worker, and what the sweeps do once the old one counts as lost: nobody waits a minute here."""
        _let_time_pass(timedelta(minutes=5))
        self.worker.start()
        with self.practice():
            for run_id in JobRun.objects.filter(state__in=LIVE_STATES).values_list("pk", flat=True):
                wake(self.post.biller.practice.id, run_id)
        wake_where_due(utc_now())


@pytest.fixture
def scene(live_db: None, tmp_path: Path, settings: Any) -> Iterator[Scene]:
    settings.DATA_FOLDER = tmp_path
    cast = build_cast(now=utc_now())
    biller = cast.actor(cast.bob, now=utc_now())
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
    post = Post(clinic, biller, day=local_date(utc_now(), cast.alder.time_zone) - timedelta(days=3))
    with running_mail_server() as smtp:
        environment = {name: value for name, value in os.environ.items() if name != "DAYSHEET_TESTING"}
        environment["DAYSHEET_EMAIL_URL"] = f"smtp://127.0.0.1:{smtp.port}"
        environment["DAYSHEET_HOME"] = str(tmp_path)
        worker = Worker(environment, tmp_path / "worker.log")
        try:
            yield Scene(post, smtp, worker)
        finally:
            smtp.go_on.set()
            worker.stop()


def test_everybody_gets_a_statement_once_though_the_worker_is_killed(scene: Scene) -> None:
    begun = time.monotonic()
    with scene.practice():
        scene.post.bill(CLIENTS)
    _say(f"{CLIENTS:,} clients billed in {time.monotonic() - begun:.0f} s")
    _print_all(scene)
    _mail_all(scene)


def _print_all(scene: Scene) -> None:
    post, worker = scene.post, scene.worker
    with scene.practice():
        run = post.start_statements(Ways.PRINT)
    with _item_held(run, position=CLIENTS_PER_PIECE + 3) as let_go:
        worker.start()
        worker.wait_for(lambda: _made(scene, run) == CLIENTS_PER_PIECE)
        worker.kill()
        let_go()
    assert _made(scene, run) == CLIENTS_PER_PIECE, "the piece that was killed is rolled back whole"
    for share in _shares():
        scene.start_again()
        worker.wait_for(lambda goal=int(CLIENTS * share): _made(scene, run) >= goal)  # type: ignore[misc]
        worker.kill()
    scene.start_again()
    worker.wait_for(lambda: _made(scene, run) == CLIENTS)
    time.sleep(0.2)  # into the putting together of the file
    worker.kill()
    assert not scene.ask(lambda: MailingFile.objects.exists()) or CLIENTS < 100
    begun, worker.seen_mb = time.monotonic(), []
    scene.start_again()
    worker.wait_for(lambda: scene.ask(lambda: Mailing.objects.filter(pk=run, finished_at__isnull=False).exists()))
    worker.stop()
    with scene.practice():
        opened = open_file(post.biller, run)
        assert opened is not None
        pdf = opened[1].read()
        assert MadeDocument.objects.filter(made_in=run).count() == CLIENTS
        assert JobRun.objects.filter(subject_id=run).count() == 1, "the same run, by another worker"
    assert read_pages(pdf) == sorted(post.debtors)
    size = len(pdf) / 1_000_000
    _say(f"one PDF of {CLIENTS:,} statements, {size:.1f} MB, put together in {time.monotonic() - begun:.0f} s, "
         f"resident {_span(worker.seen_mb)}")  # fmt: skip
    _assert_flat(worker.seen_mb)


def _mail_all(scene: Scene) -> None:
    post, worker, smtp = scene.post, scene.worker, scene.smtp
    held = post.debtors[CLIENTS // 2]
    smtp.held.add(held.address)
    with scene.practice():
        run = post.start_statements(Ways.EMAIL)
    begun, worker.seen_mb = time.monotonic(), []
    worker.start()
    worker.wait_for(smtp.is_holding.is_set)
    worker.kill()  # between the server's taking the message and its yes: nobody can know
    smtp.go_on.set()
    for share in _shares():
        scene.start_again()
        goal = int(CLIENTS * share)
        worker.wait_for(lambda goal=goal: len(smtp.taken) >= goal, pause=0.01)  # type: ignore[misc]
        worker.kill()
    scene.start_again()
    worker.wait_for(lambda: _is_over(scene, run))
    seconds = time.monotonic() - begun
    worker.stop()
    got = read_messages(smtp.messages)
    assert max(got.values()) == 1, "somebody got two"
    unknown = _unknown(scene)
    assert held.client_id in unknown
    assert {number for number in post.debtors if number not in got} <= {
        debtor.number for debtor in post.debtors.values() if debtor.client_id in unknown
    }
    assert scene.count("sent") == CLIENTS - len(unknown) and got[held.number] == 1
    _settle(scene, unknown, got)
    _say(f"{CLIENTS:,} e-mails in {seconds:.0f} s with {1 + RANDOM_KILLS} kills, {len(unknown)} unknown of which "
         f"{len(unknown) - (CLIENTS - sum(got.values()))} had arrived, resident {_span(worker.seen_mb)}")  # fmt: skip
    _assert_flat(worker.seen_mb)


def _settle(scene: Scene, unknown: set[UUID], got: Any) -> None:
    """A person looks into the mail server's log: what arrived is marked as sent, and nothing is left to send."""
    numbers = {debtor.client_id: debtor.number for debtor in scene.post.debtors.values()}
    with scene.practice():
        for message in Message.objects.filter(state="unknown"):
            if got[numbers[message.client_id]]:
                mark_sent(scene.post.biller, message_id=message.pk)
        missing = CLIENTS - sum(got.values())
        assert Message.objects.filter(state="sent").count() == CLIENTS - missing
        assert Message.objects.filter(state__in=["waiting", "sending", "failed"]).count() == 0
        assert DeliveryStep.objects.filter(outcome="accepted").count() == CLIENTS - len(unknown)


def _unknown(scene: Scene) -> set[UUID]:
    return set(scene.ask(lambda: list(Message.objects.filter(state="unknown").values_list("client_id", flat=True))))


def _is_over(scene: Scene, run: UUID) -> bool:
    def over() -> bool:
        left = MailingItem.objects.filter(mailing_id=run, done_at=None).exists()
        return not left and not Message.objects.filter(state__in=["waiting", "sending"]).exists()

    if scene.ask(over):
        return True
    if scene.ask(lambda: not JobRun.objects.filter(kind="mail_delivery", state__in=LIVE_STATES).exists()):
        wake_where_due(utc_now())  # what the sweep does every minute
    return False


def _made(scene: Scene, run: UUID) -> int:
    return int(scene.ask(lambda: MailingItem.objects.filter(mailing_id=run, done_at__isnull=False).count()))


def _shares() -> list[float]:
    return sorted(random.uniform(0.55, 0.95) for _ in range(RANDOM_KILLS))


@contextmanager
def _item_held(run: UUID, *, position: int) -> Iterator[Callable[[], None]]:
    """Somebody else holds an item's row, so that the piece with it stands still in its middle."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as other:
        other.execute(
            "SELECT 1 FROM mailings_mailingitem WHERE mailing_id = %s AND position = %s FOR UPDATE", [run, position]
        )
        yield other.rollback


def _let_time_pass(passed: timedelta) -> None:
    """As if the runs had last moved so long ago, and what waits were due."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        owner.execute("UPDATE jobs_jobrun SET heartbeat_at = heartbeat_at - %s, fruitless_starts = 0", [passed])


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


def _assert_flat(seen: list[float]) -> None:
    """The last quarter holds no more than the second one: what was needed to begin does not count. A short run is over
    before the worker has loaded everything."""
    assert max(seen, default=0) < MOST_MB, _span(seen)
    if IS_SLOW:
        quarter = len(seen) // 4
        assert max(seen[3 * quarter :]) <= max(seen[quarter : 2 * quarter]) + FLAT_MB, _span(seen)


def _span(seen: list[float]) -> str:
    quarter = max(len(seen) // 4, 1)
    parts = [max(seen[start : start + quarter], default=0) for start in range(0, 4 * quarter, quarter)]
    return " → ".join(f"{part:.0f}" for part in parts) + " MB"


def _say(words: str) -> None:
    sys.stderr.write(f"\n{words}")

"""`daysheet check` finds each thing that can be wrong, and says what to do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection

from daysheet.backup.rules import Retention
from daysheet.backup.scheduled import Schedule
from daysheet.backup.tests.test_scheduled import _write
from daysheet.cards.actions import connect_processor
from daysheet.database.postmaster import free_port
from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.operations import check
from daysheet.operations.check import Level, look
from daysheet.practices.models import Practice, User
from tests.people import Cast


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.DATA_FOLDER = tmp_path
    monkeypatch.delenv("DAYSHEET_TESTING", raising=False)
    monkeypatch.delenv("DAYSHEET_PG_FAST", raising=False)
    return tmp_path


def found(level: Level, **given: object) -> list[str]:
    facts = {"nightly": lambda: [], "storage": lambda: []} | given
    return [finding.words for finding in look(utc_now(), **facts) if finding.level is level]  # type: ignore[arg-type]


def test_a_good_installation_has_nothing_to_mend(db: None, settings: Any, home: Path, mail_server: Controller) -> None:
    folder = home / "backups"
    folder.mkdir()
    _write(folder / f"daysheet-{utc_now():%Y%m%dT%H%M%SZ}.backup")
    settings.BACKUP_SCHEDULE = Schedule(folder, "sealed", Retention())
    settings.HTTPS, settings.ALLOWED_HOSTS = True, ["billing.example.org"]
    _worker_alive()
    assert found(Level.FAIL) + found(Level.WARN) == []
    assert len(found(Level.OK)) == 10


def test_what_grants_and_books_have_to_say_is_passed_on(db: None) -> None:
    said = found(Level.FAIL, nightly=lambda: ["juniper: the books do not agree"], storage=lambda: ["a grant too many"])
    assert {"juniper: the books do not agree", "a grant too many"} <= set(said)


def test_clocks_apart(db: None) -> None:
    said = [finding.words for finding in check._clock(utc_now() - timedelta(minutes=5))]
    assert "300 seconds apart" in said[0] or "299 seconds apart" in said[0]


def test_a_time_zone_that_no_longer_exists(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        assert Practice.objects.filter(pk=cast.alder.id).update(time_zone="Mars/Olympus")
    assert "there is no time zone Mars/Olympus" in found(Level.FAIL)


def test_no_worker(db: None) -> None:
    assert any("no worker runs" in words for words in found(Level.FAIL))
    _worker_alive()
    assert not any("no worker runs" in words for words in found(Level.FAIL))


def test_a_job_that_waits(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES ('default', 'x', 'todo')")
        cursor.execute("UPDATE procrastinate_events SET at = now() - interval '1 hour'")
    assert any("1 jobs have waited" in words for words in found(Level.WARN))


def test_backups(db: None, settings: Any, home: Path) -> None:
    assert any("no scheduled backups" in words for words in found(Level.WARN))
    folder = home / "backups"
    settings.BACKUP_SCHEDULE = Schedule(folder, None, Retention())
    assert any("there is none" in words for words in found(Level.FAIL))
    folder.mkdir()
    _write(folder / f"daysheet-{utc_now() - timedelta(days=3):%Y%m%dT%H%M%SZ}.backup")
    (folder / "daysheet-20261101T000000Z.unproven").touch()
    assert any("no fresh backup" in words for words in found(Level.FAIL))
    assert any("could not be restored" in words for words in found(Level.FAIL))
    assert any("not sealed" in words for words in found(Level.WARN))


def test_a_full_disk(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"total": 1 << 40, "free": 1 << 20})
    monkeypatch.setattr(check.shutil, "disk_usage", lambda _: usage)
    assert any("only 1 MiB (0 %) free" in words for words in found(Level.FAIL))
    usage.free = 1 << 35
    assert any("only 32,768 MiB (3 %) free" in words for words in found(Level.WARN))


def test_mail(db: None, settings: Any, mail_server: Controller) -> None:
    assert any("lets us in" in words for words in found(Level.OK))
    mail_server.stop()
    assert any("does not take us" in words for words in found(Level.FAIL))


def test_switches_that_are_not_for_real_data(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DEBUG = True
    monkeypatch.setenv("DAYSHEET_PG_FAST", "1")
    monkeypatch.setenv("DAYSHEET_TESTING", "1")
    said = " ".join(found(Level.FAIL))
    assert all(name in said for name in ("DAYSHEET_DEBUG", "DAYSHEET_PG_FAST", "DAYSHEET_TESTING"))
    settings.HTTPS, settings.ALLOWED_HOSTS = False, ["localhost"]
    said = " ".join(found(Level.WARN))
    assert "DAYSHEET_HTTPS" in said and "DAYSHEET_HOSTS" in said


def test_a_key_that_others_may_read(db: None, home: Path) -> None:
    (home / "card-key").touch(mode=0o644)
    assert any("others may read" in words for words in found(Level.FAIL))


def test_the_key_of_the_second_step_is_missing_or_old(cast: Cast, settings: Any) -> None:
    TOTP.activate(User.objects.get(pk=cast.alice.user_id), "JBSWY3DPEHPK3PXP")
    _key_lost_old_and_back(settings, "SIGN_IN_KEY", "DAYSHEET_SIGN_IN_KEY", "seal-again", "for signing in")


def test_one_key_is_the_same_for_all_machines_and_the_other_is_not(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def warned() -> bool:
        return any("DAYSHEET_SIGN_IN_KEY is not" in words for words in found(Level.WARN))

    monkeypatch.delenv("DAYSHEET_SIGN_IN_KEY", raising=False)
    assert not warned()
    monkeypatch.setenv("DAYSHEET_CARD_KEY", "one")
    assert warned()
    monkeypatch.setenv("DAYSHEET_SIGN_IN_KEY", "two")
    assert not warned()


def test_the_key_of_card_processors_is_missing_or_old(cast: Cast, settings: Any) -> None:
    with practice_transaction(cast.alder.id):
        connect_processor(
            cast.actor(cast.alice), account_id=uuid4(), kind="stripe", api_key="sk_1", webhook_secret="whsec_1"
        )
    _key_lost_old_and_back(
        settings, "CARD_KEY", "2 secrets of card processors is missing", "2 secrets of card processors are not sealed",
        "of card processors",
    )  # fmt: skip


def _key_lost_old_and_back(settings: Any, name: str, lost: str, old: str, either: str) -> None:
    """What is said while the key is another one, while the right one is among the old ones, and nothing (of `either`)
    once it is back."""
    key = getattr(settings, name)
    setattr(settings, name, "another")
    assert any(lost in words for words in found(Level.FAIL))
    settings.OLD_KEYS = [key]
    assert any(old in words for words in found(Level.WARN))
    setattr(settings, name, key)
    assert not any(either in words for level in Level for words in found(level))


@pytest.fixture
def mail_server(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Controller]:
    port = free_port("127.0.0.1")
    server = Controller(object(), hostname="127.0.0.1", port=port, ready_timeout=60)
    server.start()
    monkeypatch.setenv("DAYSHEET_EMAIL_URL", f"smtp://127.0.0.1:{port}")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield server
    if server.server is not None:
        server.stop()


def _worker_alive() -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")

"""A backup is taken while people work, put back, and verified; what is damaged or newer changes nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from daysheet.backup import restoring
from daysheet.backup.archive import ArchiveRefused, WrongPassphrase
from daysheet.backup.programs import BackupFailed, program, with_database
from daysheet.backup.restoring import Place, known_migrations, prove_backup, restore_backup
from daysheet.backup.taking import applied_migrations, take_backup
from daysheet.database.scope import practice_transaction
from daysheet.kit.sealing import Box
from daysheet.payments.tests.desk import pay
from tests.billing import build_clinic, clinic_of
from tests.people import Cast

pytestmark = pytest.mark.system

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
PASSPHRASE = "correct horse"
_SECRET = "SELECT data ->> 'secret' FROM mfa_authenticator"


@pytest.fixture
def books(live_cast: Cast) -> Cast:
    with practice_transaction(live_cast.alder.id):
        clinic = build_clinic(live_cast)
        pay(clinic.biller, clinic.client(), 5_000)
    return live_cast


@pytest.fixture
def here(tmp_path: Path) -> Place:
    """The database of this test process, with a data folder of its own."""
    (tmp_path / "secret-key").write_text("signs")
    return Place(os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"], tmp_path)


@pytest.fixture
def elsewhere(here: Place, tmp_path: Path) -> Iterator[Place]:
    """An empty database and an empty data folder."""
    name = f"{here.database}_elsewhere"
    home = tmp_path / "elsewhere"
    home.mkdir()
    _run(here.owner_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    _run(here.owner_url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    yield Place(with_database(here.owner_url, name), with_database(here.runtime_url, name), home)
    for left in _databases(here.owner_url):
        if left.startswith(name):
            _run(here.owner_url, f'DROP DATABASE "{left}" WITH (FORCE)')


def test_a_backup_taken_while_people_work_restores_to_the_same_books(
    books: Cast, here: Place, elsewhere: Place
) -> None:
    with _people_paying(books) as people:
        people.wait_for(3)
        backup = take(here)
        people.wait_for(people.taken + 1)
    said = restore(backup, elsewhere)
    assert "everything agrees" in said
    assert "Its keys are in the data folder." in said
    assert (elsewhere.home / "secret-key").read_text() == "signs"
    assert (elsewhere.home / "secret-key").stat().st_mode & 0o777 == 0o600
    for rows in (_PAYMENTS, _ENTRIES):
        then, now = _all(elsewhere, rows), _all(here, rows)
        assert 3 < len(then) < len(now)
        assert then == now[: len(then)], "not the books of one moment"
    assert applied_migrations(elsewhere.owner_url) == applied_migrations(here.owner_url)
    assert not [name for name in _databases(here.owner_url) if name == f"daysheet_restoring_{os.getpid()}"]


def test_the_restored_database_holds_the_runtime_role_to_its_practice_and_its_grants(
    books: Cast, here: Place, elsewhere: Place
) -> None:
    restore(take(here), elsewhere)
    with psycopg.connect(elsewhere.runtime_url) as connection:
        assert connection.execute("SELECT count(*) FROM payments_payment").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DELETE FROM ledger_entry")


def test_what_is_cut_changed_or_sealed_otherwise_is_refused_before_anything_is_touched(
    books: Cast, here: Place, elsewhere: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = take(here)
    content = backup.read_bytes()
    monkeypatch.setattr(restoring, "_fill", lambda *_: pytest.fail("the damaged file was acted upon"))
    damaged = backup.with_name("damaged")
    changed = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    for bad in (content[:-1], content[: len(content) // 2], changed, b"", b"PGDMP" * 9):
        damaged.write_bytes(bad)
        with pytest.raises(ArchiveRefused):
            restore(damaged, elsewhere)
    for wrong in ("correct house", None):
        with pytest.raises(WrongPassphrase):
            restore(backup, elsewhere, passphrase=wrong)
    assert applied_migrations(elsewhere.owner_url) == []
    assert not list(elsewhere.home.iterdir())


def test_a_database_with_tables_is_kept_under_another_name_and_only_when_asked(
    books: Cast, here: Place, elsewhere: Place
) -> None:
    backup = take(here)
    restore(backup, elsewhere)
    with pytest.raises(BackupFailed, match="has tables already"):
        restore(backup, elsewhere)
    said = restore(backup, elsewhere, replace=True)
    kept = f"{elsewhere.database}_before_20261125120000"
    assert kept in said
    assert _received(Place(with_database(elsewhere.owner_url, kept), "", elsewhere.home)) == 5_000


def test_a_database_in_use_is_left_alone(books: Cast, here: Place, elsewhere: Place) -> None:
    backup = take(here)
    restore(backup, elsewhere)
    with psycopg.connect(elsewhere.runtime_url), pytest.raises(BackupFailed, match="stop `daysheet serve`"):
        restore(backup, elsewhere, replace=True)
    assert _received(elsewhere) == 5_000


def test_a_backup_of_a_newer_version_is_refused(books: Cast, here: Place, elsewhere: Place) -> None:
    backup = take(here)
    older_program = known_migrations() - {"ledger.0005_closing"}
    with pytest.raises(BackupFailed, match="newer Daysheet"):
        restore_backup(
            backup, place=elsewhere, passphrase=PASSPHRASE, known_migrations=older_program, replace=False, now=NOW
        )
    assert applied_migrations(elsewhere.owner_url) == []


def test_books_that_do_not_agree_do_not_take_the_place(books: Cast, here: Place, elsewhere: Place) -> None:
    """A backup of a damaged ledger is whole as a file; the proof finds what it holds."""
    _run(here.owner_url, "UPDATE payments_payment SET unapplied_cents = unapplied_cents - 1")
    backup = take(here)
    with pytest.raises(BackupFailed, match="do not agree"):
        prove_backup(backup, place=here, passphrase=PASSPHRASE, known_migrations=known_migrations())
    with pytest.raises(BackupFailed, match="do not agree"):
        restore(backup, elsewhere)
    assert applied_migrations(elsewhere.owner_url) == []
    assert not [name for name in _databases(here.owner_url) if name == f"daysheet_proof_{os.getpid()}"]


def test_a_backup_without_passphrase_has_no_keys_and_no_sign_ins(books: Cast, here: Place, elsewhere: Place) -> None:
    _run(
        here.owner_url,
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES ('k', 'd', now())",
    )
    backup = take(here, passphrase=None)
    said = restore(backup, elsewhere, passphrase=None)
    assert "holds no keys" in said and "second step" in said
    assert not list(elsewhere.home.iterdir())
    assert _one(elsewhere.owner_url, "SELECT count(*) FROM django_session") == 0


def test_the_second_step_of_a_backup_from_before_it_was_sealed_is_not_lost(
    books: Cast, here: Place, elsewhere: Place
) -> None:
    """Its tables are brought up to date with keys that are thrown away; the first start seals with those that stay."""
    (here.home / "sign-in-key").write_text("seals sign-ins")
    _run(
        here.owner_url,
        "INSERT INTO mfa_authenticator (user_id, type, data, created_at) VALUES "
        f"({books.alice.user_id}, 'totp', '{{\"secret\": \"JBSWY3DPEHPK3PXP\"}}', now())",
    )
    with psycopg.connect(here.owner_url, autocommit=True) as connection:
        since = "app = 'config' AND name >= '0004'"
        kept = connection.execute(f"SELECT app, name, applied FROM django_migrations WHERE {since}").fetchall()
        connection.execute(f"DELETE FROM django_migrations WHERE {since}")
        try:
            backup = take(here)
        finally:
            with connection.cursor() as cursor:
                cursor.executemany("INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", kept)
    assert kept
    restore(backup, elsewhere)
    assert _one(elsewhere.owner_url, _SECRET) == "JBSWY3DPEHPK3PXP"
    environment = {name: value for name, value in os.environ.items() if name != "DAYSHEET_SIGN_IN_KEY"} | {
        "DATABASE_OWNER_URL": elsewhere.owner_url, "DATABASE_URL": elsewhere.runtime_url,
        "DAYSHEET_HOME": str(elsewhere.home),
    }  # fmt: skip
    subprocess.run([sys.executable, "-m", "daysheet", "renew-licenses"], env=environment, check=True)
    sealed = str(_one(elsewhere.owner_url, _SECRET)).removeprefix("sealed:")
    assert Box("daysheet sign-in secrets", ["seals sign-ins"]).unseal(sealed) == "JBSWY3DPEHPK3PXP"


def test_nothing_is_overwritten_and_nothing_half_written_stays(
    books: Cast, here: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = take(here)
    before = backup.read_bytes()
    with pytest.raises(BackupFailed, match="exists already"):
        take(here)
    assert backup.read_bytes() == before
    with pytest.raises(BackupFailed, match="There is no folder"):
        take(here, target=tmp_path / "nowhere" / "b.backup")
    monkeypatch.setenv("PG_BIN", str(tmp_path))
    with pytest.raises(BackupFailed, match="pg_dump"):
        take(here, target=tmp_path / "other.backup")
    assert not list(tmp_path.glob("other*"))


def test_a_server_newer_than_every_program_here_is_said() -> None:
    with pytest.raises(BackupFailed, match="pg_dump 99 or newer"):
        program("pg_dump", 99)


def test_no_password_shows_in_the_list_of_processes(books: Cast, here: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original = restoring.start

    def watched(command: Path, url: str, arguments: list[str], **pipes: int) -> object:
        process = original(command, url, arguments, **pipes)
        seen.append(Path(f"/proc/{process.pid}/cmdline").read_text())
        return process

    monkeypatch.setattr("daysheet.backup.taking.start", watched)
    take(here)
    password = here.owner_url.split(":")[2].split("@")[0]
    assert seen and all(password not in line for line in seen)


# -- how it is done


def take(place: Place, *, target: Path | None = None, passphrase: str | None = PASSPHRASE) -> Path:
    target = target or place.home / "books.backup"
    return take_backup(target, owner_url=place.owner_url, home=place.home, passphrase=passphrase, now=NOW).path


def restore(path: Path, place: Place, *, passphrase: str | None = PASSPHRASE, replace: bool = False) -> str:
    return restore_backup(
        path, place=place, passphrase=passphrase, known_migrations=known_migrations(), replace=replace, now=NOW
    )


class _people_paying:
    """Somebody who takes payments, one a transaction, until told to stop."""

    def __init__(self, cast: Cast) -> None:
        self._cast, self._stop = cast, threading.Event()
        self._thread = threading.Thread(target=self._pay)
        self.taken = 0

    def __enter__(self) -> _people_paying:
        self._thread.start()
        return self

    def wait_for(self, count: int) -> None:
        """Until so many have paid."""
        while self.taken < count:
            assert self._thread.is_alive()
            time.sleep(0.01)

    def __exit__(self, *failure: object) -> None:
        self._stop.set()
        self._thread.join()
        assert self.taken

    def _pay(self) -> None:
        from django.db import connections

        while not self._stop.is_set():
            with practice_transaction(self._cast.alder.id):
                clinic = clinic_of(self._cast)
                pay(clinic.biller, clinic.client(f"C{uuid4().hex[:6]}"), 100)
            self.taken += 1
        connections.close_all()


def _received(place: Place) -> int:
    return int(str(_one(place.owner_url, "SELECT coalesce(sum(amount_cents), 0) FROM payments_payment")))


#: Everything of them, in the order in which they came.
_PAYMENTS = "SELECT p::text FROM payments_payment p ORDER BY created_at, id"
_ENTRIES = "SELECT e::text FROM ledger_entry e ORDER BY posted_at, id"


def _all(place: Place, question: str) -> list[str]:
    with psycopg.connect(place.owner_url) as connection:
        return [row[0] for row in connection.execute(question).fetchall()]


def _databases(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()]


def _one(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row[0] if row else None


def _run(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)

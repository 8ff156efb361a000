"""`daysheet restore FILE`, and the proof of a backup: it is put back into a scratch database and verified there.

Order, always: read the whole file through, refuse what is damaged or newer than this program; fill a scratch database;
bring its tables up to date; `daysheet verify`; only then it takes the place of the empty database. What was there
before is never overwritten: with `replace` it is kept under another name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from daysheet.mailings.restored import hold_back

from .archive import check, read_header, read_pieces
from .programs import BackupFailed, program, server_major, start, with_database
from .taking import DUMP, KEYS, applied_migrations


@dataclass(frozen=True, slots=True)
class Place:
    """Where to restore to: the database as its owner and as the runtime role, and the data folder."""

    owner_url: str
    runtime_url: str
    home: Path

    @property
    def database(self) -> str:
        return str(conninfo_to_dict(self.owner_url).get("dbname") or "")

    def scratch(self, name: str) -> Place:
        return Place(with_database(self.owner_url, name), with_database(self.runtime_url, name), self.home)


def known_migrations() -> set[str]:
    """Every migration of this program, as `ledger.0005_closing`."""
    from django.db.migrations.loader import MigrationLoader

    return {f"{app}.{name}" for app, name in MigrationLoader(None).disk_migrations}


def prove_backup(path: Path, *, place: Place, passphrase: str | None, known_migrations: set[str]) -> str:
    """Restore into a scratch database beside the real one, verify, drop it; returns what verify said last. The real one
    is not touched. Raises BackupFailed, ArchiveRefused."""
    with _scratch_database(place, "daysheet_proof") as scratch:
        return _fill_and_verify(path, scratch, passphrase, known_migrations)


def restore_backup(
    path: Path, *, place: Place, passphrase: str | None, known_migrations: set[str], replace: bool, now: datetime
) -> str:
    """Put a backup in the place of the database, and its keys into the data folder; returns what was done, in a
    sentence. Raises BackupFailed, ArchiveRefused: then the database is as it was."""
    holds_tables = bool(applied_migrations(place.owner_url))
    if holds_tables and not replace:
        raise BackupFailed(
            f"The database {place.database!r} has tables already, and nothing is ever overwritten. Restore on an empty "
            "one (another DAYSHEET_HOME, or another database), or say --replace: what is there now is then kept under "
            "another name. Nothing was changed."
        )
    with _scratch_database(place, "daysheet_restoring") as scratch:
        said = _fill_and_verify(path, scratch, passphrase, known_migrations)
        with psycopg.connect(scratch.owner_url) as owner:
            held = hold_back(owner.cursor(), now)
        kept = f"{place.database}_before_{now:%Y%m%d%H%M%S}"
        _swap(place, scratch, kept)
    if not holds_tables:
        _drop(place.owner_url, kept)
    done = _restore_keys(path, place.home, passphrase, now)
    if holds_tables:
        done += f" What was there before is the database {kept}."
    if held:
        done += f" {held} e-mails that waited may have been sent since: they are withdrawn, see the Delivery Log."
    return f"{said} {done}".strip()


def _fill_and_verify(path: Path, scratch: Place, passphrase: str | None, known_migrations: set[str]) -> str:
    with path.open("rb") as source:
        facts = read_header(source)
    with path.open("rb") as source:
        check(source, passphrase)
    _refuse_newer(facts, known_migrations)
    _fill(path, scratch, passphrase)
    _run(
        scratch,
        "-m",
        "django",
        "migrate",
        "--database=owner",
        "-v0",
        words="The tables could not be brought up to date",
    )
    _execute(scratch.owner_url, "ANALYZE")
    said = _run(scratch, "-m", "daysheet", "verify", words="The restored books do not agree")
    return said.strip().splitlines()[-1]


def _refuse_newer(facts: dict[str, Any], known_migrations: set[str]) -> None:
    unknown = sorted(set(facts.get("migrations", ())) - known_migrations)
    if unknown:
        raise BackupFailed(
            f"This backup was made by a newer Daysheet (it has {unknown[-1]}). Install that version or a newer one, "
            "and restore with it. Nothing was changed."
        )


def _fill(path: Path, scratch: Place, passphrase: str | None) -> None:
    arguments = ["--no-owner", "--exit-on-error"]
    command = program("pg_restore", server_major(scratch.owner_url))
    restore = start(command, scratch.owner_url, arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert restore.stdin is not None and restore.stderr is not None
    try:
        with path.open("rb") as source, suppress(BrokenPipeError):  # it says below why it reads no further
            for piece in read_pieces(source, passphrase):
                if piece.file_name == DUMP:
                    restore.stdin.write(piece.data)
            restore.stdin.close()
        said = restore.stderr.read().decode(errors="replace").strip()
    except BaseException:
        restore.kill()
        raise
    finally:
        status = restore.wait()
    if status:
        raise BackupFailed(f"pg_restore stopped: {said or f'it ended with {status}'}")


def _run(scratch: Place, *arguments: str, words: str) -> str:
    """A command of ours on the scratch database, in a process of its own (settings are read once in a process) and with
    a data folder for this once: the keys of the real one must neither be used nor made."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "DATABASE_OWNER_URL": scratch.owner_url, "DATABASE_URL": scratch.runtime_url,
            "DJANGO_SETTINGS_MODULE": "daysheet.config.settings", "DAYSHEET_HOME": home,
        }  # fmt: skip
        command = [sys.executable, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackupFailed(f"{words}. It said: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout


@contextmanager
def _scratch_database(place: Place, prefix: str) -> Iterator[Place]:
    name = f"{prefix}_{os.getpid()}"
    _drop(place.owner_url, name)
    try:
        _execute(place.owner_url, "CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0", name)
    except psycopg.errors.InsufficientPrivilege as error:
        raise BackupFailed(
            "The owner's role may not make databases, and a backup is tried out in one of its own. As a superuser: "
            "ALTER ROLE daysheet_owner CREATEDB; then run the command again. Nothing was changed."
        ) from error
    try:
        yield place.scratch(name)
    finally:
        _drop(place.owner_url, name)


def _swap(place: Place, scratch: Place, kept: str) -> None:
    """The scratch database becomes the database. Each rename asks from inside the other: none can be asked from
    inside itself."""
    try:
        _execute(scratch.owner_url, "ALTER DATABASE {} RENAME TO {}", place.database, kept)
    except psycopg.errors.ObjectInUse as error:
        raise BackupFailed(
            "Somebody is connected to the database: stop `daysheet serve` and whatever else uses it, and run the "
            "command again. Nothing was changed."
        ) from error
    try:
        _execute(
            with_database(place.owner_url, kept), "ALTER DATABASE {} RENAME TO {}", scratch.database, place.database
        )
    except BaseException:
        _execute(scratch.owner_url, "ALTER DATABASE {} RENAME TO {}", kept, place.database)
        raise


def _restore_keys(path: Path, home: Path, passphrase: str | None, now: datetime) -> str:
    keys: dict[str, bytes] = {}
    with path.open("rb") as source:
        for piece in read_pieces(source, passphrase):
            if piece.file_name in KEYS:
                keys[piece.file_name] = keys.get(piece.file_name, b"") + piece.data
    for name, content in keys.items():
        file = home / name
        if file.exists() and file.read_bytes() != content:
            file.rename(home / f"{name}.before-{now:%Y%m%d%H%M%S}")
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as out:
            out.write(content)
    if keys:
        return "Its keys are in the data folder."
    return (
        "It holds no keys (it was made without a passphrase): where the data folder has not the old ones, card "
        "processors have to be connected anew, and people set up their second step of signing in anew (`daysheet "
        "set-password ADDRESS --remove-two-step`)."
    )


def _drop(url: str, name: str) -> None:
    _execute(url, "DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _execute(url: str, statement: str, *names: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))

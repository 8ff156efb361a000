"""`daysheet backup FILE`: one file with the whole database as it was at one moment, and the keys that open its secrets.

pg_dump reads one snapshot while people work. The file gets its name only when it is whole; a killed backup leaves a
`.partial` that nobody mistakes for one. Sign-ins and the shared cache are left out: after a restore everybody signs in.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from daysheet.kit.files import new_file

from .archive import PIECE_BYTES, ArchiveWriter, check
from .programs import BackupFailed, program, server_major, start

DUMP = "database.dump"
#: Files of the data folder without which a restored database cannot be used as before. Only sealed backups hold them:
#: who finds an open one must not be able to sign sessions or open the card processors' secrets.
KEYS = ("secret-key", "card-key", "sign-in-key")
_LEFT_OUT = ("django_session", "shared_cache")


@dataclass(frozen=True, slots=True)
class Taken:
    """A finished backup: where it lies and its size in bytes; `with_keys` whether it holds the keys."""

    path: Path
    size_bytes: int
    with_keys: bool


def take_backup(target: Path, *, owner_url: str, home: Path, passphrase: str | None, now: datetime) -> Taken:
    """Write a backup. Raises BackupFailed, OSError (a full disk, a folder that refuses); nothing stays behind then."""
    if not target.parent.is_dir():
        raise BackupFailed(f"There is no folder {target.parent}. Make it first.")

    def read_through(path: Path) -> None:
        with path.open("rb") as source:
            check(source, passphrase)

    try:
        with new_file(target, is_whole=read_through) as out:
            facts = {"taken_at": now.isoformat(), **_facts(owner_url)}
            with_keys = _write(out, facts, owner_url, home, passphrase)
    except FileExistsError as error:
        raise BackupFailed(f"{target} exists already, and no backup is overwritten. Choose another name.") from error
    return Taken(target, target.stat().st_size, with_keys)


def applied_migrations(url: str) -> list[str]:
    """`ledger.0005_closing` …, sorted; empty in a database without tables."""
    with psycopg.connect(url) as connection:
        if connection.execute("SELECT to_regclass('public.django_migrations')").fetchone() == (None,):
            return []
        rows = connection.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1").fetchall()
        return [row[0] for row in rows]


def _facts(owner_url: str) -> dict[str, Any]:
    migrations = applied_migrations(owner_url)
    if not migrations:
        raise BackupFailed("The database has no tables yet: there is nothing to back up.")
    return {"server_major": server_major(owner_url), "migrations": migrations}


def _write(out: BinaryIO, facts: dict[str, Any], owner_url: str, home: Path, passphrase: str | None) -> bool:
    archive = ArchiveWriter(out, facts, passphrase)
    archive.begin_file(DUMP)
    _dump(archive, owner_url, facts["server_major"])
    keys = [home / name for name in KEYS if passphrase and (home / name).is_file()]
    for key in keys:
        archive.begin_file(key.name)
        archive.write(key.read_bytes())
    archive.finish()
    return bool(keys)


def _dump(archive: ArchiveWriter, owner_url: str, major: int) -> None:
    arguments = ["--format=custom", "--no-owner", *(f"--exclude-table-data=public.{table}" for table in _LEFT_OUT)]
    dump = start(program("pg_dump", major), owner_url, arguments, stdout=subprocess.PIPE)
    assert dump.stdout is not None and dump.stderr is not None
    try:
        while piece := dump.stdout.read(PIECE_BYTES):
            archive.write(piece)
        said = dump.stderr.read().decode(errors="replace").strip()
    except BaseException:
        dump.kill()
        raise
    finally:
        status = dump.wait()
    if status:
        raise BackupFailed(f"pg_dump could not read the database: {said or f'it ended with {status}'}")

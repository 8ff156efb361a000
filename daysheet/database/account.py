"""The operating-system account that PostgreSQL's programs run as.

PostgreSQL refuses to run as root. For an ordinary user everything runs as that user; for root another account is
borrowed, and only folders that we made ourselves are ever given to it.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    @property
    def is_someone_else(self) -> bool:
        return self.uid != os.geteuid()

    def own(self, path: Path) -> None:
        if self.is_someone_else:
            os.chown(path, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Ask by trying: permission bits of the parents, ACLs and mount options all count."""
        return self.run(["sh", "-c", 'test -x "$1"', "sh", str(folder)]).returncode == 0

    def can_execute(self, program: Path) -> bool:
        try:
            return self.run([str(program), "--version"]).returncode == 0
        except OSError:
            return False

    def run(self, command: list[str], output: int | IO[bytes] = subprocess.PIPE) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=_environment(),
            check=False,
            user=self.uid if self.is_someone_else else None,
            group=self.gid if self.is_someone_else else None,
            extra_groups=[] if self.is_someone_else else None,
        )


def account_for(data_folder: Path) -> Account:
    """Who runs the server whose data lie (or will lie) in this folder."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if data_folder.exists() and data_folder.stat().st_uid != 0:
        found = data_folder.stat()
        return Account(found.st_uid, found.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    return Account(65534, 65534)


def _environment() -> dict[str, str]:
    # PGDATA, PGPORT and friends of the person's shell must not reach our server; its messages must be in English,
    # because the reasons why a start failed are recognised by their words.
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C", "HOME": "/"}

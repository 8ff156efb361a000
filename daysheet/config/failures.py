"""What a command says and returns when it cannot go on: one sentence that says what to do, and an exit code.

docs/configuration.md lists the codes; a test compares.
"""

from __future__ import annotations

import errno
from enum import IntEnum

import psycopg
from django.core.exceptions import ImproperlyConfigured

from daysheet.backup.archive import ArchiveRefused
from daysheet.backup.programs import BackupFailed
from daysheet.database.binaries import DiskFull, EmbeddedServerError, FolderRefused, OtherVersion
from daysheet.database.requirements import DatabaseUnusable, RightsMissing, ServerTooOld, UnsafeMix, UnsafeRole


class ExitCode(IntEnum):
    """Never reused: scripts rely on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    PORT_TAKEN = 3
    NO_SUCH_PRACTICE = 4
    DATABASE_FAILED = 5
    UNSAFE_ROLE = 6
    RIGHTS_MISSING = 7
    WRONG_VERSION = 8
    DISK_FULL = 9
    NO_PERMISSION = 10
    UNSAFE_MIX = 11


class CommandFailed(Exception):
    """One sentence for the person, and the exit code."""

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


#: The first that fits.
_CODES: dict[type[Exception], ExitCode] = {
    ImproperlyConfigured: ExitCode.FAILED,
    ArchiveRefused: ExitCode.FAILED,
    BackupFailed: ExitCode.FAILED,
    DiskFull: ExitCode.DISK_FULL,
    FolderRefused: ExitCode.NO_PERMISSION,
    OtherVersion: ExitCode.WRONG_VERSION,
    EmbeddedServerError: ExitCode.DATABASE_FAILED,
    ServerTooOld: ExitCode.WRONG_VERSION,
    RightsMissing: ExitCode.RIGHTS_MISSING,
    UnsafeRole: ExitCode.UNSAFE_ROLE,
    UnsafeMix: ExitCode.UNSAFE_MIX,
    DatabaseUnusable: ExitCode.DATABASE_FAILED,
}


def explained(error: BaseException) -> CommandFailed | None:
    """The failure behind an exception, or None for what nobody foresaw: that is shown with its traceback."""
    if isinstance(error, CommandFailed):
        return error
    for kind, code in _CODES.items():
        if isinstance(error, kind):
            return CommandFailed(str(error), code)
    if isinstance(error, OSError):
        return _of_the_system(error)
    return _of_the_database(error)


def _of_the_system(error: OSError) -> CommandFailed | None:
    where = error.filename or "the data folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return CommandFailed(
            f"the disk that holds {where} is full. Free some space there and run the command again.", ExitCode.DISK_FULL
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CommandFailed(
            f"{where} may not be used ({error.strerror}). Set DAYSHEET_HOME to a folder that you may write to, or run "
            "as the account that owns this one.",
            ExitCode.NO_PERMISSION,
        )
    return None


def _of_the_database(error: BaseException) -> CommandFailed | None:
    """Django wraps psycopg's errors; the cause knows PostgreSQL's code."""
    cause = error if isinstance(error, psycopg.Error) else error.__cause__
    if not isinstance(cause, psycopg.Error):
        return None
    if isinstance(cause, psycopg.errors.DiskFull):
        return CommandFailed(
            "the database's disk is full. What was not finished was rolled back. Free some space on the database's "
            "machine and run the command again.",
            ExitCode.DISK_FULL,
        )
    if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return CommandFailed(
            f"the tables are not those of this version ({_first_line(cause)}). Start `daysheet serve` once: it brings "
            "them up to date.",
            ExitCode.DATABASE_FAILED,
        )
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return CommandFailed(
            f"the database refused: {_first_line(cause)}. docs/runbook.md, “A PostgreSQL of your own”, has the grants.",
            ExitCode.RIGHTS_MISSING,
        )
    if isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return CommandFailed(
            f"the connection to the database was lost ({_first_line(cause)}). What was not finished was rolled back. "
            "See that the server runs, and run the command again.",
            ExitCode.DATABASE_FAILED,
        )
    return None


def _first_line(error: psycopg.Error) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]

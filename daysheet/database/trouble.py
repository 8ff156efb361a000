"""What kind of trouble of the database's machine an error tells of, so that pages and jobs can say what to do."""

from __future__ import annotations

import errno
from enum import Enum

import psycopg
from django.db import InterfaceError, OperationalError
from psycopg import errors as pg


class Trouble(Enum):
    """None of them is a mistake of what was asked for: the same, sent again later, may well succeed."""

    BUSY = "another's lock lasted"
    TOO_LONG = "the statement took longer than it may"
    DISK_FULL = "a disk is full"
    NO_MEMORY = "the server's memory is used up"
    UNREACHABLE = "the database does not answer"

    @property
    def is_outage(self) -> bool:
        """It hits everybody's work alike, so that the next piece of work would fail as this one did."""
        return self in {Trouble.DISK_FULL, Trouble.NO_MEMORY, Trouble.UNREACHABLE}


#: OperationalErrors to psycopg, but of the statement itself: again it fails again.
_TOO_MUCH_ASKED = (pg.ProgramLimitExceeded, pg.StatementTooComplex, pg.TooManyColumns, pg.TooManyArguments)
_BUSY = (pg.LockNotAvailable, pg.DeadlockDetected, pg.SerializationFailure)


def trouble_of(error: BaseException | None) -> Trouble | None:
    """The trouble that an error tells of; None: a mistake, ours or the asker's."""
    if isinstance(error, OSError):
        return Trouble.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else None
    cause = error if isinstance(error, psycopg.Error) else error.__cause__ if error else None
    if isinstance(cause, _BUSY):
        return Trouble.BUSY
    if isinstance(cause, pg.QueryCanceled):
        return Trouble.TOO_LONG
    if isinstance(cause, pg.DiskFull):
        return Trouble.DISK_FULL
    if isinstance(cause, pg.OutOfMemory):
        return Trouble.NO_MEMORY
    if isinstance(cause, _TOO_MUCH_ASKED):
        return None
    is_lost = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return Trouble.UNREACHABLE if is_lost or isinstance(error, OperationalError | InterfaceError) else None

"""Which errors tell of the machine, and which of what was asked."""

from __future__ import annotations

import errno

import psycopg
import pytest
from django.db import DataError, OperationalError
from psycopg import errors as pg

from daysheet.database.trouble import Trouble, trouble_of
from daysheet.web import errors


def _from(cause: psycopg.Error, outer: type[Exception] = OperationalError) -> Exception:
    """As Django hands on what psycopg raised."""
    error = outer(str(cause))
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (_from(pg.LockNotAvailable()), Trouble.BUSY),
        (_from(pg.DeadlockDetected()), Trouble.BUSY),
        (_from(pg.QueryCanceled()), Trouble.TOO_LONG),
        (_from(pg.DiskFull()), Trouble.DISK_FULL),
        (OSError(errno.ENOSPC, "full"), Trouble.DISK_FULL),
        (_from(pg.OutOfMemory()), Trouble.NO_MEMORY),
        (_from(pg.AdminShutdown()), Trouble.UNREACHABLE),
        (psycopg.OperationalError("connection refused"), Trouble.UNREACHABLE),
        (_from(pg.ProgramLimitExceeded()), None),
        (_from(pg.NumericValueOutOfRange(), DataError), None),
        (OSError(errno.ENOENT, "no such file"), None),
        (ValueError("x"), None),
        (None, None),
    ],
)
def test_what_an_error_tells_of(error: BaseException | None, trouble: Trouble | None) -> None:
    assert trouble_of(error) is trouble


def test_what_hits_everybody_alike_is_an_outage() -> None:
    assert {each for each in Trouble if each.is_outage} == {Trouble.DISK_FULL, Trouble.NO_MEMORY, Trouble.UNREACHABLE}


def test_a_page_has_words_for_every_trouble() -> None:
    assert set(errors._TROUBLE_WORDS) == set(Trouble)

"""Which practice the running code works for. Nothing set means an error, never "all rows" (tenancy rule 5).

Invariant: the practice is set once, by a literal SET LOCAL at the outermost BEGIN (tenancy rule 7).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db import connections, transaction

from .sessions import NOTE_PERSON

#: How long a statement waits for another's lock before it gives up with a clear message; pages wait less long.
LOCK_TIMEOUT_SECONDS = 10
_EVERY_PRACTICE = 0
_ONE_MOMENT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"
_current: ContextVar[int | None] = ContextVar("daysheet_practice", default=None)


class NoPractice(RuntimeError):
    """A tenant table was read or written with no practice set."""


class OtherPractice(RuntimeError):
    """A transaction of one practice tried to work for another."""


def current_practice_id() -> int:
    """The practice being worked for. Raises NoPractice."""
    practice_id = _current.get()
    if not practice_id:
        raise NoPractice("no practice is set: wrap this in practice_transaction(practice_id)")
    return practice_id


def is_practice_set() -> bool:
    """Whether a practice is being worked for: not so on error pages, which are made after the transaction."""
    return bool(_current.get())


def scoped_practice_id() -> int | None:
    """The practice every statement must name; None inside `every_practice()`. Raises NoPractice."""
    practice_id = _current.get()
    return None if practice_id == _EVERY_PRACTICE else current_practice_id()


@contextmanager
def practice_transaction(
    practice_id: int,
    *,
    using: str = "default",
    statement_seconds: int = 0,
    lock_seconds: int = LOCK_TIMEOUT_SECONDS,
    is_person: bool = False,
    is_of_one_moment: bool = False,
) -> Iterator[None]:
    """One transaction for one practice. Nested calls must name the same practice (tests may switch).

    `statement_seconds`: the most that each of its statements may take; 0: as long as it takes. `lock_seconds`: the most
    that one waits for another's lock. `is_person`: somebody waits for it, and long jobs leave room (`sessions.py`).
    `is_of_one_moment`: all its statements see the books as they are at the first, whatever others commit meanwhile, so
    that what a page shows agrees; what it changes or locks must not have been changed since (SerializationFailure).
    """
    connection = connections[using]
    outer = _current.get() if connection.in_atomic_block else None
    if outer and outer != practice_id and not settings.TESTING:
        raise OtherPractice(f"practice {practice_id} asked for inside a transaction of practice {outer}")
    token = _current.set(practice_id)
    nested = connection.in_atomic_block
    try:
        with transaction.atomic(using=using):
            if outer != practice_id:
                words = [
                    *([_ONE_MOMENT] if is_of_one_moment and not nested else []),  # before the first query, or never
                    *_settings(str(int(practice_id)), statement_seconds, lock_seconds),
                    *([NOTE_PERSON] if is_person else []),
                ]
                _execute(using, words)
            yield
        if nested and outer != practice_id:
            _execute(using, _settings(str(outer or "")))
    finally:
        _current.reset(token)


@contextmanager
def every_practice() -> Iterator[None]:
    """Lift the filter the ORM adds. Row security still holds for the runtime role, so this serves the owner only."""
    token = _current.set(_EVERY_PRACTICE)
    try:
        yield
    finally:
        _current.reset(token)


def _settings(value: str, statement_seconds: int = 0, lock_seconds: int = LOCK_TIMEOUT_SECONDS) -> list[str]:
    words = [f"SET LOCAL app.practice_id = '{value}'", f"SET LOCAL lock_timeout = '{int(lock_seconds)}s'"]
    if statement_seconds:
        words.append(f"SET LOCAL statement_timeout = '{int(statement_seconds)}s'")
    return words


def _execute(using: str, words: list[str]) -> None:
    """All in one string: one round trip."""
    with connections[using].cursor() as cursor:
        cursor.execute("; ".join(words))

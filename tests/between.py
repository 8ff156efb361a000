"""What happens between two statements of a page: a worker ends, another tab saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def just_before(words: str, happens: Callable[[], Any], *, nth: int = 1) -> Iterator[None]:
    """`happens` once, before the nth statement that has `words` in it; it has to come."""
    seen = 0

    def look(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal seen
        if words in sql:
            seen += 1
            if seen == nth:
                happens()
        return execute(sql, *rest)

    with connection.execute_wrapper(look):
        yield
    assert seen >= nth, f"{seen} statements have {words!r} in them"

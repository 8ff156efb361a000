"""What happens between two statements of a page: a worker ends, another tab saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def just_before(words: str, happens: Callable[[], Any]) -> Iterator[None]:
    """`happens` once, before the first statement that has `words` in it; it has to come."""
    has_happened = False

    def look(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        nonlocal has_happened
        if words in sql and not has_happened:
            has_happened = True
            happens()
        return execute(sql, *rest)

    with connection.execute_wrapper(look):
        yield
    assert has_happened, f"no statement has {words!r} in it"

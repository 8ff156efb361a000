"""How many rows PostgreSQL reads for a question: what its plan did, not how long it took."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection

Asked = list[tuple[str, Sequence[Any]]]


@contextmanager
def asked_of_database() -> Iterator[Asked]:
    """The statements of the block, with their parameters."""
    asked: Asked = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield asked


def rows_touched(asked: Asked) -> int:
    """How many rows the questions among these statements read, those thrown away included. It asks them again."""
    return sum(_touched(_plan_of(sql, params)) for sql, params in asked if sql.lstrip().startswith(("SELECT", "WITH")))


def _touched(node: dict[str, Any]) -> int:
    rows = sum(node.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Join Filter"))
    return int(rows * node["Actual Loops"]) + sum(_touched(each) for each in node.get("Plans", []))


def _plan_of(sql: str, params: Sequence[Any]) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
        [found] = cursor.fetchone() or (None,)
    plans = json.loads(found) if isinstance(found, str) else found
    return dict(plans[0]["Plan"])

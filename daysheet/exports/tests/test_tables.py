"""Which tables and columns an export holds, and in which order they are filled; docs/export.md says the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.apps import apps

from daysheet.exports.describing import page
from daysheet.exports.tables import (
    LEFT_OUT_COLUMNS,
    LEFT_OUT_TABLES,
    Reference,
    exported_tables,
    filling_order,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "export.md"
#: Words in names of columns that hold a way in or a secret.
_SECRET = ("sealed", "token", "secret", "password", "user_id", "hash")
#: Columns that have such a word and hold none.
_HARMLESS = {
    **dict.fromkeys(
        ("audit_auditseal.hash", "audit_auditseal.previous_hash", "audit_auditseal.sealed_at"),
        "the chain over the Activity Log: it proves the log wherever it goes",
    ),
    "cards_storedcard.token": "the processor's name of a card: useless without the key of the account",
}


def test_every_table_of_a_practice_is_exported_or_left_out_with_a_reason() -> None:
    of_practices = {model._meta.db_table for model in apps.get_models() if getattr(model, "is_tenant", False)}
    exported = {table.name for table in exported_tables()}
    assert exported | set(LEFT_OUT_TABLES) == of_practices
    assert not exported & set(LEFT_OUT_TABLES)


def test_what_is_left_out_exists() -> None:
    columns = {f"{table.name}.{column.name}" for table in exported_tables() for column in table.columns}
    assert set(LEFT_OUT_COLUMNS) <= columns
    assert set(_HARMLESS) <= columns


def test_a_column_that_looks_like_a_secret_is_left_out() -> None:
    suspicious = {
        f"{table.name}.{column.name}"
        for table in exported_tables()
        for column in table.columns
        if any(word in column.name for word in _SECRET)
    }
    assert suspicious - set(LEFT_OUT_COLUMNS) == set(_HARMLESS)


def test_the_page_is_what_the_models_say() -> None:
    """`DAYSHEET_WRITE_DOCS=1` in the environment writes it anew."""
    if os.environ.get("DAYSHEET_WRITE_DOCS"):
        PAGE.write_text(page(exported_tables()), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(exported_tables())


def test_a_table_comes_after_those_it_refers_to() -> None:
    references = [Reference("line", "invoice_id", "invoice", False), Reference("invoice", "client_id", "client", False)]
    assert [step.table for step in filling_order(["line", "invoice", "client"], references)] == [
        "client", "invoice", "line",
    ]  # fmt: skip


def test_a_circle_is_opened_where_a_column_may_be_empty() -> None:
    references = [
        Reference("service", "line_id", "line", True),
        Reference("line", "service_id", "service", False),
        Reference("line", "line_id", "line", True),
    ]
    steps = filling_order(["line", "service"], references)
    assert [(step.table, set(step.columns_later)) for step in steps] == [("service", {"line_id"}), ("line", set())]


def test_a_circle_without_such_a_column_is_an_error() -> None:
    with pytest.raises(ValueError, match="need each other"):
        filling_order(["a", "b"], [Reference("a", "b_id", "b", False), Reference("b", "a_id", "a", False)])

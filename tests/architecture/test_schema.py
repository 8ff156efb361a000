"""docs/schema.sql is what the migrations make, so that the whole schema can be read in one place and reviewed."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin import clone_beside, drop_clone_beside

from .schema_page import schema_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "schema.sql"


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    """Of a new database: a check that another test took away and gave back is written another way."""
    runtime_url, _ = clone_beside("schema")
    try:
        yield schema_page(runtime_url)
    finally:
        drop_clone_beside("schema")


def test_the_page_of_the_schema_is_what_the_migrations_make(page: str) -> None:
    """`DAYSHEET_WRITE_DOCS=1` in the environment writes it anew."""
    if os.environ.get("DAYSHEET_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page


def test_the_page_shows_what_keeps_the_books(page: str) -> None:
    """One of each kind of fact, so that a page from which a kind is lost does not pass as the new truth."""
    tables = dict(re.findall(r"^CREATE TABLE (\w+) \((.*?)(?=^CREATE TABLE|\Z)", page, re.M | re.S))
    entries, lines, batches = (tables[name] for name in ("ledger_entry", "invoicing_invoiceline", "invoicing_batch"))
    assert "PRIMARY KEY (practice_id, id)" in entries
    assert "CONSTRAINT entry_amount_positive CHECK" in entries
    assert "GRANT SELECT, INSERT ON ledger_entry TO daysheet_app;" in entries
    assert "GRANT UPDATE" not in entries
    assert "CREATE UNIQUE INDEX line_one_live ON invoicing_invoiceline" in lines
    assert re.search(r"GRANT UPDATE \(.*ended_at.*\) ON invoicing_invoiceline", lines)
    assert re.search(r"FOREIGN KEY \(practice_id, retry_of_id\) REFERENCES invoicing_batch\(practice_id, id\)", batches)
    assert "CREATE POLICY invoicing_batch_practice ON invoicing_batch" in batches

"""Changes to the database that no code of the application can make, and what `daysheet verify` says of them."""

from __future__ import annotations

import os
from io import StringIO

import psycopg

from daysheet.config.verify import run_verify


def verified(slug: str | None = None) -> tuple[int, str]:
    """The exit code and the report."""
    out = StringIO()
    return run_verify(slug, out), out.getvalue()


def damage(*statements: str) -> None:
    """Change the database as its owner: what no code of the application can do."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"]) as owner:
        for statement in statements:
            changed = owner.execute(statement)
            assert changed.rowcount != 0, f"this damaged nothing: {statement}"


def owner_says(statement: str) -> None:
    """Run a statement as the database's owner, for what the application may not do: ANALYZE."""
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as owner:
        owner.execute(statement)


def part_of(report: str, check: str) -> str:
    """The differences that the report names under a failed check."""
    failed = report.split(f"FAIL  {check}")
    assert len(failed) == 2, report
    return failed[1].split("\n  ok ")[0].split("\n  FAIL")[0]

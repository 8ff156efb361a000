"""Reads the worked numbers of docs/money, so that every row of every table is run by a test."""

from __future__ import annotations

from pathlib import Path

PAGES = Path(__file__).resolve().parent.parent / "docs" / "money"


def rows_under(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading of a page, its head left out."""
    section = (PAGES / page).read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]

"""The page that documents the files: README.md of every export, and docs/export.md."""

from __future__ import annotations

from collections.abc import Sequence

from .tables import LEFT_OUT_TABLES, Column, ExportedTable

_TOP = """# All data of a practice, as CSV

`daysheet export PRACTICE FILE.zip` writes every row that a practice owns, as it was at one moment: a CSV file for each
table of the database, `manifest.json` with the practice's own facts and the number of rows of each file, and this page.
`daysheet import NEW-ADDRESS FILE.zip --owner-email …` makes a practice of it, here or on another installation: the
same ids, the same numbers of invoices, every balance equal to the cent, and `daysheet verify` before it is kept.

* Files are UTF-8 with a heading line; amounts are whole cents; moments carry their distance from UTC.
* An empty field is *nothing known*; `""` is a text without letters. A spreadsheet forgets the difference: to take a
  file back, do not save it from one.
* A text that a spreadsheet could take for a formula (it begins with `= + - @`, a tab or a new line), and one that
  begins with an apostrophe, has one apostrophe more in front. The import takes it away again.
* Logins, sessions and secrets are not in it: they belong to the installation.
* Anybody who holds the file can read it: keep it as you keep the books. (`daysheet backup` makes sealed files.)
"""


def page(tables: Sequence[ExportedTable]) -> str:
    """The page, generated from the models."""
    parts = [_TOP, *(_table(table) for table in tables), _left_out()]
    return "\n".join(parts)


def _table(table: ExportedTable) -> str:
    rows = [f"| `{column.name}` | {column.type} | {_meaning(column)} |" for column in table.columns]
    head = ["", "| column | what it is | |", "|---|---|---|"]
    return "\n".join([f"## {table.file_name}", "", table.description, *head, *rows, ""])


def _meaning(column: Column) -> str:
    said = []
    if column.refers_to:
        said.append(f"a row of {column.refers_to}.csv")
    if column.left_out:
        said.append(f"always empty: {column.left_out}")
    elif column.is_nullable:
        said.append("may be empty")
    return "; ".join(said)


def _left_out() -> str:
    rows = [f"* `{name}`: {reason}" for name, reason in LEFT_OUT_TABLES.items()]
    return "\n".join(["## Tables that are not in it", "", *rows, ""])

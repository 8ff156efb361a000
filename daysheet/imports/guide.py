"""`docs/import.md` and the blank templates, written from the layouts. Renew the page: `python -m daysheet.imports`."""

from __future__ import annotations

import csv
import io

from .layouts import LAYOUTS, Column, Layout

_OPENING = """# Importing

Generated from `daysheet/imports/layouts.py` by `python -m daysheet.imports`; a test compares the two.

    daysheet import PRACTICE FOLDER_OR_FILES… [--dry-run]

A file is named after its template (`clients.csv`, `2026-clients.xlsx`) and is CSV in UTF-8 or the first sheet of an
Excel workbook. Files of one folder are taken in the order of this page, because later ones refer to earlier ones by ID.

* **All or nothing.** Where one row has an error nothing of the file is written, and each error names row and column.
* **Again is harmless.** A row is found by its ID (a rate by its insurer, service type and first day). The same file
  twice changes nothing; a corrected one what differs.
* **Typed in before?** A location, insurer, service type or staff member without an ID is recognised by its name,
  code or e-mail, and takes the ID of the row.
* **A column left out** leaves what is there alone, and gives new rows the default. **An empty cell** means the default.
* **A row left out** stays as it is: files never delete.
* Columns are found by their title, in any order; one that is not listed here is an error.
"""


def blank_template(layout: Layout) -> str:
    """A CSV file with nothing but the titles."""
    text = io.StringIO()
    csv.writer(text).writerow([column.label for column in layout.columns])
    return text.getvalue()


def guide() -> str:
    """The whole of docs/import.md."""
    return "\n".join([_OPENING, *(_section(layout) for layout in LAYOUTS.values())])


def _section(layout: Layout) -> str:
    needs = "\n\nNeeds the permissions Administrator and Billing." if layout.needs_billing else ""
    rows = "\n".join(_line(column) for column in layout.columns)
    return (
        f"## {layout.label}: `{layout.kind}`\n\n{layout.about}{needs}\n\n"
        f"| column | needed | what it holds |\n|---|---|---|\n{rows}\n"
    )


def _line(column: Column) -> str:
    billing = " Needs Billing." if column.needs_billing else ""
    words = f"{column.kind.words}. {column.help}".strip()
    return f"| {column.label} | {'yes' if column.required else ''} | {words}{billing} |"

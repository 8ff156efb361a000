"""`daysheet export`: one snapshot of everything a practice owns, streamed into a ZIP.

It reads as the runtime role inside the practice's transaction: row security decides what the file can hold.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.db import connection

from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import Refusal
from daysheet.kit.files import new_file
from daysheet.practices.actor import PracticeFacts
from daysheet.practices.models import Practice

from .describing import page
from .manifest import FORMAT, MANIFEST
from .tables import Column, ExportedTable, exported_tables

#: Facts of the practice itself that a new practice is made with. The address is chosen anew.
PRACTICE_FACTS = tuple(
    str(field.column) for field in Practice._meta.local_fields if field.column not in {"id", "slug", "created_at"}
)
#: What a spreadsheet may take for a formula, and the mark itself.
_SUSPICIOUS = r"^[=+@\t\r\n''-]"


class ExportRefused(Refusal):
    """The file cannot be written."""

    code = "export_refused"


@dataclass(frozen=True, slots=True)
class Exported:
    """A finished export."""

    path: Path
    row_counts: dict[str, int]

    @property
    def row_count(self) -> int:
        return sum(self.row_counts.values())


def export_practice(practice: PracticeFacts, target: Path, *, now: datetime, migrations: list[str]) -> Exported:
    """Write the ZIP. Raises ExportRefused where the name is taken, OSError; nothing half-written stays behind."""
    try:
        with new_file(target) as out:
            row_counts = _write(out, practice, now, migrations)
    except FileExistsError as error:
        raise ExportRefused(f"{target} exists already, and nothing is overwritten. Choose another name.") from error
    return Exported(target, row_counts)


def _write(out: IO[bytes], practice: PracticeFacts, now: datetime, migrations: list[str]) -> dict[str, int]:
    tables = exported_tables()
    manifest: dict[str, Any] = {"format": FORMAT, "exported_at": now.isoformat(), "migrations": migrations}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, practice_transaction(practice.id):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        facts = Practice.objects.filter(pk=practice.id).values(*PRACTICE_FACTS).get()
        manifest["practice"] = {"slug": practice.slug, **facts}
        manifest["tables"] = {table.name: _write_table(archive, table) for table in tables}
        archive.writestr("README.md", page(tables))
        archive.writestr(MANIFEST, json.dumps(manifest, indent=2, default=str))
    return {name: table["rows"] for name, table in manifest["tables"].items()}


def _write_table(archive: zipfile.ZipFile, table: ExportedTable) -> dict[str, Any]:
    digest = hashlib.sha256()
    with archive.open(table.file_name, "w", force_zip64=True) as file, connection.cursor() as cursor:
        chosen = ", ".join(f'{_exported(column)} AS "{column.name}"' for column in table.columns)
        with cursor.copy(
            f'COPY (SELECT {chosen} FROM "{table.name}" ORDER BY id) TO STDOUT (FORMAT csv, HEADER)'
        ) as rows:
            for piece in rows:
                file.write(piece)
                digest.update(piece)
        count: int = cursor.rowcount
    return {"rows": count, "columns": [column.name for column in table.columns], "sha256": digest.hexdigest()}


def _exported(column: Column) -> str:
    if column.left_out:
        return "NULL" if column.is_nullable else "''"
    if column.is_text:
        return f"""CASE WHEN "{column.name}" ~ '{_SUSPICIOUS}' THEN '''' || "{column.name}" ELSE "{column.name}" END"""
    return f'"{column.name}"'

"""What was imported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .layouts import LAYOUTS
from .models import ImportedFile


@dataclass(frozen=True, slots=True)
class History:
    """One file that was taken in."""

    kind_label: str
    file_name: str
    row_count: int
    created_count: int
    changed_count: int
    unchanged_count: int
    imported_at: datetime
    imported_by_name: str


@query(Permission.ADMINISTRATOR)
def imported_files(actor: Actor, *, offset: int = 0, limit: int = 50) -> Sequence[History]:
    """Imported files, newest first."""
    files = ImportedFile.objects.filter(kind__in=LAYOUTS).order_by("-imported_at", "-pk")[offset : offset + limit]
    return [
        History(
            LAYOUTS[file.kind].label, file.file_name, file.row_count, file.created_count, file.changed_count,
            file.unchanged_count, file.imported_at, file.imported_by_name,
        )
        for file in files
    ]  # fmt: skip

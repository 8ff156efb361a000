"""How an export is told from other files. No Django: the command line asks before settings are read."""

from __future__ import annotations

import zipfile
from pathlib import Path

FORMAT = "daysheet-export-1"
MANIFEST = "manifest.json"


def is_export(path: Path) -> bool:
    """Whether a file is a ZIP with a manifest of ours."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return MANIFEST in archive.namelist()

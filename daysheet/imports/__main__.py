"""Writes docs/import.md: `python -m daysheet.imports`."""

from __future__ import annotations

import os
from pathlib import Path

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daysheet.config.settings")
    django.setup()
    from .guide import guide

    (Path(__file__).resolve().parents[2] / "docs" / "import.md").write_text(guide(), encoding="utf-8")

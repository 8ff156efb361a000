"""The one password of the demo's people: random, hashed in the database, kept for the command in the data folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings


def demo_password() -> tuple[str, bool]:
    """(password, whether it was made just now). Kept in `demo-password`, readable by Daysheet's account only."""
    path = Path(settings.DATA_FOLDER) / "demo-password"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        kept = path.read_text(encoding="utf-8").strip()
        if kept:
            return kept, False
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC, 0o600)
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(password + "\n")
    return password, True

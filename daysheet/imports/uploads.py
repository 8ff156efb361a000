"""Uploaded files between preview and confirmation, in the data folder: a file input cannot be sent a second time.

One private folder a practice, each file named by its own digest, readable by Daysheet's account only, gone after a day.
"""

from __future__ import annotations

import hashlib
import os
import re
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from daysheet.practices.actor import Actor

KEPT_FOR = timedelta(days=1)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def keep_upload(actor: Actor, content: bytes) -> str:
    """Keep a file until it is confirmed; returns its SHA-256 digest. Files of yesterday go."""
    folder = _folder(actor)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_old(folder, actor.now)
    sha256 = hashlib.sha256(content).hexdigest()
    part = folder / f"{sha256}.{os.getpid()}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    part.replace(folder / sha256)
    return sha256


def read_upload(actor: Actor, sha256: str) -> bytes | None:
    """The file kept under this digest; None where it is not this practice's, or gone."""
    if not _SHA256.fullmatch(sha256):
        return None
    try:
        return (_folder(actor) / sha256).read_bytes()
    except FileNotFoundError:
        return None


def forget_upload(actor: Actor, sha256: str) -> None:
    """Remove a file that was imported."""
    if _SHA256.fullmatch(sha256):
        (_folder(actor) / sha256).unlink(missing_ok=True)


def _folder(actor: Actor) -> Path:
    return Path(settings.DATA_FOLDER) / "uploads" / str(actor.practice.id)


def _forget_old(folder: Path, now: datetime) -> None:
    oldest = (now - KEPT_FOR).timestamp()
    for path in folder.iterdir():
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)

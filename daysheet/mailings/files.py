"""The PDF files of runs, in the data folder: one private folder a practice, names that nobody can guess, readable by
Daysheet's account only. They can be made again, and are removed after some days."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

#: A file is there for so long; "Make the file again" needs no more than a minute.
KEPT_FOR = timedelta(days=7)
#: What was begun and not finished goes after this.
_STRAYS_KEPT_FOR = timedelta(days=1)


def file_path(practice_id: int, key: str) -> Path:
    """Where the file of this key lies."""
    return _folder(practice_id) / f"{key}.pdf"


@contextmanager
def new_file(practice_id: int, key: str) -> Iterator[tuple[BinaryIO, Callable[[], tuple[int, str]]]]:
    """A file to write to, and what says its size and SHA-256 once it is complete and in its place. What is not
    completed leaves nothing under the key."""
    folder = _folder(practice_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = folder / f"{key}.part"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:

            def complete() -> tuple[int, str]:
                file.flush()
                os.fsync(file.fileno())
                with part.open("rb") as written:
                    digest = hashlib.file_digest(written, "sha256").hexdigest()
                part.replace(file_path(practice_id, key))
                return file_path(practice_id, key).stat().st_size, digest

            yield file, complete
    finally:
        part.unlink(missing_ok=True)


def has_file(practice_id: int, key: str) -> bool:
    """Whether the file is there: not after somebody emptied the folder, or on another machine."""
    return file_path(practice_id, key).is_file()


def remove_file(practice_id: int, key: str) -> None:
    """Take a file away; one that is gone already is no mistake."""
    file_path(practice_id, key).unlink(missing_ok=True)


def remove_strays(practice_id: int, known: Collection[str], now: datetime) -> None:
    """What a killed worker left, and what no run knows."""
    oldest = (now - _STRAYS_KEPT_FOR).timestamp()
    for path in _folder(practice_id).glob("*"):
        is_known = path.suffix == ".pdf" and path.stem in known
        if not is_known and path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)


def _folder(practice_id: int) -> Path:
    return Path(settings.DATA_FOLDER) / "mailings" / str(practice_id)

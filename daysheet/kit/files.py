"""Files that people keep: whole or not there, never in the place of another, for their owner's eyes only."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

#: What a file system says that knows no second name for a file (a memory stick, some network disks).
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


@contextmanager
def new_file(target: Path, *, is_whole: Callable[[Path], object] | None = None) -> Iterator[BinaryIO]:
    """A file to write, which gets its name when the block ends well and `is_whole`, which reads it through, does not
    raise. Until then it is called `….partial`; what a killed process left under that name is replaced. Raises
    FileExistsError where the name is taken, at the end too."""
    if target.exists():
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        if is_whole:
            is_whole(partial)
        _name(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _name(partial: Path, target: Path) -> None:
    """A link and not a rename: it refuses where another process has taken the name meanwhile."""
    try:
        os.link(partial, target)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if target.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from error
        partial.rename(target)

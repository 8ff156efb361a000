"""The backup file itself: what was written comes back, and nothing that was changed does."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest

from daysheet.backup import archive as archive_module
from daysheet.backup.archive import (
    MAGIC,
    PIECE_BYTES,
    ArchiveDamaged,
    ArchiveRefused,
    ArchiveWriter,
    NotABackup,
    WrongPassphrase,
    check,
    read_header,
    read_pieces,
)

FILES = {"database.dump": os.urandom(3 * PIECE_BYTES + 17), "empty": b"", "secret-key": b"abc"}


def written(passphrase: str | None) -> bytes:
    out = io.BytesIO()
    archive = ArchiveWriter(out, {"taken_at": "2026-11-25T12:00:00+00:00"}, passphrase)
    for name, content in FILES.items():
        archive.begin_file(name)
        archive.write(content)
    archive.finish()
    return out.getvalue()


@pytest.fixture(scope="module", params=["correct horse", None], ids=["sealed", "open"])
def backup(request: pytest.FixtureRequest) -> Iterator[tuple[bytes, str | None]]:
    """Opened a hundred times: the work of making a key from a passphrase is kept small."""
    with pytest.MonkeyPatch.context() as cheap:
        cheap.setattr(archive_module, "_COST", 2)
        content = written(request.param)
    yield content, request.param


def files_of(content: bytes, passphrase: str | None) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for piece in read_pieces(io.BytesIO(content), passphrase):
        files[piece.file_name] = files.get(piece.file_name, b"") + piece.data
    return files


def test_what_was_written_comes_back(backup: tuple[bytes, str | None]) -> None:
    content, passphrase = backup
    assert files_of(content, passphrase) == FILES
    assert check(io.BytesIO(content), passphrase) == sum(map(len, FILES.values()))
    assert read_header(io.BytesIO(content))["taken_at"] == "2026-11-25T12:00:00+00:00"


def test_a_sealed_backup_shows_nothing_of_its_content() -> None:
    content = written("correct horse")
    assert b"database.dump" not in content
    assert FILES["database.dump"][:64] not in content
    assert written("correct horse") != content


def test_every_changed_byte_is_noticed(backup: tuple[bytes, str | None]) -> None:
    content, passphrase = backup
    header_end = len(MAGIC) + 4 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4])
    places = [*range(header_end), *range(header_end, len(content), len(content) // 97), len(content) - 1]
    for place in places:
        changed = bytearray(content)
        changed[place] ^= 0x01
        with pytest.raises(ArchiveRefused):
            check(io.BytesIO(bytes(changed)), passphrase)


def test_every_cut_is_noticed(backup: tuple[bytes, str | None]) -> None:
    content, passphrase = backup
    for length in [0, 5, len(MAGIC), 40, len(content) // 2, len(content) - 40, len(content) - 1, *_ends(content)]:
        with pytest.raises(ArchiveRefused):
            check(io.BytesIO(content[:length]), passphrase)
    with pytest.raises(ArchiveRefused):
        check(io.BytesIO(content + content[-21:]), passphrase)


def _ends(content: bytes) -> list[int]:
    """Where each record but the last ends: the cuts that leave nothing but whole records."""
    place = len(MAGIC)
    place += 4 + int.from_bytes(content[place : place + 4])
    ends = []
    while place < len(content):
        ends.append(place)
        place += 4 + int.from_bytes(content[place : place + 4])
    return ends


def test_records_that_changed_places_are_noticed(backup: tuple[bytes, str | None]) -> None:
    content, passphrase = backup
    first, second, third = _ends(content)[1:4]
    swapped = content[:first] + content[second:third] + content[first:second] + content[third:]
    with pytest.raises(ArchiveDamaged):
        check(io.BytesIO(swapped), passphrase)


def test_another_passphrase_is_told_from_damage() -> None:
    content = written("correct horse")
    for wrong in ("Correct horse", "", None):
        with pytest.raises(WrongPassphrase):
            next(read_pieces(io.BytesIO(content), wrong))


@pytest.mark.parametrize("content", [b"", b"PGDMP", MAGIC, MAGIC + b"\xff\xff\xff\xff", MAGIC + b"\x00\x00\x00\x02[]"])
def test_other_files_are_refused(content: bytes) -> None:
    with pytest.raises(NotABackup):
        check(io.BytesIO(content), None)


def test_a_header_that_asks_for_endless_work_is_refused() -> None:
    content = written("correct horse").replace(b'"cost": 65536', b'"cost": 16777216')
    length = int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4]) + 3
    content = MAGIC + length.to_bytes(4) + content[len(MAGIC) + 4 :]
    with pytest.raises(ArchiveDamaged):
        check(io.BytesIO(content), "correct horse")

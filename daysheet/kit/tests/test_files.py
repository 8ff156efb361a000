"""A file that people keep is whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from daysheet.kit.files import new_file


def test_it_gets_its_name_at_the_end_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    target = tmp_path / "books.backup"
    with new_file(target) as out:
        out.write(b"whole")
        assert not target.exists()
    assert target.read_bytes() == b"whole"
    assert target.stat().st_mode & 0o777 == 0o600
    assert names(tmp_path) == ["books.backup"]


def test_what_failed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "books.backup") as out:
        out.write(b"half")
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_nothing_is_overwritten_not_even_what_came_meanwhile(tmp_path: Path) -> None:
    target = tmp_path / "books.backup"
    with pytest.raises(FileExistsError), new_file(target) as out:
        out.write(b"mine")
        target.write_bytes(b"theirs")
    with pytest.raises(FileExistsError), new_file(target):
        pytest.fail("the name was taken")
    assert target.read_bytes() == b"theirs"
    assert names(tmp_path) == ["books.backup"]


def test_what_a_killed_process_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "books.backup.partial").write_bytes(b"half")
    with new_file(tmp_path / "books.backup") as out:
        out.write(b"whole")
    assert names(tmp_path) == ["books.backup"]


@pytest.mark.parametrize("taken", [False, True])
def test_a_disk_without_links_is_good_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool) -> None:
    """A memory stick: the file is renamed, and still takes no other's place."""

    def no_links(*_: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "books.backup"
    if taken:
        with pytest.raises(FileExistsError), new_file(target) as out:
            out.write(b"mine")
            target.write_bytes(b"theirs")
    else:
        with new_file(target) as out:
            out.write(b"mine")
    assert target.read_bytes() == (b"theirs" if taken else b"mine")
    assert names(tmp_path) == ["books.backup"]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())

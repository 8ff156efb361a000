"""The format of a backup file: named files in one stream of records, each sealed when written and opened when read.

    "daysheet-backup-1\\n" · length and JSON header · record · record · … · last record

A record is one kind byte and its payload: F begins a file (its name), D is up to a mebibyte of it, E is the end. With
a passphrase each record is AES-256-GCM in the STREAM construction: the nonce counts the records and marks the last, so
that a record changed, moved, left out or cut off is noticed. Without one, each record carries the SHA-256 of itself
and of all before it: that finds damage, but not somebody who forges the file on purpose.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

MAGIC = b"daysheet-backup-1\n"
#: The largest piece of a file in one record, in bytes.
PIECE_BYTES = 1 << 20
_LARGEST_RECORD = PIECE_BYTES + 1024
_LARGEST_HEADER = 1 << 16
_LENGTH = struct.Struct(">I")
_FILE, _DATA, _END = b"F", b"D", b"E"
#: scrypt's cost: about 64 MiB and a quarter of a second. A file that asks for more than the most is refused unread.
_COST, _MOST_COST = 1 << 16, 1 << 18


class ArchiveRefused(Exception):
    """The file is not read any further; the message says why. Nothing has been changed."""


class NotABackup(ArchiveRefused):
    """The file is something else."""


class WrongPassphrase(ArchiveRefused):
    """The passphrase is missing, or not the one that the file was sealed with."""


class ArchiveDamaged(ArchiveRefused):
    """A record was changed, moved, or is missing; or the file was cut short."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one of the files; the parts of a file follow each other."""

    file_name: str
    data: bytes


class _Seal(Protocol):
    def close(self, record: bytes, *, is_last: bool) -> bytes: ...

    def open(self, sealed: bytes, *, is_last: bool) -> bytes: ...


class ArchiveWriter:
    """Writes one backup file. `facts` go into the header, which anybody can read: nothing of a client belongs there."""

    def __init__(self, out: BinaryIO, facts: dict[str, Any], passphrase: str | None) -> None:
        self._out = out
        header = dict(facts)
        key = None
        if passphrase:
            salt = os.urandom(16)
            key = _key(passphrase, salt, _COST)
            header["sealed"] = {
                "salt": salt.hex(), "cost": _COST, "nonce": os.urandom(7).hex(), "check": _check(key).hex()
            }  # fmt: skip
        encoded = json.dumps(header, sort_keys=True).encode()
        self._seal = _seal_of(header, encoded, key)
        out.write(MAGIC + _LENGTH.pack(len(encoded)) + encoded)

    def begin_file(self, name: str) -> None:
        """What is written from now on belongs to this file."""
        self._write(_FILE + name.encode())

    def write(self, data: bytes) -> None:
        """More of the file; any length."""
        for start in range(0, len(data), PIECE_BYTES):
            self._write(_DATA + data[start : start + PIECE_BYTES])

    def finish(self) -> None:
        """The end: a file without it is refused as cut short."""
        self._write(_END, is_last=True)

    def _write(self, record: bytes, *, is_last: bool = False) -> None:
        sealed = self._seal.close(record, is_last=is_last)
        self._out.write(_LENGTH.pack(len(sealed)) + sealed)


def read_header(source: BinaryIO) -> dict[str, Any]:
    """The facts of a backup file, without its passphrase. Raises NotABackup."""
    return _read_header(source)[0]


def read_pieces(source: BinaryIO, passphrase: str | None) -> Iterator[Piece]:
    """Everything in the file, in order. Raises ArchiveRefused: before the first piece where the passphrase is wrong, in
    the middle where the file is damaged; who must not act on half a file reads it through once first (`check`)."""
    header, encoded = _read_header(source)
    seal = _seal_of(header, encoded, _key_of(header, passphrase))
    name: str | None = None
    for record in _records(source, seal):
        kind, payload = record[:1], record[1:]
        if kind == _FILE:
            name = payload.decode()
            yield Piece(name, b"")
        elif kind == _DATA and name is not None:
            yield Piece(name, payload)
        elif kind != _END:
            raise ArchiveDamaged("The backup file is damaged: it has a record of no known kind.")


def check(source: BinaryIO, passphrase: str | None) -> int:
    """Read the whole file and believe nothing; returns its bytes of content. Raises ArchiveRefused."""
    return sum(len(piece.data) for piece in read_pieces(source, passphrase))


def _records(source: BinaryIO, seal: _Seal) -> Iterator[bytes]:
    sealed = _next_record(source)
    if sealed is None:
        raise ArchiveDamaged("The backup file is cut short: copy it again from where it was made.")
    while sealed is not None:
        following = _next_record(source)
        record = seal.open(sealed, is_last=following is None)
        if (record[:1] == _END) != (following is None):
            raise ArchiveDamaged("The backup file is damaged: its end is not where it should be.")
        yield record
        sealed = following


def _next_record(source: BinaryIO) -> bytes | None:
    prefix = source.read(_LENGTH.size)
    if not prefix:
        return None
    length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
    if not 0 < length <= _LARGEST_RECORD:
        raise ArchiveDamaged("The backup file is damaged: a record has an impossible length.")
    sealed = source.read(length)
    if len(sealed) < length:
        raise ArchiveDamaged("The backup file is cut short: copy it again from where it was made.")
    return sealed


def _read_header(source: BinaryIO) -> tuple[dict[str, Any], bytes]:
    if source.read(len(MAGIC)) != MAGIC:
        raise NotABackup("This is no backup file of Daysheet, or one of a newer kind.")
    prefix = source.read(_LENGTH.size)
    length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
    encoded = source.read(length) if 0 < length <= _LARGEST_HEADER else b""
    try:
        header = json.loads(encoded)
    except ValueError:
        header = None
    if not isinstance(header, dict):
        raise NotABackup("This backup file's beginning is damaged. Copy it again from where it was made.")
    return header, encoded


def _key_of(header: dict[str, Any], passphrase: str | None) -> bytes | None:
    sealed = header.get("sealed")
    if sealed is None:
        return None
    if not passphrase:
        raise WrongPassphrase("This backup is sealed with a passphrase: give it with --passphrase-file.")
    try:
        cost, salt, known = int(sealed["cost"]), bytes.fromhex(sealed["salt"]), bytes.fromhex(sealed["check"])
    except (KeyError, TypeError, ValueError):
        raise ArchiveDamaged("This backup file's beginning is damaged. Copy it again from where it was made.") from None
    if not 2 <= cost <= _MOST_COST or cost & (cost - 1):
        raise ArchiveDamaged("This backup file asks for an impossible amount of work to be opened: it is damaged.")
    key = _key(passphrase, salt, cost)
    if not hmac.compare_digest(_check(key), known):
        raise WrongPassphrase("The passphrase is not the one that this backup was sealed with. Nothing was changed.")
    return key


def _key(passphrase: str, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())


def _check(key: bytes) -> bytes:
    """Tells a wrong passphrase from a damaged file; says nothing of the key."""
    return hmac.digest(key, b"daysheet backup key check", "sha256")


def _seal_of(header: dict[str, Any], encoded: bytes, key: bytes | None) -> _Seal:
    if key is None:
        return _Chained(encoded)
    try:
        return _Encrypted(key, bytes.fromhex(header["sealed"]["nonce"]), encoded)
    except (KeyError, TypeError, ValueError):
        raise ArchiveDamaged("This backup file's beginning is damaged. Copy it again from where it was made.") from None


class _Encrypted:
    """AES-256-GCM; nonce = 7 random bytes of the file, 4 that count, 1 that marks the last. The header is authenticated
    with every record."""

    def __init__(self, key: bytes, prefix: bytes, header: bytes) -> None:
        if len(prefix) != 7:
            raise ValueError("a nonce begins with seven bytes")
        self._cipher, self._prefix, self._header = AESGCM(key), prefix, hashlib.sha256(header).digest()
        self._count = 0

    def close(self, record: bytes, *, is_last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(is_last), record, self._header)

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(is_last), sealed, self._header)
        except InvalidTag:
            raise ArchiveDamaged(
                "The backup file was changed, damaged or cut short. Use another one; nothing was changed here."
            ) from None

    def _nonce(self, is_last: bool) -> bytes:
        nonce = self._prefix + _LENGTH.pack(self._count) + (b"\x01" if is_last else b"\x00")
        self._count += 1
        return nonce


class _Chained:
    """A checksum of each record and of all before it."""

    def __init__(self, header: bytes) -> None:
        self._digest = hashlib.sha256(header).digest()

    def close(self, record: bytes, *, is_last: bool) -> bytes:
        return self._next(record, is_last) + record

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        digest, record = sealed[:32], sealed[32:]
        if self._next(record, is_last) != digest:
            raise ArchiveDamaged("The backup file was damaged or cut short. Use another one; nothing was changed here.")
        return record

    def _next(self, record: bytes, is_last: bool) -> bytes:
        self._digest = hashlib.sha256(self._digest + (b"\x01" if is_last else b"\x00") + record).digest()
        return self._digest

"""Which signs the shipped fonts can print. A PDF/UA file may not hold a sign that no font has: such a one shows as □.

DejaVu Sans stands for everything that the text font has too; Noto Emoji adds the emoji.
"""

from __future__ import annotations

import functools
import re
import struct
from collections.abc import Iterator
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
MISSING = "\u25a1"
_PLAIN = re.compile(r"[\t\n\r -~\u00a0-\u024f\u2010-\u2027\u2030-\u203a]*")
#: Invisible; every font engine skips them.
_IGNORED = frozenset("\u200b\u200c\u200d\u00ad\ufe0e\ufe0f")


def printable(text: str) -> str:
    """The text, with □ for each sign that no shipped font has."""
    if _PLAIN.fullmatch(text):
        return text
    known = known_signs()
    return "".join(sign if sign in known else MISSING for sign in text)


@functools.cache
def known_signs() -> frozenset[str]:
    """Every sign of the shipped fonts."""
    points = {point for path in sorted(FONTS.glob("*.ttf")) for point in _code_points(path.read_bytes())}
    return frozenset(map(chr, points)) | _IGNORED | {"\n"}


def _code_points(font: bytes) -> Iterator[int]:
    """The code points of a TrueType font: the sub-table of format 12 where it has one, else that of format 4."""
    cmap = _table(font, b"cmap")
    (count,) = struct.unpack_from(">H", cmap, 2)
    offsets = [struct.unpack_from(">HHI", cmap, 4 + 8 * number)[2] for number in range(count)]
    formats = {struct.unpack_from(">H", cmap, offset)[0]: offset for offset in offsets}
    if 12 in formats:
        yield from _format_12(cmap, formats[12])
    else:
        yield from _format_4(cmap, formats[4])


def _table(font: bytes, tag: bytes) -> bytes:
    (count,) = struct.unpack_from(">H", font, 4)
    for number in range(count):
        name, _, offset, length = struct.unpack_from(">4sIII", font, 12 + 16 * number)
        if name == tag:
            return font[offset : offset + length]
    raise ValueError(f"the font has no table {tag!r}")


def _format_12(cmap: bytes, offset: int) -> Iterator[int]:
    (groups,) = struct.unpack_from(">I", cmap, offset + 12)
    for number in range(groups):
        first, last, glyph = struct.unpack_from(">III", cmap, offset + 16 + 12 * number)
        yield from range(first + (glyph == 0), last + 1)


def _format_4(cmap: bytes, offset: int) -> Iterator[int]:
    (twice,) = struct.unpack_from(">H", cmap, offset + 6)
    ends = struct.unpack_from(f">{twice // 2}H", cmap, offset + 14)
    starts = struct.unpack_from(f">{twice // 2}H", cmap, offset + 16 + twice)
    for first, last in zip(starts, ends, strict=True):
        yield from range(first, min(last, 0xFFFE) + 1)

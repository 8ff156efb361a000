"""What strangers, broken browsers and tired people send: values, and ways of wrapping them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote_from_bytes

from hypothesis import strategies as st

#: Each has broken some web application. A lone surrogate is kept: as bytes it is what no UTF-8 text holds.
VALUES = [
    "", " ", "\x00", "a\x00b", "\x0b\x1b[31m", "-1", "0", "1", "+1", "-0", "00", "9" * 30, "-" + "9" * 30, str(2**31),
    str(2**63), str(2**63 - 1), "1e400", "1E5", "NaN", "Infinity", "-inf", "0x1f", "1_000", "١٢٣", "²", "½", "1.005",
    "$1,234.567", "92233720368547758.08", "999999999999.99", "-0.01", ".", ",", "2026-02-30", "0000-00-00",
    "0001-01-01", "9999-12-31", "10000-01-01", "11/31/2026", "02/29/2027", "01/01/0001", "12/31/9999", "2026-11-16",
    "11/02/2026", "2026-11", "2026-W53", "24:00", "25:61", "9:30 AM", "00:00", "09:30", "23:59:60",
    "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "not-a-uuid", "{}", "[]", "null",
    "true", "on", "yes", "\ud800", "\U0001f600" * 20, "\u202eevil", "\u2028", "é" * 300, "<script>alert(1)</script>",
    "'; DROP TABLE ledger_entry; --", "{{ 7*7 }}", "{% include 'x' %}", "#panic()", "%s%n", "../../../etc/passwd",
    "\r\nSet-Cookie: a=b", "=cmd|'/c calc'!A0", "//evil.example", "javascript:alert(1)", "a" * 5000, "1" * 5000,
    "x@" + "y" * 300 + ".example", "a@b.example\nBcc: c@d.example", "F41.1", "11", "95", "GT", "NY", "12345",
]  # fmt: skip

values = st.one_of(st.sampled_from(VALUES), st.text(max_size=40), st.integers().map(str), st.dates().map(str))

#: Where a field ends: the first and the last day, month, number; what no text holds.
EDGES = [
    "9999-12-31", "0001-01-01", "9999-12", "0001-01", "9" * 30, "12/31/9999", str(2**63 - 1), "-1", "a\x00b", "\ud800",
    "²", "1" * 5000, "Infinity",
]  # fmt: skip
#: What is no picture, no table, or half of one.
FILES = [
    b"", b"\x00", b"\xff\xfe\x00", b"\xef\xbb\xbf", b"ID,Name\n", b"ID,Name\nL9,\xff\n", b'ID,Name\n"L9', b"ID,ID\n1,2",
    b"\n\n\n", b"," * 5000, b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff",
    b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"=1+1,@SUM(A1)\r\n",
]  # fmt: skip

_OTHER_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_SPOILT: list[Callable[[str], str]] = [
    lambda text: text.translate(_OTHER_DIGITS), lambda text: text[:1] + text[1:].translate(_OTHER_DIGITS),
    lambda text: f" {text}\n", lambda text: text + text, lambda text: text * 400, lambda text: f"-{text}",
    lambda text: f"{text}.0", str.swapcase, lambda text: text[:-1], lambda text: f"0{text}",
    lambda text: text + "\u200b",
]  # fmt: skip


def nearly(fine: Sequence[str]) -> st.SearchStrategy[str]:
    """What would be right, a little spoilt."""
    return st.builds(lambda spoil, text: spoil(text), st.sampled_from(_SPOILT), st.sampled_from(fine))


#: How the fields are wrapped, as often among twenty.
WRAPPINGS = (
    ["form"] * 11
    + ["multipart"] * 3
    + ["files", "broken multipart", "json", "other charset", "no such charset", "raw bytes"]
)


Fields = list[tuple[str, str]]
#: (name, what the file is called, its bytes).
File = tuple[str, str, bytes]
_FORM = "application/x-www-form-urlencoded"


def as_bytes(text: str) -> bytes:
    """UTF-8, with what UTF-8 does not know as it would come in."""
    return text.encode("utf-8", "surrogatepass")


def query_of(fields: Fields) -> str:
    """The fields percent-encoded."""
    return "&".join(f"{quote_from_bytes(as_bytes(name))}={quote_from_bytes(as_bytes(value))}" for name, value in fields)


def body_of(wrapping: str, fields: Fields, files: Sequence[File] = ()) -> dict[str, Any]:
    """`data` and `content_type` for the test client's `generic`. Files come in no other way than multipart."""
    if wrapping == "files":
        files = [*files, *((name, value[:50], as_bytes(value)) for name, value in fields)]
        fields = []
    if files or "multipart" in wrapping:
        whole = _multipart(fields, files)
        cut = whole[:-15] if wrapping == "broken multipart" else whole
        return {"data": cut, "content_type": "multipart/form-data; boundary=BoUnD"}
    plain = query_of(fields).encode()
    if wrapping == "json":
        return {"data": json.dumps(dict(fields)).encode(), "content_type": "application/json"}
    if wrapping == "other charset":
        return {"data": plain, "content_type": f"{_FORM}; charset=utf-16"}
    if wrapping == "no such charset":
        return {"data": plain, "content_type": f"{_FORM}; charset=nonsense"}
    if wrapping == "raw bytes":
        raw = b"&".join(as_bytes(name) + b"=" + as_bytes(value) + b"%ff%zz" for name, value in fields)
        return {"data": raw, "content_type": _FORM}
    return {"data": plain, "content_type": _FORM}


def _multipart(fields: Fields, files: Sequence[File]) -> bytes:
    parts = [_part(name, b"", as_bytes(value)) for name, value in fields]
    for name, called, content in files:
        quoted = as_bytes(called).replace(b'"', b"").replace(b"\r", b"").replace(b"\n", b"")
        parts.append(_part(name, b'; filename="' + quoted + b'"', content))
    return b"".join(parts) + b"--BoUnD--\r\n"


def _part(name: str, file: bytes, content: bytes) -> bytes:
    head = b'--BoUnD\r\nContent-Disposition: form-data; name="' + as_bytes(name) + b'"' + file
    return head + b"\r\n\r\n" + content + b"\r\n"

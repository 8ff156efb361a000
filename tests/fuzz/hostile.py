"""What strangers, broken browsers and tired people send: values, and ways of wrapping them."""

from __future__ import annotations

import json
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

#: (how the fields are wrapped, how often among twenty).
WRAPPINGS = (
    ["form"] * 11
    + ["multipart"] * 3
    + ["files", "broken multipart", "json", "other charset", "no such charset", "raw bytes"]
)


def as_bytes(text: str) -> bytes:
    """UTF-8, with what UTF-8 does not know as it would come in."""
    return text.encode("utf-8", "surrogatepass")


def query_of(fields: list[tuple[str, str]]) -> str:
    """The fields percent-encoded."""
    return "&".join(f"{quote_from_bytes(as_bytes(name))}={quote_from_bytes(as_bytes(value))}" for name, value in fields)


def body_of(wrapping: str, fields: list[tuple[str, str]]) -> dict[str, Any]:
    """`data` and `content_type` for the test client's `generic`."""
    form = "application/x-www-form-urlencoded"
    plain = query_of(fields).encode()
    if wrapping == "multipart" or wrapping == "files":
        return {"data": _multipart(fields, wrapping == "files"), "content_type": "multipart/form-data; boundary=BoUnD"}
    if wrapping == "broken multipart":
        return {"data": _multipart(fields, True)[:-15], "content_type": "multipart/form-data; boundary=BoUnD"}
    if wrapping == "json":
        return {"data": json.dumps(dict(fields)).encode(), "content_type": "application/json"}
    if wrapping == "other charset":
        return {"data": plain, "content_type": f"{form}; charset=utf-16"}
    if wrapping == "no such charset":
        return {"data": plain, "content_type": f"{form}; charset=nonsense"}
    if wrapping == "raw bytes":
        return {
            "data": b"&".join(as_bytes(n) + b"=" + as_bytes(v) + b"%ff%zz" for n, v in fields),
            "content_type": form,
        }
    return {"data": plain, "content_type": form}


def _multipart(fields: list[tuple[str, str]], as_files: bool) -> bytes:
    parts = []
    for name, value in fields:
        file = (
            b'; filename="' + as_bytes(value)[:50].replace(b'"', b"").replace(b"\r\n", b"") + b'"' if as_files else b""
        )
        head = b'Content-Disposition: form-data; name="' + as_bytes(name) + b'"' + file
        parts.append(b"--BoUnD\r\n" + head + b"\r\n\r\n" + as_bytes(value) + b"\r\n")
    return b"".join(parts) + b"--BoUnD--\r\n"

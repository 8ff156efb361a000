"""Signed messages: HMAC-SHA256 over the moment and the body, as `t=<seconds>,v1=<hex>`."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime

from .base import BadSignature

#: How far the moment of a signature may lie from now: an overheard message cannot be sent again much later.
TOLERANCE_SECONDS = 300


def sign(secret: str, body: bytes, at: int) -> str:
    """The header's value for a body sent at `at` (seconds of the epoch)."""
    return f"t={at},v1={_mac(secret, body, at)}"


def check(secret: str, body: bytes, header: str, now: datetime) -> None:
    """Raises BadSignature unless `header` signs `body` with `secret` within the tolerance of `now`."""
    moments = [text[2:] for text in header.split(",") if text.startswith("t=")]
    given = [text[3:] for text in header.split(",") if text.startswith("v1=")]
    if len(moments) != 1 or not moments[0].isdecimal() or len(moments[0]) > 12 or not given:
        raise BadSignature("The message carries no signature.")
    at = int(moments[0])
    expected = _mac(secret, body, at)
    # There may be several: after a change of the secret a processor signs with both for a while.
    if not any(hmac.compare_digest(expected.encode(), each.encode()) for each in given):
        raise BadSignature("The message was not signed with this account's secret.")
    if abs(now.timestamp() - at) > TOLERANCE_SECONDS:
        raise BadSignature("The message was signed too long ago.")


def _mac(secret: str, body: bytes, at: int) -> str:
    return hmac.new(secret.encode(), str(at).encode() + b"." + body, hashlib.sha256).hexdigest()

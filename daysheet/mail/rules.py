"""When a message is tried again, and what a mail server's answer means. No database, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

#: After the first, second … failure: two days in all. RFC 5321 (4.5.4.1) asks senders for patience of days.
DELAYS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
    timedelta(hours=30),
)


class Verdict(StrEnum):
    """What a try came to."""

    ACCEPTED = "accepted"
    #: The server may take it later; nothing was handed over.
    TEMPORARY = "temporary"
    #: The server will never take it as it is.
    REFUSED = "refused"
    #: Everything was handed over and no answer came: it may have arrived.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Answer:
    """A try's verdict, with the server's code and words where it said any. `is_line_lost`: nothing more can be sent
    over this connection, which says nothing about the message."""

    verdict: Verdict
    code: int | None = None
    words: str = ""
    is_line_lost: bool = False
    sha256: str = ""
    size_bytes: int = 0


def delay_after(failure_count: int) -> timedelta | None:
    """How long to wait after so many failures in all; None: give up."""
    return DELAYS[failure_count - 1] if failure_count <= len(DELAYS) else None


def verdict_of(code: int) -> Verdict:
    """What a reply code says of a message (RFC 5321, 4.2.1)."""
    if 200 <= code < 300:
        return Verdict.ACCEPTED
    return Verdict.REFUSED if 500 <= code < 600 else Verdict.TEMPORARY

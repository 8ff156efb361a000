"""One at a time in a practice: work of a kind of which two at once would not see each other, and which has no row that
both would lock anyhow."""

from __future__ import annotations

from enum import IntEnum

from django.db import connection


class Turn(IntEnum):
    """Kinds of such work. The numbers are the first halves of advisory locks, which nothing else uses."""

    IMPORT = 0x1A9047
    MAILING = 0x1A9048


def take_turn(turn: Turn, practice_id: int) -> None:
    """Waits until no other transaction of this practice is at such work, and makes others wait until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [int(turn), practice_id % 2**31])

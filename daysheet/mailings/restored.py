"""After a backup was restored, or an export taken back: what waited then may have been sent since, and nobody here can
know. Nothing of it leaves by itself: messages are withdrawn, runs stand as stopped, and a person decides.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

_WORDS = "Held back when the data were restored: it may have been sent since."
_STEPS = f"""
    INSERT INTO mail_deliverystep
        (practice_id, id, message_id, at, outcome, words, address, by_name, sha256, size_bytes)
    SELECT practice_id, gen_random_uuid(), id, %(now)s, 'withdrawn', '{_WORDS}', address, 'Daysheet restore', '', 0
    FROM mail_message WHERE state IN ('waiting', 'sending') AND (practice_id = %(practice)s OR %(practice)s IS NULL)"""
_MESSAGES = """
    UPDATE mail_message SET state = 'withdrawn', claim_id = NULL, handed_over_at = NULL
    WHERE state IN ('waiting', 'sending') AND (practice_id = %(practice)s OR %(practice)s IS NULL)"""
_RUNS = """
    UPDATE jobs_jobrun SET state = 'failed', finished_at = %(now)s, error = 'Restored'
    WHERE kind = 'mailing' AND state IN ('queued', 'running')
    AND (practice_id = %(practice)s OR %(practice)s IS NULL)"""


def hold_back(cursor: Any, now: datetime, *, practice_id: int | None = None) -> int:
    """Hold back what waits, of one practice or of all, as the owner of the tables; returns how many messages."""
    given = {"now": now, "practice": practice_id}
    cursor.execute(_STEPS, given)
    cursor.execute(_MESSAGES, given)
    held: int = cursor.rowcount
    cursor.execute(_RUNS, given)
    return held

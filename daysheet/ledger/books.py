"""Through which day a practice's books are closed (M10), and the lock that keeps posting and closing apart.

Lock rule: the row of `Books` comes after the locks of clients, lines and payments for those who post, and is the first
and only lock of the one who closes. So nobody waits in a circle.
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection

from daysheet.kit.ids import new_id
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Books

_SHARED, _ALONE = "FOR SHARE", "FOR UPDATE"


@query(Permission.BILLING)
def closed_through(actor: Actor) -> date | None:
    """The last closed day; None where none is. For pages: whoever posts asks `hold_books`."""
    return Books.objects.values_list("closed_through_on", flat=True).first()


@query(Permission.BILLING)
def first_open_day(actor: Actor) -> date | None:
    """The day that money of a closed day is posted on; None where no day is closed."""
    closed_on = closed_through(actor)
    return closed_on + timedelta(days=1) if closed_on else None


def open_books() -> None:
    """A new practice begins with nothing closed."""
    Books.objects.create()


def hold_books(actor: Actor) -> date | None:
    """The last closed day, which stays the last one until this transaction ends. Many may hold it at once."""
    return _locked(actor.practice.id, _SHARED)


def hold_books_alone(actor: Actor) -> date | None:
    """The same, while nobody posts: waits for those who do, and lets others wait until this transaction ends."""
    return _locked(actor.practice.id, _ALONE)


def _locked(practice_id: int, strength: str) -> date | None:
    """Reads the row after waiting for its lock, as it then is; makes one where a practice has none."""
    found = f"SELECT closed_through_on FROM ledger_books WHERE practice_id = %s {strength}"
    with connection.cursor() as cursor:
        cursor.execute(found, [practice_id])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO ledger_books (practice_id, id) VALUES (%s, %s) ON CONFLICT (practice_id) DO NOTHING",
                [practice_id, new_id()],
            )
            cursor.execute(found, [practice_id])
            row = cursor.fetchone()
    closed_on: date | None = row[0] if row else None
    return closed_on

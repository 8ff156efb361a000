"""What the database's sessions are called, so that it can be asked who is at work.

A session on which a person asked for a page carries the moment in its name, until a person asks on it again. So what
comes between, such as a page that refreshes its progress every second, neither counts nor hides who was there.
"""

from __future__ import annotations

from django.db import connection

#: So long after somebody's last page there is nobody at work: a person at a desk clicks every few seconds.
_QUIET_SECONDS = 3


def session_name(process: str) -> str:
    """The name of the sessions of a process that `daysheet serve` runs: `web`, `worker`."""
    return f"daysheet {process}"


#: The server's clock, because web processes may run on several machines. Not LOCAL: it has to outlast the transaction.
NOTE_PERSON = (
    f"SELECT set_config('application_name', '{session_name('web')} ' || extract(epoch FROM clock_timestamp()), false)"
)
# Named within its transaction: that one still runs, however long it takes. Our own session waits for no piece.
_ASKED = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity a, LATERAL (SELECT substring(a.application_name FROM %s)::numeric) AS person (came)
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
        AND (came > extract(epoch FROM clock_timestamp()) - %s
             OR a.state <> 'idle' AND came >= extract(epoch FROM a.xact_start)))"""
_MOMENT = rf"^{session_name('web')} (\d+\.\d+)$"


def pages_are_asked_for() -> bool:
    """Whether a person waits for a page of a practice or asked for one a moment ago, whichever machine served it."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, [_MOMENT, _QUIET_SECONDS])
        return bool(cursor.fetchone()[0])

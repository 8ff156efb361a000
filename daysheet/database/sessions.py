"""What the database's sessions are called, so that it can be asked who is at work."""

from __future__ import annotations

from django.db import connection

#: So long after somebody's last page there is nobody at work: a person at a desk clicks every few seconds.
_QUIET_SECONDS = 3
_ASKED = """
    SELECT EXISTS (
        SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s
        AND (state <> 'idle' OR state_change > clock_timestamp() - make_interval(secs => %s)))"""


def session_name(process: str) -> str:
    """The name of the sessions of a process that `daysheet serve` runs: `web`, `worker`."""
    return f"daysheet {process}"


def pages_are_asked_for() -> bool:
    """Whether somebody waits for a page or had one a moment ago, whichever machine served it. Sessions of the web
    processes tell; ones that go by another name (`application_name` in DATABASE_URL) are not noticed."""
    with connection.cursor() as cursor:
        cursor.execute(_ASKED, [session_name("web"), _QUIET_SECONDS])
        return bool(cursor.fetchone()[0])

"""For the journey of a long pause: makes a session look as if nobody had clicked for an hour. Runs in a process of its
own, in the database that DATABASE_URL names, with the server's keys."""

from __future__ import annotations

import sys

import django


def pause(session_key: str) -> None:
    """An hour is taken off every sign of life."""
    from django.contrib.sessions.backends.db import SessionStore

    session = SessionStore(session_key)
    session["seen_at"] -= 3600
    for proof in session.get("account_authentication_methods", []):
        proof["at"] -= 3600
    session.save()


if __name__ == "__main__":
    django.setup()
    pause(sys.argv[1])

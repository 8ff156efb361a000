"""What every command does first: find the database, refuse one that will not do, bring it up to date."""

from __future__ import annotations

import os
import socket
import sys
import time

from daysheet.database.requirements import check_distribution, check_server
from daysheet.database.server import EmbeddedServer
from daysheet.database.trouble import Trouble, trouble_of

from . import environment
from .failures import CommandFailed, ExitCode, explained

#: PostgreSQL's log of changes grows by files of this size.
_LEAST_FREE_BYTES = 16 * 1024 * 1024
#: How long a migration waits for a table, and how often it comes back: a chunk of a batch takes a few seconds.
_MIGRATION_LOCK_SECONDS, _MIGRATION_TRIES = 2, 40


def set_up(*, migrate: bool, as_owner: bool = False) -> None:
    """Find the database, refuse one that will not do or an unsafe role (tenancy rule 6), bring it up to date."""
    if bool(os.environ.get("DATABASE_URL")) != bool(os.environ.get("DATABASE_OWNER_URL")):
        raise CommandFailed(
            "set both DATABASE_URL (the runtime role daysheet_app) and DATABASE_OWNER_URL (the owner), or neither.",
            ExitCode.DATABASE_FAILED,
        )
    if not os.environ.get("DATABASE_URL"):
        cluster = EmbeddedServer(environment.home()).ensure_running()
        os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = cluster.app_url(), cluster.owner_url()
    check_server(os.environ["DATABASE_OWNER_URL"], os.environ["DATABASE_URL"])
    if as_owner:
        os.environ["DATABASE_URL"] = os.environ["DATABASE_OWNER_URL"]
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daysheet.config.settings")
    import django

    django.setup()
    if migrate:
        _migrate()
        _seal_plain_secrets()
    check_distribution(os.environ["DATABASE_OWNER_URL"])


def embedded_server() -> EmbeddedServer | None:
    """The embedded server, where it is what this process works on."""
    server = EmbeddedServer(environment.home())
    cluster = server.status()
    return server if cluster and cluster.app_url() == os.environ.get("DATABASE_URL") else None


def _migrate() -> None:
    """A change of a table waits for whoever works in it, and meanwhile everybody else waits behind it. So it waits only
    a moment, lets the others through, and tries again: migrations that are done stay done."""
    from django.core.management import call_command
    from django.db import DatabaseError, connections

    for attempt in range(_MIGRATION_TRIES):
        try:
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{_MIGRATION_LOCK_SECONDS}s'")
            call_command("migrate", database="owner", verbosity=0)
            return
        except DatabaseError as error:
            if trouble_of(error) is Trouble.BUSY and attempt + 1 < _MIGRATION_TRIES:
                say("Waiting for work that is running to let the tables be changed …")
                time.sleep(1)
                continue
            said = f"the tables could not be brought up to date: {error}"
            raise explained(error) or CommandFailed(said, ExitCode.DATABASE_FAILED) from error
        finally:
            connections["owner"].close()


def _seal_plain_secrets() -> None:
    """Here and not in a migration: a restore migrates with keys that are thrown away."""
    from django.db import DatabaseError, connections

    from daysheet.practices.sealing import seal_plain

    try:
        seal_plain()
    except DatabaseError as error:
        said = f"the secrets of second steps could not be sealed: {error}"
        raise explained(error) or CommandFailed(said, ExitCode.DATABASE_FAILED) from error
    finally:
        connections["default"].close()


def embedded_disk_is_full() -> bool:
    """A server that cannot write its log of changes ends in the middle of its work: all that a command sees of the full
    disk is a lost connection."""
    server = EmbeddedServer(environment.home())
    return server.folder.is_dir() and server.free_bytes() < _LEAST_FREE_BYTES


def refuse_taken_port(host: str, port: int) -> None:
    """Raises CommandFailed where nothing could listen there."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        raise CommandFailed(
            f"port {port} on {host} is taken or not allowed ({getattr(error, 'strerror', None) or error}). Choose "
            "another with --port, or another address with --host.",
            ExitCode.PORT_TAKEN,
        ) from error


def say(text: str) -> None:
    """A line for the person at the terminal."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

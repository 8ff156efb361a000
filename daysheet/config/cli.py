"""The command line `daysheet`: serve a practice, make one, look after the embedded database.

The database is found before Django reads its settings: DATABASE_URL and DATABASE_OWNER_URL, else the embedded server.
"""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from daysheet.database.server import EmbeddedServer, EmbeddedServerError

from . import environment

#: Exit codes: 2 is argparse's, for words it does not know.
FAILED, PORT_TAKEN, DATABASE_FAILED, UNSAFE_ROLE = 1, 3, 5, 6


class CommandFailed(Exception):
    """One sentence for the person, and the exit code."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except CommandFailed as failure:
        _say(f"daysheet: {failure}")
        return failure.code
    except EmbeddedServerError as failure:
        _say(f"daysheet: {failure}")
        return DATABASE_FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="daysheet", description="Billing for behavioural-health practices.")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="run the web pages and the background worker together")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8000)
    serve.set_defaults(run=_serve)
    practice = commands.add_parser("create-practice", help="make a practice and its first owner")
    practice.add_argument("slug", help="its address, such as juniper")
    practice.add_argument("--name", required=True)
    practice.add_argument("--time-zone", default="America/New_York")
    practice.add_argument("--owner-email", required=True)
    practice.add_argument("--owner-first-name", required=True)
    practice.add_argument("--owner-last-name", required=True)
    practice.set_defaults(run=_create_practice)
    demo = commands.add_parser("demo", help="load the demo practice and serve it")
    demo.add_argument("--host", default="127.0.0.1")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--visits", type=int, help="about how many visits (default 20,000)")
    demo.add_argument("--seed", type=int, default=1, help="the same seed on the same day gives the same data")
    demo.add_argument("--no-serve", action="store_true", help="load only")
    demo.set_defaults(run=_demo)
    take = commands.add_parser("import", help="take in CSV or Excel files, or a folder of them")
    take.add_argument("practice", help="the practice's address")
    take.add_argument("paths", nargs="+", metavar="path")
    take.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")
    take.set_defaults(run=_import)
    verify = commands.add_parser("verify", help="recompute everything that is stored twice; 1 where something differs")
    verify.add_argument("practice", nargs="?", help="one practice's address (default: all)")
    verify.set_defaults(run=_verify)
    renew = commands.add_parser("renew-licenses", help="carry out the January 1 renewal wherever it is due")
    renew.set_defaults(run=_renew_licenses)
    database = commands.add_parser("db", help="the embedded PostgreSQL: start, stop, or print its address")
    database.add_argument("what", choices=["start", "stop", "url"])
    database.set_defaults(run=_database)
    return parser


def _serve(options: argparse.Namespace) -> int:
    _refuse_taken_port(options.host, options.port)
    if options.run is _serve:
        _set_up(migrate=True)
    os.environ["DAYSHEET_POOL"] = "1"
    address = f"{options.host}:{options.port}"
    web = [sys.executable, "-m", "gunicorn", "daysheet.config.wsgi", "--bind", address, "--worker-class", "gthread",
           "--workers", "1", "--threads", "8", "--log-level", "warning"]  # fmt: skip
    worker = [sys.executable, "-m", "django", "procrastinate", "worker", "--concurrency", "2"]
    commands = {"web": web, "worker": worker}
    if options.run is _demo:
        commands["card processor"] = _card_simulator(options.port)
    _say(f"Daysheet is at http://{address}/  (Ctrl-C stops it)")
    return _supervise(commands)


def _card_simulator(web_port: int) -> list[str]:
    """The demo's card processor, which moves no money, on a free port that the others are told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ["DAYSHEET_CARD_SIMULATOR"] = f"http://127.0.0.1:{port}"
    return [sys.executable, "-m", "daysheet.cards.simulator.server", "--port", str(port), "--file",
            str(environment.home() / "card-simulator.sqlite3"), "--deliver-to",
            f"http://127.0.0.1:{web_port}"]  # fmt: skip


def _supervise(commands: dict[str, list[str]]) -> int:
    """Keep the processes running; a dead one is started again. SIGTERM and Ctrl-C stop all of them."""
    stopping = False

    def stop(signum: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    running = {name: subprocess.Popen(command) for name, command in commands.items()}
    while not stopping:
        time.sleep(0.3)
        for name, process in running.items():
            if process.poll() is not None and not stopping:
                _say(f"daysheet: the {name} process ended with {process.returncode}; starting it again")
                time.sleep(1)
                running[name] = subprocess.Popen(commands[name])
    for process in running.values():
        process.terminate()
    for process in running.values():
        process.wait(timeout=30)
    return 0


def _create_practice(options: argparse.Namespace) -> int:
    password = os.environ.get("DAYSHEET_OWNER_PASSWORD") or getpass.getpass("Password for the owner: ")
    if len(password) < 10:
        raise CommandFailed("the password needs at least 10 characters. Nothing was made.")
    _set_up(migrate=True)
    from daysheet.kit.dates import utc_now
    from daysheet.kit.errors import Refusal
    from daysheet.staff.actions import NewOwner, create_practice

    owner = NewOwner(options.owner_email, options.owner_first_name, options.owner_last_name, password)
    try:
        practice, _ = create_practice(
            slug=options.slug, name=options.name, time_zone=options.time_zone, owner=owner, now=utc_now()
        )
    except Refusal as refusal:
        raise CommandFailed(str(refusal)) from refusal
    _say(f"Made the practice {practice.name} at /{practice.slug}/ with the owner {options.owner_email}.")
    return 0


def _demo(options: argparse.Namespace) -> int:
    if not options.no_serve:
        _refuse_taken_port(options.host, options.port)
    _set_up(migrate=True)
    from daysheet.imports.demo import load_demo
    from daysheet.kit.errors import Refusal

    try:
        logins = load_demo(seed=options.seed, visits=options.visits, progress=_say)
    except Refusal as refusal:
        raise CommandFailed(str(refusal)) from refusal
    _say("Sign in with one of these addresses, all with the password " + logins.password)
    for email in logins.emails:
        _say(f"  {email}")
    return 0 if options.no_serve else _serve(options)


def _import(options: argparse.Namespace) -> int:
    _set_up(migrate=True)
    from daysheet.imports.commands import run_import

    return run_import(options.practice, options.paths, dry_run=options.dry_run, out=_say)


def _verify(options: argparse.Namespace) -> int:
    _set_up(migrate=False)
    from .verify import run_verify

    return run_verify(options.practice, sys.stdout)


def _renew_licenses(options: argparse.Namespace) -> int:
    _set_up(migrate=True)
    from daysheet.kit.dates import utc_now
    from daysheet.staff.jobs import renew_licenses_everywhere

    for slug, count in renew_licenses_everywhere(utc_now()).items():
        _say(f"{slug}: {count} renewed")
    return 0


def _database(options: argparse.Namespace) -> int:
    server = EmbeddedServer(environment.home())
    if options.what == "stop":
        _say("Stopped." if server.stop() else "It was not running.")
        return 0
    if options.what == "start":
        cluster = server.ensure_running()
        _say(f"PostgreSQL is running on {cluster.host}:{cluster.port}.")
        return 0
    running = server.status()
    if running is None:
        raise CommandFailed("the embedded PostgreSQL is not running: start it with `daysheet db start`.")
    _say(running.owner_url())
    return 0


def _set_up(*, migrate: bool) -> None:
    """Find the database, bring it up to date, and refuse an unsafe runtime role (tenancy rule 6)."""
    if bool(os.environ.get("DATABASE_URL")) != bool(os.environ.get("DATABASE_OWNER_URL")):
        raise CommandFailed(
            "set both DATABASE_URL (the runtime role daysheet_app) and DATABASE_OWNER_URL (the owner), or neither.",
            DATABASE_FAILED,
        )
    if not os.environ.get("DATABASE_URL"):
        cluster = EmbeddedServer(environment.home()).ensure_running()
        os.environ["DATABASE_URL"], os.environ["DATABASE_OWNER_URL"] = cluster.app_url(), cluster.owner_url()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "daysheet.config.settings")
    import django
    from django.core.management import call_command
    from django.db import DatabaseError

    django.setup()
    try:
        if migrate:
            call_command("migrate", database="owner", verbosity=0)
        _refuse_unsafe_role()
    except DatabaseError as error:
        raise CommandFailed(f"the database does not answer as it should: {error}", DATABASE_FAILED) from error


def _refuse_unsafe_role() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT r.rolsuper OR r.rolbypassrls OR EXISTS (SELECT FROM pg_tables WHERE tableowner = current_user) "
            "FROM pg_roles r WHERE r.rolname = current_user"
        )
        row = cursor.fetchone()
    if row is None or row[0]:
        raise CommandFailed(
            "DATABASE_URL signs in with a role that can see every practice. Use the role daysheet_app, which is no "
            "superuser, owns nothing and does not bypass row security.",
            UNSAFE_ROLE,
        )


def _refuse_taken_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CommandFailed(
                f"port {port} on {host} is taken or not allowed ({error.strerror}). Choose another with --port.",
                PORT_TAKEN,
            ) from error


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

"""The command line `daysheet`: serve a practice, make one, look after the embedded database.

The database is found before Django reads its settings: DATABASE_URL and DATABASE_OWNER_URL, else the embedded server.
"""

from __future__ import annotations

import argparse
import errno
import getpass
import os
import secrets
import socket
import sys
from collections.abc import Callable
from pathlib import Path

from daysheet.backup import archive
from daysheet.database.requirements import check_distribution, check_server
from daysheet.database.server import EmbeddedServer
from daysheet.exports.manifest import is_export

from . import environment
from .failures import CommandFailed, ExitCode, explained
from .supervisor import supervise

#: PostgreSQL's log of changes grows by files of this size.
_LEAST_FREE_BYTES = 16 * 1024 * 1024


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    options = command_parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    is_embedded = not os.environ.get("DATABASE_URL")
    try:
        return run(options)
    except Exception as error:
        failure = explained(error)
        if failure is None:
            raise
        if is_embedded and failure.code == ExitCode.DATABASE_FAILED and _embedded_disk_is_full():
            failure = explained(OSError(errno.ENOSPC, "", str(environment.home()))) or failure
        sys.stderr.write(f"daysheet: {failure}\n")
        return failure.code


def command_parser() -> argparse.ArgumentParser:
    """Every command and option; docs/configuration.md names the same, which a test compares."""
    parser = argparse.ArgumentParser(prog="daysheet", description="Billing for behavioural-health practices.")
    commands = parser.add_subparsers(required=True, metavar="command")
    serve = commands.add_parser("serve", help="run the web pages and the background worker together")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serve.add_argument("--only", choices=["web", "worker"], help="one of the two, where they run on several machines")
    serve.set_defaults(run=_serve)
    practice = commands.add_parser("create-practice", help="make a practice and its first owner")
    practice.add_argument("slug", help="its address, such as juniper")
    practice.add_argument("--name", required=True, help="the practice's name")
    practice.add_argument("--time-zone", default="America/New_York", help="days follow it (default: %(default)s)")
    practice.add_argument("--owner-email", required=True, help="the owner's login")
    practice.add_argument("--owner-first-name", required=True, help="the owner's first name")
    practice.add_argument("--owner-last-name", required=True, help="the owner's last name")
    practice.set_defaults(run=_create_practice)
    password = commands.add_parser("set-password", help="give a login another password and end its sessions")
    password.add_argument("email", help="the login's e-mail address")
    password.add_argument("--remove-two-step", action="store_true", help="for who lost the second step of signing in")
    password.set_defaults(run=_set_password)
    demo = commands.add_parser("demo", help="load the demo practice and serve it")
    demo.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    demo.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    demo.add_argument("--visits", type=int, help="about how many visits (default 20,000)")
    demo.add_argument("--seed", type=int, default=1, help="the same seed on the same day gives the same data")
    demo.add_argument("--no-serve", action="store_true", help="load only")
    demo.set_defaults(run=_demo)
    take = commands.add_parser("import", help="take in CSV or Excel files, or a folder of them")
    take.add_argument("practice", help="the practice's address")
    take.add_argument("paths", nargs="+", metavar="path", help="a CSV or Excel file, or a folder of them")
    take.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")
    take.set_defaults(run=_import)
    take.add_argument("--owner-email", help="for an export of Daysheet: who of it gets a login, to invite the others")
    export = commands.add_parser("export", help="write all data of a practice as documented CSV files in a ZIP")
    export.add_argument("practice", help="the practice's address")
    export.add_argument("file", help="the ZIP to make")
    export.set_defaults(run=_export)
    verify = commands.add_parser("verify", help="recompute everything that is stored twice; 1 where something differs")
    verify.add_argument("practice", nargs="?", help="one practice's address (default: all)")
    verify.set_defaults(run=_verify)
    backup = commands.add_parser("backup", help="write the whole database into one file, and prove that it restores")
    backup.add_argument("file", help="the file to make")
    backup.add_argument("--passphrase-file", help="seal it with the first line of this file; keys are then included")
    backup.add_argument("--no-proof", action="store_true", help="do not try it out in a scratch database")
    backup.set_defaults(run=_backup)
    restore = commands.add_parser("restore", help="put a backup in the place of an empty database")
    restore.add_argument("file", help="the backup file")
    restore.add_argument("--passphrase-file", help="the passphrase it was sealed with is this file's first line")
    restore.add_argument("--replace", action="store_true", help="keep a database that has tables under another name")
    restore.set_defaults(run=_restore)
    renew = commands.add_parser("renew-licenses", help="carry out the January 1 renewal wherever it is due")
    renew.set_defaults(run=_renew_licenses)
    database = commands.add_parser("db", help="the embedded PostgreSQL: start, stop, or print its address")
    database.add_argument("what", choices=["start", "stop", "url"], help="url prints the owner's address")
    database.set_defaults(run=_database)
    return parser


def _serve(options: argparse.Namespace) -> int:
    _refuse_taken_port(options.host, options.port)
    if options.run is _serve:
        _set_up(migrate=True)
    os.environ["DAYSHEET_POOL"] = "1"
    address = f"{f'[{options.host}]' if ':' in options.host else options.host}:{options.port}"
    web = [sys.executable, "-m", "gunicorn", "daysheet.config.wsgi", "--bind", address, "--worker-class", "gthread",
           "--workers", "1", "--threads", "8", "--log-level", "warning"]  # fmt: skip
    worker = [sys.executable, "-m", "django", "procrastinate", "worker", "--concurrency", "2"]
    commands = {"web": web, "worker": worker}
    if only := getattr(options, "only", None):
        commands = {only: commands[only]}
    if options.run is _demo:
        commands["card processor"] = _card_simulator(options.port)
    _say(f"Daysheet is at http://{address}/  (Ctrl-C stops it)")
    return supervise(commands, _say)


def _card_simulator(web_port: int) -> list[str]:
    """The demo's card processor, which moves no money, on a free port that the others are told."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ["DAYSHEET_CARD_SIMULATOR"] = f"http://127.0.0.1:{port}"
    return [sys.executable, "-m", "daysheet.cards.simulator.server", "--port", str(port), "--file",
            str(environment.home() / "card-simulator.sqlite3"), "--deliver-to",
            f"http://127.0.0.1:{web_port}"]  # fmt: skip


def _create_practice(options: argparse.Namespace) -> int:
    password = _ask_password("Password for the owner: ")
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


def _ask_password(prompt: str) -> str:
    try:
        return os.environ.get("DAYSHEET_OWNER_PASSWORD") or getpass.getpass(prompt)
    except EOFError as error:
        raise CommandFailed(
            "there is no terminal to ask for the password. Set DAYSHEET_OWNER_PASSWORD. Nothing was changed."
        ) from error


def _set_password(options: argparse.Namespace) -> int:
    password = _ask_password(f"New password for {options.email}: ")
    _set_up(migrate=True)
    from daysheet.kit.dates import utc_now
    from daysheet.kit.errors import Refusal
    from daysheet.staff.actions import set_password

    try:
        user = set_password(
            email=options.email, password=password, remove_two_step=options.remove_two_step, now=utc_now()
        )
    except Refusal as refusal:
        raise CommandFailed(f"{refusal} Nothing was changed.") from refusal
    _say(f"{user.email} signs in with the new password. All earlier sessions have ended.")
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
    if any(is_export(Path(path)) for path in options.paths):
        return _take_back(options)
    _set_up(migrate=True)
    from daysheet.imports.commands import run_import

    return run_import(options.practice, options.paths, dry_run=options.dry_run, out=_say)


def _export(options: argparse.Namespace) -> int:
    _set_up(migrate=True)
    from daysheet.backup.taking import applied_migrations
    from daysheet.exports.writing import ExportRefused, export_practice
    from daysheet.kit.dates import utc_now
    from daysheet.practices.models import Practice
    from daysheet.staff.actors import practice_facts

    practice = Practice.objects.filter(slug=options.practice).first()
    if practice is None:
        raise CommandFailed(f"there is no practice “{options.practice}”.", ExitCode.NO_SUCH_PRACTICE)
    target, migrations = Path(options.file).absolute(), applied_migrations(os.environ["DATABASE_OWNER_URL"])
    try:
        done = export_practice(practice_facts(practice), target, now=utc_now(), migrations=migrations)
    except ExportRefused as refusal:
        raise CommandFailed(str(refusal)) from refusal
    _say(f"{done.path}: {done.row_count:,} rows of {len(done.row_counts)} tables. Whoever has the file can read it.")
    return 0


def _take_back(options: argparse.Namespace) -> int:
    """An export becomes a practice. As the owner, in this process alone: facts come with their ids and moments."""
    if not options.owner_email or len(options.paths) != 1 or options.dry_run:
        raise CommandFailed(
            "an export is taken back whole: daysheet import NEW-ADDRESS FILE.zip --owner-email ADDRESS, where the "
            "address is that of one of its Organization Administrators. Nothing was written.",
            ExitCode.USAGE,
        )
    password = _ask_password(f"Password for {options.owner_email} (a login that exists keeps its own): ")
    _set_up(migrate=True, as_owner=True)
    from daysheet.exports.reading import take_back
    from daysheet.kit.dates import utc_now
    from daysheet.kit.errors import Refusal

    from .verify import differences_of

    try:
        done = take_back(
            Path(options.paths[0]), slug=options.practice, owner_email=options.owner_email, owner_password=password,
            now=utc_now(), verify=lambda practice: differences_of(practice, utc_now()),
        )  # fmt: skip
    except Refusal as refusal:
        raise CommandFailed(str(refusal)) from refusal
    _say(f"{done.row_count:,} rows became the practice /{done.practice.slug}/. Everything agrees.")
    return 0


def _verify(options: argparse.Namespace) -> int:
    _set_up(migrate=False)
    from .verify import run_verify

    return run_verify(options.practice, sys.stdout)


def _backup(options: argparse.Namespace) -> int:
    _set_up(migrate=False)
    from daysheet.backup.restoring import known_migrations, prove_backup
    from daysheet.backup.taking import take_backup
    from daysheet.kit.dates import utc_now

    passphrase, place = _passphrase(options), environment.backup_place()
    taken = take_backup(
        Path(options.file).absolute(), owner_url=place.owner_url, home=place.home, passphrase=passphrase, now=utc_now()
    )
    sealed = "sealed with the passphrase" if passphrase else "NOT sealed: keep it as you keep the books"
    _say(f"{taken.path}: {taken.size_bytes:,} bytes, {sealed}.")
    if not taken.with_keys:
        _say("It holds no keys of the data folder: only a backup with a passphrase does.")
    if options.no_proof:
        _say("It was not tried out, as asked.")
        return 0
    said = prove_backup(taken.path, place=place, passphrase=passphrase, known_migrations=known_migrations())
    _say(f"Restored into a scratch database: {said}")
    return 0


def _restore(options: argparse.Namespace) -> int:
    # Its keys come out of the backup: reading the settings must not make new ones first.
    os.environ.setdefault("DAYSHEET_SECRET_KEY", secrets.token_urlsafe(50))
    os.environ.setdefault("DAYSHEET_CARD_KEY", secrets.token_urlsafe(50))
    passphrase = _passphrase(options)
    with Path(options.file).open("rb") as source:
        archive.check(source, passphrase)
    _set_up(migrate=False)
    from daysheet.backup.restoring import known_migrations, restore_backup
    from daysheet.kit.dates import utc_now

    said = restore_backup(
        Path(options.file).absolute(), place=environment.backup_place(), passphrase=passphrase,
        known_migrations=known_migrations(), replace=options.replace, now=utc_now(),
    )  # fmt: skip
    _say(f"Restored. {said}")
    return 0


def _passphrase(options: argparse.Namespace) -> str | None:
    return environment.passphrase_in(options.passphrase_file) if options.passphrase_file else None


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


def _set_up(*, migrate: bool, as_owner: bool = False) -> None:
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
    check_distribution(os.environ["DATABASE_OWNER_URL"])


def _migrate() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        call_command("migrate", database="owner", verbosity=0)
    except DatabaseError as error:
        said = f"the tables could not be brought up to date: {error}"
        raise explained(error) or CommandFailed(said, ExitCode.DATABASE_FAILED) from error


def _embedded_disk_is_full() -> bool:
    """A server that cannot write its log of changes ends in the middle of its work: all that a command sees of the full
    disk is a lost connection."""
    server = EmbeddedServer(environment.home())
    return server.folder.is_dir() and server.free_bytes() < _LEAST_FREE_BYTES


def _refuse_taken_port(host: str, port: int) -> None:
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


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()

"""What the commands do that look after practices and their data. Django is imported once the database is found."""

from __future__ import annotations

import argparse
import getpass
import os
import secrets
import sys
from pathlib import Path

from daysheet.backup import archive
from daysheet.database.server import EmbeddedServer
from daysheet.exports.manifest import is_export

from . import environment
from .failures import CommandFailed, ExitCode
from .preparing import say, set_up


def create_practice(options: argparse.Namespace) -> int:
    """A practice and its first owner."""
    password = _ask_password("Password for the owner: ")
    if len(password) < 10:
        raise CommandFailed("the password needs at least 10 characters. Nothing was made.")
    set_up(migrate=True)
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
    say(f"Made the practice {practice.name} at /{practice.slug}/ with the owner {options.owner_email}.")
    return 0


def _ask_password(prompt: str) -> str:
    try:
        return os.environ.get("DAYSHEET_OWNER_PASSWORD") or getpass.getpass(prompt)
    except EOFError as error:
        raise CommandFailed(
            "there is no terminal to ask for the password. Set DAYSHEET_OWNER_PASSWORD. Nothing was changed."
        ) from error


def set_password(options: argparse.Namespace) -> int:
    """Another password for a login."""
    password = _ask_password(f"New password for {options.email}: ")
    set_up(migrate=True)
    from daysheet.kit.dates import utc_now
    from daysheet.kit.errors import Refusal
    from daysheet.staff.actions import set_password

    try:
        user = set_password(
            email=options.email, password=password, remove_two_step=options.remove_two_step, now=utc_now()
        )
    except Refusal as refusal:
        raise CommandFailed(f"{refusal} Nothing was changed.") from refusal
    say(f"{user.email} signs in with the new password. All earlier sessions have ended.")
    return 0


def import_files(options: argparse.Namespace) -> int:
    """Templates into a practice, or an export as a new one."""
    if any(is_export(Path(path)) for path in options.paths):
        return _take_back(options)
    set_up(migrate=True)
    from daysheet.imports.commands import run_import

    return run_import(options.practice, options.paths, dry_run=options.dry_run, out=say)


def export(options: argparse.Namespace) -> int:
    """All data of a practice as a file."""
    set_up(migrate=True)
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
    say(f"{done.path}: {done.row_count:,} rows of {len(done.row_counts)} tables. Whoever has the file can read it.")
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
    set_up(migrate=True, as_owner=True)
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
    say(f"{done.row_count:,} rows became the practice /{done.practice.slug}/. Everything agrees.")
    return 0


def verify(options: argparse.Namespace) -> int:
    """Everything recomputed and compared."""
    set_up(migrate=False)
    from .verify import run_verify

    return run_verify(options.practice, sys.stdout)


def check(options: argparse.Namespace) -> int:
    """What is wrong with this installation, in words; 1 where something has to be mended."""
    set_up(migrate=False)
    from daysheet.kit.dates import utc_now
    from daysheet.operations.check import Level, look

    from .nightly import overdue_or_different
    from .verify import verify_storage

    def storage() -> list[str]:
        return [f"{found.name}: {found.first[0]}" for found in verify_storage() if found.count]

    found = look(utc_now(), nightly=lambda: overdue_or_different(utc_now()), storage=storage)
    for finding in found:
        say(f"{finding.level:<4}  {finding.words}")
    failed = sum(finding.level is Level.FAIL for finding in found)
    say(f"{failed} to mend now." if failed else "Nothing has to be mended now.")
    return 1 if failed else 0


def backup(options: argparse.Namespace) -> int:
    """The whole database as one file."""
    set_up(migrate=False)
    from daysheet.backup.restoring import known_migrations, prove_backup
    from daysheet.backup.taking import take_backup
    from daysheet.kit.dates import utc_now

    passphrase, place = _passphrase(options), environment.backup_place()
    taken = take_backup(
        Path(options.file).absolute(), owner_url=place.owner_url, home=place.home, passphrase=passphrase, now=utc_now()
    )
    sealed = "sealed with the passphrase" if passphrase else "NOT sealed: keep it as you keep the books"
    say(f"{taken.path}: {taken.size_bytes:,} bytes, {sealed}.")
    if not taken.with_keys:
        say("It holds no keys of the data folder: only a backup with a passphrase does.")
    if options.no_proof:
        say("It was not tried out, as asked.")
        return 0
    said = prove_backup(taken.path, place=place, passphrase=passphrase, known_migrations=known_migrations())
    say(f"Restored into a scratch database: {said}")
    return 0


def restore(options: argparse.Namespace) -> int:
    """A backup in the place of an empty database."""
    # Its keys come out of the backup: reading the settings must not make new ones first.
    os.environ.setdefault("DAYSHEET_SECRET_KEY", secrets.token_urlsafe(50))
    os.environ.setdefault("DAYSHEET_CARD_KEY", secrets.token_urlsafe(50))
    os.environ.setdefault("DAYSHEET_SIGN_IN_KEY", secrets.token_urlsafe(50))
    passphrase = _passphrase(options)
    with Path(options.file).open("rb") as source:
        archive.check(source, passphrase)
    set_up(migrate=False)
    from daysheet.backup.restoring import known_migrations, restore_backup
    from daysheet.kit.dates import utc_now

    said = restore_backup(
        Path(options.file).absolute(), place=environment.backup_place(), passphrase=passphrase,
        known_migrations=known_migrations(), replace=options.replace, now=utc_now(),
    )  # fmt: skip
    say(f"Restored. {said}")
    return 0


def seal_again(options: argparse.Namespace) -> int:
    """Secrets for signing in and of card processors under the newest keys; afterwards the earlier ones are not needed.
    As the owner: the runtime role changes no processor's secret."""
    set_up(migrate=True, as_owner=True)
    from daysheet.cards import sealing as of_cards
    from daysheet.kit.sealing import Sealing
    from daysheet.practices import sealing as of_sign_in

    lost = 0
    for sealing, kind in ((of_sign_in, "for signing in"), (of_cards, "of card processors")):
        say(f"Sealed {sealing.seal_again()} secrets {kind} with the newest key.")
        lost += sealing.count_sealings()[Sealing.LOST]
    if lost:
        raise CommandFailed(f"{lost} were sealed with a key that is not at hand: name it in DAYSHEET_OLD_KEYS.")
    return 0


def _passphrase(options: argparse.Namespace) -> str | None:
    return environment.passphrase_in(options.passphrase_file) if options.passphrase_file else None


def renew_licenses(options: argparse.Namespace) -> int:
    """The renewal of January 1 wherever it is due."""
    set_up(migrate=True)
    from daysheet.kit.dates import utc_now
    from daysheet.staff.jobs import renew_licenses_everywhere

    for slug, count in renew_licenses_everywhere(utc_now()).items():
        say(f"{slug}: {count} renewed")
    return 0


def database(options: argparse.Namespace) -> int:
    """The embedded server: start, stop, its address."""
    server = EmbeddedServer(environment.home())
    if options.what == "stop":
        say("Stopped." if server.stop() else "It was not running.")
        return 0
    if options.what == "start":
        cluster = server.ensure_running()
        say(f"PostgreSQL is running on {cluster.host}:{cluster.port}.")
        return 0
    running = server.status()
    if running is None:
        raise CommandFailed("the embedded PostgreSQL is not running: start it with `daysheet db start`.")
    say(running.owner_url())
    return 0

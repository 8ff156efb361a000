"""The command line `daysheet`: serve a practice, make one, look after its data and the embedded database.

The database is found before Django reads its settings: DATABASE_URL and DATABASE_OWNER_URL, else the embedded server.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable

from . import commands, environment, serving
from .failures import ExitCode, explained
from .preparing import embedded_disk_is_full


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
        if is_embedded and failure.code == ExitCode.DATABASE_FAILED and embedded_disk_is_full():
            failure = explained(OSError(errno.ENOSPC, "", str(environment.home()))) or failure
        sys.stderr.write(f"daysheet: {failure}\n")
        return failure.code


def command_parser() -> argparse.ArgumentParser:
    """Every command and option; docs/configuration.md names the same, which a test compares."""
    parser = argparse.ArgumentParser(prog="daysheet", description="Billing for behavioural-health practices.")
    words = parser.add_subparsers(required=True, metavar="command")
    serve = words.add_parser("serve", help="run the web pages and the background worker together")
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    serve.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    serve.add_argument("--only", choices=["web", "worker"], help="one of the two, where they run on several machines")
    serve.set_defaults(run=serving.serve)
    practice = words.add_parser("create-practice", help="make a practice and its first owner")
    practice.add_argument("slug", help="its address, such as juniper")
    practice.add_argument("--name", required=True, help="the practice's name")
    practice.add_argument("--time-zone", default="America/New_York", help="days follow it (default: %(default)s)")
    practice.add_argument("--owner-email", required=True, help="the owner's login")
    practice.add_argument("--owner-first-name", required=True, help="the owner's first name")
    practice.add_argument("--owner-last-name", required=True, help="the owner's last name")
    practice.set_defaults(run=commands.create_practice)
    password = words.add_parser("set-password", help="give a login another password and end its sessions")
    password.add_argument("email", help="the login's e-mail address")
    password.add_argument("--remove-two-step", action="store_true", help="for who lost the second step of signing in")
    password.set_defaults(run=commands.set_password)
    demo = words.add_parser("demo", help="load the demo practice and serve it")
    demo.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    demo.add_argument("--port", type=int, default=8000, help="port to listen on (default: %(default)s)")
    demo.add_argument("--visits", type=int, help="about how many visits (default 20,000)")
    demo.add_argument("--seed", type=int, default=1, help="the same seed on the same day gives the same data")
    demo.add_argument("--no-serve", action="store_true", help="load only")
    demo.set_defaults(run=serving.demo)
    take = words.add_parser("import", help="take in CSV or Excel files, or a folder of them")
    take.add_argument("practice", help="the practice's address")
    take.add_argument("paths", nargs="+", metavar="path", help="a CSV or Excel file, or a folder of them")
    take.add_argument("--dry-run", action="store_true", help="say what would happen, write nothing")
    take.set_defaults(run=commands.import_files)
    take.add_argument("--owner-email", help="for an export of Daysheet: who of it gets a login, to invite the others")
    export = words.add_parser("export", help="write all data of a practice as documented CSV files in a ZIP")
    export.add_argument("practice", help="the practice's address")
    export.add_argument("file", help="the ZIP to make")
    export.set_defaults(run=commands.export)
    verify = words.add_parser("verify", help="recompute everything that is stored twice; 1 where something differs")
    verify.add_argument("practice", nargs="?", help="one practice's address (default: all)")
    verify.set_defaults(run=commands.verify)
    check = words.add_parser("check", help="is this installation set up and looked after as it has to be?")
    check.set_defaults(run=commands.check)
    backup = words.add_parser("backup", help="write the whole database into one file, and prove that it restores")
    backup.add_argument("file", help="the file to make")
    backup.add_argument("--passphrase-file", help="seal it with the first line of this file; keys are then included")
    backup.add_argument("--no-proof", action="store_true", help="do not try it out in a scratch database")
    backup.set_defaults(run=commands.backup)
    restore = words.add_parser("restore", help="put a backup in the place of an empty database")
    restore.add_argument("file", help="the backup file")
    restore.add_argument("--passphrase-file", help="the passphrase it was sealed with is this file's first line")
    restore.add_argument("--replace", action="store_true", help="keep a database that has tables under another name")
    restore.set_defaults(run=commands.restore)
    again = words.add_parser(
        "seal-again", help="seal the secrets for signing in and of card processors with the newest keys"
    )
    again.set_defaults(run=commands.seal_again)
    renew = words.add_parser("renew-licenses", help="carry out the January 1 renewal wherever it is due")
    renew.set_defaults(run=commands.renew_licenses)
    database = words.add_parser("db", help="the embedded PostgreSQL: start, stop, or print its address")
    database.add_argument("what", choices=["start", "stop", "url"], help="url prints the owner's address")
    database.set_defaults(run=commands.database)
    return parser

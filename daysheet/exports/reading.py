"""An export becomes a practice again: all of it in one transaction, or nothing.

It runs on a connection of the owner's role, because facts come with their ids and moments; every key, check and foreign
key of the tables holds what is written, and the books must agree before they are kept.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from django.db import DatabaseError, connection, transaction

from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import Refusal
from daysheet.mailings.restored import hold_back
from daysheet.practices.actor import ActorKind, PracticeFacts, system_actor
from daysheet.practices.models import Practice, User
from daysheet.practices.permissions import Permission
from daysheet.practices.rules import is_address
from daysheet.staff.actions.logins import give_login
from daysheet.staff.actors import practice_facts
from daysheet.staff.models import StaffMember

from .manifest import FORMAT, MANIFEST
from .tables import Column, ExportedTable, Reference, Step, exported_tables, filling_order
from .writing import PRACTICE_FACTS

_MOST_MANIFEST_BYTES = 10_000_000
_PIECE_BYTES = 1 << 20
_REFERENCES = """
    SELECT c.conrelid::regclass::text, a.attname, c.confrelid::regclass::text, NOT a.attnotnull
    FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
    WHERE c.contype = 'f' AND a.attname <> 'practice_id' AND c.conrelid::regclass::text = ANY(%s)
    AND c.confrelid::regclass::text = ANY(%s)"""


class ExportUnreadable(Refusal):
    """The file is no export, is damaged, or does not fit this version; nothing was written."""

    code = "export_unreadable"


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The practice that an export became."""

    practice: PracticeFacts
    row_count: int


def take_back(
    path: Path,
    *,
    slug: str,
    owner_email: str,
    owner_password: str,
    now: datetime,
    verify: Callable[[PracticeFacts], list[str]],
) -> TakenBack:
    """Make a practice of an export. `owner_email` is an Organization Administrator in it, who gets a login and invites
    the others. `verify` says what does not agree. Raises ExportUnreadable."""
    if not is_address(slug) or Practice.objects.filter(slug=slug).exists():
        raise ExportUnreadable(f"The address “{slug}” is taken or cannot be one. Choose another.")
    with zipfile.ZipFile(path) as archive, transaction.atomic():
        manifest = _manifest(archive)
        facts = _make_practice(manifest, slug)
        with practice_transaction(facts.id):
            count = _fill_tables(archive, manifest, facts.id)
            with connection.cursor() as cursor:
                hold_back(cursor, now, practice_id=facts.id)
            _let_in(facts, owner_email, owner_password, now)
        wrong = verify(facts)
        if wrong:
            raise ExportUnreadable(f"The books in this export do not agree: {'; '.join(wrong[:5])}. Nothing was kept.")
    return TakenBack(facts, count)


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    """What the file says of itself, held against what this version expects."""
    info = archive.getinfo(MANIFEST)
    if info.file_size > _MOST_MANIFEST_BYTES:
        raise ExportUnreadable("The manifest is larger than any that Daysheet writes. Nothing was written.")
    try:
        manifest = json.loads(archive.read(info))
        fits = manifest["format"] == FORMAT and set(manifest["practice"]) >= set(PRACTICE_FACTS)
        written = {name: list(table["columns"]) for name, table in manifest["tables"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportUnreadable(f"The manifest cannot be read ({error}). Nothing was written.") from error
    expected = {table.name: [column.name for column in table.columns] for table in exported_tables()}
    other = sorted(name for name in written.keys() | expected.keys() if written.get(name) != expected.get(name))
    if not fits or other:
        raise ExportUnreadable(
            "This export was written by another version of Daysheet"
            + (f" (it differs in {', '.join(other[:3])})" if other else "")
            + ". Install that version, take it back there, upgrade, and export again. Nothing was written."
        )
    return dict(manifest)


def _make_practice(manifest: dict[str, Any], slug: str) -> PracticeFacts:
    facts = {name: manifest["practice"][name] for name in PRACTICE_FACTS}
    return practice_facts(Practice.objects.create(slug=slug, **facts))


def _fill_tables(archive: zipfile.ZipFile, manifest: dict[str, Any], practice_id: int) -> int:
    tables = {table.name: table for table in exported_tables()}
    steps = filling_order(tables, _references(tables))
    count = 0
    for step in steps:
        with _words_for(tables[step.table]):
            _copy_in(archive, tables[step.table], manifest["tables"][step.table]["sha256"])
            count += _insert(tables[step.table], step, practice_id)
    for step in steps:
        with _words_for(tables[step.table]):
            _fill_in_later(step, practice_id)
    return count


def _references(names: Iterable[str]) -> list[Reference]:
    """The foreign keys as the database has them: some are of columns that their model knows as bare ids."""
    with connection.cursor() as cursor:
        cursor.execute(_REFERENCES, [list(names), list(names)])
        return [Reference(*row) for row in cursor.fetchall()]


def _copy_in(archive: zipfile.ZipFile, table: ExportedTable, sha256: str) -> None:
    """The file into a temporary table; refused where a byte is not what the manifest says."""
    # A text may be one apostrophe longer in the file than its column is wide.
    typed = ", ".join(f'"{each.name}"::text' if each.is_text else f'"{each.name}"' for each in table.columns)
    incoming, digest = _incoming(table.name), hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TEMPORARY TABLE {incoming} ON COMMIT DROP AS SELECT {typed} FROM "{table.name}" WITH NO DATA'
        )
        copy = f"COPY {incoming} FROM STDIN (FORMAT csv, HEADER MATCH)"
        with archive.open(table.file_name) as file, cursor.copy(copy) as rows:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                rows.write(piece)
    if digest.hexdigest() != sha256:
        raise ExportUnreadable(f"{table.file_name} was changed since it was exported. Nothing was written.")


def _insert(table: ExportedTable, step: Step, practice_id: int) -> int:
    columns = [column for column in table.columns if column.name not in step.columns_later]
    names = ", ".join(f'"{column.name}"' for column in columns)
    values = ", ".join(_taken_back(column) for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table.name}" (practice_id, {names}) SELECT %s, {values} FROM {_incoming(table.name)}',
            [practice_id],
        )
        return int(cursor.rowcount)


def _fill_in_later(step: Step, practice_id: int) -> None:
    for column in sorted(step.columns_later):
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE "{step.table}" t SET "{column}" = i."{column}" FROM {_incoming(step.table)} i '
                f'WHERE t.practice_id = %s AND t.id = i.id AND i."{column}" IS NOT NULL',
                [practice_id],
            )


@contextmanager
def _words_for(table: ExportedTable) -> Iterator[None]:
    try:
        yield
    except (DatabaseError, psycopg.Error, KeyError, zipfile.BadZipFile) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ExportUnreadable(f"{table.file_name} cannot be taken back: {first}. Nothing was written.") from error


def _incoming(table: str) -> str:
    return f'"incoming_{table}"'


def _taken_back(column: Column) -> str:
    """The column's value without the apostrophe that kept a spreadsheet from reading a formula."""
    if column.is_text and not column.left_out:
        return f"regexp_replace(\"{column.name}\", '^''', '')"
    return f'"{column.name}"'


def _let_in(facts: PracticeFacts, owner_email: str, owner_password: str, now: datetime) -> None:
    owners = StaffMember.objects.filter(
        email__iexact=owner_email, permissions__contains=[Permission.ORGANIZATION_ADMINISTRATOR.value]
    )
    person = owners.first()
    if person is None:
        raise ExportUnreadable(
            f"Nobody in this export is Organization Administrator with the address {owner_email}. Name one who is: "
            "somebody has to be able to sign in. Nothing was written."
        )
    user = User.objects.filter(email__iexact=owner_email).first() or User.objects.create_user(
        owner_email, owner_password, name=f"{person.first_name} {person.last_name}"
    )
    give_login(system_actor(facts, now, ActorKind.COMMAND, "daysheet import"), person, user)

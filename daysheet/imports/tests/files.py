"""Small import files, and shorthands to read and take them in."""

from __future__ import annotations

import csv
import io
from typing import Any

from daysheet.database.scope import practice_transaction
from daysheet.imports import actions
from daysheet.practices.actor import Actor

STAFF = [{"ID": "s1", "First Name": "Ana", "Last Name": "Ruiz", "Provider": "yes"}]
LOCATIONS = [{"ID": "l1", "Name": "Main Office"}]
SERVICES = [{"ID": "t1", "Code": "LONG", "Name": "Long session", "Kind": "Non-CPT", "Rate": "150.00"}]
CLIENTS = [
    {"ID": "c1", "First Name": "Finn", "Last Name": "Oakes", "Birth Date": "1990-02-03"},
    {"ID": "c2", "First Name": "Gail", "Last Name": "Pratt", "Birth Date": "2/3/1991"},
]
VISIT = {
    "Appointment ID": "a1", "Visit ID": "v1", "Service ID": "s1", "Start": "2026-11-02 09:00", "Minutes": "50",
    "Staff": "s1", "Location": "l1", "Client": "c1", "Status": "Kept", "Service Type": "t1", "Price": "99.50",
}  # fmt: skip


def csv_file(rows: list[dict[str, str]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def take(actor: Actor, kind: str, rows: list[dict[str, str]] | bytes) -> actions.Imported:
    content = rows if isinstance(rows, bytes) else csv_file(rows)
    with practice_transaction(actor.practice.id):
        return actions.import_file(actor, kind=kind, file_name=f"{kind}.csv", content=content)


def look(actor: Actor, kind: str, rows: list[dict[str, str]] | bytes) -> actions.Preview:
    content = rows if isinstance(rows, bytes) else csv_file(rows)
    with practice_transaction(actor.practice.id):
        return actions.preview(actor, kind=kind, file_name=f"{kind}.csv", content=content)


def take_basics(actor: Actor) -> None:
    for kind, rows in (("staff", STAFF), ("locations", LOCATIONS), ("service_types", SERVICES), ("clients", CLIENTS)):
        take(actor, kind, rows)


def counts(done: Any) -> tuple[int, int, int]:
    return done.created_count, done.changed_count, done.unchanged_count

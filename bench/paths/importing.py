"""A file of appointments taken in: read, compared row by row with what is there, written by COPY; beside a plain COPY
of the same file into a temporary table and three INSERTs from there, which checks nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime, timedelta

from daysheet.database.scope import practice_transaction
from daysheet.imports.actions import import_file
from daysheet.schedule.models import Appointment, Visit, VisitService

from ..measuring import Budget, Path, Work
from ..sql import in_practice, insert, owner
from .bench import Bench

_COLUMNS = ("Appointment ID", "Visit ID", "Service ID", "Start", "Minutes", "Staff", "Location", "Client", "Status",
            "Service Type")  # fmt: skip
#: People, places and services are found by these; clients have theirs.
_EXTERNAL_IDS = """
    UPDATE {} t SET external_id = %(prefix)s || n.no
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS no FROM {} WHERE practice_id = %(practice)s) n
    WHERE t.practice_id = %(practice)s AND t.id = n.id"""


def import_paths(bench: Bench) -> Iterator[Path]:
    """A tenth as many rows as the practice has visits, 100,000 at the most."""
    rows = min(bench.shape.visits // 10, 100_000)
    with owner() as connection:
        for table, prefix in (("staff_staffmember", "staff-"), ("practices_location", "office-"),
                              ("services_servicetype", "service-")):  # fmt: skip
            connection.execute(_EXTERNAL_IDS.format(table, table), {"prefix": prefix, "practice": bench.practice_id})
    yield Path(
        "import", f"import of {rows:,} rows", lambda number: _import(bench, rows, number),
        lambda number: _plain(bench, rows, number), Budget(ratio=3.0), units=rows, most_rounds=3,
    )  # fmt: skip


def _file(bench: Bench, rows: int, name: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    clients, saturday = bench.shape.clients, bench.shape.today - timedelta(weeks=1)
    for number in range(rows // 2):
        client, week = number % clients, number // clients
        start = f"{saturday - timedelta(weeks=week)} {8 + number % 9:02d}:00"
        for position in (1, 2):
            writer.writerow((
                f"{name}-{number}", f"{name}-{number}", f"{name}-{number}-{position}", start, 45 + 15 * (number % 2),
                f"staff-{2 + number % bench.shape.staff}", f"office-{1 + number % bench.shape.locations}",
                f"client-{client + 1}", "Kept", f"service-{position * 3 - 2 + number % 3}",
            ))  # fmt: skip
    return text.getvalue()


def _import(bench: Bench, rows: int, number: int) -> Work:
    content = _file(bench, rows, f"product{number}").encode()

    def work() -> None:
        with practice_transaction(bench.practice_id):
            done = import_file(bench.actor, kind="appointments", file_name="appointments.csv", content=content)
        assert done.created_count == done.row_count == rows // 2 * 2

    return work


def _plain(bench: Bench, rows: int, number: int) -> Work:
    content = _file(bench, rows, f"floor{number}")

    def work() -> None:
        with in_practice(bench.connection, bench.practice_id):
            _copy(bench, content)

    return work


_SOURCE = """
    FROM ({}) f
    JOIN staff_staffmember m ON m.practice_id = %(practice)s AND m.external_id = f.staff
    JOIN practices_location o ON o.practice_id = %(practice)s AND o.external_id = f.location
    JOIN clients_client c ON c.practice_id = %(practice)s AND c.external_id = f.client
    JOIN services_servicetype t ON t.practice_id = %(practice)s AND t.external_id = f.service_type ORDER BY f.no"""
_FIRST_OF_VISIT = "SELECT DISTINCT ON (visit) * FROM incoming ORDER BY visit, no"


def _copy(bench: Bench, content: str) -> None:
    connection = bench.connection
    connection.execute(
        "CREATE TEMP TABLE incoming (no int GENERATED ALWAYS AS IDENTITY, appointment text, visit text, service text, "
        "start timestamp, minutes int, staff text, location text, client text, status text, service_type text) "
        "ON COMMIT DROP"
    )
    names = "appointment, visit, service, start, minutes, staff, location, client, status, service_type"
    with connection.cursor().copy(f"COPY incoming ({names}) FROM STDIN (FORMAT csv, HEADER)") as copy:
        copy.write(content)
    connection.execute("ANALYZE incoming")
    zone = bench.loaded.practice.time_zone
    params = {"practice": bench.practice_id, "now": datetime.now(bench.loaded.now.tzinfo), "zone": zone}
    same = {"practice_id": "%(practice)s", "service_on": "f.start::date"}
    visits = _SOURCE.format(_FIRST_OF_VISIT)
    insert(connection, Appointment, {
        **same, "id": _id(0), "external_id": "f.appointment", "starts_at": "f.start AT TIME ZONE %(zone)s",
        "ends_at": "f.start AT TIME ZONE %(zone)s + make_interval(mins => f.minutes)", "created_at": "%(now)s",
        "staff_member_id": "m.id", "location_id": "o.id",
    }, visits, params)  # fmt: skip
    insert(connection, Visit, {
        **same, "id": _id(1), "external_id": "f.visit", "appointment_id": _id(0), "client_id": "c.id",
        "status": "lower(f.status)",
    }, visits, params)  # fmt: skip
    first = "(SELECT i.*, min(i.no) OVER (PARTITION BY visit) AS first FROM incoming i)"
    insert(connection, VisitService, {
        **same, "id": "pg_temp.new_id(%(now)s, %(practice)s, f.no * 4 + 2)", "external_id": "f.service",
        "visit_id": "pg_temp.new_id(%(now)s, %(practice)s, f.first * 4 + 1)", "position": "f.no - f.first + 1",
        "service_type_id": "t.id",
    }, _SOURCE.format(f"SELECT * FROM {first} i"), params)  # fmt: skip


def _id(level: int) -> str:
    return f"pg_temp.new_id(%(now)s, %(practice)s, f.no * 4 + {level})"

"""A practice's history, bill by bill: its visits, the batch that billed them, the payments that came.

Each bill is one transaction, so that memory stays flat and what is on the disk lies in the order of time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from psycopg import sql

from daysheet.invoicing.models import Batch, BatchItem
from daysheet.jobs.models import JobRun

from ..billing import BY_CLIENT, BY_DATE, Bill, bill
from ..shape import Shape
from ..sql import Connection, insert
from .money import pay_invoices
from .people import Loaded, load_people
from .visits import load_visits

Say = Callable[[str], None]
UNPAID_BILLS = 2
#: Statistics are taken anew when the tables have doubled: the next statements are planned for what is there.
_TABLES = (
    "schedule_appointment", "schedule_visit", "schedule_visitservice", "invoicing_invoice", "invoicing_invoiceline",
    "invoicing_batchitem", "payments_payment", "ledger_entry", "audit_auditevent", "clients_client", "clients_coverage",
    "clients_diagnosis",
)  # fmt: skip


def load_practice(connection: Connection, shape: Shape, say: Say | None = None, *, logins: int = 0) -> Loaded:
    """People and history of one practice; commits as it goes, and goes on where an earlier build was stopped. `say`:
    for the first and largest, for which also statistics are taken as it grows."""
    loaded = load_people(connection, shape, logins=logins)
    connection.commit()
    for number in range(_bills_loaded(connection, loaded), shape.bills + 1):
        _load_bill(connection, loaded, number)
        connection.commit()
        if say and (number + 1) & number == 0:  # after the first, second, fourth, eighth …
            analyze(connection)
            say(f"{shape.slug}: {number + 1} of {shape.bills + 1} bills")
    return loaded


def _bills_loaded(connection: Connection, loaded: Loaded) -> int:
    """Each has its batch; what comes after the last has visits of today."""
    params = loaded.params
    batches = connection.execute("SELECT count(*) FROM invoicing_batch WHERE practice_id = %(practice)s", params)
    today = "SELECT count(*) FROM schedule_visit WHERE practice_id = %(practice)s AND service_on = %(today)s"
    (loaded_batches,), (visits,) = batches.fetchone() or (0,), connection.execute(today, params).fetchone() or (0,)
    return int(loaded_batches) + (1 if visits else 0)


def analyze(connection: Connection, *, vacuum: bool = False) -> None:
    """Statistics; with `vacuum` also what a server in use would have done long ago."""
    connection.commit()
    connection.autocommit = True
    for name in _TABLES:
        connection.execute(sql.SQL("VACUUM ANALYZE {}" if vacuum else "ANALYZE {}").format(sql.Identifier(name)))
    connection.autocommit = False


def _load_bill(connection: Connection, loaded: Loaded, number: int) -> None:
    shape = loaded.shape
    first, last = shape.bill_range(number)
    load_visits(connection, loaded, first, last)
    # No statistics know these days yet, and what the planner takes for one row it would pair with everything.
    connection.execute("SET LOCAL enable_nestloop = off")
    if number == shape.bills:
        _bill_half_of_today(connection, loaded)
        return
    params = {**loaded.params, "first": first, "last": last}
    _start_batch(connection, params)
    bill(connection, Bill(
        loaded.practice.id, "s.service_on >= %(first)s AND s.service_on < %(last)s", params,
        group_on=f"CASE WHEN {_IS_REGULAR} THEN {BY_DATE} ELSE %(last)s END",
        issued_on=f"CASE WHEN {_IS_REGULAR} THEN {BY_DATE} ELSE %(last)s END",
        made_at="issued_on + CASE door WHEN 'agenda' THEN time '18:00' ELSE time '20:00' END",
        door=f"CASE WHEN {_IS_REGULAR} THEN 'agenda' ELSE 'batch' END",
        batch_id=f"CASE WHEN {_IS_REGULAR} THEN NULL ELSE pg_temp.new_id(%(last)s, %(practice)s, 1) END",
    ))  # fmt: skip
    _end_batch(connection, params)
    if number < shape.bills - UNPAID_BILLS:
        pay_invoices(connection, loaded, first, last + timedelta(days=1))


#: The client who comes every weekday is billed on the Agenda, each time.
_IS_REGULAR = "v.client_id = (SELECT id FROM bench_client WHERE no = %(regular)s)"


def _bill_half_of_today(connection: Connection, loaded: Loaded) -> None:
    which = "s.service_on = %(today)s AND s.visit_id IN (SELECT v.id FROM schedule_visit v JOIN bench_client b " \
            "ON b.id = v.client_id WHERE v.practice_id = %(practice)s AND b.no %% 2 = 0)"  # fmt: skip
    params = {**loaded.params, "now": loaded.now}
    bill(connection, Bill(loaded.practice.id, which, params, group_on=BY_DATE, issued_on=BY_CLIENT, door="'agenda'"))


def _start_batch(connection: Connection, params: dict[str, object]) -> None:
    insert(connection, Batch, {
        "practice_id": "%(practice)s", "id": "pg_temp.new_id(%(last)s, %(practice)s, 1)",
        "created_at": "%(last)s + time '20:00'", "finished_at": "%(last)s + time '20:05'",
        "created_by_name": "'Olive Owner'", "from_on": "%(first)s", "to_on": "%(last)s::date - 1",
        "grouping": "'client'", "expected_count": "0", "expected_cents": "0",
    }, "", params)  # fmt: skip


def _end_batch(connection: Connection, params: dict[str, object]) -> None:
    """Its items are what `decided` says was billed in it."""
    insert(connection, BatchItem, {
        "practice_id": "%(practice)s", "id": "pg_temp.new_id(%(last)s, %(practice)s, min(no))",
        "batch_id": "batch_id", "client_id": "client_id", "done_at": "%(last)s + time '20:04'",
        "created_count": "count(DISTINCT invoice_no)",
        "visit_service_ids": "array_agg(visit_service_id ORDER BY no)",
    }, "FROM decided WHERE batch_id IS NOT NULL GROUP BY batch_id, client_id ORDER BY min(no)", params)  # fmt: skip
    insert(connection, JobRun, {
        "practice_id": "%(practice)s", "id": "pg_temp.new_id(%(last)s, %(practice)s, 2)", "kind": "'invoice_batch'",
        "subject_id": "pg_temp.new_id(%(last)s, %(practice)s, 1)", "state": "'done'", "unit": "'clients'",
        "total_count": "n", "done_count": "n", "created_at": "%(last)s + time '20:00'",
        "started_at": "%(last)s + time '20:00'", "heartbeat_at": "%(last)s + time '20:05'",
        "finished_at": "%(last)s + time '20:05'",
    }, "FROM (SELECT count(DISTINCT client_id) AS n FROM decided WHERE batch_id IS NOT NULL) d", params)  # fmt: skip

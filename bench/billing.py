"""The door in plain SQL: the same rules, rows, claim, numbers, entries and audit events in one transaction, as set
statements. The history is loaded with it, and batch invoicing is measured against it. `verify` looks at both alike.

What it leaves out of the door: row locks in order, refusals with reasons, prepayments, edits, amounts by income,
insurers' rules, and who may see whom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from daysheet.audit.models import AuditEvent
from daysheet.invoicing.models import Invoice, InvoiceLine
from daysheet.ledger.models import Entry

from .sql import Connection, insert

#: Bills of a batch: one per client, issued today.
BY_CLIENT, BY_DATE = "%(today)s::date", "p.service_on"


@dataclass(frozen=True, slots=True)
class Bill:
    """What to bill: visit services `which` (SQL about `s`), one invoice for each client and `group_on`."""

    practice_id: int
    which: str
    params: Mapping[str, Any]
    group_on: str = BY_CLIENT
    issued_on: str = BY_CLIENT
    made_at: str = "%(now)s::timestamptz"
    door: str = "'batch'"
    batch_id: str = "NULL::uuid"


def bill(connection: Connection, wanted: Bill) -> int:
    """Bill it, in the caller's transaction. Returns the number of lines."""
    params = {**wanted.params, "practice": wanted.practice_id, "event": uuid4()}
    connection.execute("DROP TABLE IF EXISTS pg_temp.decided")
    count = connection.execute(_DECIDE.format(**_parts(wanted)), params).rowcount
    connection.execute("ANALYZE pg_temp.decided")
    params["before"] = _take_numbers(connection, params)
    _write_invoices(connection, params)
    _write_lines(connection, params)
    _claim(connection, params, count)
    _write_entries(connection, params)
    _write_audit(connection, params)
    return count


def _parts(wanted: Bill) -> dict[str, str]:
    return {
        "which": wanted.which, "group_on": wanted.group_on, "issued_on": wanted.issued_on, "door": wanted.door,
        "batch_id": wanted.batch_id, "made_at": wanted.made_at,
    }  # fmt: skip


#: Copay once per date of service: each line takes what the lines of the date before it left (docs/money/side-split.md).
_DECIDE = """
    CREATE TEMP TABLE decided ON COMMIT DROP AS
    WITH p AS (
        SELECT s.* FROM schedule_visitservice s
        WHERE s.practice_id = %(practice)s AND s.line_id IS NULL AND s.removed_at IS NULL AND NOT s.is_suspended
          AND {which}
    ), terms AS (
        SELECT p.id AS visit_service_id, p.visit_id, p.service_on, p.position AS service_position,
            {group_on} AS group_on, {issued_on} AS issued_on, {door} AS door, {batch_id} AS batch_id, v.client_id,
            t.id AS service_type_id, t.code, t.name, t.kind = 'cpt' AS is_cpt,
            coalesce(p.modifiers, t.modifiers) AS modifiers,
            coalesce(nullif(a.place_of_service, ''), o.place_of_service) AS place_of_service,
            coalesce(p.rate_cents, cs.set_payment_amount_cents, c.set_payment_amount_cents, r.rate_cents, t.rate_cents)
                AS rate_cents,
            CASE WHEN p.rate_cents IS NOT NULL THEN 'visit'
                WHEN coalesce(cs.set_payment_amount_cents, c.set_payment_amount_cents) IS NOT NULL THEN 'client'
                WHEN r.rate_cents IS NOT NULL THEN 'payer' ELSE 'service' END AS price_source,
            coalesce(p.units, CASE t.unit_rule WHEN 'always' THEN t.unit_count ELSE greatest(1,
                (2 * extract(epoch FROM a.ends_at - a.starts_at)::int / 60 + t.unit_count - 1) / (2 * t.unit_count))
                END) AS units,
            k.id AS coverage_id, coalesce(k.copay_cents, 0) AS agreed_copay_cents,
            m.id AS rendering_staff_member_id, m.npi AS rendering_npi,
            m.first_name || ' ' || m.last_name || CASE m.credentials WHEN '' THEN '' ELSE ', ' || m.credentials END
                AS rendering_name,
            coalesce(b.first_name || ' ' || b.last_name, y.name) AS billing_name, coalesce(b.npi, y.npi) AS billing_npi,
            coalesce(d.codes, '{{}}') AS diagnosis_codes, coalesce(taken.cents, 0) AS copay_taken_cents
        FROM p
        JOIN practices_practice y ON y.id = p.practice_id
        JOIN schedule_visit v ON v.practice_id = p.practice_id AND v.id = p.visit_id
        JOIN schedule_appointment a ON a.practice_id = p.practice_id AND a.id = v.appointment_id
        JOIN practices_location o ON o.practice_id = p.practice_id AND o.id = a.location_id
        JOIN clients_client c ON c.practice_id = p.practice_id AND c.id = v.client_id
        JOIN services_servicetype t ON t.practice_id = p.practice_id AND t.id = p.service_type_id
        JOIN staff_staffmember m ON m.practice_id = p.practice_id
            AND m.id = coalesce(c.rendering_override_id, a.staff_member_id)
        LEFT JOIN staff_staffmember b ON b.practice_id = p.practice_id AND b.id = c.billing_staff_member_id
        LEFT JOIN services_clientservice cs ON cs.practice_id = p.practice_id AND cs.client_id = c.id
            AND cs.service_type_id = t.id
        LEFT JOIN LATERAL (
            SELECT k.* FROM clients_coverage k
            WHERE k.practice_id = p.practice_id AND k.client_id = c.id AND k.starts_on <= p.service_on
              AND (k.ends_on IS NULL OR p.service_on < k.ends_on)
            ORDER BY k.rank, k.starts_on DESC, k.id LIMIT 1
        ) k ON c.pays_by = 'insurance' AND t.bills_insurance
        LEFT JOIN LATERAL (
            SELECT r.rate_cents FROM services_payerrate r
            WHERE r.practice_id = p.practice_id AND r.payer_id = k.payer_id AND r.service_type_id = t.id
              AND r.starts_on <= p.service_on
            ORDER BY r.starts_on DESC LIMIT 1
        ) r ON true
        LEFT JOIN LATERAL (
            SELECT (array_agg(g.code ORDER BY g.position, g.id))[1:12] AS codes FROM clients_diagnosis g
            WHERE g.practice_id = p.practice_id AND g.client_id = c.id AND g.starts_on <= p.service_on
              AND (g.ends_on IS NULL OR p.service_on < g.ends_on)
        ) d ON true
        LEFT JOIN LATERAL (
            SELECT sum(l.copay_cents) AS cents FROM invoicing_invoiceline l
            WHERE l.practice_id = p.practice_id AND l.client_id = c.id AND l.service_on = p.service_on
              AND l.ended_at IS NULL
        ) taken ON true
        WHERE t.kind <> 'cpt' OR EXISTS (
            SELECT FROM staff_cptlicense x WHERE x.practice_id = p.practice_id AND x.staff_member_id = m.id
              AND x.year = extract(year FROM {issued_on})::int)
    ), amounts AS (
        SELECT *, rate_cents * units AS amount_cents, copay_taken_cents + coalesce(sum(rate_cents * units)
            FILTER (WHERE coverage_id IS NOT NULL) OVER so_far, 0)::bigint AS reached_cents
        FROM terms WINDOW so_far AS (PARTITION BY client_id, service_on ORDER BY visit_id, service_position,
            visit_service_id)
    ), sides AS (
        SELECT *, CASE WHEN coverage_id IS NULL THEN 0 ELSE least(agreed_copay_cents, reached_cents)
            - least(agreed_copay_cents, reached_cents - amount_cents) END AS copay_cents
        FROM amounts
    ), numbered AS (
        SELECT *, dense_rank() OVER (ORDER BY issued_on, client_id, group_on) AS invoice_no,
            row_number() OVER in_order AS position,
            row_number() OVER (ORDER BY issued_on, client_id, group_on, service_on, visit_id, service_position) AS no,
            CASE WHEN coverage_id IS NULL THEN amount_cents ELSE copay_cents END AS client_cents
        FROM sides WINDOW in_order AS (PARTITION BY issued_on, client_id, group_on
            ORDER BY service_on, visit_id, service_position, visit_service_id)
    )
    SELECT *, pg_temp.new_id(made_at, %(practice)s, no * 2) AS line_id,
        pg_temp.new_id(made_at, %(practice)s, invoice_no * 2 + 1) AS invoice_id,
        amount_cents - client_cents AS insurance_cents
    FROM (SELECT *, {made_at} AS made_at FROM numbered) n ORDER BY no"""

_NAME = "concat_ws(' ', c.first_name, nullif(c.middle_name, ''), c.last_name)"
_TOWN = "concat_ws(' ', nullif(c.city, '') || ',', nullif(c.state, ''), nullif(c.postal_code, ''))"
_PRACTICE_TOWN = "y.city || ', ' || y.state || ' ' || y.postal_code"


def _take_numbers(connection: Connection, params: Mapping[str, Any]) -> int:
    """The number before the first of the block."""
    row = connection.execute(
        "INSERT INTO invoicing_invoicecounter AS c (practice_id, id, next_number) "
        "SELECT %(practice)s, %(event)s, 1 + count(DISTINCT invoice_no) FROM decided "
        "ON CONFLICT (practice_id) DO UPDATE SET next_number = c.next_number + excluded.next_number - 1 "
        "RETURNING next_number, (SELECT count(DISTINCT invoice_no) FROM decided)",
        params,
    ).fetchone()
    assert row is not None
    return int(row[0] - row[1] - 1)


def _write_invoices(connection: Connection, params: Mapping[str, Any]) -> None:
    insert(connection, Invoice, {
        "practice_id": "%(practice)s", "id": "d.invoice_id", "number": "%(before)s + d.invoice_no",
        "client_id": "d.client_id", "issued_on": "d.issued_on", "created_at": "d.made_at",
        "created_by_name": "'Olive Owner'", "door": "d.door", "batch_id": "d.batch_id", "client_name": _NAME,
        "client_address": f"concat_ws(chr(10), nullif(c.address_1, ''), nullif(c.address_2, ''), {_TOWN})",
        "practice_name": "coalesce(nullif(y.legal_name, ''), y.name)",
        "practice_address": f"concat_ws(chr(10), y.address_1, nullif(y.address_2, ''), {_PRACTICE_TOWN})",
        "practice_phone": "y.phone", "practice_tax_id": "y.tax_id",
    }, """FROM (SELECT DISTINCT invoice_no, invoice_id, client_id, issued_on, made_at, door, batch_id FROM decided) d
        JOIN clients_client c ON c.practice_id = %(practice)s AND c.id = d.client_id
        JOIN practices_practice y ON y.id = %(practice)s ORDER BY d.invoice_no""", params)  # fmt: skip


_SAME = (
    "invoice_id", "client_id", "position", "visit_service_id", "service_on", "service_type_id", "code", "name",
    "is_cpt", "modifiers", "place_of_service", "rate_cents", "units", "amount_cents", "client_cents", "insurance_cents",
    "price_source", "coverage_id", "copay_cents", "rendering_staff_member_id", "rendering_name", "rendering_npi",
    "billing_name", "billing_npi", "diagnosis_codes",
)  # fmt: skip


def _write_lines(connection: Connection, params: Mapping[str, Any]) -> None:
    given = {"practice_id": "%(practice)s", "id": "line_id", "client_open_cents": "client_cents",
             "insurance_open_cents": "insurance_cents", **{name: f'"{name}"' for name in _SAME}}  # fmt: skip
    insert(connection, InvoiceLine, given, "FROM decided ORDER BY no", params)


def _claim(connection: Connection, params: Mapping[str, Any], count: int) -> None:
    claimed = connection.execute(
        "UPDATE schedule_visitservice s SET line_id = d.line_id FROM decided d "
        "WHERE s.practice_id = %(practice)s AND s.id = d.visit_service_id AND s.line_id IS NULL",
        params,
    ).rowcount
    assert claimed == count, "somebody else billed the same visits"


def _write_entries(connection: Connection, params: Mapping[str, Any]) -> None:
    """Each side's part against charges; a part of zero makes no entry."""
    insert(connection, Entry, {
        "practice_id": "%(practice)s", "id": "pg_temp.new_id(d.made_at, %(practice)s, d.no * 2 + side.no)",
        "debit_account": "side.account", "credit_account": "'revenue'",
        "amount_cents": "CASE side.no WHEN 0 THEN d.client_cents ELSE d.insurance_cents END",
        "client_id": "d.client_id", "line_id": "d.line_id", "coverage_id": "d.coverage_id",
        "effective_on": "d.issued_on", "posted_at": "d.made_at", "actor_name": "'Olive Owner'", "event_id": "%(event)s",
    }, """FROM decided d, (VALUES (0, 'client_receivable'), (1, 'insurance_receivable')) side (no, account)
        WHERE CASE side.no WHEN 0 THEN d.client_cents ELSE d.insurance_cents END > 0
        ORDER BY d.no, side.no""", params)  # fmt: skip


def _write_audit(connection: Connection, params: Mapping[str, Any]) -> None:
    """One event for each invoice."""
    insert(connection, AuditEvent, {
        "practice_id": "%(practice)s", "id": "pg_temp.new_id(d.made_at, %(practice)s, d.invoice_no)",
        "at": "d.made_at", "actor_kind": "'person'", "actor_name": "'Olive Owner'", "verb": "'issue_invoice'",
        "object_type": "'invoice'", "object_id": "d.invoice_id::text", "client_id": "d.client_id",
        "details": "jsonb_strip_nulls(jsonb_build_object('number', %(before)s + d.invoice_no, 'total_cents', d.cents, "
                   "'door', d.door, 'batch_id', d.batch_id))",
    }, """FROM (SELECT invoice_no, invoice_id, client_id, made_at, door, batch_id, sum(amount_cents)::bigint AS cents
            FROM decided GROUP BY 1, 2, 3, 4, 5, 6) d ORDER BY d.invoice_no""", params)  # fmt: skip

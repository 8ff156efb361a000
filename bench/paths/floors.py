"""Plain queries: what a page must ask the database for, written by hand, each once. As the runtime role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..measuring import Work
from ..sql import Connection, in_practice

Statement = tuple[str, Mapping[str, Any]]


def plain(connection: Connection, practice_id: int, statements: Sequence[Statement]) -> Work:
    """One transaction with these statements, every row fetched."""

    def ask() -> None:
        with in_practice(connection, practice_id):
            for sql, params in statements:
                connection.execute(sql, params).fetchall()

    return ask


#: Whoever asks: the session, the login's way into the practice, the staff member and permissions.
WHO = (
    "SELECT session_data FROM django_session WHERE session_key = %(session)s AND expire_date > now()",
    """SELECT u.*, m.staff_member_id, y.slug, y.name, y.time_zone FROM practices_user u
        JOIN practices_membership m ON m.user_id = u.id AND m.ended_at IS NULL
        JOIN practices_practice y ON y.id = m.practice_id
        WHERE u.id = %(user)s AND y.slug = %(slug)s""",
    "SELECT * FROM staff_staffmember WHERE practice_id = %(practice)s AND id = %(staff)s AND is_active",
)
#: The figure in the top bar.
UNBILLED = """
    SELECT count(DISTINCT visit_id), min(service_on) FROM schedule_visitservice
    WHERE practice_id = %(practice)s AND line_id IS NULL AND NOT is_suspended AND service_on <= %(today)s"""

STAFF_CHOICES = """
    SELECT id, first_name, last_name, credentials FROM staff_staffmember
    WHERE practice_id = %(practice)s AND is_active AND is_provider ORDER BY last_name, first_name"""
LOCATION_CHOICES = (
    "SELECT id, name FROM practices_location WHERE practice_id = %(practice)s AND is_active ORDER BY name"
)
SERVICE_CHOICES = "SELECT id, code, name FROM services_servicetype WHERE practice_id = %(practice)s ORDER BY code"

AGENDA = (
    STAFF_CHOICES,
    LOCATION_CHOICES,
    """SELECT v.*, c.first_name, c.middle_name, c.last_name, c.preferred_name, a.*, m.first_name, m.last_name, o.name
        FROM schedule_visit v
        JOIN schedule_appointment a ON a.practice_id = v.practice_id AND a.id = v.appointment_id
        JOIN clients_client c ON c.practice_id = v.practice_id AND c.id = v.client_id
        JOIN staff_staffmember m ON m.practice_id = a.practice_id AND m.id = a.staff_member_id
        JOIN practices_location o ON o.practice_id = a.practice_id AND o.id = a.location_id
        WHERE v.practice_id = %(practice)s AND v.service_on = %(today)s ORDER BY a.starts_at, a.id, c.last_name""",
    """SELECT s.*, t.code, t.name, i.number, l.client_open_cents FROM schedule_visit v
        JOIN schedule_visitservice s ON s.practice_id = v.practice_id AND s.visit_id = v.id
        JOIN services_servicetype t ON t.practice_id = s.practice_id AND t.id = s.service_type_id
        LEFT JOIN invoicing_invoiceline l ON l.practice_id = s.practice_id AND l.id = s.line_id
        LEFT JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
        WHERE v.practice_id = %(practice)s AND v.service_on = %(today)s ORDER BY s.position""",
    """SELECT p.client_id, sum(p.unapplied_cents) FROM payments_payment p
        WHERE p.practice_id = %(practice)s AND p.unapplied_cents > 0 AND p.client_id IN (
            SELECT client_id FROM schedule_visit WHERE practice_id = %(practice)s AND service_on = %(today)s)
        GROUP BY 1""",
    UNBILLED,
)

SEARCH_DATES = """
    SELECT v.id, v.client_id, f.live, v.status, a.starts_at FROM (
        SELECT s.visit_id, true AS live FROM schedule_visitservice s
        WHERE s.practice_id = %(practice)s AND s.line_id IS NULL AND NOT s.is_suspended
          AND s.service_on BETWEEN %(first)s AND %(today)s GROUP BY 1
        UNION ALL
        SELECT m.id, false FROM schedule_visit m
        WHERE m.practice_id = %(practice)s AND m.service_on BETWEEN %(first)s AND %(today)s
          AND m.status IN ('canceled', 'rescheduled', 'no_show', 'late_cancel')
          AND NOT EXISTS (SELECT FROM schedule_visitservice t WHERE t.practice_id = m.practice_id AND t.visit_id = m.id
              AND (NOT t.is_suspended OR t.line_id IS NOT NULL))
    ) f
    JOIN schedule_visit v ON v.practice_id = %(practice)s AND v.id = f.visit_id
    JOIN schedule_appointment a ON a.practice_id = v.practice_id AND a.id = v.appointment_id
    JOIN clients_client c ON c.practice_id = v.practice_id AND c.id = v.client_id
    ORDER BY lower(c.last_name), lower(c.first_name), c.id, v.service_on, a.starts_at, v.id"""
#: The first fifty clients of the search with what their dates are priced by.
SEARCH_PAGE = """
    SELECT s.*, v.service_on, v.status, c.*, a.*, m.*, t.*, k.copay_cents, k.payer_id, r.rate_cents, g.code, taken.cents
    FROM schedule_visitservice s
    JOIN schedule_visit v ON v.practice_id = s.practice_id AND v.id = s.visit_id
    JOIN schedule_appointment a ON a.practice_id = v.practice_id AND a.id = v.appointment_id
    JOIN practices_location o ON o.practice_id = a.practice_id AND o.id = a.location_id
    JOIN clients_client c ON c.practice_id = v.practice_id AND c.id = v.client_id
    JOIN services_servicetype t ON t.practice_id = s.practice_id AND t.id = s.service_type_id
    JOIN staff_staffmember m ON m.practice_id = a.practice_id AND m.id = a.staff_member_id
    LEFT JOIN clients_coverage k ON k.practice_id = c.practice_id AND k.client_id = c.id
    LEFT JOIN services_payerrate r ON r.practice_id = k.practice_id AND r.payer_id = k.payer_id
        AND r.service_type_id = t.id
    LEFT JOIN LATERAL (SELECT array_agg(d.code) AS code FROM clients_diagnosis d
        WHERE d.practice_id = c.practice_id AND d.client_id = c.id) g ON true
    LEFT JOIN LATERAL (SELECT sum(l.copay_cents) AS cents FROM invoicing_invoiceline l
        WHERE l.practice_id = c.practice_id AND l.client_id = c.id AND l.service_on = s.service_on
          AND l.ended_at IS NULL) taken ON true
    WHERE s.practice_id = %(practice)s AND s.visit_id = ANY(%(visits)s::uuid[]) AND s.line_id IS NULL"""
LICENSES = "SELECT staff_member_id FROM staff_cptlicense WHERE practice_id = %(practice)s AND year = %(year)s"
BATCH_SEARCH = (STAFF_CHOICES, LOCATION_CHOICES, SERVICE_CHOICES, SEARCH_DATES, SEARCH_PAGE, LICENSES, UNBILLED)

_CLIENT = "practice_id = %(practice)s AND client_id = %(client)s"


def _of(table: str) -> str:
    """The rows of `table` that are the client's."""
    return f"{table}.practice_id = %(practice)s AND {table}.client_id = %(client)s"


_LEDGER_HEAD = (
    "SELECT * FROM clients_client WHERE practice_id = %(practice)s AND id = %(client)s",
    f"""SELECT debit_account, credit_account, coverage_id IS NOT NULL, sum(amount_cents) FROM ledger_entry
        WHERE {_CLIENT} GROUP BY 1, 2, 3""",
    f"SELECT k.*, y.name FROM clients_coverage k JOIN clients_payer y ON y.practice_id = k.practice_id "
    f"AND y.id = k.payer_id WHERE {_of('k')}",
    f"""SELECT a.starts_at FROM schedule_visit v
        JOIN schedule_appointment a ON a.practice_id = v.practice_id AND a.id = v.appointment_id
        WHERE {_of('v')} AND v.status = 'upcoming' AND v.service_on >= %(today)s
        ORDER BY 1 LIMIT 1""",
    f"SELECT * FROM payments_payment WHERE {_CLIENT} AND unapplied_cents > 0 ORDER BY received_on, id LIMIT 20",
    f"""SELECT count(DISTINCT s.visit_id), min(s.service_on) FROM schedule_visit v
        JOIN schedule_visitservice s ON s.practice_id = v.practice_id AND s.visit_id = v.id
        WHERE {_of('v')} AND s.line_id IS NULL AND NOT s.is_suspended
          AND s.service_on <= %(today)s""",
    f"""SELECT x.* FROM clients_billingnote n
        JOIN clients_billingnotetext x ON x.practice_id = n.practice_id AND x.note_id = n.id
        WHERE {_of('n')}""",
    f"SELECT * FROM cards_storedcard WHERE {_CLIENT}",
    f"SELECT * FROM cards_charge WHERE {_CLIENT}",
    UNBILLED,
)  # fmt: skip
_INVOICES = """
    SELECT i.number, i.issued_on, min(l.service_on), max(l.service_on), count(*), sum(l.amount_cents),
        sum(l.client_open_cents), sum(l.insurance_open_cents)
    FROM invoicing_invoiceline l JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    WHERE l.practice_id = %(practice)s AND l.client_id = %(client)s AND l.ended_at IS NULL
    GROUP BY 1, 2 HAVING sum(l.client_open_cents + l.insurance_open_cents) {} 0 ORDER BY 1 DESC LIMIT 51"""
_PAYMENTS = f"""
    SELECT p.*, (SELECT sum(e.amount_cents * ((e.debit_account = 'cash')::int - (e.credit_account = 'cash')::int))
            FROM ledger_entry e WHERE e.practice_id = p.practice_id AND e.payment_id = p.id),
        EXISTS (SELECT FROM payments_paymentreversal r WHERE r.practice_id = p.practice_id AND r.payment_id = p.id)
    FROM payments_payment p WHERE {_of("p")}
    ORDER BY p.received_on DESC, p.id DESC LIMIT 51"""
_ACTIVITY = f"""
    SELECT x.*, i.number, l.service_on, l.code, l.name, p.method, p.number FROM (
        SELECT e.*, sum(e.amount_cents * ((e.debit_account IN ('client_receivable', 'insurance_receivable'))::int
            - (e.credit_account IN ('client_receivable', 'insurance_receivable'))::int))
            OVER (ORDER BY e.effective_on, e.id ROWS UNBOUNDED PRECEDING)
        FROM ledger_entry e WHERE {_of("e")}
        ORDER BY e.effective_on DESC, e.id DESC LIMIT 50
    ) x
    LEFT JOIN invoicing_invoiceline l ON l.practice_id = x.practice_id AND l.id = x.line_id
    LEFT JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    LEFT JOIN payments_payment p ON p.practice_id = x.practice_id AND p.id = x.payment_id"""
LEDGER = {
    "open": (*_LEDGER_HEAD, _INVOICES.format(">")),
    "paid": (*_LEDGER_HEAD, _INVOICES.format("=")),
    "payments": (*_LEDGER_HEAD, _PAYMENTS),
    "activity": (*_LEDGER_HEAD, _ACTIVITY),
}

CLIENT_SEARCH = """
    SELECT * FROM clients_client WHERE practice_id = %(practice)s AND search_text LIKE '%%ruiz%%'
    ORDER BY is_active DESC, search_text LIKE '%% ruiz%%' DESC, lower(last_name), lower(first_name), id LIMIT 12"""

EXISTING = """
    SELECT i.number, i.issued_on, c.last_name, c.first_name, sum(l.amount_cents),
        sum(l.client_open_cents + l.insurance_open_cents)
    FROM (SELECT * FROM invoicing_invoice WHERE practice_id = %(practice)s AND issued_on BETWEEN %(first)s AND %(today)s
        ORDER BY issued_on DESC, number DESC LIMIT 51) i
    JOIN clients_client c ON c.practice_id = i.practice_id AND c.id = i.client_id
    JOIN invoicing_invoiceline l ON l.practice_id = i.practice_id AND l.invoice_id = i.id
    GROUP BY 1, 2, 3, 4 ORDER BY 2 DESC, 1 DESC"""

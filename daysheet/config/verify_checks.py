"""The statements of `daysheet verify` about bills, lines and entries (verify_money.py: payments and balances).

Each returns one text column `difference`, and no row where all is well.
"""

from __future__ import annotations

from dataclasses import dataclass

from daysheet.audit.seals import CONTENT

#: How many differences of one check are named.
NAMED = 5


@dataclass(frozen=True, slots=True)
class Found:
    """What one check found: how many differences, and the first few in words."""

    name: str
    count: int
    first: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """`name` says what must hold; `sql` finds where it does not, given `%(practice)s`."""

    name: str
    sql: str


def dollars(expression: str) -> str:
    """Cents as a difference shows them."""
    return f"to_char(({expression}) / 100.0, 'FM999999999990.00')"


#: What an entry adds to the balance of a day sheet (docs/money/day-sheet.md).
_HELD = "('client_receivable', 'insurance_receivable', 'credit')"
_HELD_CHANGE = f"amount_cents * ((debit_account IN {_HELD})::int - (credit_account IN {_HELD})::int)"

_OPEN_AMOUNTS = f"""
    SELECT 'line ' || l.id || ' of invoice ' || i.number || ': client ' || {dollars("l.client_open_cents")}
        || ' by its entries ' || {dollars("coalesce(e.client, 0)")} || ', insurance '
        || {dollars("l.insurance_open_cents")} || ' by its entries ' || {dollars("coalesce(e.insurance, 0)")}
        AS difference
    FROM invoicing_invoiceline l
    JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    LEFT JOIN (
        SELECT line_id,
            sum(amount_cents * ((debit_account = 'client_receivable')::int
                - (credit_account = 'client_receivable')::int)) AS client,
            sum(amount_cents * ((debit_account = 'insurance_receivable')::int
                - (credit_account = 'insurance_receivable')::int)) AS insurance
        FROM ledger_entry WHERE practice_id = %(practice)s AND line_id IS NOT NULL GROUP BY line_id
    ) e ON e.line_id = l.id
    WHERE l.practice_id = %(practice)s
      AND (l.client_open_cents <> coalesce(e.client, 0) OR l.insurance_open_cents <> coalesce(e.insurance, 0))"""

_CHARGES = f"""
    SELECT 'line ' || l.id || ' of invoice ' || i.number || ': billed ' || {dollars("l.client_cents")} || ' + '
        || {dollars("l.insurance_cents")} || ', charged ' || {dollars("coalesce(e.client, 0)")} || ' + '
        || {dollars("coalesce(e.insurance, 0)")} || ', standing ' || {dollars("coalesce(e.standing, 0)")}
        AS difference
    FROM invoicing_invoiceline l
    JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    LEFT JOIN (
        SELECT line_id,
            sum(amount_cents) FILTER (WHERE debit_account = 'client_receivable' AND reverses_id IS NULL) AS client,
            sum(amount_cents) FILTER (WHERE debit_account = 'insurance_receivable' AND reverses_id IS NULL)
                AS insurance,
            sum(amount_cents * ((credit_account = 'revenue')::int - (debit_account = 'revenue')::int)) AS standing
        FROM ledger_entry
        WHERE practice_id = %(practice)s AND 'revenue' IN (debit_account, credit_account) GROUP BY line_id
    ) e ON e.line_id = l.id
    WHERE l.practice_id = %(practice)s
      AND (l.client_cents <> coalesce(e.client, 0) OR l.insurance_cents <> coalesce(e.insurance, 0)
        OR coalesce(e.standing, 0) <> CASE WHEN l.ended_at IS NULL THEN l.amount_cents ELSE 0 END)"""

_PAYMENTS = f"""
    SELECT 'payment ' || p.id || ' of ' || p.received_on || ': amount ' || {dollars("p.amount_cents")}
        || ', received by its entries ' || {dollars("coalesce(e.received, 0)")} || '; unapplied '
        || {dollars("p.unapplied_cents")} || ', by its entries ' || {dollars("coalesce(e.unapplied, 0)")}
        AS difference
    FROM payments_payment p
    LEFT JOIN (
        SELECT payment_id,
            coalesce(sum(amount_cents) FILTER (WHERE debit_account = 'cash' AND reverses_id IS NULL), 0)
                - coalesce(sum(amount_cents) FILTER (WHERE credit_account = 'cash' AND reverses_id IS NOT NULL), 0)
                AS received,
            sum(amount_cents * ((credit_account = 'credit')::int - (debit_account = 'credit')::int)) AS unapplied
        FROM ledger_entry WHERE practice_id = %(practice)s AND payment_id IS NOT NULL GROUP BY payment_id
    ) e ON e.payment_id = p.id
    LEFT JOIN payments_paymentreversal r ON r.practice_id = p.practice_id AND r.payment_id = p.id
    WHERE p.practice_id = %(practice)s
      AND (CASE WHEN r.id IS NULL THEN p.amount_cents ELSE 0 END <> coalesce(e.received, 0)
        OR p.unapplied_cents <> coalesce(e.unapplied, 0))"""

_CLIENTS_OF_ENTRIES = """
    SELECT 'entry ' || e.id || ' is of another client than its line or payment' AS difference
    FROM ledger_entry e
    LEFT JOIN invoicing_invoiceline l ON l.practice_id = e.practice_id AND l.id = e.line_id
    LEFT JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
    WHERE e.practice_id = %(practice)s
      AND (l.client_id IS DISTINCT FROM e.client_id AND l.id IS NOT NULL
        OR p.client_id <> e.client_id OR p.client_id IS NOT NULL AND e.client_id IS NULL)"""

_REVERSALS = """
    SELECT 'entry ' || m.id || ' is no mirror of ' || e.id || ', which it reverses' AS difference
    FROM ledger_entry m
    JOIN ledger_entry e ON e.practice_id = m.practice_id AND e.id = m.reverses_id
    WHERE m.practice_id = %(practice)s
      AND (m.amount_cents, m.debit_account, m.credit_account, m.line_id, m.payment_id)
        IS DISTINCT FROM (e.amount_cents, e.credit_account, e.debit_account, e.line_id, e.payment_id)"""

_LINES_TO_SERVICES = """
    SELECT 'line ' || l.id || ' of invoice ' || i.number || ' is live, but its service of ' || s.service_on
        || coalesce(' is marked as billed by line ' || s.line_id, ' is marked as unbilled') AS difference
    FROM invoicing_invoiceline l
    JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    JOIN schedule_visitservice s ON s.practice_id = l.practice_id AND s.id = l.visit_service_id
    WHERE l.practice_id = %(practice)s AND l.ended_at IS NULL AND s.line_id IS DISTINCT FROM l.id
    UNION ALL
    SELECT 'service ' || s.id || ' of ' || s.service_on || ' is marked as billed by line ' || s.line_id
        || ', which is not live or not its own'
    FROM schedule_visitservice s
    LEFT JOIN invoicing_invoiceline l
        ON l.practice_id = s.practice_id AND l.id = s.line_id AND l.visit_service_id = s.id AND l.ended_at IS NULL
    WHERE s.practice_id = %(practice)s AND s.line_id IS NOT NULL AND l.id IS NULL"""

_DATES = """
    SELECT 'visit ' || v.id || ': ' || v.service_on || ', its appointment ' || a.service_on AS difference
    FROM schedule_visit v
    JOIN schedule_appointment a ON a.practice_id = v.practice_id AND a.id = v.appointment_id
    WHERE v.practice_id = %(practice)s AND v.service_on <> a.service_on
    UNION ALL
    SELECT 'service ' || s.id || ': ' || s.service_on || ', its visit ' || v.service_on
    FROM schedule_visitservice s
    JOIN schedule_visit v ON v.practice_id = s.practice_id AND v.id = s.visit_id
    WHERE s.practice_id = %(practice)s AND s.service_on <> v.service_on
    UNION ALL
    SELECT 'line ' || l.id || ': ' || l.service_on || ', its service ' || s.service_on
    FROM invoicing_invoiceline l
    JOIN schedule_visitservice s ON s.practice_id = l.practice_id AND s.id = l.visit_service_id
    WHERE l.practice_id = %(practice)s AND l.ended_at IS NULL AND l.service_on <> s.service_on"""

_NUMBERS = """
    SELECT 'after invoice ' || before || ' comes ' || number AS difference
    FROM (
        SELECT number, lag(number, 1, 0::bigint) OVER (ORDER BY number) AS before
        FROM invoicing_invoice WHERE practice_id = %(practice)s
    ) n WHERE number <> before + 1
    UNION ALL
    SELECT 'the next number is ' || coalesce(c.next, 1) || ', the highest given is ' || coalesce(i.highest, 0)
    FROM (SELECT max(number) AS highest FROM invoicing_invoice WHERE practice_id = %(practice)s) i,
        (SELECT max(next_number) AS next FROM invoicing_invoicecounter WHERE practice_id = %(practice)s) c
    WHERE coalesce(c.next, 1) <> coalesce(i.highest, 0) + 1"""

_VOIDS = """
    SELECT 'line ' || l.id || ' is live on invoice ' || i.number || ', which is void' AS difference
    FROM invoicing_invoiceline l
    JOIN invoicing_invoice i ON i.practice_id = l.practice_id AND i.id = l.invoice_id
    JOIN invoicing_invoicevoid v ON v.practice_id = i.practice_id AND v.invoice_id = i.id
    WHERE l.practice_id = %(practice)s AND l.ended_at IS NULL"""

_WHOLE_INVOICES = """
    SELECT 'invoice ' || i.number || coalesce(' has a line of another client: ' || l.id, ' has no line') AS difference
    FROM invoicing_invoice i
    LEFT JOIN invoicing_invoiceline l ON l.practice_id = i.practice_id AND l.invoice_id = i.id
    WHERE i.practice_id = %(practice)s AND (l.id IS NULL OR l.client_id <> i.client_id)"""

_CLOSED_DAYS = f"""
    WITH movements AS (
        SELECT effective_on AS day, {_HELD_CHANGE} AS change, ARRAY[debit_account, credit_account] AS accounts,
            1 AS entry
        FROM ledger_entry WHERE practice_id = %(practice)s
        UNION ALL
        SELECT day, 0, ARRAY['']::varchar[], 0 FROM ledger_closedday WHERE practice_id = %(practice)s
    ), days AS (
        SELECT day, sum(change) AS change, sum(entry) AS entries,
            coalesce(sum(change) FILTER (WHERE 'revenue' = ANY(accounts)), 0) AS charges,
            -coalesce(sum(change) FILTER (WHERE 'cash' = ANY(accounts)), 0) AS payments,
            -coalesce(
                sum(change) FILTER (WHERE accounts && ARRAY['write_off', 'contractual', 'refunded']::varchar[]), 0
            ) AS adjustments
        FROM movements GROUP BY day
    ), sheets AS (
        SELECT *, sum(change) OVER (ORDER BY day) AS closing FROM days
    )
    SELECT 'the day ' || d.day || ' was closed at ' || {dollars("d.closing_cents_snapshot")} || ' with '
        || d.entry_count_snapshot || ' entries, its entries now come to ' || {dollars("s.closing")} || ' with '
        || s.entries AS difference
    FROM ledger_closedday d JOIN sheets s ON s.day = d.day
    WHERE d.practice_id = %(practice)s
      AND (d.opening_cents_snapshot, d.charges_cents_snapshot, d.payments_cents_snapshot, d.adjustments_cents_snapshot,
           d.closing_cents_snapshot, d.entry_count_snapshot)
        IS DISTINCT FROM (s.closing - s.change, s.charges, s.payments, s.adjustments, s.closing, s.entries)
    UNION ALL
    SELECT 'the books are closed through ' || coalesce(b.closed_through_on::text, 'no day')
        || ', the last closed day is ' || coalesce(d.last::text, 'none')
    FROM (SELECT max(day) AS last FROM ledger_closedday WHERE practice_id = %(practice)s) d
    LEFT JOIN ledger_books b ON b.practice_id = %(practice)s
    WHERE d.last IS DISTINCT FROM b.closed_through_on"""

_SEALS = f"""
    SELECT 'the log up to ' || to_char(to_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC: ' || CASE
        WHEN event_count <> events THEN event_count || ' events were sealed, there are ' || events
        WHEN view_count <> views THEN view_count || ' record views were sealed, there are ' || views
        ELSE 'an event or a record view was changed' END AS difference
    FROM ({CONTENT.format(seals="(SELECT * FROM audit_auditseal WHERE practice_id = %(practice)s)")}) sealed
    WHERE hash <> computed OR event_count <> events OR view_count <> views
    UNION ALL
    SELECT 'the seal up to ' || to_char(to_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
        || ' UTC does not follow the one before'
    FROM (SELECT *, lag(hash, 1, '') OVER each AS hash_before, lag(to_at) OVER each AS to_before
        FROM audit_auditseal WHERE practice_id = %(practice)s WINDOW each AS (ORDER BY to_at)) chain
    WHERE previous_hash <> hash_before OR from_at IS DISTINCT FROM to_before"""

CHECKS = (
    Check("the open amounts of every line are what its entries leave", _OPEN_AMOUNTS),
    Check("every line was charged once, as it was billed; ended lines were reversed", _CHARGES),
    Check("every payment came in once, and its credit is what its entries leave", _PAYMENTS),
    Check("every entry is of the client of its line and payment", _CLIENTS_OF_ENTRIES),
    Check("every reversal mirrors what it reverses", _REVERSALS),
    Check("every live line and its service point at each other", _LINES_TO_SERVICES),
    Check("appointments, visits, services and lines agree on the date of service", _DATES),
    Check("invoice numbers run from 1 without gap or repeat, and the counter follows", _NUMBERS),
    Check("no line is live on a void invoice", _VOIDS),
    Check("every invoice has lines, all of its own client", _WHOLE_INVOICES),
    Check("the Activity Log and who looked at records are what was sealed each night", _SEALS),
    Check("every closed day is what it was when it was closed", _CLOSED_DAYS),
)

#: What lines and payments keep, summed: client side open, insurance side open, unapplied.
TOTALS = """
    SELECT coalesce(l.client, 0)::bigint, coalesce(l.insurance, 0)::bigint, coalesce(p.unapplied, 0)::bigint
    FROM (SELECT sum(client_open_cents) AS client, sum(insurance_open_cents) AS insurance
          FROM invoicing_invoiceline WHERE practice_id = %(practice)s) l,
         (SELECT sum(unapplied_cents) AS unapplied FROM payments_payment WHERE practice_id = %(practice)s) p"""

"""What `daysheet verify` asks of money: one budget per payment, sides paid by whom they may be paid by, every view of a
balance one sum. Statements as in verify_checks.py."""

from __future__ import annotations

from .verify_checks import Check, dollars

_BUDGETS = f"""
    SELECT 'payment ' || p.id || ' of ' || {dollars("p.amount_cents")} || ': given back '
        || {dollars("e.given_back")} || ', standing on lines ' || {dollars("e.applied")} || ', credit '
        || {dollars("e.credit")} || CASE WHEN r.id IS NULL THEN '' ELSE ', although it was deleted' END AS difference
    FROM payments_payment p
    JOIN (
        SELECT payment_id,
            sum(amount_cents * (debit_account = 'credit' AND credit_account = 'cash' AND reverses_id IS NULL)::int)
                - sum(amount_cents * (debit_account = 'cash' AND credit_account = 'credit'
                    AND reverses_id IS NOT NULL)::int) AS given_back,
            sum(amount_cents * ((debit_account = 'credit' AND credit_account LIKE '%%receivable')::int
                - (credit_account = 'credit' AND debit_account LIKE '%%receivable')::int)) AS applied,
            sum(amount_cents * ((credit_account = 'credit')::int - (debit_account = 'credit')::int)) AS credit
        FROM ledger_entry WHERE practice_id = %(practice)s AND payment_id IS NOT NULL GROUP BY payment_id
    ) e ON e.payment_id = p.id
    LEFT JOIN payments_paymentreversal r ON r.practice_id = p.practice_id AND r.payment_id = p.id
    WHERE p.practice_id = %(practice)s
      AND (e.given_back < 0 OR e.applied < 0 OR e.credit < 0
        OR e.given_back + e.applied + e.credit <> CASE WHEN r.id IS NULL THEN p.amount_cents ELSE 0 END
        OR r.id IS NOT NULL AND (e.given_back, e.applied, e.credit) <> (0, 0, 0))"""

_OWN_MONEY = f"""
    SELECT 'entry ' || e.id || ' puts ' || {dollars("e.amount_cents")} || ' of ' || CASE
        WHEN p.client_id IS NOT NULL THEN 'a client on an insurance side or on another client''s line'
        ELSE 'an insurer on a client side or on a line that it does not cover' END AS difference
    FROM ledger_entry e
    JOIN payments_payment p ON p.practice_id = e.practice_id AND p.id = e.payment_id
    JOIN invoicing_invoiceline l ON l.practice_id = e.practice_id AND l.id = e.line_id
    LEFT JOIN clients_coverage c ON c.practice_id = l.practice_id AND c.id = l.coverage_id
    WHERE e.practice_id = %(practice)s
      AND NOT coalesce(CASE WHEN 'insurance_receivable' IN (e.debit_account, e.credit_account)
        THEN c.payer_id = p.payer_id AND e.coverage_id = l.coverage_id
        ELSE p.client_id = l.client_id END, false)"""

_CLIENT_FIGURES = f"""
    WITH entries AS (
        SELECT client_id,
            sum(amount_cents * ((debit_account = 'client_receivable')::int
                - (credit_account = 'client_receivable')::int)) AS due,
            sum(amount_cents * ((debit_account = 'insurance_receivable')::int
                - (credit_account = 'insurance_receivable')::int)) AS insurance,
            sum(amount_cents * ((credit_account = 'credit')::int - (debit_account = 'credit')::int))
                FILTER (WHERE coverage_id IS NULL) AS credit
        FROM ledger_entry WHERE practice_id = %(practice)s AND client_id IS NOT NULL GROUP BY client_id
    ), lines AS (
        SELECT client_id, sum(client_open_cents) AS due, sum(insurance_open_cents) AS insurance
        FROM invoicing_invoiceline WHERE practice_id = %(practice)s AND ended_at IS NULL GROUP BY client_id
    ), payments AS (
        SELECT client_id, sum(unapplied_cents) AS credit FROM payments_payment
        WHERE practice_id = %(practice)s AND client_id IS NOT NULL GROUP BY client_id
    )
    SELECT 'client ' || client_id || ': due ' || {dollars("coalesce(e.due, 0)")} || ' by entries, '
        || {dollars("coalesce(l.due, 0)")} || ' by the open invoices; insurance '
        || {dollars("coalesce(e.insurance, 0)")} || ' and ' || {dollars("coalesce(l.insurance, 0)")} || '; credit '
        || {dollars("coalesce(e.credit, 0)")} || ' by entries, ' || {dollars("coalesce(p.credit, 0)")}
        || ' by the payments' AS difference
    FROM entries e FULL JOIN lines l USING (client_id) FULL JOIN payments p USING (client_id)
    WHERE (coalesce(e.due, 0), coalesce(e.insurance, 0), coalesce(e.credit, 0))
        <> (coalesce(l.due, 0), coalesce(l.insurance, 0), coalesce(p.credit, 0))"""

_INSURER_FIGURES = f"""
    WITH entries AS (
        SELECT c.payer_id, sum(e.amount_cents * ((e.debit_account = 'insurance_receivable')::int
            - (e.credit_account = 'insurance_receivable')::int)) AS due
        FROM ledger_entry e
        LEFT JOIN clients_coverage c ON c.practice_id = e.practice_id AND c.id = e.coverage_id
        WHERE e.practice_id = %(practice)s AND 'insurance_receivable' IN (e.debit_account, e.credit_account)
        GROUP BY c.payer_id
    ), lines AS (
        SELECT c.payer_id, sum(l.insurance_open_cents) AS due
        FROM invoicing_invoiceline l
        JOIN clients_coverage c ON c.practice_id = l.practice_id AND c.id = l.coverage_id
        WHERE l.practice_id = %(practice)s AND l.insurance_open_cents > 0 GROUP BY c.payer_id
    )
    SELECT 'insurer ' || coalesce(payer_id::text, 'unknown') || ': ' || {dollars("coalesce(e.due, 0)")}
        || ' by entries, ' || {dollars("coalesce(l.due, 0)")} || ' by its open lines' AS difference
    FROM entries e FULL JOIN lines l USING (payer_id)
    WHERE coalesce(e.due, 0) <> coalesce(l.due, 0)"""

_RECEIPTS = """
    SELECT 'payment ' || p.id || ' is dated ' || p.received_on || ', its receipt ' || coalesce(
        string_agg(e.effective_on::text, ' and ' ORDER BY e.effective_on), 'is missing') AS difference
    FROM payments_payment p
    LEFT JOIN ledger_entry e ON e.practice_id = p.practice_id AND e.payment_id = p.id AND e.debit_account = 'cash'
        AND e.reverses_id IS NULL AND NOT EXISTS (
            SELECT FROM ledger_entry m WHERE m.practice_id = e.practice_id AND m.reverses_id = e.id)
    WHERE p.practice_id = %(practice)s AND NOT EXISTS (
        SELECT FROM payments_paymentreversal r WHERE r.practice_id = p.practice_id AND r.payment_id = p.id)
    GROUP BY p.practice_id, p.id, p.received_on
    -- Meant for a closed day, it stands on the first open one (ADR 5).
    HAVING count(e.id) <> 1 OR min(e.effective_on) <> p.received_on AND NOT EXISTS (
        SELECT FROM ledger_closedday d WHERE d.practice_id = p.practice_id AND d.day >= p.received_on
            AND d.day = min(e.effective_on) - 1)"""

_FROZEN_INVOICES = f"""
    SELECT 'invoice ' || i.number || ': its lines come to ' || {dollars("coalesce(l.total, 0)")} || ', '
        || CASE WHEN a.total IS NULL THEN 'its creation is not in the Activity Log'
           ELSE 'it was created at ' || {dollars("a.total")} END AS difference
    FROM invoicing_invoice i
    LEFT JOIN (
        SELECT l.invoice_id, sum(l.amount_cents) AS total
        FROM invoicing_invoiceline l
        WHERE l.practice_id = %(practice)s AND NOT EXISTS (
            SELECT FROM audit_auditevent a WHERE a.practice_id = l.practice_id AND a.object_type = 'line'
                AND a.object_id = l.id::text AND a.verb = 'edit_line')
        GROUP BY l.invoice_id
    ) l ON l.invoice_id = i.id
    LEFT JOIN (
        SELECT object_id, max((details->>'total_cents')::bigint) AS total FROM audit_auditevent
        WHERE practice_id = %(practice)s AND object_type = 'invoice' AND verb = 'issue_invoice' GROUP BY object_id
    ) a ON a.object_id = i.id::text
    WHERE i.practice_id = %(practice)s AND a.total IS DISTINCT FROM coalesce(l.total, 0)"""

_FROZEN_PAYMENTS = f"""
    SELECT 'payment ' || p.id || ' of ' || p.received_on || ' is ' || {dollars("p.amount_cents")} || ', '
        || CASE WHEN a.amount IS NULL THEN 'its receipt is not in the Activity Log'
           ELSE 'it was accepted as ' || {dollars("a.amount")} END AS difference
    FROM payments_payment p
    LEFT JOIN (
        SELECT object_id, max((details->>'amount_cents')::bigint) AS amount FROM audit_auditevent
        WHERE practice_id = %(practice)s AND object_type = 'payment' AND details ? 'amount_cents' GROUP BY object_id
    ) a ON a.object_id = p.id::text
    WHERE p.practice_id = %(practice)s AND a.amount IS DISTINCT FROM p.amount_cents"""

_BATCHES = """
    SELECT 'batch of ' || b.created_at::date || ', client ' || i.client_id || ': ' || i.created_count
        || ' invoices counted, ' || coalesce(n.made, 0) || ' made' AS difference
    FROM invoicing_batchitem i
    JOIN invoicing_batch b ON b.practice_id = i.practice_id AND b.id = i.batch_id
    LEFT JOIN (
        SELECT batch_id, client_id, count(*) AS made FROM invoicing_invoice
        WHERE practice_id = %(practice)s AND batch_id IS NOT NULL GROUP BY batch_id, client_id
    ) n ON n.batch_id = i.batch_id AND n.client_id = i.client_id
    WHERE i.practice_id = %(practice)s AND i.created_count <> coalesce(n.made, 0)"""

MONEY_CHECKS = (
    Check("of every payment, what is applied, given back and credit come to what came in", _BUDGETS),
    Check("a client's money is on client sides, an insurer's on the lines it covers", _OWN_MONEY),
    Check("every client's balance is one sum: entries, open invoices, payments", _CLIENT_FIGURES),
    Check("every insurer's balance is one sum: entries, open lines", _INSURER_FIGURES),
    Check("every payment has one receipt, of its own date or the first open day after", _RECEIPTS),
    Check("every invoice's lines come to what was created", _FROZEN_INVOICES),
    Check("every payment is what was accepted", _FROZEN_PAYMENTS),
    Check("every batch counts the invoices it made", _BATCHES),
)

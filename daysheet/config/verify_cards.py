"""What `daysheet verify` asks of cards: what is known of a charge or a refund is what is booked of it, and no
person's word stands without its effect. Statements as in verify_checks.py."""

from __future__ import annotations

from .verify_checks import Check, dollars

_CHARGES = """
    SELECT 'card charge ' || c.id || CASE
        WHEN charged AND p.id IS NULL THEN ' came in and has no payment'
        WHEN NOT charged AND p.id IS NOT NULL THEN ' has a payment and did not come in'
        ELSE ': somebody said ' || d.outcome || ', which was not written down' END AS difference
    FROM (
        SELECT c.*, bool_or(s.state = 'charged') IS TRUE AS charged, bool_or(s.state = 'canceled') IS TRUE AS canceled
        FROM cards_charge c
        LEFT JOIN cards_chargestep s ON s.practice_id = c.practice_id AND s.charge_id = c.id
        WHERE c.practice_id = %(practice)s GROUP BY c.practice_id, c.id
    ) c
    LEFT JOIN payments_payment p ON p.practice_id = c.practice_id AND p.charge_id = c.id
    LEFT JOIN cards_chargedecision d ON d.practice_id = c.practice_id AND d.charge_id = c.id
    WHERE charged <> (p.id IS NOT NULL)
      OR d.outcome = 'charged' AND NOT charged OR d.outcome = 'not_charged' AND NOT canceled"""

_REFUNDS = f"""
    SELECT 'refund ' || r.id || ' of ' || {dollars("r.amount_cents")} || ' to a card took '
        || {dollars("coalesce(e.out, 0)")} || CASE
        WHEN r.failed OR r.not_made AND NOT r.refunded THEN ' and was not made'
        WHEN d.outcome IS NOT NULL THEN '; somebody said ' || d.outcome
        ELSE '' END AS difference
    FROM (
        SELECT r.*, bool_or(s.state = 'refunded') IS TRUE AS refunded, bool_or(s.state = 'failed') IS TRUE AS failed,
            bool_or(s.state = 'not_made') IS TRUE AS not_made
        FROM cards_cardrefund r
        LEFT JOIN cards_cardrefundstep s ON s.practice_id = r.practice_id AND s.refund_id = r.id
        WHERE r.practice_id = %(practice)s GROUP BY r.practice_id, r.id
    ) r
    LEFT JOIN (
        SELECT event_id, sum(amount_cents) AS out FROM ledger_entry e
        WHERE practice_id = %(practice)s AND debit_account = 'credit' AND credit_account = 'cash'
          AND NOT EXISTS (
            SELECT FROM ledger_entry m WHERE m.practice_id = e.practice_id AND m.reverses_id = e.id)
        GROUP BY event_id
    ) e ON e.event_id = r.id
    LEFT JOIN cards_cardrefunddecision d ON d.practice_id = r.practice_id AND d.refund_id = r.id
    WHERE CASE
        WHEN r.failed OR r.not_made AND NOT r.refunded THEN coalesce(e.out, 0) <> 0
        -- Made at the processor's own desk, or after all: at most what was left of the payment.
        WHEN r.reference <> '' OR r.not_made THEN coalesce(e.out, 0) > r.amount_cents
        ELSE coalesce(e.out, 0) <> r.amount_cents END
      OR r.not_made <> (d.outcome IS NOT DISTINCT FROM 'not_refunded')
      OR d.outcome = 'refunded' AND NOT r.refunded"""

CARD_CHECKS = (
    Check("every card charge that came in is one payment, and no other", _CHARGES),
    Check("every refund to a card took what it says, and nothing where it was not made", _REFUNDS),
)

"""The statements of `daysheet verify` about runs of documents, what they made, and the e-mails they wrote (D1)."""

from __future__ import annotations

from .verify_checks import Check

_ITEMS = """
    SELECT 'run of ' || m.created_at::date || ', client ' || i.client_id || ': ' || CASE
        WHEN i.done_at IS NULL THEN 'nothing was done, though the run is finished'
        WHEN i.outcome = 'skipped' THEN 'left out (' || i.code || '), but it has '
            || CASE WHEN d.n > 0 THEN 'a document' ELSE 'an e-mail' END
        WHEN coalesce(d.n, 0) = 0 THEN 'made, but there is no document'
        WHEN i.way = 'email' THEN 'made, but there is no e-mail'
        ELSE 'to print, but it has an e-mail' END AS difference
    FROM mailings_mailingitem i
    JOIN mailings_mailing m ON m.practice_id = i.practice_id AND m.id = i.mailing_id
    LEFT JOIN (
        SELECT made_in, client_id, count(*) AS n FROM documents_madedocument
        WHERE practice_id = %(practice)s GROUP BY made_in, client_id
    ) d ON d.made_in = i.mailing_id AND d.client_id = i.client_id
    LEFT JOIN (
        SELECT run_id, recipient_id, count(*) AS n FROM mail_message
        WHERE practice_id = %(practice)s GROUP BY run_id, recipient_id
    ) e ON e.run_id = i.mailing_id AND e.recipient_id = i.client_id
    WHERE i.practice_id = %(practice)s AND CASE
        WHEN i.done_at IS NULL THEN m.finished_at IS NOT NULL
        WHEN i.outcome = 'skipped' THEN d.n > 0 OR e.n > 0
        ELSE coalesce(d.n, 0) = 0 OR (i.way = 'email') <> (coalesce(e.n, 0) > 0) END"""

_STRAYS = """
    SELECT 'run of ' || m.created_at::date || ': ' || s.what || ' ' || s.id || ' is of client ' || s.client_id
        || ', who is not in the run' AS difference
    FROM (
        SELECT 'e-mail' AS what, id, run_id AS mailing_id, recipient_id AS client_id FROM mail_message
        WHERE practice_id = %(practice)s
        UNION ALL
        SELECT 'document', id, made_in, client_id FROM documents_madedocument WHERE practice_id = %(practice)s
    ) s
    JOIN mailings_mailing m ON m.practice_id = %(practice)s AND m.id = s.mailing_id
    WHERE NOT EXISTS (
        SELECT FROM mailings_mailingitem i
        WHERE i.practice_id = m.practice_id AND i.mailing_id = m.id AND i.client_id = s.client_id)"""

_FILES = """
    SELECT 'run of ' || m.created_at::date || ', finished ' || m.finished_at::date || ': ' || i.printed
        || ' clients to print, and no file was ever made' AS difference
    FROM mailings_mailing m
    JOIN (
        SELECT mailing_id, count(*) AS printed FROM mailings_mailingitem
        WHERE practice_id = %(practice)s AND way = 'print' AND outcome = 'made' GROUP BY mailing_id
    ) i ON i.mailing_id = m.id
    WHERE m.practice_id = %(practice)s AND m.finished_at IS NOT NULL AND NOT EXISTS (
        SELECT FROM mailings_mailingfile f WHERE f.practice_id = m.practice_id AND f.mailing_id = m.id)"""

_TWICE = """
    SELECT 'run ' || run_id || ': ' || count(*) || ' e-mails to ' || recipient_id AS difference
    FROM mail_message WHERE practice_id = %(practice)s GROUP BY run_id, recipient_id HAVING count(*) > 1"""

_SENT = """
    SELECT 'e-mail ' || m.id || ' to ' || m.recipient_id || ': ' || CASE
        WHEN coalesce(s.sent, 0) = 0 THEN 'sent, but no mail server took it and nobody said so'
        ELSE 'taken by the mail server ' || s.accepted || ' times, sent again by a person ' || s.again END
        AS difference
    FROM mail_message m
    LEFT JOIN (
        SELECT message_id, count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
            count(*) FILTER (WHERE outcome = 'again') AS again,
            count(*) FILTER (WHERE outcome IN ('accepted', 'marked_sent')) AS sent
        FROM mail_deliverystep WHERE practice_id = %(practice)s GROUP BY message_id
    ) s ON s.message_id = m.id
    WHERE m.practice_id = %(practice)s
      AND (m.state = 'sent' AND coalesce(s.sent, 0) = 0 OR s.accepted > s.again + 1)"""

MAILING_CHECKS = (
    Check("of every run of documents, each client has what the run says", _ITEMS),
    Check("every document and e-mail of a run is of one of its clients", _STRAYS),
    Check("every finished run with something to print made its file", _FILES),
    Check("nobody has two e-mails of one run", _TWICE),
    Check("every e-mail that was sent was taken by the mail server, once for each time it was asked", _SENT),
)

"""The nightly hash chain: whoever changes, adds or removes an audit event or a record view of a past night breaks it.

What is hashed is written in SQL once, for sealing and for verifying. Logins are left out: they belong to the
installation, and an export goes without them. Who holds the owner's role could rewrite the whole chain; the newest
hash therefore goes to the server's log every night, out of the database.
"""

from __future__ import annotations

import logging
from datetime import datetime, time

from django.db import connection

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import last_night, local_moment
from daysheet.practices.actor import PracticeFacts

from .models import AuditSeal

_log = logging.getLogger("daysheet.audit")


def _digest(table: str, columns: str) -> str:
    """SHA-256 of the SHA-256 of each row, in the order of their ids; so that no text grows with the practice."""
    row = f"convert_to(concat_ws(chr(31), id, extract(epoch FROM at) * 1000000, {columns}), 'UTF8')"
    return f"""(
        SELECT count(*) AS rows, sha256(coalesce(string_agg(sha256({row}), ''::bytea ORDER BY id), '')) AS digest
        FROM {table} WHERE practice_id = %(practice)s AND at < s.to_at AND (s.from_at IS NULL OR at >= s.from_at))"""


#: Of each `s (from_at, to_at, previous_hash)`: its counts and its hash.
CONTENT = f"""
    SELECT s.*, e.rows AS events, v.rows AS views,
        encode(sha256(convert_to(s.previous_hash, 'UTF8') || e.digest || v.digest), 'hex') AS computed
    FROM {{seals}} s
    CROSS JOIN LATERAL {
    _digest(
        "audit_auditevent",
        "actor_kind, coalesce(actor_staff_member_id::text, ''), actor_name, verb, object_type, object_id, "
        "coalesce(client_id::text, ''), request_id, details::text",
    )
} e
    CROSS JOIN LATERAL {
    _digest("audit_recordview", "coalesce(staff_member_id::text, ''), person_name, client_id, page, request_id")
} v"""


def seal_night(practice: PracticeFacts, now: datetime) -> AuditSeal | None:
    """Seal everything before the newest night's midnight, in practice time. None where that is done already."""
    to_at = local_moment(last_night(now, practice.time_zone), time(0), practice.time_zone)
    with practice_transaction(practice.id):
        newest = AuditSeal.objects.order_by("-to_at").first()
        if newest and newest.to_at >= to_at:
            return None
        previous, from_at = (newest.hash, newest.to_at) if newest else ("", None)
        with connection.cursor() as cursor:
            cursor.execute(
                CONTENT.format(
                    seals="(SELECT %(from_at)s::timestamptz AS from_at, %(to_at)s::timestamptz AS to_at, "
                    "%(previous)s::text AS previous_hash)"
                ),
                {"practice": practice.id, "from_at": from_at, "to_at": to_at, "previous": previous},
            )
            *_, events, views, computed = cursor.fetchone()
        # Two workers at once: the chain cannot fork, so the second finds the first one's.
        seal, is_first = AuditSeal.objects.get_or_create(
            previous_hash=previous,
            defaults={
                "from_at": from_at, "to_at": to_at, "sealed_at": now, "event_count": events, "view_count": views,
                "hash": computed,
            },
        )  # fmt: skip
    if is_first:
        _log.info("the audit chain of practice %s is sealed up to %s: %s", practice.id, to_at.isoformat(), computed)
    return seal if is_first else None

"""`record` what an action did, in the same transaction as the write."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from daysheet.practices.action import note_audited
from daysheet.practices.actor import Actor

from .models import AuditEvent


class Happening(NamedTuple):
    """One event for `record_many`. `details` must hold no health information beyond ids, amounts and field names."""

    verb: str
    object_type: str
    object_id: UUID | str | int
    client_id: UUID | None = None
    details: dict[str, Any] = {}


def record(
    actor: Actor,
    verb: str,
    object_type: str,
    object_id: UUID | str | int,
    *,
    client_id: UUID | None = None,
    **details: Any,
) -> None:
    """Write one audit event: `record(actor, "void_invoice", "invoice", invoice_id, reason=…)`."""
    record_many(actor, [Happening(verb, object_type, object_id, client_id, details)])


def record_many(actor: Actor, happenings: Iterable[Happening]) -> None:
    """Write many audit events in one statement."""
    events = [
        AuditEvent(
            at=actor.now,
            actor_kind=actor.kind,
            actor_user_id=actor.user_id,
            actor_staff_member_id=actor.staff_member_id,
            actor_name=actor.person_name[:120],
            verb=happening.verb,
            object_type=happening.object_type,
            object_id=str(happening.object_id),
            client_id=happening.client_id,
            request_id=actor.request_id,
            details=happening.details,
        )
        for happening in happenings
    ]
    AuditEvent.objects.bulk_create(events, batch_size=5000)
    note_audited(len(events))

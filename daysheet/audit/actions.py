"""`record` what an action did, in the same transaction as the write."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.types.json import Jsonb

from daysheet.database.copying import copy_rows
from daysheet.kit.ids import new_id
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
    """Write many audit events as one set."""
    note_audited(copy_rows(AuditEvent, _COLUMNS, (_row(actor, happening) for happening in happenings)))


_COLUMNS = (
    "id", "at", "actor_kind", "actor_user_id", "actor_staff_member_id", "actor_name", "request_id", "verb",
    "object_type", "object_id", "client_id", "details",
)  # fmt: skip


def _row(actor: Actor, happening: Happening) -> tuple[object, ...]:
    return (
        new_id(), actor.now, str(actor.kind), actor.user_id, actor.staff_member_id, actor.person_name[:120],
        actor.request_id, happening.verb, happening.object_type, str(happening.object_id), happening.client_id,
        Jsonb(happening.details, dumps=_dumps),
    )  # fmt: skip


#: As the column's own encoder: without spaces, and without a look for circles.
_dumps = json.JSONEncoder(check_circular=False).encode

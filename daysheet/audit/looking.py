"""Who opened which client's record: one row a page and client, written by the way in (staff/middleware.py)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import RecordView
from .registry import visible_client_ids


def note_views(actor: Actor, client_ids: Collection[UUID], page: str) -> None:
    """Write down that the actor was shown a page of these clients' records."""
    RecordView.objects.bulk_create(
        RecordView(
            at=actor.now, staff_member_id=actor.staff_member_id, person_name=actor.person_name[:120],
            client_id=client_id, page=page[:60], request_id=actor.request_id,
        )
        for client_id in sorted(client_ids)
    )  # fmt: skip


@query(Permission.ADMINISTRATOR)
def views_of_client(actor: Actor, client_id: UUID) -> QuerySet[RecordView]:
    """Newest first; nothing of a client that the actor may not see (P1)."""
    found = RecordView.objects.filter(client_id=client_id).order_by("-at", "-pk")
    if actor.limited_to_assigned:
        found = found.filter(client_id__in=visible_client_ids(actor))
    return found

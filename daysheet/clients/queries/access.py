"""Who may see which client: the one place that knows (P1)."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet

from daysheet.clients.models import Client, ClientAssignment
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission


@query(Permission.DEFAULT)
def visible_clients(actor: Actor) -> QuerySet[Client]:
    """The clients this actor may see. Every list, search, count, export and lookup of clients starts here (P1)."""
    if not actor.limited_to_assigned:
        return Client.objects.all()
    assigned = ClientAssignment.objects.filter(staff_member_id=actor.staff_member_id)
    return Client.objects.filter(pk__in=assigned.values("client_id"))


@query(Permission.DEFAULT)
def get_client(actor: Actor, client_id: UUID) -> Client:
    """One client. Raises NotFound where there is none this actor may see (P2)."""
    client = visible_clients(actor).filter(pk=client_id).first()
    if client is None:
        raise NotFound("There is no such client.")
    client.seen_by = _who(actor)  # type: ignore[attr-defined]
    return client


def refuse_unseen(actor: Actor, client: Client) -> None:
    """For queries that take a client's row, so that it is read once in a request: it is one that `get_client` found for
    this actor. Raises NotFound."""
    if getattr(client, "seen_by", None) != _who(actor):
        raise NotFound("There is no such client.")


def _who(actor: Actor) -> tuple[int, UUID | None]:
    return actor.practice.id, actor.staff_member_id


def lock_clients(client_ids: Collection[UUID]) -> None:
    """One client's visits and bills are changed by one transaction at a time, and everybody takes locks in the same
    order: clients by id, before visits, services and lines. Compatible with the key locks of other inserts."""
    locked = Client.objects.filter(pk__in=client_ids).order_by("pk").select_for_update(no_key=True)
    list(locked.values_list("pk", flat=True))

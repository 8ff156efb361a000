"""What clients contribute to the pages of lower slices: whom a staff member is assigned to, and names for the log."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models.functions import Lower

from daysheet.practices.actor import Actor
from daysheet.staff.registry import AssignedClient
from daysheet.web.pages import practice_url

from .models import ClientAssignment
from .queries.access import visible_clients


def assigned_clients_of(actor: Actor, staff_member_id: UUID) -> list[AssignedClient]:
    """The clients a staff member is assigned to, among those the actor may see, by name: one query."""
    assigned = ClientAssignment.objects.filter(staff_member_id=staff_member_id)
    clients = visible_clients(actor).filter(pk__in=assigned.values("client_id"))
    return [
        AssignedClient(client.sort_name, practice_url(actor, "clients:details", client=client.pk))
        for client in clients.order_by("-is_active", Lower("last_name"), Lower("first_name"), "pk")
    ]


def visible_client_ids(actor: Actor) -> Any:
    """The ids of the clients the actor may see, as a sub-query."""
    return visible_clients(actor).values("pk")


def client_names(actor: Actor, client_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of the clients among these ids whom the actor may see."""
    return {client.pk: client.sort_name for client in visible_clients(actor).filter(pk__in=client_ids)}

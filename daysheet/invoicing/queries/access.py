"""Who may see which batch, and what raw SQL needs of the rule who may see which client (P1): that rule itself stays
in `clients.queries`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.practices.actor import Actor

from ..models import Batch


def visible_batches(actor: Actor) -> QuerySet[Batch]:
    """A person limited to assigned clients sees the batches of their own: others name clients they may not see (P1)."""
    if actor.limited_to_assigned:
        return Batch.objects.filter(created_by_staff_member_id=actor.staff_member_id)
    return Batch.objects.all()


def visible_batch(actor: Actor, batch_id: UUID) -> Batch:
    """One batch, for pages and actions alike. Raises NotFound where there is none this actor may see."""
    batch = visible_batches(actor).filter(pk=batch_id).first()
    if batch is None:
        raise NotFound("There is no such batch in this practice.")
    return batch


def visible_condition(actor: Actor, column: str) -> tuple[str, list[Any]]:
    """A condition on a client id column, with its parameters; `TRUE` for people who may see every client."""
    if not actor.limited_to_assigned:
        return "TRUE", []
    sql, params = visible_clients(actor).order_by().values("pk").query.sql_with_params()
    return f"{column} IN ({sql})", list(params)

"""What raw SQL needs of the rule who may see which client (P1): the rule itself stays in `clients.queries`."""

from __future__ import annotations

from typing import Any

from daysheet.clients.queries import visible_clients
from daysheet.practices.actor import Actor


def visible_condition(actor: Actor, column: str) -> tuple[str, list[Any]]:
    """A condition on a client id column, with its parameters; `TRUE` for people who may see every client."""
    if not actor.limited_to_assigned:
        return "TRUE", []
    sql, params = visible_clients(actor).order_by().values("pk").query.sql_with_params()
    return f"{column} IN ({sql})", list(params)

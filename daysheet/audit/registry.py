"""What the audit must know of clients, a higher slice: who may see whom. `clients` registers in its AppConfig.ready().

Nobody registered: a person limited to assigned clients sees no event of any client.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any
from uuid import UUID

from daysheet.practices.actor import Actor

#: A sub-query of the ids of the clients this actor may see, and their names among these ids.
VisibleIds = Callable[[Actor], Any]
Names = Callable[[Actor, Collection[UUID]], dict[UUID, str]]

_sources: list[tuple[VisibleIds, Names]] = []


def register_clients(visible_ids: VisibleIds, names: Names) -> None:
    """Name the functions that know clients. The last ones registered answer."""
    _sources.append((visible_ids, names))


def visible_client_ids(actor: Actor) -> Any:
    """Ids of the clients the actor may see, as a sub-query; nobody where no slice knows of clients."""
    return _sources[-1][0](actor) if _sources else []


def client_names(actor: Actor, client_ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of those among `client_ids` whom the actor may see, in one query at most."""
    return _sources[-1][1](actor, client_ids) if _sources and client_ids else {}

"""Which entries a person's reports are made of (P1): everything, or those of the clients they are assigned to."""

from __future__ import annotations

from daysheet.invoicing.queries.access import visible_condition
from daysheet.ledger.day import Scope
from daysheet.practices.actor import Actor


def scope_of(actor: Actor) -> Scope:
    """The entries that count in this actor's reports."""
    condition, params = visible_condition(actor, "e.client_id")
    return Scope(actor.practice.id, condition, tuple(params))

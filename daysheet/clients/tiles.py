"""The tile that clients itself has: Primary Copay."""

from __future__ import annotations

from uuid import UUID

from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url

from .models import Client
from .queries import coverages_for, get_client
from .registry import Tile
from .rules import coverage_on


def primary_copay(actor: Actor, client_id: UUID) -> list[Tile]:
    """The copay of the coverage that pays first today."""
    client = get_client(actor, client_id)
    coverage = coverage_on(coverages_for([client_id]).get(client_id, ()), actor.today)
    url = practice_url(actor, "clients:bill_to", client=client_id)
    if client.pays_by == Client.PaysBy.SELF:
        return [Tile("Primary Copay", "–", url, "pays by self")]
    if coverage is None:
        return [Tile("Primary Copay", "–", url, "no coverage today")]
    if coverage.copay_cents is None:
        return [Tile("Primary Copay", "–", url, "no copay")]
    return [Tile("Primary Copay", str(Money(coverage.copay_cents)), url)]

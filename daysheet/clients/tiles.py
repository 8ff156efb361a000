"""The tile that clients itself has: Primary Copay."""

from __future__ import annotations

from daysheet.kit.money import Money
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url

from .models import Client
from .queries import coverages_for
from .registry import Tile
from .rules import coverage_on


def primary_copay(actor: Actor, client: Client) -> list[Tile]:
    """The copay of the coverage that pays first today."""
    coverage = coverage_on(coverages_for([client.pk]).get(client.pk, ()), actor.today)
    url = practice_url(actor, "clients:bill_to", client=client.pk)
    if client.pays_by == Client.PaysBy.SELF:
        return [Tile("Primary Copay", "–", url, "pays by self")]
    if coverage is None:
        return [Tile("Primary Copay", "–", url, "no coverage today")]
    if coverage.copay_cents is None:
        return [Tile("Primary Copay", "–", url, "no copay")]
    return [Tile("Primary Copay", str(Money(coverage.copay_cents)), url)]

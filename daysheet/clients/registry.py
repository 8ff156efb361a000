"""What higher slices show on the pages of clients. They register in their AppConfig.ready(); clients imports none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from daysheet.practices.actor import Actor

from .models import Client

#: The tiles of the Details page in the order of product.md section 2; others come after them.
_ORDER = ("Client Balance Due", "Client Credit", "Insurance Balance Due", "Primary Copay", "Next Appointment")


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure: `value` as people read it, `url` of what is behind it."""

    label: str
    value: str
    url: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: a template, which finds `context` as `section`."""

    template: str
    context: Any


#: Asked only for people with Billing permission, of a client whom `get_client` found that they may see.
TileSource = Callable[[Actor, Client], list[Tile]]
SectionSource = Callable[[Actor, UUID], Section]
#: Of an insurer, by id.
InsurerTileSource = Callable[[Actor, UUID], list[Tile]]

_tile_sources: list[TileSource] = []
_bill_to_sources: list[SectionSource] = []
_insurer_sources: list[SectionSource] = []
_insurer_tile_sources: list[InsurerTileSource] = []


def register_tiles(source: TileSource) -> None:
    """Add tiles to the Details page of a client."""
    _tile_sources.append(source)


def register_bill_to_section(source: SectionSource) -> None:
    """Add a part to the Bill To & Insurance Info page; the id is the client's."""
    _bill_to_sources.append(source)


def register_insurer_section(source: SectionSource) -> None:
    """Add a part to an insurer's page; the id is the insurer's."""
    _insurer_sources.append(source)


def register_insurer_tiles(source: InsurerTileSource) -> None:
    """Add tiles to an insurer's page."""
    _insurer_tile_sources.append(source)


def tiles_for(actor: Actor, client: Client) -> list[Tile]:
    """All tiles, in their fixed order."""
    tiles = [tile for source in _tile_sources for tile in source(actor, client)]
    return sorted(tiles, key=lambda tile: _ORDER.index(tile.label) if tile.label in _ORDER else len(_ORDER))


def bill_to_sections(actor: Actor, client_id: UUID) -> list[Section]:
    """The parts that other slices add to Bill To & Insurance Info."""
    return [source(actor, client_id) for source in _bill_to_sources]


def insurer_tiles(actor: Actor, payer_id: UUID) -> list[Tile]:
    """The figures that other slices show on an insurer's page."""
    return [tile for source in _insurer_tile_sources for tile in source(actor, payer_id)]


def insurer_sections(actor: Actor, payer_id: UUID) -> list[Section]:
    """The parts that other slices add to an insurer's page."""
    return [source(actor, payer_id) for source in _insurer_sources]

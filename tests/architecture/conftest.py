"""The world that most tests of the architecture walk through."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daysheet.database.scope import practice_transaction
from tests.people import Cast

from .world import World, build_world


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    """One object of every kind, in the practice's transaction."""
    with practice_transaction(cast.alder.id):
        yield build_world(cast)

"""The pages of invoicing over HTTP: signed-in browsers at the fixed moment of the cast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from daysheet.database.scope import practice_transaction
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast, Person

SignIn = Callable[[Person], Browser]


@pytest.fixture
def shop(cast: Cast) -> Iterator[Clinic]:
    """Alder Clinic ready to bill, with the clock standing at NOW. Inside its transaction."""
    with time_machine.travel(NOW, tick=False), practice_transaction(cast.alder.id):
        yield build_clinic(cast)


@pytest.fixture
def bob(shop: Clinic, sign_in: SignIn) -> Browser:
    """The biller's browser."""
    return sign_in(shop.cast.bob)


def at(name: str, **kwargs: object) -> str:
    """The address of a page of Alder Clinic."""
    return reverse(f"invoicing:{name}", kwargs={"practice": "alder", **kwargs})

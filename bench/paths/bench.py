"""What every path is given: the loaded practice, somebody signed in, and a plain connection of the same role."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import time_machine
from django.test import Client as Browser

from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.practices.actor import Actor
from daysheet.practices.models import User

from .. import home
from ..loading.people import Loaded, find_people
from ..shape import Shape
from ..sql import Connection, runtime


@dataclass(frozen=True, slots=True)
class Bench:
    """One practice under measurement. `connection` runs the floors."""

    loaded: Loaded
    connection: Connection
    browser: Browser
    regular_id: UUID

    @property
    def shape(self) -> Shape:
        return self.loaded.shape

    @property
    def actor(self) -> Actor:
        return self.loaded.owner

    @property
    def practice_id(self) -> int:
        return self.loaded.practice.id

    @property
    def params(self) -> dict[str, Any]:
        """What the floors' statements name."""
        return {
            "practice": self.practice_id, "today": self.shape.today, "client": self.regular_id,
            "session": self.browser.session.session_key, "user": self.actor.user_id, "slug": self.shape.slug,
            "staff": self.actor.staff_member_id, "first": self.shape.bill_range(self.shape.bills)[0],
            "year": self.shape.today.year, "past": self.past,
        }  # fmt: skip

    @property
    def past(self) -> date:
        """A busy day of half a year ago, on which bills were issued."""
        return self.shape.bill_range(self.shape.bills - 3)[1] + timedelta(days=21)


@contextmanager
def opened() -> Iterator[Bench]:
    """The practice of the database that the environment names, at the moment for which it was built."""
    logging.getLogger("daysheet.requests").setLevel(logging.WARNING)  # a line for each page would hide the table
    facts = home.recall()
    loaded = find_people(Shape(facts["visits"], date.fromisoformat(facts["today"])))
    with time_machine.travel(loaded.now, tick=True), runtime() as connection:
        with practice_transaction(loaded.practice.id):
            regular = Client.objects.get(external_id=f"client-{loaded.regular}")
        yield Bench(loaded, connection, _signed_in(loaded.owner), regular.pk)


def _signed_in(actor: Actor) -> Browser:
    browser = Browser(SERVER_NAME="localhost")
    browser.force_login(User.objects.get(pk=actor.user_id))
    return browser

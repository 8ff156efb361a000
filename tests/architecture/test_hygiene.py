"""What leaves the practice by the side door names nobody: logs, metrics, error pages, subjects of e-mail, headers."""

from __future__ import annotations

import io
import logging.config
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as live
from django.db import transaction
from django.test import Client as Browser
from django.test import override_settings

from daysheet.clients.models import Client, Coverage
from daysheet.database.scope import practice_transaction
from daysheet.operations import logs
from tests.pages import named_in
from tests.people import Cast

from .methods import READ, SENT
from .test_methods import addresses_of
from .world import World, browser_of, build_world

#: The client of the world, by everything that is hers alone.
WORDS = ("Ruiz", "Xanthippe", "ana@clients.example", "INSURED-4711", "555-0177")
TOKEN = "metrics-token"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that a server would write, at every level."""
    out = io.StringIO()
    configuration = logs.configuration("text")
    configuration["handlers"]["stderr"]["stream"] = out
    configuration["root"]["level"] = "DEBUG"
    # SQL is written in development alone, where DEBUG is on.
    configuration["loggers"]["django.db.backends"] = {"level": "INFO"}
    logging.config.dictConfig(configuration)
    yield out
    logging.config.dictConfig(live.LOGGING)


@pytest.fixture
def world(cast: Cast) -> Iterator[World]:
    with practice_transaction(cast.alder.id):
        world = build_world(cast)
        Client.objects.filter(pk=world.ids["client"]).update(first_name="Xanthippe", phone="555-0177")
        Coverage.objects.filter(pk=world.ids["coverage"]).update(insured_id="INSURED-4711")
        yield world


def client_in(text: str) -> list[str]:
    """The words of the client that stand there."""
    return named_in(text, WORDS, in_any_case=True)


def _open_everything(world: World) -> str:
    """What the pages say, to be sure that they do name her; every request is taken back."""
    owner, shown = browser_of(world.cast.alice), []
    for name, url in addresses_of(world):
        for method in ("get", "post"):
            if name in (SENT if method == "get" else READ):
                continue
            with transaction.atomic():
                typed = {"first_name": "Xanthippe", "q": "Ruiz", "note": "555-0177", "email": "ana@clients.example"}
                answer = getattr(owner, method)(url, typed)
                shown.append("" if answer.streaming else answer.content.decode(errors="replace"))
                assert not client_in(str(answer.headers)) or answer.status_code in {302, 303}, name
                transaction.set_rollback(True)
    return "".join(shown)


def test_logs_and_metrics_name_nobody(world: World, log: io.StringIO, settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert {"Ruiz", "Xanthippe"} <= set(client_in(_open_everything(world)))
    assert client_in(log.getvalue()) == []
    assert "request" in log.getvalue()
    seen = Browser().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content.decode()
    assert "daysheet_requests_total" in seen
    assert client_in(seen) == []


def test_a_page_that_breaks_names_nobody(world: World, log: io.StringIO) -> None:
    with override_settings(ROOT_URLCONF="tests.architecture.holes"):
        answer = browser_of(world.cast.alice).get("/alder/hole/raises?page=Ruiz")
    assert answer.status_code == 500
    assert client_in(answer.content.decode()) == []
    assert "ValueError" not in answer.content.decode()
    assert str(live.SECRET_KEY) not in log.getvalue()
    assert "ValueError" in log.getvalue() and client_in(log.getvalue()) == []


@pytest.mark.parametrize("url", ["/Ruiz/agenda/", "/alder/clients/Ruiz", "/alder/no/Ruiz?q=Ruiz"])
def test_a_page_that_is_not_there_repeats_nothing(world: World, url: str) -> None:
    for browser in (Browser(), browser_of(world.cast.charlie)):
        answer = browser.get(url, follow=True)
        # Where to go on after signing in is what the person asked for.
        page = re.sub(r"next=[^\"&]*|(?<=name=\"next\" value=\")[^\"]*", "", answer.content.decode())
        assert client_in(page) == []
        assert answer.status_code in {200, 404}


def test_subjects_of_mail_name_nobody(world: World, mailoutbox: list[Any]) -> None:
    assert mailoutbox, "the world sends an invoice"
    for message in mailoutbox:
        assert client_in(message.subject) == []
        assert not any(word in message.subject.lower() for word in ("therapy", "talk", "diagnos", "f41"))

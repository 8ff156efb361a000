"""Log hygiene: a line says which route, how long and for whom by number; never a name, an address or a row's values."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import smtplib
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from daysheet.clients.actions import add_client
from daysheet.database.scope import practice_transaction
from daysheet.operations import logs
from tests.billing import build_clinic
from tests.people import Cast, Person


@pytest.fixture
def written() -> Iterator[Callable[[], list[dict[str, object]]]]:
    """What would be on the error output of a server with DAYSHEET_LOG=json."""
    out = io.StringIO()
    configuration = logs.configuration("json")
    configuration["handlers"]["stderr"]["stream"] = out
    logging.config.dictConfig(configuration)
    yield lambda: [json.loads(line) for line in out.getvalue().splitlines()]
    logging.config.dictConfig(settings.LOGGING)


def test_a_request_is_one_line_with_its_id_and_its_route(
    cast: Cast, sign_in: Callable[[Person], Browser], written: Callable[[], list[dict[str, object]]]
) -> None:
    sign_in(cast.alice).get(
        "/alder/clients/search", {"q": "Rumpelstiltskin 5551234567"}, headers={"x-request-id": "abcdef-123456"}
    )
    (line,) = [line for line in written() if line["event"] == "request"]
    assert line["route"] == "clients:search"
    assert line["request_id"] == "abcdef-123456"
    assert line["practice"] == cast.alder.id
    assert line["user"] == cast.alice.user_id
    assert line["status"] == 200
    assert isinstance(line["milliseconds"], int)


def test_no_line_holds_what_was_searched_typed_or_addressed(
    cast: Cast, sign_in: Callable[[Person], Browser], written: Callable[[], list[dict[str, object]]]
) -> None:
    browser = sign_in(cast.alice)
    with practice_transaction(cast.alder.id):
        client = add_client(build_clinic(cast).owner, first_name="Wilhelmina", last_name="Quackenbush").pk
    browser.get(f"/alder/clients/{client}/")
    browser.get("/alder/clients/", {"q": "Quackenbush"})
    browser.post("/alder/clients/new", {"first_name": "Quackenbush", "last_name": ""})
    browser.get("/alder/Quackenbush/nowhere")
    Browser().post("/account/login/", {"login": "quackenbush@nowhere.example", "password": "wrong"})
    everything = json.dumps(written())
    for hidden in ("Quackenbush", "quackenbush", "Wilhelmina", "nowhere.example", cast.alice.email, str(client)):
        assert hidden not in everything


def test_a_form_without_its_token_is_told_without_its_address_and_where_it_came_from(
    cast: Cast, written: Callable[[], list[dict[str, object]]]
) -> None:
    """The address of an invitation is its key; the page before may be a search."""
    stranger = Browser(enforce_csrf_checks=True)
    stranger.post("/alder/join/the-secret-of-eve", {"password": "x"})
    from_search = {"referer": "https://books.example/alder/clients/?q=Quackenbush"}
    stranger.post("/alder/join/the-secret-of-eve", {"password": "x"}, headers=from_search, secure=True)
    events = [str(line["event"]) for line in written() if line["logger"] == "django.security.csrf"]
    assert len(events) == 2 and all(event.startswith("Forbidden (") for event in events)
    assert "https://books.example does not match" in events[1]
    for hidden in ("the-secret-of-eve", "Quackenbush"):
        assert hidden not in json.dumps(written())


def test_health_checks_do_not_fill_the_log(db: None, written: Callable[[], list[dict[str, object]]]) -> None:
    Browser().get("/health/live")
    Browser().get("/health/ready")
    assert written() == []


def test_a_traceback_keeps_its_place_and_loses_the_values_of_the_row(
    cast: Cast, written: Callable[[], list[dict[str, object]]]
) -> None:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        client = add_client(clinic.owner, first_name="Wilhelmina", last_name="Quackenbush")
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO clients_client SELECT * FROM clients_client WHERE practice_id = %s AND id = %s",
                    [cast.alder.id, client.pk],
                )
        except IntegrityError:
            logging.getLogger("daysheet.anything").exception("it failed")
    (line,) = [line for line in written() if line["event"] == "it failed"]
    said = str(line["exception"])
    assert "duplicate key value violates unique constraint" in said
    assert "test_logs.py" in said
    assert str(client.pk) not in said


@pytest.mark.parametrize(
    "broken",
    [
        lambda: smtplib.SMTPRecipientsRefused({"wilhelmina@example.org": (550, b"no such Quackenbush")}),
        lambda: FileNotFoundError(2, "No such file or directory", "/files/Quackenbush.pdf"),
        lambda: ValueError("invalid literal for int(): 'Quackenbush'"),
        lambda: OSError("Quackenbush"),
    ],
)
def test_what_an_error_quotes_is_left_out(
    written: Callable[[], list[dict[str, object]]], broken: Callable[[], Exception]
) -> None:
    error = broken()
    try:
        raise error
    except Exception:
        logging.getLogger("daysheet.anything").exception("it failed")
    (line,) = written()
    said = str(line["exception"])
    assert type(error).__name__ in said and "test_logs.py" in said
    assert "Quackenbush" not in said and "wilhelmina" not in said
    assert ("No such file or directory" in said) == isinstance(error, FileNotFoundError)


def test_a_page_that_breaks_is_logged_once_without_its_address(
    cast: Cast,
    sign_in: Callable[[Person], Browser],
    written: Callable[[], list[dict[str, object]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daysheet.clients.queries.matching_clients", lambda *_, **__: 1 / 0)
    browser = sign_in(cast.alice)
    browser.raise_request_exception = False
    answer = browser.get("/alder/clients/", {"q": "Quackenbush"})
    assert answer.status_code == 500
    everything = json.dumps(written())
    assert "ZeroDivisionError" in everything
    assert "Quackenbush" not in everything
    assert b"Quackenbush" not in answer.content


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("DETAIL:  Key (email)=(ana@x.example) already exists.", "DETAIL: (left out)"),
        ("boom\nDETAIL:  Failing row contains (7, Ana).\nFile", "boom\nDETAIL: (left out)\nFile"),
        ("null value: Failing row contains (1, Ana Ruiz)", "null value: Failing row contains (left out)"),
        ("CONTEXT:  COPY incoming, line 3, column name: \"Ana\"", "CONTEXT: (left out)"),
        ("nothing special", "nothing special"),
    ],
)  # fmt: skip
def test_what_is_cut(said: str, kept: str) -> None:
    assert logs.redacted(said) == kept

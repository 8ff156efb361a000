"""What proxies, supervisors and Prometheus are told, and what strangers are not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client as Browser

from daysheet.operations import health
from tests.people import Cast, Person

TOKEN = "a-token-of-this-test"


def test_alive_without_a_database() -> None:
    """No database mark on this test: a query would fail it."""
    answer = Browser().get("/health/live")
    assert (answer.status_code, answer.content) == (200, b"live\n")
    assert "no-store" in answer["Cache-Control"]


def test_ready_when_the_tables_are_those_of_this_version(db: None) -> None:
    assert Browser().get("/health/ready").status_code == 200


def test_not_ready_while_a_migration_is_missing(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_needed", lambda: frozenset({"ledger.9999_of_tomorrow"}))
    answer = Browser().get("/health/ready")
    assert answer.status_code == 503
    assert b"older than this version" in answer.content


def test_not_ready_while_the_database_does_not_answer(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import DatabaseError

    def gone() -> None:
        raise DatabaseError("password=secret host=10.0.0.1")

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", gone)
        answer = Browser().get("/health/ready")
    assert (answer.status_code, answer.content) == (503, b"the database does not answer\n")


def test_only_reading_is_allowed(db: None) -> None:
    for address in ("/health/live", "/health/ready", "/metrics"):
        assert Browser().post(address).status_code == 405


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN} "])
def test_metrics_are_for_who_knows_the_token(db: None, settings: Any, header: str) -> None:
    settings.METRICS_TOKEN = TOKEN
    assert Browser().get("/metrics", headers={"authorization": header}).status_code == 404


def test_no_token_no_metrics(db: None, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for header in ("", "Bearer ", "Bearer"):
        assert Browser().get("/metrics", headers={"authorization": header}).status_code == 404


def test_metrics_count_routes_and_name_nobody(cast: Cast, sign_in: Callable[[Person], Browser], settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    browser = sign_in(cast.alice)
    browser.get("/alder/clients/search?q=Secretname")
    browser.get("/alder/clients/")
    browser.get("/no/such/Secretplace")
    browser.generic("SECRETMETHOD", "/alder/clients/")
    page = Browser().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"}).content.decode()
    assert 'daysheet_requests_total{method="GET",route="clients:list",status="2xx"}' in page
    assert "daysheet_request_seconds_bucket" in page
    assert "daysheet_workers_alive 0.0" in page
    assert "daysheet_data_folder_free_bytes" in page
    for hidden in ("Secret", "SECRET", "alder", "Alder", cast.alice.email):
        assert hidden not in page

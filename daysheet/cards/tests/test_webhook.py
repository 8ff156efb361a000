"""The processor's address: no session, but a signature; each message once; limits on size and number."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client as Browser
from django.urls import reverse

from daysheet.cards import opening
from daysheet.cards.gateways.base import BadSignature
from daysheet.cards.gateways.signing import check, sign
from daysheet.cards.gateways.simulated import webhook_secret_of
from daysheet.cards.models import ProcessorMessage
from daysheet.cards.views import hook
from daysheet.payments.models import Payment
from tests.people import NOW

from .desk import API_KEY, CardDesk, due

SECRET = webhook_secret_of(API_KEY)


def address(desk: CardDesk, practice: str = "alder") -> str:
    return reverse("cards:webhook", kwargs={"practice": practice, "account": desk.account.pk})


def send(desk: CardDesk, message: dict[str, Any], *, secret: str = SECRET, at: int | None = None, url: str = "") -> int:
    body = json.dumps(message).encode()
    signature = sign(secret, body, int(NOW.timestamp()) if at is None else at)
    browser = Browser(enforce_csrf_checks=True)
    answer = browser.post(
        url or address(desk), body, content_type="application/json", headers={"Processor-Signature": signature}
    )
    return answer.status_code


@pytest.fixture
def told(desk: CardDesk) -> dict[str, Any]:
    """The message of a charge whose outcome nobody here knows yet."""
    client = desk.client_owing()
    desk.charge(client, desk.card(client, "slow"), 4_000)
    desk.processor.finish_slow(desk.processor.charges()[0]["id"])
    return desk.last("charged").message


def test_a_signed_message_is_worked_off_once(desk: CardDesk, told: dict[str, Any]) -> None:
    assert [send(desk, told) for _ in range(3)] == [200, 200, 200]
    assert Payment.objects.count() == 1 and due(Payment.objects.get().client_id) == 0
    assert ProcessorMessage.objects.filter(message_ref=told["id"]).count() == 1


@pytest.mark.parametrize(
    "wrong", [{"secret": "another"}, {"at": int(NOW.timestamp()) - 301}, {"at": int(NOW.timestamp()) + 301}]
)
def test_a_message_with_a_wrong_or_old_signature_is_refused(
    desk: CardDesk, told: dict[str, Any], wrong: dict[str, Any]
) -> None:
    with time_machine.travel(NOW, tick=False):  # the limit is a second away
        assert send(desk, told, **wrong) == 400
    assert not Payment.objects.exists() and not ProcessorMessage.objects.exists()


def test_without_a_signature_or_with_nonsense_nothing_happens(desk: CardDesk, told: dict[str, Any]) -> None:
    browser = Browser(enforce_csrf_checks=True)
    for body in (json.dumps(told), "[]", "{", ""):
        assert browser.post(address(desk), body, content_type="application/json").status_code == 400
    moments = [told | {"at": "soon"}, told | {"at": "2026-11-16T15:00:00"}]  # the second: where on earth?
    for nonsense in ([], {}, {"id": 1}, *moments, told | {"charge": "x"}, told | {"amount_cents": "x"}):
        assert send(desk, nonsense) == 400  # type: ignore[arg-type]
    assert send(desk, told | {"kind": "weather"}) == 200
    assert not Payment.objects.exists()


def test_another_practice_another_account_and_another_method_find_nothing(desk: CardDesk, told: dict[str, Any]) -> None:
    assert send(desk, told, url=address(desk, "birch")) == 404
    assert send(desk, told, url=reverse("cards:webhook", kwargs={"practice": "alder", "account": uuid4()})) == 404
    assert Browser().get(address(desk)).status_code == 405


def test_a_charge_of_nobody_here_is_answered_and_left(desk: CardDesk, told: dict[str, Any]) -> None:
    assert send(desk, told | {"charge": str(uuid4())}) == 200
    assert ProcessorMessage.objects.get().outcome == "A charge that is not ours"


def test_too_large_and_too_many_are_turned_away(
    desk: CardDesk, told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(desk, told | {"reason": "x" * hook.LARGEST_BODY}) == 413
    monkeypatch.setattr(hook, "MOST_A_MINUTE", 2)
    assert [send(desk, told) for _ in range(3)] == [200, 200, 429]
    assert Payment.objects.count() == 1


def test_two_secrets_are_both_believed_while_one_takes_the_others_place() -> None:
    at = int(NOW.timestamp())
    both = f"{sign('old', b'{}', at)},{sign('new', b'{}', at).split(',')[1]}"
    check("new", b"{}", both, NOW)
    check("old", b"{}", both, NOW)
    for header in ("", "t=1", "v1=abc", "t=x,v1=abc", "t=1,t=2,v1=abc", f"t={at},v1=é"):
        with pytest.raises(BadSignature):
            check("new", b"{}", header, NOW)


def test_the_address_is_what_the_processor_is_told(desk: CardDesk) -> None:
    assert opening.webhook_path(desk.clinic.cast.alder, desk.account) == address(desk)


@pytest.mark.parametrize(
    "odd",
    [
        {"id": "a\x00b"}, {"id": "\ud800"}, {"reason": "a\x00b", "kind": "declined"}, {"reference": "\ud800"},
        {"dispute": "a\x00b", "kind": "dispute_opened"}, {"refund_reference": "\x00", "kind": "refunded"},
        {"amount_cents": float("inf")}, {"amount_cents": float("nan")}, {"amount_cents": []},
        {"setup_reference": "\x00", "kind": "card_saved"}, {"charge": "", "reference": "\x00"},
    ],
)  # fmt: skip
def test_what_no_column_can_hold_is_refused_however_well_it_is_signed(
    desk: CardDesk, told: dict[str, Any], odd: dict[str, Any]
) -> None:
    assert send(desk, told | odd) == 400
    assert not Payment.objects.exists() and not ProcessorMessage.objects.exists()


@pytest.mark.parametrize("kind", ["charged", "refunded", "dispute_opened"])
def test_an_amount_that_no_card_is_charged_is_refused(desk: CardDesk, told: dict[str, Any], kind: str) -> None:
    for amount in (-1, 10**30):
        odd = {"amount_cents": amount, "kind": kind, "dispute": "d", "refund_reference": "r"}
        assert send(desk, told | odd) == 400
    assert not Payment.objects.exists()


def test_a_message_as_deep_as_it_is_long_is_refused(desk: CardDesk) -> None:
    body = b"[" * 20_000
    signature = sign(SECRET, body, int(NOW.timestamp()))
    browser = Browser(enforce_csrf_checks=True)
    answer = browser.post(
        address(desk), body, content_type="application/json", headers={"Processor-Signature": signature}
    )
    assert answer.status_code == 400

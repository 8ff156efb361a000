"""The Stripe adapter's shape against a local fake: paths, form fields, keys, statuses, events. No real processor."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID, uuid4

import pytest

from daysheet.cards.gateways.base import (
    AnswerLost,
    BadSignature,
    ChargeOrder,
    ChargeStatus,
    GatewayRefused,
    NewsKind,
    RefundOrder,
    RefundStatus,
)
from daysheet.cards.gateways.signing import sign
from daysheet.cards.gateways.stripe import StripeGateway
from tests.people import NOW

CHARGE, REFUND = UUID(int=7), UUID(int=8)
ORDER = ChargeOrder(CHARGE, 4_000, "cus_1", "pm_1")


class Fake(HTTPServer):
    """Answers with what a test has laid out, and keeps what was asked."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[tuple[str, str, dict[str, list[str]], dict[str, str]]] = []


class _Answer(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def _answer(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.server.asked.append((method, self.path, parse_qs(body), dict(self.headers)))
        status, answer = self.server.answers.pop(0)
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = Fake()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def gateway(fake: Fake) -> StripeGateway:
    return StripeGateway("sk_test", "whsec_test", f"http://127.0.0.1:{fake.server_address[1]}")


def intent(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "pi_1", "object": "payment_intent", "status": status, "amount": 4_000, **more}


def test_an_intent_is_made_unconfirmed_and_confirmed_with_keys_of_its_own(gateway: StripeGateway, fake: Fake) -> None:
    fake.answers = [(200, intent("requires_confirmation")), (200, intent("succeeded"))]
    assert gateway.prepare(ORDER) == "pi_1"
    assert gateway.confirm(ORDER, "pi_1").status is ChargeStatus.CHARGED
    (_, path, made, headers), (_, confirm_path, confirmed, confirm_headers) = fake.asked
    assert (path, confirm_path) == ("/v1/payment_intents", "/v1/payment_intents/pi_1/confirm")
    assert made["confirm"] == ["false"] and made["amount"] == ["4000"] and made["metadata[charge]"] == [str(CHARGE)]
    assert made["payment_method"] == ["pm_1"] and made["customer"] == ["cus_1"] and confirmed["off_session"] == ["true"]
    assert headers["Authorization"] == "Bearer sk_test" and headers["Idempotency-Key"] == f"{CHARGE}-prepare"
    assert confirm_headers["Idempotency-Key"] == f"{CHARGE}-confirm" and "Stripe-Version" in headers


def test_a_decline_comes_as_402_with_the_intent_inside(gateway: StripeGateway, fake: Fake) -> None:
    declined = intent("requires_payment_method", last_payment_error={"message": "Your card has insufficient funds."})
    fake.answers = [(402, {"error": {"message": "declined", "payment_intent": declined}})]
    answer = gateway.confirm(ORDER, "pi_1")
    assert (answer.status, answer.reason) == (ChargeStatus.DECLINED, "Your card has insufficient funds.")


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        ("requires_confirmation", ChargeStatus.PREPARED),
        ("processing", ChargeStatus.WORKING),
        ("requires_action", ChargeStatus.DECLINED),
        ("canceled", ChargeStatus.CANCELED),
        ("something new", ChargeStatus.WORKING),
    ],
)
def test_every_status_has_its_meaning(gateway: StripeGateway, fake: Fake, status: str, meant: ChargeStatus) -> None:
    fake.answers = [(200, intent(status))]
    assert gateway.look_up("pi_1").status is meant


@pytest.mark.parametrize("answer", [(500, {}), (200, b"<html>"), (409, {"error": {}}), (503, b"")])
def test_an_answer_that_says_nothing_is_lost(gateway: StripeGateway, fake: Fake, answer: tuple[int, Any]) -> None:
    fake.answers = [answer]
    with pytest.raises(AnswerLost):
        gateway.confirm(ORDER, "pi_1")


def test_what_was_charged_cannot_be_canceled_and_says_so(gateway: StripeGateway, fake: Fake) -> None:
    fake.answers = [(400, {"error": {"message": "You cannot cancel"}}), (200, intent("succeeded"))]
    assert gateway.cancel("pi_1").status is ChargeStatus.CHARGED
    fake.answers = [(401, {"error": {"message": "Invalid API Key"}})]
    with pytest.raises(GatewayRefused, match="Invalid API Key"):
        gateway.prepare(ORDER)


def test_refunds_carry_our_id_and_are_found_by_it(gateway: StripeGateway, fake: Fake) -> None:
    made = {"id": "re_1", "status": "succeeded", "metadata": {"refund": str(REFUND)}}
    other = {"id": "re_0", "status": "failed", "metadata": {}}
    fake.answers = [(200, made), (200, {"data": [other, made]}), (200, {"data": [other]})]
    wanted = RefundOrder(REFUND, CHARGE, "pi_1", 1_000)
    assert gateway.refund(wanted).status is RefundStatus.REFUNDED
    found = gateway.find_refund(wanted)
    assert found and found.reference == "re_1" and gateway.find_refund(wanted) is None
    assert fake.asked[0][2]["metadata[refund]"] == [str(REFUND)] and fake.asked[0][2]["payment_intent"] == ["pi_1"]


def test_a_card_is_typed_on_stripes_page_and_read_as_a_token(gateway: StripeGateway, fake: Fake) -> None:
    method = {"id": "pm_9", "card": {"brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2030}}
    complete = {"id": "cs_1", "status": "complete", "customer": "cus_9", "setup_intent": {"payment_method": method}}
    fake.answers = [
        (200, {"id": "cs_1", "url": "https://checkout.example/cs_1"}), (200, {"id": "cs_1", "status": "open"}),
        (200, complete),
    ]  # fmt: skip
    assert gateway.open_setup(uuid4(), "https://here.example/").url == "https://checkout.example/cs_1"
    assert fake.asked[0][2]["mode"] == ["setup"]
    assert gateway.find_card("cs_1") is None
    card = gateway.find_card("cs_1")
    assert card and (card.customer, card.token, card.last4, card.expires_year) == ("cus_9", "pm_9", "4242", 2030)


def event(kind: str, found: dict[str, Any], created: Any = 1_794_841_200) -> Any:
    body = json.dumps({"id": "evt_1", "type": kind, "created": created, "data": {"object": found}}).encode()
    gateway = StripeGateway("sk_test", "whsec_test")
    return gateway.read_message(body, sign("whsec_test", body, int(NOW.timestamp())), NOW)


@pytest.mark.parametrize("created", [-1, 10**17, 1e300, float("nan")])
def test_an_event_of_no_moment_is_not_read(created: Any) -> None:
    with pytest.raises(ValueError, match="no moment"):
        event("payment_intent.succeeded", intent("succeeded"), created)


def test_events_are_read_as_news() -> None:
    ours = {"metadata": {"charge": str(CHARGE)}}
    charged = event("payment_intent.succeeded", intent("succeeded", **ours))
    assert (charged.kind, charged.charge_id, charged.amount_cents) == (NewsKind.CHARGED, CHARGE, 4_000)
    assert event("payment_intent.payment_failed", intent("requires_payment_method", **ours)).kind is NewsKind.DECLINED
    refund = {"id": "re_1", "payment_intent": "pi_1", "amount": 900, "status": "succeeded", "metadata": {}}
    made = event("refund.created", refund)
    assert (made.kind, made.charge_id, made.charge_reference, made.refund_reference) == (
        NewsKind.REFUNDED, None, "pi_1", "re_1",
    )  # fmt: skip
    assert event("refund.updated", refund | {"status": "failed"}).kind is NewsKind.REFUND_FAILED
    assert event("refund.created", refund | {"status": "pending"}).kind is NewsKind.OTHER
    dispute = {"id": "dp_1", "payment_intent": "pi_1", "amount": 4_000, "reason": "fraudulent", "status": "won"}
    opened = event("charge.dispute.created", dispute)
    assert (opened.kind, opened.dispute_reference, opened.reason) == (NewsKind.DISPUTE_OPENED, "dp_1", "fraudulent")
    assert event("charge.dispute.closed", dispute).kind is NewsKind.DISPUTE_WON
    assert event("charge.dispute.closed", dispute | {"status": "lost"}).kind is NewsKind.DISPUTE_LOST
    assert event("charge.dispute.closed", dispute | {"status": "warning_closed"}).kind is NewsKind.OTHER
    assert event("checkout.session.completed", {"id": "cs_1"}).setup_reference == "cs_1"
    assert event("customer.updated", {"id": "cus_1"}).kind is NewsKind.OTHER
    with pytest.raises(BadSignature):
        StripeGateway("sk_test", "whsec_other").read_message(b"{}", sign("whsec_test", b"{}", 1), NOW)

"""The simulated processor behind HTTP, spoken to by its adapter; its webhooks as they arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from daysheet.cards.gateways.base import (
    AnswerLost,
    ChargeOrder,
    ChargeStatus,
    GatewayRefused,
    GatewayUnavailable,
    NewsKind,
    RefundOrder,
    RefundStatus,
)
from daysheet.cards.gateways.http import NotThere, call
from daysheet.cards.gateways.simulated import SimulatedGateway
from daysheet.cards.simulator.server import SimulatorServer


class Listener(HTTPServer):
    """Stands where Daysheet would: keeps what arrives, and refuses the first message once."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hear)
        self.heard: list[tuple[str, bytes, str]] = []
        self.refuse = 1


class _Hear(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = 500 if self.server.refuse > 0 else 200
        self.server.refuse -= 1
        if status == 200:
            self.server.heard.append((self.path, body, self.headers["Processor-Signature"]))
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def listener() -> Iterator[Listener]:
    server = Listener()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def simulator(listener: Listener, tmp_path: Path) -> Iterator[SimulatorServer]:
    here = f"http://127.0.0.1:{listener.server_address[1]}"
    server = SimulatorServer(file=str(tmp_path / "cards.db"), deliver_to=here, slow_seconds=0.2)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def gateway(simulator: SimulatorServer) -> SimulatedGateway:
    return SimulatedGateway(simulator.url, "sim_key", "/hook/")


def order(behaviour: str = "ok", cents: int = 4_000) -> ChargeOrder:
    return ChargeOrder(uuid4(), cents, "cu_1", f"card_{behaviour}_1")


def test_a_charge_from_its_name_to_its_refund(gateway: SimulatedGateway, simulator: SimulatorServer) -> None:
    wanted = order()
    reference = gateway.prepare(wanted)
    assert gateway.prepare(wanted) == reference
    assert gateway.look_up(reference).status is ChargeStatus.PREPARED
    assert [gateway.confirm(wanted, reference).status for _ in range(3)] == [ChargeStatus.CHARGED] * 3
    assert gateway.cancel(reference).status is ChargeStatus.CHARGED
    back = RefundOrder(uuid4(), wanted.charge_id, reference, 1_500)
    assert gateway.find_refund(back) is None
    assert {gateway.refund(back).reference for _ in range(2)} == {gateway.find_refund(back).reference}  # type: ignore[union-attr]
    assert simulator.processor.taken_cents() == 2_500
    too_much = gateway.refund(RefundOrder(uuid4(), wanted.charge_id, reference, 2_501))
    assert too_much.status is RefundStatus.FAILED


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [("declined", ChargeStatus.DECLINED), ("expired", ChargeStatus.DECLINED), ("slow", ChargeStatus.WORKING)],
)
def test_what_a_card_does_is_written_in_its_token(
    gateway: SimulatedGateway, behaviour: str, status: ChargeStatus
) -> None:
    wanted = order(behaviour)
    answer = gateway.confirm(wanted, gateway.prepare(wanted))
    assert answer.status is status
    assert bool(answer.reason) == (status is ChargeStatus.DECLINED)


def test_answers_are_lost_over_a_real_connection(gateway: SimulatedGateway) -> None:
    for behaviour, status in (("lost", ChargeStatus.CHARGED), ("unheard", ChargeStatus.PREPARED)):
        wanted = order(behaviour)
        reference = gateway.prepare(wanted)
        with pytest.raises(AnswerLost):
            gateway.confirm(wanted, reference)
        assert gateway.look_up(reference).status is status
    assert gateway.cancel(reference).status is ChargeStatus.CANCELED
    late = gateway.confirm(ChargeOrder(uuid4(), 4_000, "cu_1", "card_unheard_1"), reference)
    assert late.status is ChargeStatus.CANCELED


def test_the_same_key_for_another_request_is_refused(gateway: SimulatedGateway) -> None:
    wanted = order()
    gateway.prepare(wanted)
    with pytest.raises(GatewayRefused, match="used for another request"):
        gateway.prepare(ChargeOrder(wanted.charge_id, 9_999, "cu_1", wanted.token))


def test_wrong_keys_unknown_objects_and_a_closed_door(gateway: SimulatedGateway, simulator: SimulatorServer) -> None:
    with pytest.raises(NotThere):
        gateway.look_up("sc_nothing")
    with pytest.raises(NotThere):
        SimulatedGateway(simulator.url, "sim_other", "").look_up(gateway.prepare(order()))
    with pytest.raises(GatewayRefused):
        SimulatedGateway(simulator.url, "another", "").prepare(order())
    with pytest.raises(GatewayUnavailable):
        SimulatedGateway("http://127.0.0.1:1", "sim_key", "").prepare(order())
    with pytest.raises(GatewayUnavailable, match="over https"):
        call("http://processor.example", "GET", "/", headers={})


def test_a_card_is_chosen_on_the_processors_own_page(gateway: SimulatedGateway) -> None:
    page = gateway.open_setup(uuid4(), "http://127.0.0.1:9/back")
    assert gateway.find_card(page.reference) is None
    with urlopen(page.url) as shown:
        html = shown.read().decode()
    assert "No real card is needed" in html and 'value="declined"' in html
    with suppress(OSError):  # it leads back to a page that is not there
        urlopen(Request(page.url, data=b"card=declined"))
    card = gateway.find_card(page.reference)
    assert card and (card.brand, card.last4) == ("visa", "0002")
    assert gateway.find_card("ss_nothing") is None


def test_signed_messages_come_late_and_again_until_they_are_taken(
    gateway: SimulatedGateway, listener: Listener
) -> None:
    wanted = order("slow")
    gateway.confirm(wanted, gateway.prepare(wanted))
    assert listener.heard == []
    deadline = time.monotonic() + 15
    while not listener.heard and time.monotonic() < deadline:
        time.sleep(0.05)
    [(path, body, signature)] = listener.heard
    news = gateway.read_message(body, signature, datetime.now(UTC))
    assert (path, news.kind, news.charge_id, news.amount_cents) == (
        "/hook/", NewsKind.CHARGED, wanted.charge_id, 4_000,
    )  # fmt: skip

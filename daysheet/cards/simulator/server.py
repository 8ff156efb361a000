"""The simulated processor behind HTTP: its API, its page on which a card is chosen, its webhooks.

`python -m daysheet.cards.simulator.server --port 8791 --deliver-to http://127.0.0.1:8000`; `daysheet demo` starts it.
It listens on this machine only, and a request's bearer key is its account: it keeps nothing worth a lock.
"""

from __future__ import annotations

import argparse
import html
import http.client
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from daysheet.cards.gateways.signing import sign
from daysheet.cards.gateways.simulated import webhook_secret_of

from .core import CARDS, NoAnswer, Outgoing, Processor, Refused

#: Seconds between the tries to deliver a message.
_TRIES = (0, 2, 5, 15, 60)


class SimulatorServer(ThreadingHTTPServer):
    """The HTTP server with its processor; `deliver_to` is the address of Daysheet, empty for no webhooks."""

    daemon_threads = True

    def __init__(self, port: int = 0, *, file: str = ":memory:", deliver_to: str = "", slow_seconds: float = 8) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.deliver_to = deliver_to
        self.processor = Processor(file, send=self.deliver, slow_seconds=slow_seconds)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def deliver(self, outgoing: Outgoing) -> None:
        """Send a message a while later, in a thread of its own, again and again until it is taken."""
        if self.deliver_to and outgoing.path:
            threading.Thread(target=self._deliver, args=(outgoing,), daemon=True).start()

    def _deliver(self, outgoing: Outgoing) -> None:
        time.sleep(outgoing.delay_seconds)
        for pause in _TRIES:
            time.sleep(pause)
            try:
                if post(self.deliver_to, outgoing) < 300:
                    return
            except OSError:
                continue


def post(base_url: str, outgoing: Outgoing, at: int | None = None) -> int:
    """Deliver one message once; returns the answer's status."""
    parts = urlsplit(base_url)
    body = json.dumps(outgoing.message).encode()
    signature = sign(webhook_secret_of(outgoing.account), body, int(time.time()) if at is None else at)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request(
            "POST", outgoing.path, body, {"Content-Type": "application/json", "Processor-Signature": signature}
        )
        return connection.getresponse().status
    finally:
        connection.close()


class _Handler(BaseHTTPRequestHandler):
    server: SimulatorServer

    def do_GET(self) -> None:
        if self.path.startswith("/cards/"):
            self._page()
        else:
            self._api("GET")

    def do_POST(self) -> None:
        if self.path.startswith("/cards/"):
            self._choose()
        else:
            self._api("POST")

    def log_message(self, *args: Any) -> None:
        """Says nothing: the demo's terminal belongs to Daysheet."""

    def _api(self, method: str) -> None:
        account = self.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            if not account.startswith("sim_"):
                raise Refused(401, "A key of the simulated processor begins with sim_.")
            asked = json.loads(self._body() or b"{}")
            key, webhook = self.headers.get("Idempotency-Key", ""), self.headers.get("Webhook-Path", "")
            answer = self.server.processor.act(account, method, self.path.split("?")[0], asked, key, webhook)
            if "url" in answer:
                answer = answer | {"url": self.server.url + answer["url"]}
            self._answer(200, json.dumps(answer), "application/json")
        except NoAnswer:
            self.close_connection = True
        except Refused as refused:
            self._answer(refused.status, json.dumps({"error": {"message": refused.message}}), "application/json")

    def _page(self) -> None:
        choices = "".join(
            f'<p><label><input type="radio" name="card" value="{name}"{" checked" if name == "ok" else ""}> '
            f"{html.escape(brand.title())} ending in {last4}: {html.escape(label)}</label></p>"
            for name, (label, brand, last4) in CARDS.items()
        )
        self._answer(
            200,
            '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Simulated card '
            "processor</title><h1>Simulated card processor</h1><p>No real card is needed, and none is charged. Choose "
            f'what the card will do.</p><form method="post">{choices}<button>Save card</button></form></html>',
            "text/html; charset=utf-8",
        )

    def _choose(self) -> None:
        chosen = parse_qs(self._body().decode()).get("card", [""])[0]
        try:
            back = self.server.processor.choose_card(self.path.removeprefix("/cards/"), chosen)
        except Refused as refused:
            self._answer(refused.status, html.escape(refused.message), "text/html; charset=utf-8")
            return
        self.send_response(303)
        self.send_header("Location", back)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _body(self) -> bytes:
        return self.rfile.read(min(int(self.headers.get("Content-Length") or 0), 100_000))

    def _answer(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description="The simulated card processor: it moves no money.")
    parser.add_argument("--port", type=int, default=8791)
    parser.add_argument("--file", default=":memory:", help="where it keeps its charges")
    parser.add_argument("--deliver-to", default="", help="the address of Daysheet, for webhooks")
    options = parser.parse_args()
    SimulatorServer(options.port, file=options.file, deliver_to=options.deliver_to).serve_forever()


if __name__ == "__main__":
    main()

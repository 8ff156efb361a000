"""The adapter to our own simulated processor (`daysheet/cards/simulator`)."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from . import signing
from .base import (
    BadSignature,
    CardFacts,
    ChargeAnswer,
    ChargeOrder,
    ChargeStatus,
    News,
    NewsKind,
    RefundAnswer,
    RefundOrder,
    RefundStatus,
    SetupPage,
)
from .http import NotThere, call


def webhook_secret_of(api_key: str) -> str:
    """Both sides make it from the key, so that nothing has to be typed twice."""
    return hmac.new(api_key.encode(), b"webhooks", hashlib.sha256).hexdigest()


class SimulatedGateway:
    """Speaks the simulator's JSON over HTTP."""

    def __init__(self, base_url: str, api_key: str, webhook_path: str) -> None:
        self._base_url, self._api_key, self._webhook_path = base_url, api_key, webhook_path

    def prepare(self, order: ChargeOrder) -> str:
        """Name the charge."""
        asked = {
            "charge": str(order.charge_id), "amount_cents": order.amount_cents, "customer": order.customer,
            "card": order.token,
        }  # fmt: skip
        return str(self._call("POST", "/charges", asked, key=f"{order.charge_id}-prepare")["id"])

    def confirm(self, order: ChargeOrder, reference: str) -> ChargeAnswer:
        """Charge."""
        return _charge(self._call("POST", f"/charges/{_id(reference)}/confirm", {}, key=f"{order.charge_id}-confirm"))

    def look_up(self, reference: str) -> ChargeAnswer:
        """Ask."""
        return _charge(self._call("GET", f"/charges/{_id(reference)}"))

    def cancel(self, reference: str) -> ChargeAnswer:
        """Close."""
        return _charge(self._call("POST", f"/charges/{_id(reference)}/cancel", {}))

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give back."""
        asked = {"refund": str(order.refund_id), "amount_cents": order.amount_cents}
        path = f"/charges/{_id(order.charge_reference)}/refunds"
        return _refund(self._call("POST", path, asked, key=f"{order.refund_id}-refund"))

    def find_refund(self, order: RefundOrder) -> RefundAnswer | None:
        """Ask."""
        found = self._call("GET", f"/charges/{_id(order.charge_reference)}/refunds")
        return next((_refund(each) for each in found["refunds"] if each["refund"] == str(order.refund_id)), None)

    def open_setup(self, setup_id: UUID, return_url: str) -> SetupPage:
        """A page of the simulator's."""
        asked = {"setup": str(setup_id), "return_url": return_url}
        made = self._call("POST", "/setups", asked, key=f"{setup_id}-setup")
        return SetupPage(str(made["id"]), str(made["url"]))

    def find_card(self, reference: str) -> CardFacts | None:
        """The card chosen on that page."""
        try:
            card = self._call("GET", f"/setups/{_id(reference)}").get("card")
        except NotThere:
            return None
        if not card:
            return None
        return CardFacts(
            card["customer"], card["token"], card["brand"], card["last4"], card["expires_month"], card["expires_year"]
        )

    def read_message(self, body: bytes, signature: str, now: datetime) -> News:
        """Check and read."""
        signing.check(webhook_secret_of(self._api_key), body, signature, now)
        message = json.loads(body)
        if not isinstance(message, dict):
            raise BadSignature("The message is no object.")
        return News(
            message_ref=str(message["id"]),
            kind=NewsKind(message["kind"]) if message["kind"] in set(NewsKind) else NewsKind.OTHER,
            occurred_at=_moment(message["at"]),
            charge_id=_uuid(message.get("charge")),
            charge_reference=str(message.get("reference", "")),
            amount_cents=int(message.get("amount_cents", 0)),
            reason=str(message.get("reason", ""))[:200],
            refund_id=_uuid(message.get("refund")),
            refund_reference=str(message.get("refund_reference", "")),
            dispute_reference=str(message.get("dispute", "")),
            setup_reference=str(message.get("setup_reference", "")),
        )

    def _call(self, method: str, path: str, asked: dict[str, Any] | None = None, key: str = "") -> dict[str, Any]:
        headers = {
            "Authorization": f"Bearer {self._api_key}", "Content-Type": "application/json",
            "Idempotency-Key": key, "Webhook-Path": self._webhook_path,
        }  # fmt: skip
        body = b"" if asked is None else json.dumps(asked).encode()
        return call(self._base_url, method, path, headers=headers, body=body)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without its time zone")
    return moment


def _id(reference: str) -> str:
    return quote(reference, safe="")


def _charge(found: dict[str, Any]) -> ChargeAnswer:
    return ChargeAnswer(
        ChargeStatus(found["status"]), found["id"], int(found["amount_cents"]), str(found.get("reason", ""))[:200]
    )


def _refund(found: dict[str, Any]) -> RefundAnswer:
    return RefundAnswer(RefundStatus(found["status"]), found["id"], str(found.get("reason", ""))[:200])


def _uuid(text: Any) -> UUID | None:
    return UUID(str(text)) if text else None

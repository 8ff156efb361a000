"""The adapter to Stripe: PaymentIntents made unconfirmed and confirmed once, Checkout in set-up mode for cards.

Form-encoded requests with `Idempotency-Key`; webhooks signed in `Stripe-Signature`. Tested against a local fake for
its shape only: nobody has charged a real card with it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from . import signing
from .base import (
    CardFacts,
    ChargeAnswer,
    ChargeOrder,
    ChargeStatus,
    GatewayRefused,
    News,
    NewsKind,
    RefundAnswer,
    RefundOrder,
    RefundStatus,
    SetupPage,
)
from .http import NotThere, call

BASE_URL = "https://api.stripe.com"
_VERSION = "2024-06-20"
_CHARGE_STATUS = {
    "requires_confirmation": ChargeStatus.PREPARED,
    "processing": ChargeStatus.WORKING,
    "succeeded": ChargeStatus.CHARGED,
    "canceled": ChargeStatus.CANCELED,
    # A confirmation that failed, or that wants the client in person, leaves the intent in one of these.
    "requires_payment_method": ChargeStatus.DECLINED,
    "requires_action": ChargeStatus.DECLINED,
}
_REFUND_STATUS = {
    "succeeded": RefundStatus.REFUNDED,
    "failed": RefundStatus.FAILED,
    "canceled": RefundStatus.FAILED,
}
_CHARGE_NEWS = {
    "payment_intent.succeeded": NewsKind.CHARGED,
    "payment_intent.payment_failed": NewsKind.DECLINED,
    "payment_intent.canceled": NewsKind.CANCELED,
}


class StripeGateway:
    """Speaks Stripe's API. `base_url` differs in tests only."""

    def __init__(self, secret_key: str, webhook_secret: str, base_url: str = BASE_URL) -> None:
        self._secret_key, self._webhook_secret, self._base_url = secret_key, webhook_secret, base_url

    def prepare(self, order: ChargeOrder) -> str:
        """An intent that is not confirmed moves nothing."""
        asked = {
            "amount": order.amount_cents, "currency": "usd", "customer": order.customer,
            "payment_method": order.token, "payment_method_types[]": "card", "confirm": "false",
            "metadata[charge]": order.charge_id,
        }  # fmt: skip
        return str(self._post("/v1/payment_intents", asked, key=f"{order.charge_id}-prepare")["id"])

    def confirm(self, order: ChargeOrder, reference: str) -> ChargeAnswer:
        """Charge; the client is not there to be asked anything. A decline comes as 402 with the intent inside."""
        path = f"/v1/payment_intents/{_id(reference)}/confirm"
        found = self._post(path, {"off_session": "true"}, key=f"{order.charge_id}-confirm")
        error = found.get("error")
        return _charge(error["payment_intent"], error.get("message", "")) if isinstance(error, dict) else _charge(found)

    def look_up(self, reference: str) -> ChargeAnswer:
        """Ask."""
        return _charge(self._get(f"/v1/payment_intents/{_id(reference)}"))

    def cancel(self, reference: str) -> ChargeAnswer:
        """Close; where it was charged first Stripe refuses, and its state is the answer."""
        try:
            return _charge(self._post(f"/v1/payment_intents/{_id(reference)}/cancel", {}))
        except NotThere:
            raise
        except GatewayRefused:
            return self.look_up(reference)

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give back."""
        asked = {
            "payment_intent": order.charge_reference, "amount": order.amount_cents,
            "metadata[refund]": order.refund_id, "metadata[charge]": order.charge_id,
        }  # fmt: skip
        return _refund(self._post("/v1/refunds", asked, key=f"{order.refund_id}-refund"))

    def find_refund(self, order: RefundOrder) -> RefundAnswer | None:
        """Ours among the refunds of the charge."""
        query = urlencode({"payment_intent": order.charge_reference, "limit": 100})
        found = self._get(f"/v1/refunds?{query}")["data"]
        own = (each for each in found if (each.get("metadata") or {}).get("refund") == str(order.refund_id))
        return next((_refund(each) for each in own), None)

    def open_setup(self, setup_id: UUID, return_url: str) -> SetupPage:
        """Stripe's own page."""
        asked = {
            "mode": "setup", "currency": "usd", "payment_method_types[]": "card", "customer_creation": "always",
            "success_url": return_url, "cancel_url": return_url, "client_reference_id": setup_id,
        }  # fmt: skip
        made = self._post("/v1/checkout/sessions", asked, key=f"{setup_id}-setup")
        return SetupPage(str(made["id"]), str(made["url"]))

    def find_card(self, reference: str) -> CardFacts | None:
        """What was typed on it."""
        found = self._get(f"/v1/checkout/sessions/{_id(reference)}?expand[]=setup_intent.payment_method")
        intent = found.get("setup_intent")
        method = intent.get("payment_method") if isinstance(intent, dict) else None
        if (
            found.get("status") != "complete"
            or not isinstance(method, dict)
            or not isinstance(method.get("card"), dict)
        ):
            return None
        card = method["card"]
        customer = str(found.get("customer") or method.get("customer") or "")
        return CardFacts(
            customer, method["id"], str(card["brand"]), str(card["last4"]), card["exp_month"], card["exp_year"]
        )

    def read_message(self, body: bytes, signature: str, now: datetime) -> News:
        """Check and read."""
        signing.check(self._webhook_secret, body, signature, now)
        event = json.loads(body)
        return _news(str(event["id"]), str(event["type"]), event["data"]["object"], event["created"])

    def _get(self, path: str) -> dict[str, Any]:
        return call(self._base_url, "GET", path, headers=self._headers(""))

    def _post(self, path: str, asked: dict[str, Any], key: str = "") -> dict[str, Any]:
        body = urlencode({name: str(value) for name, value in asked.items()}).encode()
        return call(self._base_url, "POST", path, headers=self._headers(key), body=body)

    def _headers(self, key: str) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {self._secret_key}", "Stripe-Version": _VERSION,
            "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        return headers | ({"Idempotency-Key": key} if key else {})


def _id(reference: str) -> str:
    return quote(reference, safe="")


def _charge(intent: dict[str, Any], message: str = "") -> ChargeAnswer:
    status = _CHARGE_STATUS.get(str(intent.get("status")), ChargeStatus.WORKING)
    if status is ChargeStatus.DECLINED:
        error = intent.get("last_payment_error")
        if error is None and intent["status"] == "requires_action":
            message = "The bank wants to ask the client in person."
        message = str(error.get("message", "")) if isinstance(error, dict) else message
    return ChargeAnswer(status, str(intent["id"]), int(intent["amount"]), message[:200])


def _refund(found: dict[str, Any]) -> RefundAnswer:
    status = _REFUND_STATUS.get(str(found.get("status")), RefundStatus.WORKING)
    return RefundAnswer(status, str(found["id"]), str(found.get("failure_reason") or "")[:200])


#: Seconds of the epoch, some centuries from now.
_LATEST = 2**34


def _news(message_ref: str, kind: str, found: dict[str, Any], created: int) -> News:
    if not 0 <= created < _LATEST:
        raise ValueError("no moment that a processor could mean")
    at = datetime.fromtimestamp(created, UTC)
    metadata = found.get("metadata") or {}
    charge_id = _uuid(metadata.get("charge"))
    if kind in _CHARGE_NEWS:
        answer = _charge(found)
        return News(
            message_ref, _CHARGE_NEWS[kind], at, charge_id, answer.reference, answer.amount_cents, answer.reason
        )
    reference = str(found.get("payment_intent") or "")
    if kind.startswith("refund.") or kind == "charge.refund.updated":
        refund = _refund(found)
        meaning = {RefundStatus.REFUNDED: NewsKind.REFUNDED, RefundStatus.FAILED: NewsKind.REFUND_FAILED}
        return News(
            message_ref, meaning.get(refund.status, NewsKind.OTHER), at, charge_id, reference, int(found["amount"]),
            refund.reason, _uuid(metadata.get("refund")), refund.reference,
        )  # fmt: skip
    if kind in {"charge.dispute.created", "charge.dispute.closed"}:
        ended = {"won": NewsKind.DISPUTE_WON, "lost": NewsKind.DISPUTE_LOST}.get(str(found.get("status")))
        meant = NewsKind.DISPUTE_OPENED if kind.endswith("created") else ended or NewsKind.OTHER
        return News(
            message_ref, meant, at, charge_id, reference, int(found["amount"]), str(found.get("reason") or "")[:200],
            dispute_reference=str(found["id"]),
        )  # fmt: skip
    if kind == "checkout.session.completed":
        return News(message_ref, NewsKind.CARD_SAVED, at, setup_reference=str(found["id"]))
    return News(message_ref, NewsKind.OTHER, at)


def _uuid(text: Any) -> UUID | None:
    try:
        return UUID(str(text)) if text else None
    except ValueError:
        return None

"""A card processor that moves no money, for tests and the demo: it declines, works slowly, loses answers, disputes,
honours idempotency keys and sends signed webhooks. Plain Python; `server.py` puts it behind HTTP.

What a card does is written in its token (`card_declined_…`), so that a test or a person chooses it. There are no card
numbers, not even made-up ones.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: {behaviour in the token: (label on the card page, brand, last four digits)}.
CARDS = {
    "ok": ("Is charged", "visa", "0001"),
    "declined": ("Is declined: insufficient funds", "visa", "0002"),
    "expired": ("Is declined: expired card", "mastercard", "0003"),
    "slow": ("Is charged after a while, told by webhook", "mastercard", "0004"),
    "lost": ("Is charged, but the answer is lost", "amex", "0005"),
    "unheard": ("The request is lost: it is never charged", "amex", "0006"),
    "disputed": ("Is charged, and the client disputes it afterwards", "discover", "0007"),
}
_DECLINED = {"declined": "Insufficient funds.", "expired": "The card has expired."}


class NoAnswer(Exception):
    """The connection is to be dropped without an answer."""


class Refused(Exception):
    """An answer that says no: HTTP status and words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A webhook to be delivered after `delay_seconds`, to the address that the account named."""

    account: str
    path: str
    message: dict[str, Any]
    delay_seconds: float


class Processor:
    """All accounts of the simulated processor. State in an SQLite file, or in memory."""

    def __init__(
        self,
        file: str = ":memory:",
        *,
        send: Callable[[Outgoing], None] = lambda outgoing: None,
        slow_seconds: float = 8.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._send, self._slow_seconds, self._clock = send, slow_seconds, clock
        self._lock = threading.RLock()
        self._rows = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._rows.execute("CREATE TABLE IF NOT EXISTS rows (kind TEXT, id TEXT, body TEXT, PRIMARY KEY (kind, id))")

    def act(self, account: str, method: str, path: str, asked: dict[str, Any], key: str, webhook: str) -> Any:
        """One request. The same key with the same content gets the first answer again; with other content a 400."""
        with self._lock:
            content = json.dumps([method, path, asked], sort_keys=True)
            before = self._get("key", f"{account} {key}") if key else None
            if before and before["content"] != content:
                raise Refused(400, "This idempotency key was used for another request.")
            if before:
                return before["answer"]
            answer, is_heard = self._act(account, method, path.strip("/").split("/"), asked, webhook)
            if key:
                self._put("key", f"{account} {key}", {"content": content, "answer": answer})
            if not is_heard:
                raise NoAnswer
            return answer

    def finish_slow(self, charge_id: str) -> None:
        """What a slow charge comes to in the end."""
        with self._lock:
            charge = self._get("charge", charge_id)
            if charge and charge["status"] == "working":
                self._settle(charge, "charged")

    def dispute(self, charge_id: str, outcome: str = "", amount_cents: int | None = None) -> str:
        """The client's bank takes the money back; with `outcome` `won` or `lost` it decides. Returns its reference."""
        with self._lock:
            charge = self._get("charge", charge_id)
            assert charge
            reference = charge.setdefault("dispute", f"sd_{uuid.uuid4().hex}")
            self._put("charge", charge_id, charge)
            kind = f"dispute_{outcome}" if outcome else "dispute_opened"
            more = {
                "dispute": reference,
                "amount_cents": amount_cents or charge["amount_cents"],
                "reason": "fraudulent",
            }
            self._tell(charge, kind, more, delay=0 if outcome else 1.0)
            return str(reference)

    def refund_at_desk(self, charge_id: str, cents: int) -> None:
        """A refund made at the processor's own desk: Daysheet hears of it by webhook only."""
        with self._lock:
            charge = self._get("charge", charge_id)
            assert charge
            self._refund(charge, {"refund": "", "amount_cents": cents})

    def charges(self) -> list[dict[str, Any]]:
        """Every charge, in the order in which it was named."""
        with self._lock:
            rows = self._rows.execute("SELECT body FROM rows WHERE kind = 'charge' ORDER BY rowid")
            return [json.loads(body) for (body,) in rows]

    def taken_cents(self) -> int:
        """What has been charged and not given back, over all charges."""
        return sum(c["amount_cents"] - _refunded(c) for c in self.charges() if c["status"] == "charged")

    def choose_card(self, setup_id: str, behaviour: str) -> str:
        """A card is chosen on a set-up page; returns where its visitor goes next."""
        with self._lock:
            setup = self._get("setup", setup_id)
            if setup is None or behaviour not in CARDS:
                raise Refused(404, "There is no such page.")
            if "card" not in setup:
                _, brand, last4 = CARDS[behaviour]
                setup["card"] = {
                    "customer": f"cu_{uuid.uuid4().hex}", "token": f"card_{behaviour}_{uuid.uuid4().hex}",
                    "brand": brand, "last4": last4, "expires_month": 12, "expires_year": self._clock().year + 3,
                }  # fmt: skip
                self._put("setup", setup_id, setup)
                self._tell(setup, "card_saved", {"setup_reference": setup_id}, delay=0.5)
            return str(setup["return_url"])

    def _act(
        self, account: str, method: str, parts: list[str], asked: dict[str, Any], webhook: str
    ) -> tuple[Any, bool]:
        match (method, *parts):
            case ("POST", "charges"):
                return self._prepare(account, asked, webhook), True
            case ("POST", "charges", charge_id, "confirm"):
                return self._confirm(self._own("charge", account, charge_id))
            case ("POST", "charges", charge_id, "cancel"):
                charge = self._own("charge", account, charge_id)
                if charge["status"] == "prepared":
                    self._settle(charge, "canceled")
                return _shown(charge), True
            case ("GET", "charges", charge_id):
                return _shown(self._own("charge", account, charge_id)), True
            case ("POST", "charges", charge_id, "refunds"):
                return self._refund(self._own("charge", account, charge_id), asked), True
            case ("GET", "charges", charge_id, "refunds"):
                return {"refunds": self._own("charge", account, charge_id).get("refunds", [])}, True
            case ("POST", "setups"):
                return self._setup(account, asked, webhook), True
            case ("GET", "setups", setup_id):
                return self._own("setup", account, setup_id), True
        raise Refused(404, "There is no such address.")

    def _prepare(self, account: str, asked: dict[str, Any], webhook: str) -> dict[str, Any]:
        if not isinstance(asked.get("amount_cents"), int) or asked["amount_cents"] <= 0:
            raise Refused(400, "The amount is not a positive number of cents.")
        charge = {
            "id": f"sc_{uuid.uuid4().hex}", "account": account, "webhook": webhook, "status": "prepared",
            "charge": asked["charge"], "amount_cents": asked["amount_cents"], "card": asked["card"], "refunds": [],
        }  # fmt: skip
        self._put("charge", charge["id"], charge)
        return _shown(charge)

    def _confirm(self, charge: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        behaviour = str(charge["card"]).split("_")[1]
        if charge["status"] != "prepared":
            return _shown(charge), True
        if behaviour == "unheard":
            return _shown(charge), False
        if behaviour in _DECLINED:
            charge["reason"] = _DECLINED[behaviour]
            self._settle(charge, "declined")
        elif behaviour == "slow":
            charge["status"] = "working"
            self._put("charge", charge["id"], charge)
            timer = threading.Timer(self._slow_seconds, self.finish_slow, [charge["id"]])
            timer.daemon = True
            timer.start()
        else:
            self._settle(charge, "charged")
            if behaviour == "disputed":
                self.dispute(charge["id"])
        return _shown(charge), behaviour != "lost"

    def _settle(self, charge: dict[str, Any], status: str) -> None:
        charge["status"] = status
        self._put("charge", charge["id"], charge)
        self._tell(charge, status, {"amount_cents": charge["amount_cents"], "reason": charge.get("reason", "")})

    def _refund(self, charge: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
        made = {"id": f"sr_{uuid.uuid4().hex}", "refund": asked["refund"], "amount_cents": asked["amount_cents"]}
        if charge["status"] != "charged" or _refunded(charge) + asked["amount_cents"] > charge["amount_cents"]:
            made |= {"status": "failed", "reason": "More than is left of the charge."}
        elif "dispute" in charge:
            made |= {"status": "failed", "reason": "The charge is disputed."}
        else:
            made |= {"status": "refunded", "reason": ""}
        charge["refunds"].append(made)
        self._put("charge", charge["id"], charge)
        kind = "refunded" if made["status"] == "refunded" else "refund_failed"
        more = {name: made[name] for name in ("refund", "amount_cents", "reason")} | {"refund_reference": made["id"]}
        self._tell(charge, kind, more)
        return made

    def _setup(self, account: str, asked: dict[str, Any], webhook: str) -> dict[str, Any]:
        setup_id = f"ss_{uuid.uuid4().hex}"
        setup = {
            "id": setup_id, "account": account, "webhook": webhook, "return_url": asked["return_url"],
            "url": f"/cards/{setup_id}",
        }  # fmt: skip
        self._put("setup", setup_id, setup)
        return setup

    def _tell(self, about: dict[str, Any], kind: str, more: dict[str, Any], delay: float = 0.5) -> None:
        message = {"id": f"sm_{uuid.uuid4().hex}", "kind": kind, "at": self._clock().isoformat(), **more}
        if "charge" in about:
            message |= {"charge": about["charge"], "reference": about["id"]}
        self._send(Outgoing(about["account"], about["webhook"], message, delay))

    def _own(self, kind: str, account: str, id_: str) -> dict[str, Any]:
        found = self._get(kind, id_)
        if found is None or found["account"] != account:
            raise Refused(404, "There is no such object.")
        return found

    def _get(self, kind: str, id_: str) -> dict[str, Any] | None:
        row = self._rows.execute("SELECT body FROM rows WHERE kind = ? AND id = ?", [kind, id_]).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def _put(self, kind: str, id_: str, body: dict[str, Any]) -> None:
        self._rows.execute(
            "INSERT INTO rows VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            [kind, id_, json.dumps(body)],
        )


def _shown(charge: dict[str, Any]) -> dict[str, Any]:
    return {name: charge[name] for name in ("id", "status", "amount_cents")} | {"reason": charge.get("reason", "")}


def _refunded(charge: dict[str, Any]) -> int:
    return sum(each["amount_cents"] for each in charge["refunds"] if each["status"] == "refunded")

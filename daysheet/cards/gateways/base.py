"""What every card processor is asked, in the same words. No card number ever passes here: cards are tokens.

A charge has two steps, so that its fate can always be found out: `prepare` names it at the processor and moves no
money; `confirm` charges, and is sent once. Whoever loses the answer asks `look_up`, and where the confirmation never
arrived `cancel` closes it for good: then it can no longer be charged. Nothing is ever confirmed a second time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from daysheet.kit.money import LARGEST_CENTS


class GatewayError(Exception):
    """The processor gave no usable answer."""


class GatewayUnavailable(GatewayError):
    """The request did not reach the processor: nothing happened there."""


class AnswerLost(GatewayError):
    """The request may have been carried out; its answer did not arrive (time-out, broken connection, server error)."""


class GatewayRefused(GatewayError):
    """The processor understood the request and refused it: a wrong key, an unknown reference."""


class BadSignature(Exception):
    """A message that was not signed by the processor, or too long ago."""


class ChargeStatus(StrEnum):
    """Where a charge stands at the processor."""

    PREPARED = "prepared"
    WORKING = "working"
    CHARGED = "charged"
    DECLINED = "declined"
    CANCELED = "canceled"


class RefundStatus(StrEnum):
    """Where a refund stands at the processor."""

    WORKING = "working"
    REFUNDED = "refunded"
    FAILED = "failed"


class NewsKind(StrEnum):
    """What a processor tells without being asked."""

    CHARGED = "charged"
    DECLINED = "declined"
    CANCELED = "canceled"
    REFUNDED = "refunded"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    CARD_SAVED = "card_saved"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChargeOrder:
    """What to charge. `charge_id` is ours, made before anything is sent: the same id is the same charge."""

    charge_id: UUID
    amount_cents: int
    customer: str
    token: str


@dataclass(frozen=True, slots=True)
class ChargeAnswer:
    """The fate of a charge. `reference` is the processor's own id of it; `reason` why it was declined."""

    status: ChargeStatus
    reference: str
    amount_cents: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What to give back. `refund_id` is ours: the same id is the same refund."""

    refund_id: UUID
    charge_id: UUID
    charge_reference: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """The fate of a refund."""

    status: RefundStatus
    reference: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card that the processor keeps. `last4` is all that we ever see of its number."""

    customer: str
    token: str
    brand: str
    last4: str
    expires_month: int
    expires_year: int


@dataclass(frozen=True, slots=True)
class SetupPage:
    """The processor's own page on which the card is typed, and its reference."""

    reference: str
    url: str


@dataclass(frozen=True, slots=True)
class News:
    """One message of the processor. Empty fields are those that its kind has not. ValueError: nothing that a column of
    ours could hold."""

    message_ref: str
    kind: NewsKind
    occurred_at: datetime
    charge_id: UUID | None = None
    charge_reference: str = ""
    amount_cents: int = 0
    reason: str = ""
    refund_id: UUID | None = None
    refund_reference: str = ""
    dispute_reference: str = ""
    setup_reference: str = ""

    def __post_init__(self) -> None:
        texts = (
            self.message_ref, self.charge_reference, self.reason, self.refund_reference, self.dispute_reference,
            self.setup_reference,
        )  # fmt: skip
        if any("\x00" in text for text in texts):
            raise ValueError("A text has a NUL.")
        for text in texts:
            text.encode()  # half a surrogate pair raises UnicodeEncodeError, a ValueError
        if not 0 <= self.amount_cents <= LARGEST_CENTS:
            raise ValueError("No card is charged that much.")


class CardGateway(Protocol):
    """A card processor. Every method may raise GatewayUnavailable, AnswerLost, GatewayRefused."""

    def prepare(self, order: ChargeOrder) -> str:
        """Name the charge at the processor; the same order gives the same reference. Moves no money."""

    def confirm(self, order: ChargeOrder, reference: str) -> ChargeAnswer:
        """Charge. Sent once in the life of a charge."""

    def look_up(self, reference: str) -> ChargeAnswer:
        """What has become of a charge."""

    def cancel(self, reference: str) -> ChargeAnswer:
        """Close a charge that was not confirmed; answers with what it finally is."""

    def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give back; the same order gives back once."""

    def find_refund(self, order: RefundOrder) -> RefundAnswer | None:
        """What has become of a refund; None where the processor never heard of it."""

    def open_setup(self, setup_id: UUID, return_url: str) -> SetupPage:
        """A page of the processor's on which a card is typed."""

    def find_card(self, reference: str) -> CardFacts | None:
        """The card that was typed on a set-up page; None while it has not been."""

    def read_message(self, body: bytes, signature: str, now: datetime) -> News:
        """Check and read a webhook. Raises BadSignature, ValueError."""

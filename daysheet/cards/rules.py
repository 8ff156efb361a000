"""What a processor's news means for a charge, a refund and a dispute. Pure.

News may come twice, late and in any order: every state is a row that is written once, and the state that counts is the
strongest one. Together what was refunded and charged back never exceeds what came in (M6): one reversal budget.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum


class ChargeState(StrEnum):
    """What has happened to a charge. Each is reached at most once; `state_of` says which one counts."""

    REQUESTED = "requested"
    SENT = "sent"
    UNKNOWN = "unknown"
    CANCELED = "canceled"
    DECLINED = "declined"
    CHARGED = "charged"

    @property
    def label(self) -> str:
        """As people read it."""
        return {
            "requested": "Waiting", "sent": "Sent", "unknown": "Unknown", "canceled": "Not charged",
            "declined": "Declined", "charged": "Charged",
        }[self.value]  # fmt: skip


class RefundState(StrEnum):
    """What has happened to a refund. `NOT_MADE` is a person's word, where the processor said nothing."""

    REQUESTED = "requested"
    UNKNOWN = "unknown"
    NOT_MADE = "not_made"
    REFUNDED = "refunded"
    FAILED = "failed"

    @property
    def label(self) -> str:
        """As people read it."""
        return {
            "requested": "Waiting", "unknown": "Unknown", "not_made": "Not refunded", "refunded": "Refunded",
            "failed": "Failed",
        }[self.value]  # fmt: skip


#: From weak to strong: that money came in outweighs everything that was heard before or after.
_CHARGE_ORDER = list(ChargeState)
_REFUND_ORDER = list(RefundState)
#: In these a refund is not sent and not asked for any more; its money is out, or is credit again.
REFUND_OVER = frozenset({RefundState.NOT_MADE, RefundState.REFUNDED, RefundState.FAILED})
#: A charge in one of these states is over.
FINAL = frozenset({ChargeState.CANCELED, ChargeState.DECLINED, ChargeState.CHARGED})


def state_of(reached: Collection[str]) -> ChargeState:
    """The state that counts of those that were reached."""
    return max((ChargeState(each) for each in reached), key=_CHARGE_ORDER.index, default=ChargeState.REQUESTED)


def refund_state_of(reached: Collection[str]) -> RefundState:
    """The state that counts: a refund that failed has come back, even where it was said to be done before; what the
    processor says outweighs a person's word."""
    return max((RefundState(each) for each in reached), key=_REFUND_ORDER.index, default=RefundState.REQUESTED)


def outweighs(state: RefundState, before: RefundState) -> bool:
    """Whether a state is news where the other one counts."""
    return _REFUND_ORDER.index(state) > _REFUND_ORDER.index(before)


def is_open(state: ChargeState) -> bool:
    """Whether money may still come in for the charge: its client is not charged again until that is known."""
    return state not in FINAL


def to_take(disputed_cents: int, taken_cents: int, kept_cents: int) -> int:
    """What a dispute still takes, in cents: the disputed amount, but never more than is kept of the payment."""
    return max(min(disputed_cents - taken_cents, kept_cents), 0)


def left_to_charge(amount_cents: int, due_cents: int, told_credit_cents: int) -> bool:
    """Whether a charge may still be sent: the client owes as much as was confirmed, or was told to become credit."""
    return amount_cents <= due_cents + told_credit_cents

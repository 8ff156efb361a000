"""What the door and its pages ask of the slice that keeps the money (payments), which registers in its ready().

M3: a prepayment named for an appointment applies itself when that appointment is billed; other credit is only offered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class LineToPay:
    """A line the door is about to write. `visit_id` is None for a manual one; `client_cents` is the client's side."""

    line_id: UUID
    client_id: UUID
    visit_id: UUID | None
    service_on: date
    position: int
    client_cents: int


@dataclass(frozen=True, slots=True)
class Prepaid:
    """A part of a prepayment that goes on a line as it is made, in cents."""

    payment_id: UUID
    line_id: UUID
    client_id: UUID
    cents: int
    received_on: date


@dataclass(frozen=True, slots=True)
class MoneyHeld:
    """What goes on the lines by itself, and by client what credit is left to offer, in cents."""

    prepaid: tuple[Prepaid, ...] = ()
    credit_cents: Mapping[UUID, int] = field(default_factory=dict)


#: Called inside the door's transaction with the clients locked; locks the payments that it names. One statement.
MoneySource = Callable[[Actor, Sequence[LineToPay]], MoneyHeld]
#: Credit by client, in cents, of clients the actor may see. One statement.
CreditSource = Callable[[Actor, Collection[UUID]], Mapping[UUID, int]]

_money: list[MoneySource] = []
_credit: list[CreditSource] = []


def register_money(held: MoneySource, credit: CreditSource) -> None:
    """Name who keeps the clients' money. The last one registered answers."""
    _money.append(held)
    _credit.append(credit)


def money_held(actor: Actor, lines: Sequence[LineToPay]) -> MoneyHeld:
    """What applies itself to these lines, and the credit that is left."""
    return _money[-1](actor, lines) if _money and lines else MoneyHeld()


def credit_of(actor: Actor, client_ids: Collection[UUID]) -> Mapping[UUID, int]:
    """The credit to offer, by client, in cents."""
    return _credit[-1](actor, client_ids) if _credit and client_ids else {}

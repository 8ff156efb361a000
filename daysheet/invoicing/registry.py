"""What the door and its pages ask of the slices that keep money (payments) and claims, and whom a finished batch tells;
those register in ready().

M3: a prepayment named for an appointment applies itself when that appointment is billed; other credit is only offered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from daysheet.practices.actor import Actor, PracticeFacts


class LineToPay(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class ClaimKeeper:
    """What invoicing asks of claims (B3, B6, C1, C3). All run in the caller's transaction, with its clients locked.

    `queue(actor, invoice_id=…)` puts an invoice's insured lines into Claims Awaiting Submission and counts the claims.
    `claimed(line_ids)` are those in a claim that stands. `withdraw(actor, line_ids, reason)`: the lines are voided.
    `replace(actor, old, new)`: a line was changed, the new one takes its place.
    """

    queue: Callable[..., int]
    claimed: Callable[[Collection[UUID]], frozenset[UUID]]
    withdraw: Callable[[Actor, Collection[UUID], str], None]
    replace: Callable[[Actor, UUID, UUID], None]


_claims: list[ClaimKeeper] = []


def register_claims(keeper: ClaimKeeper) -> None:
    """Name who keeps the claims. The last one registered answers."""
    _claims.append(keeper)


def claim_keeper() -> ClaimKeeper | None:
    """Who keeps the claims, if anybody does."""
    return _claims[-1] if _claims else None


def claimed_lines(line_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the lines that are in a claim."""
    keeper = claim_keeper()
    return keeper.claimed(line_ids) if keeper and line_ids else frozenset()


#: Those of the invoices that a statement told their client of. Called inside the transaction of an undo with its
#: clients locked; one query.
StatementSource = Callable[[Collection[UUID]], frozenset[UUID]]

_statements: list[StatementSource] = []


def register_statements(on_statements: StatementSource) -> None:
    """Name who keeps the statements that were made. The last one registered answers."""
    _statements.append(on_statements)


def on_statements(invoice_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of the invoices that a statement told their client of since they were issued (B6)."""
    return _statements[-1](invoice_ids) if _statements and invoice_ids else frozenset()


#: Called after a batch has finished, outside of any transaction: practice, batch, moment. May be called again for the
#: same batch, when the worker died in between.
BatchListener = Callable[[PracticeFacts, UUID, datetime], None]

_batch_listeners: list[BatchListener] = []


def register_batch_listener(listener: BatchListener) -> None:
    """Name who goes on when a batch has finished."""
    _batch_listeners.append(listener)


def tell_batch_finished(practice: PracticeFacts, batch_id: UUID, now: datetime) -> None:
    """Tell everybody who waits for it."""
    for listener in _batch_listeners:
        listener(practice, batch_id, now)


@dataclass(frozen=True, slots=True)
class LineAmount:
    """A line that is about to be billed, in cents. `code` is empty for an item without one."""

    service_on: date
    service_type_id: UUID | None
    code: str
    units: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Warning:
    """A sentence in a banner: `tone` is `warning` or `error`; `url` with its `label` leads on."""

    text: str
    tone: str
    url: str
    label: str


@dataclass(frozen=True, slots=True)
class WarningSource:
    """What a higher slice (documents) has to say against a bill: of an invoice, of lines that are about to be billed,
    and of visits in one go. None of it stops anybody."""

    of_invoice: Callable[[Actor, UUID], list[Warning]]
    of_lines: Callable[[Actor, UUID, Sequence[LineAmount]], list[Warning]]
    of_visits: Callable[[Actor, Collection[UUID]], Mapping[UUID, Warning]]


_warnings: list[WarningSource] = []


def register_warnings(source: WarningSource) -> None:
    """Name who warns. The last one registered answers."""
    _warnings.append(source)


def invoice_warnings(actor: Actor, invoice_id: UUID) -> list[Warning]:
    """What is to be said of an invoice."""
    return _warnings[-1].of_invoice(actor, invoice_id) if _warnings else []


def line_warnings(actor: Actor, client_id: UUID, lines: Sequence[LineAmount]) -> list[Warning]:
    """What is to be said before lines are billed."""
    return _warnings[-1].of_lines(actor, client_id, lines) if _warnings and lines else []


def visit_warnings(actor: Actor, visit_ids: Collection[UUID]) -> Mapping[UUID, Warning]:
    """What is to be said of visits."""
    return _warnings[-1].of_visits(actor, visit_ids) if _warnings and visit_ids else {}

"""The verbs of client payments: accept money, and apply credit that is already there (M1, M2, M4, M5).

Every cent moves through `ledger.post`. Amounts are never edited: corrections are reversals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.kit.errors import Refusal
from daysheet.kit.money import Money
from daysheet.ledger.actions import post
from daysheet.ledger.queries import event_movements
from daysheet.ledger.requests import RequestKeyReused, claim_request
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .models import Payment
from .receiving import (
    Accepted,
    NewPayment,
    PaymentInFuture,
    application,
    lock_open_lines,
    lock_visible_clients,
    receive,
)
from .rules import AppliedMoreThanReceived, Credit, LineNotOpen, draw, spread

__all__ = [
    "Accepted",
    "Applied",
    "NewPayment",
    "NoCredit",
    "PaymentInFuture",
    "RequestKeyReused",
    "SurplusNotConfirmed",
    "accept_payment",
    "accept_payments",
    "apply_credit",
]


class SurplusNotConfirmed(Refusal):
    """More came in than is put on lines, and the person has not been told how much becomes credit (M2)."""

    code = "surplus_not_confirmed"

    def __init__(self, credit_cents: int) -> None:
        super().__init__(f"{Money(credit_cents)} of this payment will be kept as credit.")
        self.credit_cents = credit_cents


class NoCredit(Refusal):
    """The client has no unapplied money."""

    code = "no_credit"


@dataclass(frozen=True, slots=True)
class Applied:
    """Credit that was put on lines: (payment, line, cents). `is_repeat`: by an earlier request with the same key."""

    applications: tuple[tuple[UUID, UUID, int], ...]
    is_repeat: bool = False

    @property
    def applied_cents(self) -> int:
        return sum(cents for *_, cents in self.applications)


@action(Permission.BILLING, audited=False)
def accept_payment(
    actor: Actor,
    *,
    request_key: UUID,
    client_id: UUID,
    amount_cents: int | None,
    method: str,
    received_on: date,
    applications: Mapping[UUID, int | None] | None = None,
    number: str = "",
    notes: str = "",
    is_copay: bool = False,
    visit_id: UUID | None = None,
    is_prepayment: bool = False,
    expected_credit_cents: int | None = None,
) -> Accepted:
    """A client's payment, put on open lines; what no line takes is kept as credit (docs/money/application.md).

    `applications` None: oldest date of service first; `{}`: all of it is credit; else cents for each line, None for
    a share. `amount_cents` None: what the chosen lines come to. `expected_credit_cents` is the credit the person was
    told of, checked where given. `is_prepayment`: what is left is for the date of service `visit_id` (M3). The same
    key with the same content returns the first payment.
    Raises NotFound, RequestKeyReused, SurplusNotConfirmed, PaymentInFuture, PaymentNotPositive, PaymentTooLarge,
    LineNotOpen, AppliedMoreThanDue, AppliedMoreThanReceived.
    """
    new = NewPayment(
        request_key, client_id, amount_cents, method, received_on, applications, number.strip(), notes.strip(),
        is_copay, visit_id, is_prepayment,
    )  # fmt: skip
    claim_request(actor, request_key, "accept_payment", {"digest": new.digest})
    [accepted] = receive(actor, [new])
    is_told = expected_credit_cents is None or expected_credit_cents == accepted.credit_cents
    if not is_told and not accepted.is_repeat and accepted.credit_cents:
        raise SurplusNotConfirmed(accepted.credit_cents)  # the savepoint takes everything back
    return accepted


@action(Permission.BILLING, audited=False)
def accept_payments(actor: Actor, payments: Sequence[NewPayment]) -> list[Accepted]:
    """Many payments in a few statements, answered in order; each decides on what the ones before it left open.

    All or nothing. Raises as accept_payment.
    """
    return receive(actor, payments)


@action(Permission.BILLING, audited=False)
def apply_credit(
    actor: Actor,
    *,
    request_key: UUID,
    client_id: UUID,
    applications: Mapping[UUID, int | None] | None = None,
) -> Applied:
    """Put a client's credit on open lines, money received first used first; what no line takes stays credit.

    `applications` as for accept_payment. The same key again returns what it did the first time.
    Raises NotFound, NoCredit, LineNotOpen, AppliedMoreThanDue, AppliedMoreThanReceived, RequestKeyReused.
    """
    asked = None if applications is None else sorted((str(key), cents) for key, cents in applications.items())
    is_new = claim_request(actor, request_key, "apply_credit", {"client": client_id, "applications": asked})
    lock_visible_clients(actor, [client_id])
    if not is_new:
        return Applied(tuple(event_movements(actor, client_id, request_key)), is_repeat=True)
    lines, issued_on = lock_open_lines(actor, [client_id])
    credits = _lock_credits(client_id)
    available = sum(credit.unapplied_cents for credit in credits)
    if not available:
        raise NoCredit("This client has no credit to apply. Nothing was saved.")
    typed = sum(cents or 0 for cents in (applications or {}).values())
    if typed > available:
        raise AppliedMoreThanReceived(
            f"The lines take {Money(typed)}, but there is only {Money(available)} of credit. Nothing was saved."
        )
    decided = spread(available, lines[client_id], applications)
    if not decided.applications:
        raise LineNotOpen("Nothing was chosen that still owes something. Nothing was saved.")
    drawn = tuple(draw(credits, decided.applications))
    movements = [
        application(client_id, payment_id, line_id, cents, on=actor.today, issued_on=issued_on[line_id])
        for payment_id, line_id, cents in drawn
    ]
    post(actor, movements, event_id=request_key)
    record(actor, "apply_credit", "client", client_id, client_id=client_id, applied_cents=decided.applied_cents)
    return Applied(drawn)


def _lock_credits(client_id: UUID) -> list[Credit]:
    """The client's payments that are not used up, locked in id order."""
    rows = Payment.objects.filter(client_id=client_id, unapplied_cents__gt=0).order_by("pk")
    locked = rows.select_for_update(no_key=True).values_list("pk", "received_on", "unapplied_cents")
    return [Credit(*row) for row in locked]

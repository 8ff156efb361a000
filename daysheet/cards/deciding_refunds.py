"""A way out for a refund of which the processor never tells: somebody who has looked at the processor's own desk says
what became of it. Until then its money is out of the client's credit, and nobody knows whether the client has it.

As with charges (deciding.py) a decision is a fact of its own, and what the processor tells later still counts: a refund
that it made after all takes its money again, one that failed gives it back.
"""

from __future__ import annotations

from uuid import UUID
from zoneinfo import ZoneInfo

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.kit.dates import us_date
from daysheet.kit.errors import NotFound, Refusal
from daysheet.ledger.requests import claim_request
from daysheet.payments.corrections import reason_of
from daysheet.payments.receiving import lock_visible_clients
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .deciding import ReferenceMissing
from .models import CardRefund, CardRefundDecision
from .refunding import sent_until
from .rules import RefundState
from .settling import refund_state_now, settle_refund


class RefundDecided(Refusal):
    """The outcome is known: the processor has answered meanwhile, or somebody decided before."""

    code = "refund_decided"


class RefundMayStillGo(Refusal):
    """What was not made yet can be made in the next minute: the processor is asked, and where it never heard of the
    refund it is sent again."""

    code = "refund_may_still_go"


@action(Permission.BILLING, audited=False)
def mark_refunded(actor: Actor, *, request_key: UUID, refund_id: UUID, reference: str, reason: str) -> None:
    """Somebody has seen at the processor that the client has the money. The same `request_key` twice is once.

    Raises NotFound, NotAllowed, RequestKeyReused, ReasonMissing, ReferenceMissing, RefundDecided.
    """
    actor.require(Permission.ADMINISTRATOR)
    content = {"refund": refund_id, "reference": reference.strip(), "reason": reason.strip()}
    if not claim_request(actor, request_key, "mark_refunded", content):
        return
    refund, why = _undecided(actor, refund_id), reason_of(reason)
    if not reference.strip():
        raise ReferenceMissing("Enter the processor's own reference of the refund. Nothing was changed.")
    _decide(actor, refund, CardRefundDecision.Outcome.REFUNDED, why, reference.strip())
    settle_refund(actor, refund, RefundState.REFUNDED, f"{actor.person_name}: {why}")


@action(Permission.BILLING, audited=False)
def mark_not_refunded(actor: Actor, *, request_key: UUID, refund_id: UUID, reason: str) -> None:
    """Somebody has seen at the processor that no money went back: it is credit again, and can be refunded anew. Only
    once it is no longer sent by itself. The same `request_key` twice is once.

    Raises NotFound, NotAllowed, RequestKeyReused, ReasonMissing, RefundDecided, RefundMayStillGo.
    """
    actor.require(Permission.ADMINISTRATOR)
    if not claim_request(actor, request_key, "mark_not_refunded", {"refund": refund_id, "reason": reason.strip()}):
        return
    refund, why = _undecided(actor, refund_id), reason_of(reason)
    if actor.now < sent_until(refund):
        until = sent_until(refund).astimezone(ZoneInfo(actor.practice.time_zone))
        raise RefundMayStillGo(
            f"Until {us_date(until.date())} {until:%-I:%M %p} this refund may still be made by itself: the processor "
            "is asked every minute. Nothing was changed; come back after that."
        )
    _decide(actor, refund, CardRefundDecision.Outcome.NOT_REFUNDED, why)
    settle_refund(actor, refund, RefundState.NOT_MADE, f"{actor.person_name}: {why}")


def _undecided(actor: Actor, refund_id: UUID) -> CardRefund:
    """The refund with its client locked: under that lock every piece of news of it is written down."""
    refunds = CardRefund.objects.filter(pk=refund_id, charge__client__in=visible_clients(actor))
    refund = refunds.select_related("charge").first()
    if refund is None:
        raise NotFound("There is no such refund in this practice.")
    lock_visible_clients(actor, [refund.charge.client_id])
    state = refund_state_now(refund.pk)
    if state is RefundState.REQUESTED and actor.now < sent_until(refund):
        raise RefundDecided("This refund has not been sent yet. Nothing was changed; look again in a minute.")
    if state not in {RefundState.REQUESTED, RefundState.UNKNOWN}:
        raise RefundDecided(f"The outcome of this refund is known by now: {state.label}. Nothing was changed.")
    return refund


def _decide(
    actor: Actor, refund: CardRefund, outcome: CardRefundDecision.Outcome, why: str, reference: str = ""
) -> None:
    CardRefundDecision.objects.create(
        refund=refund, outcome=outcome, reference=reference[:200], reason=why, decided_at=actor.now,
        decided_by_name=actor.person_name[:120],
    )  # fmt: skip
    record(
        actor, "decide_card_refund", "card_refund", refund.pk, client_id=refund.charge.client_id, outcome=str(outcome),
        reason=why, reference=reference[:200], amount_cents=refund.amount_cents,
    )  # fmt: skip

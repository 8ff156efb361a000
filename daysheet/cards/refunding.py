"""Carrying out a refund through the processor. Its money left the credit when it was asked for; a refusal brings it
back.

A refund whose answer was lost is looked for; only where the processor never heard of it is it sent again, under the
same key, and only within the day for which processors remember keys.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from daysheet.database.scope import practice_transaction
from daysheet.jobs.actions import advance_job
from daysheet.jobs.registry import RunningJob
from daysheet.practices.actor import PracticeFacts

from .charging import processor_actor
from .gateways.base import CardGateway, GatewayError, GatewayRefused, GatewayUnavailable, RefundOrder
from .models import CardRefund, CardRefundStep, ChargeStep
from .opening import open_gateway
from .rules import REFUND_OVER, RefundState
from .sealing import CannotUnseal
from .settling import refund_state_from, settle_refund

JOB_KIND = "card_refund"
#: Processors keep an idempotency key for a day; later the same request could be a second refund.
SEND_AGAIN_WITHIN = timedelta(hours=20)
_log = logging.getLogger("daysheet.cards")


def sent_until(refund: CardRefund) -> datetime:
    """Up to this moment a refund of which the processor never heard is sent (again)."""
    return refund.requested_at + SEND_AGAIN_WITHIN


def run_refund(job: RunningJob) -> None:
    """Send one refund, or find out what became of it. Safe to call again."""
    carry_out_refund(job.practice, job.subject_id, job.clock())
    with practice_transaction(job.practice.id):
        advance_job(job.run_id, by=1, now=job.clock())


def carry_out_refund(practice: PracticeFacts, refund_id: UUID, now: datetime) -> None:
    """Bring a refund to its end as far as the processor can be heard."""
    with practice_transaction(practice.id):
        refund = CardRefund.objects.select_related("charge__card__account").get(pk=refund_id)
        states = set(CardRefundStep.objects.filter(refund=refund).values_list("state", flat=True))
        if states & REFUND_OVER:
            return
        sent = ChargeStep.objects.get(charge=refund.charge, state="sent")
        order = RefundOrder(refund.pk, refund.charge_id, sent.reference, refund.amount_cents)
        try:
            gateway = open_gateway(practice, refund.charge.card.account)
        except CannotUnseal as error:
            _log.warning("refund %s: %s", refund.pk, error)
            return
        was_sent = RefundState.UNKNOWN in states
        if not was_sent:
            CardRefundStep.objects.create(
                refund=refund, state=RefundState.UNKNOWN, at=now, reason="Sent; the answer has not come yet."
            )
    state, reason = _ask(gateway, order, ask_first=was_sent, may_send=now < sent_until(refund))
    if state is RefundState.UNKNOWN:
        return
    with practice_transaction(practice.id):
        settle_refund(processor_actor(practice, now), refund, state, reason)


def _ask(gateway: CardGateway, order: RefundOrder, *, ask_first: bool, may_send: bool) -> tuple[RefundState, str]:
    try:
        answer = gateway.find_refund(order) if ask_first else None
    except GatewayError as error:
        # Also a refusal to tell says nothing about the refund: it may have been made.
        _log.warning("refund %s: its outcome could not be asked for: %s", order.refund_id, type(error).__name__)
        return RefundState.UNKNOWN, ""
    if answer is not None:
        return refund_state_from(answer.status), answer.reason
    if not may_send:
        # Nothing that is on its way so long can still arrive; the money is free to be refunded anew.
        return (RefundState.FAILED, "The card processor never heard of it.") if ask_first else (RefundState.UNKNOWN, "")
    try:
        answer = gateway.refund(order)
    except GatewayUnavailable:
        return RefundState.UNKNOWN, ""
    except GatewayRefused as error:
        return RefundState.FAILED, str(error)
    except GatewayError as error:
        _log.warning("refund %s: no answer: %s", order.refund_id, type(error).__name__)
        return RefundState.UNKNOWN, ""
    return refund_state_from(answer.status), answer.reason

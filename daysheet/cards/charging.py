"""Carrying out a run of charges: each is committed as *sent* before it is confirmed, and confirmed once in its life.

A worker killed at any point leaves charges that are not sent (they go on), or sent without an answer: those are asked
for, and closed where the confirmation never arrived. No transaction is open while the processor is spoken with.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from daysheet.clients.queries import lock_clients
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import InvoiceLine
from daysheet.jobs.actions import advance_job
from daysheet.jobs.registry import RunningJob
from daysheet.practices.actor import Actor, PracticeFacts, system_actor
from daysheet.practices.permissions import Permission
from daysheet.staff.actors import Entrance, person_actor
from daysheet.staff.models import StaffMember

from .gateways.base import (
    AnswerLost,
    CardGateway,
    ChargeAnswer,
    ChargeOrder,
    ChargeStatus,
    GatewayError,
    GatewayUnavailable,
)
from .models import Charge, ChargeInquiry, ChargeRun, ChargeStep
from .opening import open_gateway
from .rules import ChargeState, left_to_charge
from .sealing import CannotUnseal
from .settling import charge_state_of, reach, take_answer

JOB_KIND = "card_charges"
#: A charge sent this long ago, whose answer has not come, is asked for.
ASK_AFTER = timedelta(seconds=60)
_NO_LONGER = "The person who confirmed it may no longer charge cards."
_log = logging.getLogger("daysheet.cards")


@dataclass(frozen=True, slots=True)
class _Sending:
    charge_id: UUID
    order: ChargeOrder
    gateway: CardGateway


def run_charges(job: RunningJob) -> None:
    """Charge what the run holds, one card after the other, then ask for lost answers. Safe to call again."""
    while (sending := _next(job)) is not None:
        _charge_one(job, sending)
    resolve_charges(job.practice, job.clock(), run_id=job.subject_id)
    with practice_transaction(job.practice.id):
        ChargeRun.objects.filter(pk=job.subject_id, finished_at=None).update(finished_at=job.clock())


def resolve_charges(
    practice: PracticeFacts, now: datetime, *, run_id: UUID | None = None, sent_before: datetime | None = None
) -> int:
    """Ask for every charge that was sent and whose outcome is not known (of one run, or sent before a moment). Returns
    how many are decided now."""
    with practice_transaction(practice.id):
        wanted = ChargeStep.objects.filter(state="sent").exclude(charge_id__in=final_steps().values("charge_id"))
        wanted = wanted.filter(charge__run_id=run_id) if run_id else wanted
        wanted = wanted.filter(at__lt=sent_before) if sent_before else wanted
        lost = []
        for step in wanted.order_by("pk").select_related("charge__card__account")[:500]:
            try:
                lost.append((step.charge, step.reference, open_gateway(practice, step.charge.card.account)))
            except CannotUnseal as error:
                _log.warning("charge %s: %s", step.charge_id, error)
    return sum(_resolve(practice, now, charge, reference, gateway) for charge, reference, gateway in lost)


def answer_inquiry(practice: PracticeFacts, inquiry_id: UUID, now: datetime) -> None:
    """Ask what became of one charge, as somebody wanted, and write the answer down in words, whatever it is."""
    with practice_transaction(practice.id):
        inquiry = ChargeInquiry.objects.select_related("charge__card__account").get(pk=inquiry_id)
        if inquiry.answered_at:
            return
        sent = ChargeStep.objects.get(charge=inquiry.charge, state="sent")
        try:
            gateway = open_gateway(practice, inquiry.charge.card.account)
        except CannotUnseal as error:
            _answered(inquiry_id, now, str(error))
            return
    try:
        answer = _asked(gateway, sent.reference)
    except GatewayError as error:
        with practice_transaction(practice.id):
            _answered(inquiry_id, now, str(error))
        return
    with practice_transaction(practice.id):
        words = take_answer(processor_actor(practice, now), inquiry.charge, answer)
        if answer.status is ChargeStatus.WORKING:
            words = "The processor is still working on it"
        _answered(inquiry_id, now, f"{words}. {answer.reason}".strip())


def _answered(inquiry_id: UUID, now: datetime, words: str) -> None:
    ChargeInquiry.objects.filter(pk=inquiry_id).update(answered_at=now, answer=words[:200])


def _asked(gateway: CardGateway, reference: str) -> ChargeAnswer:
    """What became of a charge that was sent. Where the confirmation never arrived it is closed: then it can no longer
    arrive late."""
    answer = gateway.look_up(reference)
    return gateway.cancel(reference) if answer.status is ChargeStatus.PREPARED else answer


def _resolve(practice: PracticeFacts, now: datetime, charge: Charge, reference: str, gateway: CardGateway) -> bool:
    try:
        answer = _asked(gateway, reference)
    except GatewayError as error:
        _log.warning("charge %s: its outcome could not be asked for: %s", charge.pk, type(error).__name__)
        return False
    with practice_transaction(practice.id):
        take_answer(processor_actor(practice, now), charge, answer)
        return final_steps().filter(charge=charge).exists()


def close_unsent(actor: Actor, charge: Charge, reason: str) -> None:
    """A charge that was never sent is not made. One that was sent meanwhile is left to its answer."""
    lock_clients([charge.client_id])
    if charge_state_of(charge.pk) is ChargeState.REQUESTED:
        reach(actor, charge, ChargeState.CANCELED, reason=reason)


def processor_actor(practice: PracticeFacts, now: datetime) -> Actor:
    """Who writes down what the processor says."""
    return system_actor(practice, now, name="Card processor")


def final_steps() -> QuerySet[ChargeStep]:
    """The steps that end a charge."""
    return ChargeStep.objects.filter(state__in=["canceled", "declined", "charged"])


def _next(job: RunningJob) -> _Sending | None:
    """The next charge that was not sent, checked again at this moment; what may not be charged is closed on the way."""
    while True:
        with practice_transaction(job.practice.id):
            done = ChargeStep.objects.filter(
                charge=OuterRef("pk"), state__in=["sent", "canceled", "declined", "charged"]
            )
            waiting = Charge.objects.filter(~Exists(done), run_id=job.subject_id).select_related("run", "card__account")
            charge = waiting.order_by("pk").first()
            if charge is None:
                return None
            why_not = _why_not(job, charge)
            try:
                gateway = open_gateway(job.practice, charge.card.account)
            except CannotUnseal as error:
                why_not = str(error)
            if not why_not:
                order = ChargeOrder(charge.pk, charge.amount_cents, charge.card.customer, charge.card.token)
                return _Sending(charge.pk, order, gateway)
            close_unsent(processor_actor(job.practice, job.clock()), charge, why_not)
            advance_job(job.run_id, by=1, now=job.clock())


def _why_not(job: RunningJob, charge: Charge) -> str:
    """Why a charge that was confirmed is not sent after all; empty where it is."""
    lock_clients([charge.client_id])
    if charge.card.removed_at or charge.card.account.ended_at:
        return "The card was removed meanwhile."
    if not _may_still_charge(job, charge.run):
        return _NO_LONGER
    due = sum(
        InvoiceLine.objects.filter(client_id=charge.client_id, client_open_cents__gt=0).values_list(
            "client_open_cents", flat=True
        )
    )
    if not left_to_charge(charge.amount_cents, due, charge.told_credit_cents):
        return "The client owes less by now."
    return ""


def _may_still_charge(job: RunningJob, run: ChargeRun) -> bool:
    if run.created_by_staff_member_id is None:
        return True
    user_id = StaffMember.objects.filter(pk=run.created_by_staff_member_id).values_list("user_id", flat=True).first()
    entrance = Entrance(job.practice, run.created_by_staff_member_id)
    actor = person_actor(entrance, user_id, now=job.clock()) if user_id else None
    return actor is not None and actor.may(Permission.BILLING)


def _charge_one(job: RunningJob, sending: _Sending) -> None:
    try:
        reference = sending.gateway.prepare(sending.order)
    except GatewayError as error:
        # Naming a charge moves no money: whatever became of the request, this charge is not made.
        with practice_transaction(job.practice.id):
            charge = Charge.objects.select_related("card").get(pk=sending.charge_id)
            close_unsent(processor_actor(job.practice, job.clock()), charge, f"Not sent: {error}")
            advance_job(job.run_id, by=1, now=job.clock())
        return
    if not _mark_sent(job, sending.charge_id, reference):
        return
    try:
        answer = sending.gateway.confirm(sending.order, reference)
    except (AnswerLost, GatewayUnavailable):
        _write(job, sending.charge_id, ChargeState.UNKNOWN, reason="The answer was lost; the processor is being asked.")
        return
    except GatewayError as error:
        _write(job, sending.charge_id, ChargeState.UNKNOWN, reason=str(error))
        return
    with practice_transaction(job.practice.id):
        charge = Charge.objects.select_related("card").get(pk=sending.charge_id)
        take_answer(processor_actor(job.practice, job.clock()), charge, answer)
        advance_job(job.run_id, by=1, now=job.clock())


def _mark_sent(job: RunningJob, charge_id: UUID, reference: str) -> bool:
    """Committed before the confirmation leaves. False where another worker has it, or closed it."""
    with practice_transaction(job.practice.id):
        lock_clients([Charge.objects.values_list("client_id", flat=True).get(pk=charge_id)])
        if charge_state_of(charge_id) is not ChargeState.REQUESTED:
            return False
        ChargeStep.objects.create(
            charge_id=charge_id, state=ChargeState.SENT, at=job.clock(), reference=reference[:200]
        )
    return True


def _write(job: RunningJob, charge_id: UUID, state: ChargeState, *, reason: str) -> None:
    with practice_transaction(job.practice.id):
        charge = Charge.objects.select_related("card").get(pk=charge_id)
        reach(processor_actor(job.practice, job.clock()), charge, state, reason=reason)
        advance_job(job.run_id, by=1, now=job.clock())

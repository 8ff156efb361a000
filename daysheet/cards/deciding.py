"""A way out for a charge whose outcome stays unknown: the processor is asked again, or somebody who has looked at the
processor's own desk says what became of it. Until then nobody charges that client.

A decision is a fact of its own. What the processor tells later still counts: money that it says came in becomes the
payment once, also where somebody said it did not; where it says the opposite of a payment that was marked as charged,
the payment's page tells so.
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.queries import visible_clients
from daysheet.jobs.actions import start_job
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.kit.errors import NotFound, Refusal
from daysheet.ledger.requests import claim_request
from daysheet.payments.corrections import reason_of
from daysheet.payments.receiving import PaymentInFuture, lock_visible_clients
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from . import charging
from .models import Charge, ChargeDecision, ChargeInquiry
from .rules import ChargeState
from .settling import charge_state_of, reach

JOB_KIND = "card_charge_inquiry"
#: In these the charge was sent and its outcome is not known.
UNDECIDED = frozenset({ChargeState.SENT, ChargeState.UNKNOWN})


class ChargeDecided(Refusal):
    """The outcome is known: the processor has answered meanwhile, or somebody decided before."""

    code = "charge_decided"


class ReferenceMissing(Refusal):
    """A charge is marked as charged by the processor's own reference, so that it can be found again."""

    code = "reference_missing"


@action(Permission.BILLING, audited=False)
def ask_processor(actor: Actor, *, inquiry_id: UUID, charge_id: UUID) -> None:
    """Have the processor asked, by a job; its answer is written down either way. The same `inquiry_id`, or one while
    another waits, asks once. Raises NotFound, ChargeDecided."""
    charge = _undecided(actor, charge_id)
    waiting = ChargeInquiry.objects.filter(charge=charge, answered_at=None).values("pk")
    if JobRun.objects.filter(subject_id__in=waiting, state__in=["queued", "running"]).exists():
        return
    if ChargeInquiry.objects.filter(pk=inquiry_id).exists():
        return
    ChargeInquiry.objects.create(
        pk=inquiry_id, charge=charge, asked_at=actor.now, asked_by_name=actor.person_name[:120]
    )  # fmt: skip
    start_job(actor, kind=JOB_KIND, subject_id=inquiry_id, unit="questions", total_count=1)
    record(actor, "ask_processor", "charge", charge.pk, client_id=charge.client_id)


def run_inquiry(job: RunningJob) -> None:
    """The job's part."""
    charging.answer_inquiry(job.practice, job.subject_id, job.clock())


@action(Permission.BILLING, audited=False)
def mark_not_charged(actor: Actor, *, request_key: UUID, charge_id: UUID, reason: str) -> None:
    """Somebody has seen at the processor that the charge was not made. The client can be charged again. The same
    `request_key` twice is once.

    Raises NotFound, NotAllowed, RequestKeyReused, ReasonMissing, ChargeDecided.
    """
    actor.require(Permission.ADMINISTRATOR)
    content = {"charge": charge_id, "reason": reason.strip()}
    if not claim_request(actor, request_key, "mark_not_charged", content):
        return
    charge, why = _undecided(actor, charge_id), reason_of(reason)
    _decide(actor, charge, ChargeDecision.Outcome.NOT_CHARGED, why)
    reach(actor, charge, ChargeState.CANCELED, reason=f"{actor.person_name}: {why}")


@action(Permission.BILLING, audited=False)
def mark_charged(
    actor: Actor, *, request_key: UUID, charge_id: UUID, reference: str, received_on: date, reason: str
) -> None:
    """Somebody has seen at the processor that the money came in: it becomes the charge's payment, on that day. The same
    `request_key` twice is once.

    Raises NotFound, NotAllowed, RequestKeyReused, ReasonMissing, ReferenceMissing, PaymentInFuture, ChargeDecided.
    """
    actor.require(Permission.ADMINISTRATOR)
    content = {"charge": charge_id, "reference": reference.strip(), "on": received_on, "reason": reason.strip()}
    if not claim_request(actor, request_key, "mark_charged", content):
        return
    charge, why = _undecided(actor, charge_id), reason_of(reason)
    if not reference.strip():
        raise ReferenceMissing("Enter the processor's own reference of the charge. Nothing was changed.")
    if received_on > actor.today:
        raise PaymentInFuture("The date lies in the future: money is entered when it has come in. Nothing was changed.")
    _decide(actor, charge, ChargeDecision.Outcome.CHARGED, why, reference=reference.strip(), received_on=received_on)
    reach(
        actor, charge, ChargeState.CHARGED, reference=reference.strip(), reason=f"{actor.person_name}: {why}",
        received_on=received_on,
    )  # fmt: skip


def _undecided(actor: Actor, charge_id: UUID) -> Charge:
    """The charge with its client locked: under that lock every piece of news of it is written down."""
    charges = Charge.objects.filter(pk=charge_id, client__in=visible_clients(actor)).select_related("card")
    charge = charges.first()
    if charge is None:
        raise NotFound("There is no such charge in this practice.")
    lock_visible_clients(actor, [charge.client_id])
    state = charge_state_of(charge.pk)
    if state is ChargeState.REQUESTED:
        raise ChargeDecided("This charge has not been sent yet. Nothing was changed; wait for its run to end.")
    if state not in UNDECIDED:
        raise ChargeDecided(f"The outcome of this charge is known by now: {state.label}. Nothing was changed.")
    return charge


def _decide(
    actor: Actor,
    charge: Charge,
    outcome: ChargeDecision.Outcome,
    why: str,
    *,
    reference: str = "",
    received_on: date | None = None,
) -> None:
    ChargeDecision.objects.create(
        charge=charge, outcome=outcome, reference=reference[:200], received_on=received_on, reason=why,
        decided_at=actor.now, decided_by_name=actor.person_name[:120],
    )  # fmt: skip
    record(
        actor, "decide_charge", "charge", charge.pk, client_id=charge.client_id, outcome=str(outcome), reason=why,
        reference=reference[:200], amount_cents=charge.amount_cents,
    )  # fmt: skip

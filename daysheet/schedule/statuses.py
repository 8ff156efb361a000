"""A visit's status (S1): who initiated the change, what it does to the services of the visit, and the fee that is
charged or waived with a reason."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients, visible_clients
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from .members import FROZEN, VisitBilled, remove_services
from .models import Visit, VisitService, VisitStatus
from .policy import Policy, cancellation_policy
from .rules import NEEDS_INITIATOR, FeeDecision, decide_fee, effect_of, is_late


class InitiatorNotSaid(Refusal):
    """Late Cancel, Canceled and Rescheduled need to know who initiated them (S1)."""

    code = "initiator_not_said"


class CancelIsLate(Refusal):
    """By the cancellation policy this cancellation is a Late Cancel."""

    code = "cancel_is_late"


class FeeNotDecided(Refusal):
    """The fee is neither charged nor waived with a reason, or the practice has no such fee (S1)."""

    code = "fee_not_decided"


@action(Permission.DEFAULT)
def set_status(
    actor: Actor,
    *,
    visit_id: UUID,
    status: str,
    initiated_by: str = "",
    charge_fee: bool | None = None,
    fee_waived_reason: str = "",
    notice_in_time: bool = False,
) -> None:
    """Change a visit's status (S1): what is planned is suspended or comes back, the fee is charged or waived.

    `charge_fee`: True charges, False waives (with a reason), None leaves it to the policy. `notice_in_time`: the client
    canceled in time, although it is only entered now. Raises NotFound, VisitBilled, InitiatorNotSaid, CancelIsLate,
    FeeNotDecided.
    """
    effect, policy = effect_of(VisitStatus(status)), cancellation_policy(actor)
    visit = _locked(actor, visit_id)
    services = VisitService.objects.filter(visit=visit, removed_at=None)
    if services.exclude(line_id=None).exists():
        raise VisitBilled(FROZEN)
    initiator = initiated_by or ("client" if status == VisitStatus.NO_SHOW else "")
    if status in NEEDS_INITIATOR and not initiator:
        raise InitiatorNotSaid("Say who initiated it: the client or the practice. Nothing was changed.")
    if status == VisitStatus.CANCELED and initiator == "client" and not notice_in_time:
        _refuse_late(actor, visit, policy)
    decision = FeeDecision(is_charged=False)
    if effect.offers_fee:
        decision = _decide(policy, status, initiator, charge_fee, fee_waived_reason)
    remove_services(services.filter(is_fee=True), actor.now)
    services.filter(is_fee=False).update(is_suspended=effect.suspends_planned)
    if decision.is_charged:
        VisitService.objects.create(
            visit=visit, service_type=policy.fees[status], position=99, service_on=visit.service_on, is_fee=True
        )
    Visit.objects.filter(pk=visit.pk).update(
        status=status, initiated_by=initiator, fee_waived_reason=decision.waived_reason, status_changed_at=actor.now
    )
    record(
        actor, "set_status", "visit", visit.pk, client_id=visit.client_id, before=visit.status, after=status,
        initiated_by=initiator, fee=decision.is_charged, notice_in_time=notice_in_time,
    )  # fmt: skip


def cancel_visits(
    actor: Actor, visits: Collection[Visit], *, initiated_by: str, waived_reason: str = "", notice_in_time: bool = False
) -> None:
    """Cancel upcoming visits of locked appointments, read with them; no fee is charged for so many at once.
    Raises InitiatorNotSaid, CancelIsLate, FeeNotDecided."""
    policy = cancellation_policy(actor)
    if not initiated_by:
        raise InitiatorNotSaid("Say who initiated it: the client or the practice. Nothing was changed.")
    if initiated_by == "client" and not notice_in_time:
        for visit in visits:
            _refuse_late(actor, visit, policy)
    canceled = VisitStatus.CANCELED.value
    charge = False if initiated_by == "client" else None
    decision = _decide(policy, canceled, initiated_by, charge, waived_reason)
    cancel_now(visits, initiated_by=initiated_by, waived_reason=decision.waived_reason, now=actor.now)


def cancel_now(visits: Collection[Visit], *, initiated_by: str, waived_reason: str, now: datetime) -> None:
    """Write that these visits are canceled without a fee: what they plan is suspended."""
    VisitService.objects.filter(visit__in=visits, removed_at=None, is_fee=False).update(is_suspended=True)
    Visit.objects.filter(pk__in=[visit.pk for visit in visits]).update(
        status=VisitStatus.CANCELED, initiated_by=initiated_by, fee_waived_reason=waived_reason, status_changed_at=now
    )


def _locked(actor: Actor, visit_id: UUID) -> Visit:
    """The visit, read once its client is locked: a change of status and a bill of the same visit do not meet."""
    found = Visit.objects.filter(pk=visit_id, client__in=visible_clients(actor))
    client_id = found.values_list("client_id", flat=True).first()
    if client_id is not None:
        lock_clients([client_id])
    visit = found.select_related("appointment").first()
    if visit is None:
        raise NotFound("There is no such visit, or you are not assigned to the client.")
    return visit


def _refuse_late(actor: Actor, visit: Visit, policy: Policy) -> None:
    if is_late(visit.appointment.starts_at, actor.now, policy.notice_hours):
        raise CancelIsLate(
            f"The practice asks for {policy.notice_hours} hours’ notice, and less is left: this is a Late Cancel. "
            "Choose Late Cancel, or tick that the client canceled in time. Nothing was changed."
        )


def _decide(policy: Policy, status: str, initiator: str, charge: bool | None, waived_reason: str) -> FeeDecision:
    if charge and status not in policy.fees:
        raise FeeNotDecided(
            "The practice has no fee service for this. An administrator chooses one under Organization, Settings, "
            "Cancellation policy. Nothing was changed."
        )
    decision = decide_fee(
        has_fee=status in policy.fees,
        is_automatic=status in policy.automatic,
        initiated_by=initiator,
        charge=charge,
        waived_reason=waived_reason,
    )
    if decision is None:
        raise FeeNotDecided("Charge the fee, or say why it is waived. Nothing was changed.")
    return decision

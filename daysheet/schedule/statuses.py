"""A visit's status (S1): what it does to the services of the visit, and the fee that is charged or waived."""

from __future__ import annotations

from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.queries import lock_clients, visible_clients
from daysheet.kit.errors import NotFound, Refusal
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType

from .members import FROZEN, VisitBilled, remove_services
from .models import Visit, VisitService, VisitStatus
from .rules import effect_of, fee_kind


class FeeNotDecided(Refusal):
    """A waived fee needs its reason, or the practice has no fee service to charge (S1)."""

    code = "fee_not_decided"


@action(Permission.DEFAULT)
def set_status(
    actor: Actor,
    *,
    visit_id: UUID,
    status: str,
    initiated_by: str = "",
    charge_fee: bool = False,
    fee_waived_reason: str = "",
) -> None:
    """Change a visit's status (S1): what is planned is suspended or comes back, the fee is charged or waived.

    Raises NotFound, VisitBilled, FeeNotDecided.
    """
    effect = effect_of(VisitStatus(status))
    visit = Visit.objects.filter(pk=visit_id, client__in=visible_clients(actor)).first()
    if visit is None:
        raise NotFound("There is no such visit, or you are not assigned to the client.")
    lock_clients([visit.client_id])
    services = VisitService.objects.filter(visit=visit, removed_at=None)
    if services.exclude(line_id=None).exists():
        raise VisitBilled(FROZEN)
    remove_services(services.filter(is_fee=True), actor.now)
    services.filter(is_fee=False).update(is_suspended=effect.suspends_planned)
    waived = _fee(visit, status, charge_fee, fee_waived_reason) if effect.offers_fee else ""
    Visit.objects.filter(pk=visit.pk).update(
        status=status, initiated_by=initiated_by, fee_waived_reason=waived, status_changed_at=actor.now
    )
    record(
        actor,
        "set_status",
        "visit",
        visit.pk,
        client_id=visit.client_id,
        before=visit.status,
        after=status,
        initiated_by=initiated_by,
        fee=charge_fee and effect.offers_fee,
    )


def _fee(visit: Visit, status: str, charge_fee: bool, reason: str) -> str:
    """Adds the fee service, or answers with the reason for waiving it."""
    if not charge_fee:
        if status != VisitStatus.CANCELED and not reason.strip():
            raise FeeNotDecided("Charge the fee, or say why it is waived. Nothing was changed.")
        return reason.strip()[:200]
    flag = {f"is_{fee_kind(status)}_fee": True}
    service = ServiceType.objects.filter(archived_at=None, **flag).first()
    if service is None:
        raise FeeNotDecided(
            "The practice has no fee service for this. Mark one under Organization, Service Types, or waive the fee."
        )
    VisitService.objects.create(
        visit=visit, service_type=service, position=99, service_on=visit.service_on, is_fee=True
    )
    return ""

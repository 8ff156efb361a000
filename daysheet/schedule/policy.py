"""The practice's cancellation policy (S1): how much notice it asks for, which fees it charges, and whether unasked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.practices.action import action, query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services.actions import set_fee_services
from daysheet.services.models import ServiceType
from daysheet.services.queries import fee_services

from .models import CancellationPolicy
from .rules import MAY_CHARGE_FEE

#: The mark of a service type that is the fee of a status.
FEE_FLAG = {status: f"is_{status}_fee" for status in MAY_CHARGE_FEE}


@dataclass(frozen=True, slots=True)
class Policy:
    """`fees`: the fee service of each status that has one. `automatic`: the statuses whose fee is charged by itself."""

    notice_hours: int
    automatic: frozenset[str]
    fees: Mapping[str, ServiceType]


@query(Permission.DEFAULT)
def cancellation_policy(actor: Actor) -> Policy:
    """The policy as it stands; a practice that has set none asks each time. Two statements."""
    row = CancellationPolicy.objects.first() or CancellationPolicy()
    marked = fee_services(actor)
    return Policy(
        notice_hours=row.notice_hours,
        automatic=frozenset(
            status
            for status in MAY_CHARGE_FEE
            if getattr(row, f"{status}_charge") == CancellationPolicy.Charge.AUTOMATIC
        ),
        fees={status: marked[flag] for status, flag in FEE_FLAG.items() if flag in marked},
    )


@action(Permission.ADMINISTRATOR, audited=False)
def set_cancellation_policy(
    actor: Actor, *, notice_hours: int, charges: Mapping[str, str], fees: Mapping[str, UUID | None]
) -> None:
    """Set the policy: `charges` (`ask` or `automatic`) and `fees` (a Non-CPT service type, or none) by status. Holds
    for changes of status from now on. Raises NotFound, FeeIsNotCpt."""
    facts = {"notice_hours": notice_hours} | {f"{status}_charge": charges[status] for status in sorted(MAY_CHARGE_FEE)}
    set_fee_services(actor, chosen={flag: fees[status] for status, flag in FEE_FLAG.items()})
    before = CancellationPolicy.objects.select_for_update().first() or CancellationPolicy()
    changes = {name: [getattr(before, name), value] for name, value in facts.items() if getattr(before, name) != value}
    CancellationPolicy.objects.update_or_create(defaults=facts)
    if changes:
        record(actor, "set_cancellation_policy", "practice", actor.practice.id, changes=changes)

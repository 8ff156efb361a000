"""What changing a visit's status would do, said before it is done (S1)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from daysheet.kit.money import Money
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType

from ..models import Visit, VisitService, VisitStatus
from ..policy import Policy, cancellation_policy
from ..registry import FeeForecast, fee_forecasts
from ..rules import effect_of, is_late
from .day import VisitRow, one_visit


@dataclass(frozen=True, slots=True)
class StatusChoice:
    """A status and what it would do. `fee_words` is empty where there is no fee to decide on."""

    value: str
    label: str
    effect: str
    fee_words: str
    is_fee_automatic: bool
    #: Less notice is left than the practice asks for: a client's cancellation is a Late Cancel.
    is_late: bool


@dataclass(frozen=True, slots=True)
class StatusPage:
    """A visit and the statuses it can be given. `late_words` is empty while a cancellation would be in time."""

    visit: VisitRow
    initiated_by: str
    fee_waived_reason: str
    has_fee: bool
    choices: tuple[StatusChoice, ...]
    late_words: str

    @property
    def is_frozen(self) -> bool:
        """Whether the visit is on an invoice (S5)."""
        return self.visit.is_billed or self.visit.is_partly_billed

    @property
    def asks_for_fee(self) -> bool:
        """Whether any status has a fee."""
        return any(choice.fee_words for choice in self.choices)

    @property
    def is_any_automatic(self) -> bool:
        """Whether the policy charges a fee by itself."""
        return any(choice.is_fee_automatic for choice in self.choices)


@query(Permission.DEFAULT)
def status_page(actor: Actor, visit_id: UUID) -> StatusPage:
    """What the page of a visit's status shows. Raises NotFound."""
    row, policy = one_visit(actor, visit_id), cancellation_policy(actor)
    visit = Visit.objects.select_related("appointment").get(pk=visit_id)
    services = list(VisitService.objects.filter(visit=visit, removed_at=None).select_related("service_type"))
    planned = ", ".join(service.service_type.label for service in services if not service.is_fee)
    late = is_late(visit.appointment.starts_at, actor.now, policy.notice_hours)
    forecasts = fee_forecasts(actor, visit_id, {fee.pk for fee in policy.fees.values()})
    return StatusPage(
        visit=row,
        initiated_by=visit.initiated_by,
        fee_waived_reason=visit.fee_waived_reason,
        has_fee=any(service.is_fee for service in services),
        choices=tuple(_choice(status, planned, policy, forecasts, late=late) for status in VisitStatus),
        late_words=_late_words(policy) if late else "",
    )


def _choice(
    status: VisitStatus, planned: str, policy: Policy, forecasts: dict[UUID, FeeForecast], *, late: bool
) -> StatusChoice:
    fee = policy.fees.get(status)
    is_automatic = fee is not None and status in policy.automatic
    words = _fee_words(fee, forecasts.get(fee.pk), is_automatic=is_automatic) if fee else ""
    if effect_of(status).suspends_planned:
        effect = words or "Nothing is billed."
    else:
        effect = f"Bills {planned}." if planned else "Nothing to bill yet: the visit has no service."
    return StatusChoice(
        status.value, status.label, effect, words, is_automatic, late and status == VisitStatus.LATE_CANCEL
    )


def _fee_words(fee: ServiceType, forecast: FeeForecast | None, *, is_automatic: bool) -> str:
    """`Will add 1 × No-show fee $75.00, billed to the client, unless it is waived.` Amounts only with Billing (P2)."""
    what = f"{forecast.units} × {fee.name} {Money(forecast.amount_cents)}" if forecast else f"1 × {fee.name}"
    if forecast is None:
        side = "" if fee.bills_insurance else ", billed to the client"
    elif forecast.client_cents == forecast.amount_cents:
        side = ", billed to the client"
    elif forecast.client_cents == 0:
        side = ", billed to the insurer"
    else:
        side = f", {Money(forecast.client_cents)} of it billed to the client and the rest to the insurer"
    begin, end = ("Will add", ", unless it is waived") if is_automatic else ("If charged, will add", "")
    return f"{begin} {what}{side}{end}."


def _late_words(policy: Policy) -> str:
    return f"The practice asks for {policy.notice_hours} hours’ notice, and less is left."

"""One refund to a card: what was asked, what was heard, and what may be done while its outcome is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import CardRefund, CardRefundDecision, CardRefundStep
from ..refunding import sent_until
from ..rules import RefundState, refund_state_of


@dataclass(frozen=True, slots=True)
class RefundStepRow:
    """A state that a refund reached, in the order of time."""

    state: RefundState
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class RefundView:
    """The page of a refund. `sent_until`: up to then it is sent again where the processor never heard of it."""

    id: UUID
    client_id: UUID
    client_name: str
    payment_id: UUID
    card_label: str
    processor: str
    amount_cents: int
    reason: str
    reference: str
    requested_at: datetime
    requested_by_name: str
    sent_until: datetime
    may_still_go: bool
    state: RefundState
    heard: tuple[RefundStepRow, ...]
    decision: CardRefundDecision | None
    may_decide: bool

    @property
    def is_undecided(self) -> bool:
        """Nobody knows what became of it, or it was never sent and is not going to be."""
        return self.state is RefundState.UNKNOWN or self.was_never_sent

    @property
    def was_never_sent(self) -> bool:
        """The day for sending it is over, and the processor was never spoken with."""
        return self.state is RefundState.REQUESTED and not self.may_still_go


@query(Permission.BILLING)
def refund_view(actor: Actor, refund_id: UUID) -> RefundView:
    """Raises NotFound. A fixed number of queries."""
    refunds = CardRefund.objects.filter(pk=refund_id, charge__client__in=visible_clients(actor))
    refund = refunds.select_related("charge__client", "charge__card__account").first()
    if refund is None:
        raise NotFound("There is no such refund in this practice.")
    steps = list(CardRefundStep.objects.filter(refund=refund).order_by("at", "pk"))
    return RefundView(
        id=refund.pk,
        client_id=refund.charge.client_id,
        client_name=refund.charge.client.name,
        payment_id=Payment.objects.values_list("pk", flat=True).get(charge_id=refund.charge_id),
        card_label=refund.charge.card.label,
        processor=refund.charge.card.account.get_kind_display(),
        amount_cents=refund.amount_cents,
        reason=refund.reason,
        reference=refund.reference,
        requested_at=refund.requested_at,
        requested_by_name=refund.requested_by_name,
        sent_until=sent_until(refund),
        may_still_go=actor.now < sent_until(refund),
        state=refund_state_of([step.state for step in steps]),
        heard=tuple(RefundStepRow(RefundState(step.state), step.at, step.reason) for step in steps),
        decision=CardRefundDecision.objects.filter(refund=refund).first(),
        may_decide=actor.may(Permission.ADMINISTRATOR),
    )

"""One charge: what was asked, what was heard, and what may be done while its outcome is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from daysheet.clients.queries import visible_clients
from daysheet.kit.errors import NotFound
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..deciding import UNDECIDED
from ..models import Charge, ChargeDecision, ChargeInquiry, ChargeStep
from ..rules import ChargeState, state_of


@dataclass(frozen=True, slots=True)
class Heard:
    """A state that a charge reached, in the order of time."""

    state: ChargeState
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ChargeView:
    """The page of a charge. `sent_on` and `reference` are None and empty before it was sent."""

    id: UUID
    client_id: UUID
    client_name: str
    card_label: str
    processor: str
    amount_cents: int
    run_id: UUID
    confirmed_by_name: str
    confirmed_at: datetime
    state: ChargeState
    sent_on: date | None
    reference: str
    heard: tuple[Heard, ...]
    inquiries: tuple[ChargeInquiry, ...]
    decision: ChargeDecision | None
    payment_id: UUID | None
    may_decide: bool

    @property
    def is_undecided(self) -> bool:
        """Sent, and nobody knows what became of it."""
        return self.state in UNDECIDED

    @property
    def is_being_asked(self) -> bool:
        """A question waits for its answer."""
        return any(inquiry.answered_at is None for inquiry in self.inquiries)


@query(Permission.BILLING)
def charge_view(actor: Actor, charge_id: UUID) -> ChargeView:
    """Raises NotFound. A fixed number of queries."""
    charges = Charge.objects.filter(pk=charge_id, client__in=visible_clients(actor))
    charge = charges.select_related("client", "card__account", "run").first()
    if charge is None:
        raise NotFound("There is no such charge in this practice.")
    steps = list(ChargeStep.objects.filter(charge=charge).order_by("at", "pk"))
    sent = next((step for step in steps if step.state == ChargeState.SENT), None)
    zone = ZoneInfo(actor.practice.time_zone)
    return ChargeView(
        id=charge.pk,
        client_id=charge.client_id,
        client_name=charge.client.name,
        card_label=charge.card.label,
        processor=charge.card.account.get_kind_display(),
        amount_cents=charge.amount_cents,
        run_id=charge.run_id,
        confirmed_by_name=charge.run.created_by_name,
        confirmed_at=charge.run.created_at,
        state=state_of([step.state for step in steps]),
        sent_on=sent.at.astimezone(zone).date() if sent else None,
        reference=sent.reference if sent else "",
        heard=tuple(Heard(ChargeState(step.state), step.at, step.reason) for step in steps),
        inquiries=tuple(ChargeInquiry.objects.filter(charge=charge).order_by("-asked_at")[:20]),
        decision=ChargeDecision.objects.filter(charge=charge).first(),
        payment_id=Payment.objects.filter(charge_id=charge.pk).values_list("pk", flat=True).first(),
        may_decide=actor.may(Permission.ADMINISTRATOR),
    )

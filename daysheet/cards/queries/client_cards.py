"""The stored cards of a client, and the account they are kept with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from daysheet.clients.queries import get_client
from daysheet.kit.errors import NotFound
from daysheet.payments.models import Payment
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..models import CardSetup, ProcessorAccount, StoredCard

#: A page on which no card was typed for so long is not waited for.
_WAITED_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CardRow:
    """A stored card, as people recognise it."""

    id: UUID
    label: str
    expires: str
    is_expired: bool
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class ClientCards:
    """`waiting`: pages of the processor's that were opened and brought no card yet."""

    client_id: UUID
    client_name: str
    cards: tuple[CardRow, ...]
    waiting: tuple[CardSetup, ...]
    has_processor: bool


@dataclass(frozen=True, slots=True)
class RefundDesk:
    """What the refund page needs of a payment that came through the processor."""

    client_id: UUID
    amount_cents: int
    unapplied_cents: int
    card_label: str


@query(Permission.BILLING)
def client_cards(actor: Actor, client_id: UUID) -> ClientCards:
    """Raises NotFound."""
    client = get_client(actor, client_id)
    account = ProcessorAccount.objects.filter(ended_at=None).first()
    cards = StoredCard.objects.filter(client_id=client_id, account=account, removed_at=None).order_by("-saved_at")
    brought = StoredCard.objects.filter(client_id=client_id).values("setup_id")
    waiting = CardSetup.objects.filter(client_id=client_id, started_at__gte=actor.now - _WAITED_FOR)
    return ClientCards(
        client_id, client.name, tuple(card_row(card, actor.today) for card in cards),
        tuple(waiting.exclude(pk__in=brought).order_by("-started_at")), account is not None,
    )  # fmt: skip


@query(Permission.BILLING)
def card_of(actor: Actor, card_id: UUID) -> tuple[UUID, CardRow]:
    """(its client, the card). Raises NotFound."""
    card = StoredCard.objects.filter(pk=card_id, removed_at=None).first()
    if card is None:
        raise NotFound("There is no such card, or it was removed.")
    get_client(actor, card.client_id)
    return card.client_id, card_row(card, actor.today)


@query(Permission.BILLING)
def setup_client(actor: Actor, setup_id: UUID) -> UUID:
    """Whose card is waited for. Raises NotFound."""
    setup = CardSetup.objects.filter(pk=setup_id).first()
    if setup is None:
        raise NotFound("There is no such page for a card.")
    get_client(actor, setup.client_id)
    return setup.client_id


@query(Permission.BILLING)
def refund_desk(actor: Actor, payment_id: UUID) -> RefundDesk:
    """Raises NotFound."""
    payment = Payment.objects.filter(pk=payment_id).select_related("client").first()
    if payment is None or payment.client is None:
        raise NotFound("There is no such payment in this practice.")
    client = get_client(actor, payment.client.pk)
    return RefundDesk(client.pk, payment.amount_cents, payment.unapplied_cents, payment.notes)


@query(Permission.ADMINISTRATOR)
def processor_in_use(actor: Actor) -> ProcessorAccount | None:
    """The account that cards are charged with."""
    return ProcessorAccount.objects.filter(ended_at=None).first()


def card_row(card: StoredCard, today: date) -> CardRow:
    """A card is good through the last day of its month."""
    is_expired = (card.expires_year, card.expires_month) < (today.year, today.month)
    expires = f"{card.expires_month:02d}/{card.expires_year}"
    return CardRow(card.pk, card.label, expires, is_expired, card.saved_at)

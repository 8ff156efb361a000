"""Whom Batch Payments can charge: clients who owe something and have a stored card."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, OuterRef

from daysheet.clients.queries import visible_clients
from daysheet.clients.rules import search_patterns
from daysheet.invoicing.models import InvoiceLine
from daysheet.invoicing.registry import credit_of
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission

from ..actions import due_by_client, pending_clients
from ..models import ProcessorAccount, StoredCard
from .client_cards import CardRow, card_row

#: Clients on one page: more are found by name.
MOST_CLIENTS = 200


@dataclass(frozen=True, slots=True)
class ChargeableRow:
    """A client to charge. Amounts in cents; `is_pending`: an earlier charge is not decided yet."""

    client_id: UUID
    client_name: str
    due_cents: int
    credit_cents: int
    cards: tuple[CardRow, ...]
    is_pending: bool

    @property
    def default_cents(self) -> int:
        """What is due less the credit that is there."""
        return max(self.due_cents - self.credit_cents, 0)

    @property
    def is_ticked(self) -> bool:
        """Whether it comes ticked: a card that has not expired, something left to charge, nothing undecided."""
        return not self.is_pending and self.default_cents > 0 and not self.cards[0].is_expired


@dataclass(frozen=True, slots=True)
class Chargeable:
    """`has_processor`: the practice is connected. `has_more`: the search found more than one page holds."""

    rows: tuple[ChargeableRow, ...]
    has_more: bool
    has_processor: bool


@query(Permission.BILLING)
def find_chargeable(actor: Actor, client_text: str = "", client_id: UUID | None = None) -> Chargeable:
    """Clients with a balance and a stored card, by name: a fixed number of queries."""
    account = ProcessorAccount.objects.filter(ended_at=None).first()
    if account is None:
        return Chargeable((), False, False)
    stored = StoredCard.objects.filter(client=OuterRef("pk"), account=account, removed_at=None)
    clients = visible_clients(actor).filter(Exists(stored))
    if client_id is None:
        owing = InvoiceLine.objects.filter(client=OuterRef("pk"), client_open_cents__gt=0)
        clients = clients.filter(Exists(owing))
    else:
        clients = clients.filter(pk=client_id)
    for pattern in search_patterns(client_text):
        clients = clients.filter(search_text__contains=pattern)
    found = list(clients.order_by("last_name", "first_name", "pk")[: MOST_CLIENTS + 1])
    ids = [client.pk for client in found[:MOST_CLIENTS]]
    due, credit, pending = due_by_client(ids), credit_of(actor, ids), pending_clients(ids)
    cards: dict[UUID, list[CardRow]] = defaultdict(list)
    for card in StoredCard.objects.filter(client_id__in=ids, account=account, removed_at=None).order_by("-saved_at"):
        cards[card.client_id].append(card_row(card, actor.today))
    rows = tuple(
        ChargeableRow(
            client.pk, client.sort_name, due.get(client.pk, 0), credit.get(client.pk, 0), tuple(cards[client.pk]),
            client.pk in pending,
        )
        for client in found[:MOST_CLIENTS]
    )  # fmt: skip
    return Chargeable(rows, len(found) > MOST_CLIENTS, True)

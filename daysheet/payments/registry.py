"""What higher slices say on the pages of payments and ledgers: a chargeback, a refund on its way (cards)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence in a banner: `tone` is `info`, `warning` or `error`; `url` with its `label` leads on."""

    text: str
    tone: str = "info"
    url: str = ""
    label: str = ""


#: Of one payment, or of one client, whom the caller has found that the actor may see.
NoticeSource = Callable[[Actor, UUID], list[Notice]]

_of_payment: list[NoticeSource] = []
_of_client: list[NoticeSource] = []


def register_notices(of_payment: NoticeSource, of_client: NoticeSource) -> None:
    """Add notices to the page of a payment and to a client's Ledger."""
    _of_payment.append(of_payment)
    _of_client.append(of_client)


def payment_notices(actor: Actor, payment_id: UUID) -> list[Notice]:
    """What is to be said of a payment."""
    return [notice for source in _of_payment for notice in source(actor, payment_id)]


def client_notices(actor: Actor, client_id: UUID) -> list[Notice]:
    """What is to be said on a client's Ledger."""
    return [notice for source in _of_client for notice in source(actor, client_id)]

"""What higher slices show on the Agenda and beside a status. The Agenda knows no invoices: whoever bills registers the
billing column, and what a fee would come to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID

from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class BillingCell:
    """One visit's billing column: the button **Add Invoice**, or the invoice's number and **Apply Payment** (B2).

    `prepay_url`: before the client has come, where money for the visit is taken. `credit_words` and `credit_url`:
    credit of the client, offered where the client owes something on the invoice (M3).
    """

    invoice_number: int | None
    invoice_url: str | None
    can_add_invoice: bool
    why_not: str
    apply_payment_url: str | None
    add_invoice_url: str | None
    prepay_url: str | None = None
    credit_words: str = ""
    credit_url: str | None = None
    #: What stands against the bill without stopping it, and where to read more.
    warning_words: str = ""
    warning_url: str = ""
    #: What the visit would bill, and why; empty where nothing of it is unbilled.
    price_url: str = ""
    #: Of its live lines, in cents: what was charged, and what the client still owes.
    billed_cents: int = 0
    client_due_cents: int = 0


@dataclass(frozen=True, slots=True)
class GroupCell:
    """The billing column of a group's own row, over the members the actor may see (B2)."""

    appointment_id: UUID
    billed_count: int
    to_bill_count: int


@dataclass(frozen=True, slots=True)
class FeeForecast:
    """What a fee would be billed at if its visit were billed now. Amounts in cents, all units together."""

    units: int
    amount_cents: int
    client_cents: int


BillingCells = Callable[[Actor, Collection[UUID]], dict[UUID, BillingCell]]
#: (actor, visit, service types) → what each would be billed at on this visit.
FeeForecasts = Callable[[Actor, UUID, Collection[UUID]], dict[UUID, FeeForecast]]
_sources: list[BillingCells] = []
_forecasts: list[FeeForecasts] = []


def register_billing_cells(source: BillingCells) -> None:
    """Make `source` fill the billing column."""
    _sources.append(source)


def billing_cells(actor: Actor, visit_ids: Collection[UUID]) -> dict[UUID, BillingCell]:
    """The billing column of these visits; empty where nobody bills, or where the actor may not see money."""
    cells: dict[UUID, BillingCell] = {}
    for source in _sources:
        cells |= source(actor, visit_ids)
    return cells


def register_fee_forecasts(source: FeeForecasts) -> None:
    """Name who knows prices. The last one registered answers."""
    _forecasts.append(source)


def fee_forecasts(actor: Actor, visit_id: UUID, service_type_ids: Collection[UUID]) -> dict[UUID, FeeForecast]:
    """What these services would be billed at on the visit; empty where the actor may not see money (P2)."""
    return _forecasts[-1](actor, visit_id, service_type_ids) if _forecasts and service_type_ids else {}

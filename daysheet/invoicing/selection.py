"""What a door is asked to bill, and what it answers. Plain data, shared by actions, batches, pages and imports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from uuid import UUID


@dataclass(frozen=True, slots=True)
class LineEdit:
    """What somebody changed in a preview before billing; None keeps what the rules say. `rate_cents` is per unit.

    `bill_although_suspended`: the canceled, rescheduled or missed visit was ticked on purpose (B4).
    """

    rate_cents: int | None = None
    units: int | None = None
    rendering_staff_member_id: UUID | None = None
    place_of_service: str | None = None
    modifiers: tuple[str, ...] | None = None
    note: str | None = None
    bill_although_suspended: bool = False


NO_EDIT = LineEdit()


@dataclass(frozen=True, slots=True)
class ManualLine:
    """A line that no visit stands behind (Add an Invoice Item). `side` is `client` or `insurance`."""

    service_type_id: UUID | None
    name: str
    service_on: date
    units: int
    rate_cents: int
    side: str = "client"
    note: str = ""
    staff_member_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """Visit services to bill, with edits by visit service; `client_id` is needed where there are manual lines.

    `client_ids`: whose visit services these are, where that is known (a batch keeps them by client); then they need not
    be looked up, and a visit service of anybody else does not exist.
    """

    visit_service_ids: tuple[UUID, ...]
    edits: Mapping[UUID, LineEdit] = field(default_factory=lambda: MappingProxyType({}))
    manual: tuple[ManualLine, ...] = ()
    client_id: UUID | None = None
    client_ids: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class CreatedInvoice:
    """An invoice the door made. Amounts in cents: `prepaid_cents` was on it at once (M3); `credit_cents` is what the
    client still has and can be offered."""

    id: UUID
    number: int
    client_id: UUID
    total_cents: int
    client_cents: int
    insurance_cents: int
    line_count: int
    prepaid_cents: int = 0
    credit_cents: int = 0

    @property
    def client_open_cents(self) -> int:
        """What the client still owes on it."""
        return self.client_cents - self.prepaid_cents


@dataclass(frozen=True, slots=True)
class Skipped:
    """Visit services of one date that have a live line already, with the number of the invoice that has it."""

    visit_service_ids: tuple[UUID, ...]
    client_id: UUID
    service_on: date
    invoice_number: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A date of service that was not billed and why. `staff_member_id` and `year` name a missing licence."""

    visit_service_ids: tuple[UUID, ...]
    client_id: UUID
    service_on: date | None
    code: str
    message: str
    staff_member_id: UUID | None = None
    year: int | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """The door's answer."""

    created: tuple[CreatedInvoice, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    refused: tuple[Refused, ...] = ()

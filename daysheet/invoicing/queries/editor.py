"""Ledger, New Invoice: the unbilled dates of service of one client, and which of them a manual item resembles (B3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from daysheet.clients.queries import get_client
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService
from daysheet.services.rules import service_label

from ..selection import LineEdit, ManualLine
from .lines import LineView, lines_by_visit

#: How many resembling dates the warning of one item names.
_MOST_RESEMBLING = 3


class Show(StrEnum):
    """The filter of the editor. The value stands in addresses, `label` on the buttons."""

    RECENT = "recent"
    PAST = "past"
    ALL = "all"

    @property
    def label(self) -> str:
        """The exact label of product.md B3."""
        return {"recent": "Recent 30 Days", "past": "All Past", "all": "All"}[self.value]

    def holds(self, day: date, today: date) -> bool:
        """Whether a date of service passes the filter."""
        if self is Show.ALL:
            return True
        return day <= today and (self is Show.PAST or day >= today - timedelta(days=30))


@dataclass(frozen=True, slots=True)
class UnbilledService:
    """A service of the client that has no live line and is not suspended."""

    visit_service_id: UUID
    visit_id: UUID
    service_on: date
    service_type_id: UUID
    label: str


@dataclass(frozen=True, slots=True)
class EditorClient:
    """Whose invoice it is, and everything of theirs that is unbilled, oldest first."""

    id: UUID
    name: str
    services: tuple[UnbilledService, ...]


@query(Permission.BILLING)
def editor_client(actor: Actor, client_id: UUID) -> EditorClient:
    """The client and all unbilled services, future ones included. Raises NotFound. Two queries."""
    client = get_client(actor, client_id)
    rows = (
        VisitService.objects.filter(visit__client_id=client_id, line_id=None, is_suspended=False)
        .order_by("service_on", "visit__appointment__starts_at", "visit_id", "position", "pk")
        .values_list("pk", "visit_id", "service_on", "service_type_id", "service_type__code", "service_type__name")
    )
    services = tuple(UnbilledService(*row[:4], service_label(*row[4:])) for row in rows)
    return EditorClient(client.pk, client.name, services)


@query(Permission.BILLING)
def services_of_client(actor: Actor, client_id: UUID, visit_service_ids: Collection[UUID]) -> tuple[UUID, ...]:
    """Those of the given services that are the client's, billed or not: what a form may ask to be billed."""
    get_client(actor, client_id)
    rows = VisitService.objects.filter(pk__in=visit_service_ids, visit__client_id=client_id)
    return tuple(rows.order_by("pk").values_list("pk", flat=True))


@query(Permission.BILLING)
def editor_lines(actor: Actor, services: Sequence[UnbilledService], edits: Mapping[UUID, LineEdit]) -> list[LineView]:
    """The lines of these services as they would be billed now, in their order."""
    by_visit = lines_by_visit(actor, {service.visit_service_id: False for service in services}, edits)
    by_id = {line.visit_service_id: line for lines in by_visit.values() for line in lines}
    return [by_id[service.visit_service_id] for service in services if service.visit_service_id in by_id]


def resembling(
    item: ManualLine, services: Sequence[UnbilledService], *, on_invoice: Collection[UUID]
) -> list[UnbilledService]:
    """The unbilled services that a manual item may be meant to be: the same date first, then the same service nearest
    in time. What stands on the invoice already is not offered a second time."""
    alike = [
        service
        for service in services
        if service.visit_service_id not in on_invoice
        and (service.service_on == item.service_on or service.service_type_id == item.service_type_id)
    ]
    alike.sort(key=lambda service: (abs((service.service_on - item.service_on).days), service.service_on))
    return alike[:_MOST_RESEMBLING]

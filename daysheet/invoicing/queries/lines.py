"""What the door would bill for visits, as pages show it. The decision is the door's own: see `door.preview`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from daysheet.practices.actor import Actor
from daysheet.schedule.models import VisitService
from daysheet.services.models import ServiceType
from daysheet.services.rules import service_label

from ..door import preview
from ..selection import NO_EDIT, LineEdit, Refused, Selection
from ..terms import Decision


@dataclass(frozen=True, slots=True)
class LineView:
    """One unbilled service of a visit as it would be billed now. Amounts in cents, None where it would be refused."""

    visit_service_id: UUID
    visit_id: UUID
    client_id: UUID
    service_type_id: UUID
    service_on: date
    label: str
    is_suspended: bool
    rate_cents: int | None
    units: int | None
    amount_cents: int | None
    client_cents: int | None
    insurance_cents: int | None
    place_of_service: str
    modifiers: tuple[str, ...]
    rendering_staff_member_id: UUID | None
    rendering_name: str
    note: str
    refusal: Refused | None

    @property
    def initial(self) -> dict[str, object]:
        """The values a LineEditForm begins with."""
        return {
            "rate": self.rate_cents,
            "units": self.units,
            "provider": str(self.rendering_staff_member_id or ""),
            "place": self.place_of_service,
            "modifiers": " ".join(self.modifiers),
            "note": self.note,
        }


LinesByVisit = dict[UUID, list[LineView]]


def unbilled_services(visit_ids: Collection[UUID]) -> dict[UUID, bool]:
    """{visit service: whether it is suspended} of what ticking these visits means: what is live, or where nothing is
    live the suspended services, which only somebody's tick on purpose bills (B4)."""
    by_visit: dict[UUID, list[tuple[UUID, bool]]] = defaultdict(list)
    rows = VisitService.objects.filter(visit_id__in=visit_ids, line_id=None, removed_at=None)
    rows = rows.order_by("visit_id", "position", "pk")
    for pk, visit_id, suspended in rows.values_list("pk", "visit_id", "is_suspended"):
        by_visit[visit_id].append((pk, suspended))
    chosen: dict[UUID, bool] = {}
    for services in by_visit.values():
        live = [pair for pair in services if not pair[1]]
        chosen.update(live or services)
    return chosen


def edits_on_purpose(services: Mapping[UUID, bool], edits: Mapping[UUID, LineEdit]) -> dict[UUID, LineEdit]:
    """`edits`, with every suspended service marked as ticked on purpose."""
    marked = {
        service_id: replace(edits.get(service_id, NO_EDIT), bill_although_suspended=True)
        for service_id, suspended in services.items()
        if suspended
    }
    return {**{key: edit for key, edit in edits.items() if key in services}, **marked}


def lines_by_visit(actor: Actor, services: Mapping[UUID, bool], edits: Mapping[UUID, LineEdit]) -> LinesByVisit:
    """The lines of `unbilled_services`, by visit and in order. A fixed number of queries."""
    if not services:
        return {}
    decisions = preview(actor, Selection(tuple(services), edits_on_purpose(services, edits)))
    names = _service_labels({each.candidate.service_type_id for each in decisions})
    found: LinesByVisit = defaultdict(list)
    for each in sorted(decisions, key=lambda each: (each.candidate.position, str(each.candidate.visit_service_id))):
        edit = edits.get(each.candidate.visit_service_id, NO_EDIT)
        found[each.candidate.visit_id].append(_line_view(each, names[each.candidate.service_type_id], edit))
    return dict(found)


def _service_labels(service_ids: set[UUID]) -> dict[UUID, str]:
    rows = ServiceType.objects.filter(pk__in=service_ids).values_list("pk", "code", "name")
    return {pk: service_label(code, name) for pk, code, name in rows}


def _line_view(each: Decision, label: str, edit: LineEdit) -> LineView:
    candidate, line = each.candidate, each.line
    return LineView(
        visit_service_id=candidate.visit_service_id,
        visit_id=candidate.visit_id,
        client_id=candidate.client_id,
        service_type_id=candidate.service_type_id,
        service_on=candidate.service_on,
        label=label,
        is_suspended=candidate.is_suspended,
        rate_cents=line.rate_cents if line else None,
        units=line.units if line else None,
        amount_cents=line.amount_cents if line else None,
        client_cents=line.client_cents if line else None,
        insurance_cents=line.insurance_cents if line else None,
        place_of_service=line.place_of_service if line else candidate.place_of_service,
        modifiers=line.modifiers if line else (),
        rendering_staff_member_id=(
            line.rendering_staff_member_id if line else edit.rendering_staff_member_id or candidate.staff_member_id
        ),
        rendering_name=line.rendering_name if line else "",
        note=edit.note or "",
        refusal=each.refusal,
    )

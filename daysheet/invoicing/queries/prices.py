"""What would this visit bill, and why; and what a service that is only planned would cost. Both are the door's own
decision: see `door.preview` and `rules`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q

from daysheet.clients.models import Payer
from daysheet.kit.errors import NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import VisitService
from daysheet.services.models import ServiceType

from ..candidates import Candidates
from ..door import preview_on_terms
from ..explaining import Explanation, explain
from ..reading import read_clients, read_terms
from ..rules import decide_each
from ..selection import LineEdit, Selection
from ..terms import Candidate, Decision, Terms
from .agenda import VisitBilling, one_visit_billing
from .lines import edits_on_purpose, unbilled_services


@dataclass(frozen=True, slots=True)
class VisitPrice:
    """What a visit would bill now, line by line. Empty where nothing of it is unbilled."""

    visit: VisitBilling
    lines: tuple[Explanation, ...]

    @property
    def is_refused(self) -> bool:
        """Whether something stands against billing it: then nothing of it is billed (L5)."""
        return any(line.refusal for line in self.lines)

    @property
    def amount_cents(self) -> int:
        return sum(each.line.amount_cents for each in self.lines)

    @property
    def client_cents(self) -> int:
        return sum(each.line.client_cents for each in self.lines)

    @property
    def insurance_cents(self) -> int:
        return sum(each.line.insurance_cents for each in self.lines)


@query(Permission.BILLING)
def visit_price(
    actor: Actor,
    visit_id: UUID,
    edits: Mapping[UUID, LineEdit] | None = None,
    *,
    beside: Collection[UUID] = (),
    on_purpose: bool = False,
) -> VisitPrice:
    """The preview of one visit, with `edits` that somebody has typed but not billed yet. `beside`: other services that
    would stand on the same bill, which share its copay; `on_purpose`: a canceled or missed visit was ticked (B4). A
    fixed number of queries. Raises NotFound."""
    visit = one_visit_billing(actor, visit_id)
    services = unbilled_services([visit_id])
    if not services:
        return VisitPrice(visit, ())
    others = VisitService.objects.filter(
        pk__in=beside, visit__client_id=visit.client_id, line_id=None, is_suspended=False
    ).exclude(pk__in=services)
    together = services | dict.fromkeys(others.values_list("pk", flat=True), False)
    given = dict(edits or {})
    meant = edits_on_purpose(together, given) if on_purpose else given
    decisions, terms = preview_on_terms(actor, Selection(tuple(together), meant))
    own = [each for each in decisions if each.candidate.visit_id == visit_id]
    return VisitPrice(visit, tuple(explain_decisions(own, terms)) if terms else ())


def explain_decisions(decisions: Sequence[Decision], terms: Terms) -> list[Explanation]:
    """The reasons of the door's decisions; one statement for the names of the insurers."""
    payers = _payer_names({each.case.coverage.payer_id for each in decisions if each.case.coverage})
    return [explain(decision, terms, payers) for decision in decisions]


@dataclass(frozen=True, slots=True)
class PlannedService:
    """A service that is not on the schedule. `minutes` None: the service type's usual length; `units` None: by its unit
    rule; `place_of_service` decides which rule of the insurer fits."""

    service_type_id: UUID
    service_on: date
    minutes: int | None = None
    units: int | None = None
    staff_member_id: UUID | None = None
    place_of_service: str = ""


@query(Permission.BILLING)
def price_planned(actor: Actor, client_id: UUID, planned: Sequence[PlannedService]) -> list[Explanation]:
    """What planned services of a client would cost, in the order given, with the reasons. Those of one date share its
    copay, in that order. What would stand against billing them is named and stops no price. A fixed number of queries.
    Raises NotFound."""
    clients = read_clients(actor, Q(pk=client_id), lock=False)
    if not clients:
        raise NotFound("There is no such client, or you are not assigned to the client.")
    wanted = {each.service_type_id for each in planned}
    minutes = dict(ServiceType.objects.filter(pk__in=wanted).values_list("pk", "default_minutes"))
    if minutes.keys() != wanted:
        raise NotFound("There is no such service type.")
    candidates = [
        _candidate(client_id, position, each, minutes[each.service_type_id])
        for position, each in enumerate(planned, start=1)
    ]
    terms = read_terms(actor, Selection(()), Candidates(candidates, []), clients)
    decided = decide_each(candidates, terms, {}, although_refused=True)
    by_id = {each.candidate.visit_service_id: each for each in decided}
    return explain_decisions([by_id[candidate.visit_service_id] for candidate in candidates], terms)


def _candidate(client_id: UUID, position: int, planned: PlannedService, default_minutes: int) -> Candidate:
    """The service as if it were on a visit already; all of one plan are on one visit."""
    return Candidate(
        visit_service_id=new_id(),
        visit_id=client_id,
        client_id=client_id,
        service_on=planned.service_on,
        position=position,
        service_type_id=planned.service_type_id,
        minutes=default_minutes if planned.minutes is None else planned.minutes,
        staff_member_id=planned.staff_member_id,
        place_of_service=planned.place_of_service,
        status_label="",
        is_suspended=False,
        own_rate_cents=None,
        own_units=planned.units,
        own_modifiers=None,
    )


def _payer_names(payer_ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(Payer.objects.filter(pk__in=payer_ids).values_list("pk", "name")) if payer_ids else {}

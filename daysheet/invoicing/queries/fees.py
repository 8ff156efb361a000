"""What a fee for a missed visit would be billed at (S1), by the door's own rules."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.db.models import Q

from daysheet.clients.queries import visible_clients
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit
from daysheet.schedule.registry import FeeForecast

from ..candidates import Candidates
from ..reading import read_clients, read_terms
from ..rules import decide_lines
from ..selection import Selection
from ..terms import Candidate


def forecast_fees(actor: Actor, visit_id: UUID, service_type_ids: Collection[UUID]) -> dict[UUID, FeeForecast]:
    """What each service would be billed at on this visit, one by itself; nothing without Billing (P2)."""
    visit = Visit.objects.filter(pk=visit_id, client__in=visible_clients(actor)).select_related("appointment").first()
    if visit is None or not actor.may(Permission.BILLING):
        return {}
    clients = read_clients(actor, Q(pk=visit.client_id), lock=False)
    candidates = [_candidate(visit, service_type_id) for service_type_id in service_type_ids]
    if not clients or not candidates:
        return {}
    terms = read_terms(actor, Selection(()), Candidates(candidates, []), clients)
    forecasts: dict[UUID, FeeForecast] = {}
    for candidate in candidates:
        if candidate.service_type_id not in terms.services:
            continue
        lines, _ = decide_lines([candidate], terms, {})
        for line in lines:
            forecasts[candidate.service_type_id] = FeeForecast(line.units, line.amount_cents, line.client_cents)
    return forecasts


def _candidate(visit: Visit, service_type_id: UUID) -> Candidate:
    """The fee as if it were on the visit already. It has no id there: its type's stands for it."""
    appointment = visit.appointment
    return Candidate(
        visit_service_id=service_type_id,
        visit_id=visit.pk,
        client_id=visit.client_id,
        service_on=visit.service_on,
        position=1,
        service_type_id=service_type_id,
        minutes=int((appointment.ends_at - appointment.starts_at).total_seconds()) // 60,
        staff_member_id=appointment.staff_member_id,
        place_of_service=appointment.place_of_service,
        status_label=visit.get_status_display(),
        is_suspended=False,
        own_rate_cents=None,
        own_units=None,
        own_modifiers=None,
    )

"""Superbills: the coded services of a client with their diagnoses, for the client's own claim to an insurer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from daysheet.clients.models import Client, Coverage, Diagnosis
from daysheet.clients.queries import visible_clients
from daysheet.invoicing.models import InvoiceLine
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.services.models import ServiceType

from ..rules import Period
from .invoices import Settled, settled_by_line, with_places


@dataclass(frozen=True, slots=True)
class Superbill:
    """A client's coded lines; `left_out_count` have no procedure code and are of no interest to an insurer."""

    client: Client
    coverage: Coverage | None
    lines: tuple[InvoiceLine, ...]
    settled: Mapping[UUID, Settled]
    diagnosis_names: Mapping[str, str]
    left_out_count: int


@query(Permission.BILLING)
def superbills(
    actor: Actor,
    client_ids: Collection[UUID],
    *,
    period: Period | None = None,
    invoice_ids: Collection[UUID] | None = None,
) -> dict[UUID, Superbill]:
    """By client, the live lines with dates of service in the period, or those of these invoices. Five statements."""
    clients = {client.pk: client for client in visible_clients(actor).filter(pk__in=client_ids)}
    wanted = InvoiceLine.objects.filter(client_id__in=clients, ended_at=None)
    if period is not None:
        wanted = wanted.filter(service_on__range=(period.first_on, period.last_on))
    if invoice_ids is not None:
        wanted = wanted.filter(invoice_id__in=invoice_ids)
    lines: dict[UUID, list[InvoiceLine]] = defaultdict(list)
    left_out: dict[UUID, int] = defaultdict(int)
    for line in with_places(wanted).order_by("service_on", "invoice__number", "position", "pk"):
        if _is_coded(line):
            lines[line.client_id].append(line)
        else:
            left_out[line.client_id] += 1
    settled = settled_by_line(actor, [line.pk for each in lines.values() for line in each])
    names = _diagnosis_names(list(clients))
    coverages = _coverages(list(clients))
    return {
        pk: Superbill(client, coverages.get(pk), tuple(lines[pk]), settled, names.get(pk, {}), left_out[pk])
        for pk, client in clients.items()
    }


def _is_coded(line: InvoiceLine) -> bool:
    """CPT or HCPCS: a missed-appointment fee, a letter or another item of the practice's own is nothing to claim."""
    hcpcs = line.service_type is not None and line.service_type.kind == ServiceType.Kind.HCPCS
    return bool(line.code) and (line.is_cpt or hcpcs)


def _diagnosis_names(client_ids: list[UUID]) -> dict[UUID, dict[str, str]]:
    found: dict[UUID, dict[str, str]] = defaultdict(dict)
    for client_id, code, name in Diagnosis.objects.filter(client_id__in=client_ids).values_list(
        "client_id", "code", "name"
    ):
        found[client_id][code] = name
    return found


def _coverages(client_ids: list[UUID]) -> dict[UUID, Coverage]:
    """Each client's first coverage: whose member id the insurer asks for."""
    rows = Coverage.objects.filter(client_id__in=client_ids).select_related("payer")
    return {row.client_id: row for row in rows.order_by("client_id", "-rank", "starts_on", "pk")}

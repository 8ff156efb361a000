"""Who pays for a client: Bill To & Insurance Info, coverages, insurers. Needs Billing (P1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from daysheet.clients.models import Client, Coverage, Payer
from daysheet.clients.rules import CoverageFacts, address_lines, in_force
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember

from .access import get_client, visible_clients
from .people import staff_choices


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One policy of a client, as the Bill To page shows it."""

    id: UUID
    payer_id: UUID
    payer_name: str
    rank: int
    insured_id: str
    group_number: str
    plan_name: str
    relationship: str
    insured_name: str
    copay_cents: int | None
    starts_on: date
    ends_on: date | None
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class BillTo:
    """The agreed terms of one client. `warning` says what stands against billing them as they are."""

    id: UUID
    name: str
    pays_by: str
    pays_by_label: str
    set_payment_amount_cents: int | None
    rendering_override: str
    billing_provider: str
    coverages: tuple[CoverageRow, ...]
    warning: str


@query(Permission.BILLING)
def bill_to(actor: Actor, client_id: UUID) -> BillTo:
    """The Bill To & Insurance Info page of one client. Raises NotFound."""
    client = get_client(actor, client_id)
    coverages = tuple(_coverage_rows(client_id, actor.today))
    staff_ids = [pk for pk in (client.rendering_override_id, client.billing_staff_member_id) if pk]
    staff = {person.pk: person for person in StaffMember.objects.filter(pk__in=staff_ids)} if staff_ids else {}
    rendering = staff.get(client.rendering_override_id) if client.rendering_override_id else None
    billing = staff.get(client.billing_staff_member_id) if client.billing_staff_member_id else None
    return BillTo(
        id=client.pk,
        name=client.name,
        pays_by=client.pays_by,
        pays_by_label=client.get_pays_by_display(),
        set_payment_amount_cents=client.set_payment_amount_cents,
        rendering_override=rendering.name_with_credentials if rendering else "",
        billing_provider=f"{billing.name_with_credentials} · NPI {billing.npi}" if billing else "",
        coverages=coverages,
        warning=_bill_to_warning(client.pays_by, any(coverage.is_in_force for coverage in coverages)),
    )


@query(Permission.BILLING)
def get_coverage(actor: Actor, coverage_id: UUID) -> Coverage:
    """One coverage of a client this actor may see. Raises NotFound."""
    found = Coverage.objects.filter(pk=coverage_id, client__in=visible_clients(actor))
    coverage = found.select_related("client").first()
    if coverage is None:
        raise NotFound("There is no such coverage.")
    return coverage


def coverages_for(client_ids: Collection[UUID]) -> dict[UUID, list[CoverageFacts]]:
    """The coverages of many clients in one statement, for callers that have checked what they may see."""
    found: dict[UUID, list[CoverageFacts]] = defaultdict(list)
    rows = Coverage.objects.filter(client_id__in=client_ids).order_by("rank", "starts_on", "pk")
    for row in rows:
        found[row.client_id].append(
            CoverageFacts(row.pk, row.payer_id, row.rank, row.copay_cents, row.starts_on, row.ends_on)
        )
    return dict(found)


@query(Permission.BILLING)
def payers(actor: Actor, text: str = "", *, active: bool | None = True) -> QuerySet[Payer]:
    """Insurers by name; `text` is looked for in name and payer id."""
    found = Payer.objects.all() if active is None else Payer.objects.filter(is_active=active)
    for word in text.split():
        found = found.filter(Q(name__icontains=word) | Q(payer_code__icontains=word))
    return found.order_by(Lower("name"), "pk")


@query(Permission.BILLING)
def get_payer(actor: Actor, payer_id: UUID) -> Payer:
    """One insurer. Raises NotFound."""
    payer = Payer.objects.filter(pk=payer_id).first()
    if payer is None:
        raise NotFound("There is no such insurer.")
    return payer


@query(Permission.BILLING)
def payer_choices(actor: Actor, chosen_id: UUID | None = None) -> list[tuple[UUID, str]]:
    """Active insurers, and the one chosen before; by name."""
    offered = Payer.objects.filter(Q(is_active=True) | Q(pk=chosen_id))
    return list(offered.order_by(Lower("name"), "pk").values_list("pk", "name"))


@dataclass(frozen=True, slots=True)
class InsurerDetails:
    """An insurer's page. `client_count`: clients with a coverage of this insurer in force today."""

    id: UUID
    name: str
    payer_code: str
    phone: str
    address_lines: tuple[str, ...]
    timely_filing_days: int | None
    is_active: bool
    client_count: int


@query(Permission.BILLING)
def insurer_details(actor: Actor, payer_id: UUID) -> InsurerDetails:
    """One insurer. Raises NotFound."""
    payer = get_payer(actor, payer_id)
    lasting = Q(ends_on__isnull=True) | Q(ends_on__gt=actor.today)
    covered = Coverage.objects.filter(lasting, payer=payer, starts_on__lte=actor.today)
    if actor.limited_to_assigned:
        covered = covered.filter(client__in=visible_clients(actor))
    return InsurerDetails(
        id=payer.pk,
        name=payer.name,
        payer_code=payer.payer_code,
        phone=payer.phone,
        address_lines=address_lines(payer.address_1, payer.address_2, payer.city, payer.state, payer.postal_code),
        timely_filing_days=payer.timely_filing_days,
        is_active=payer.is_active,
        client_count=covered.values("client_id").distinct().count(),
    )


@query(Permission.BILLING)
def billing_providers(actor: Actor, chosen_id: UUID | None = None) -> list[tuple[UUID, str]]:
    """Active staff members with an NPI, whose NPI may bill (B11), and the one chosen before; by name."""
    return staff_choices(StaffMember.objects.filter(Q(is_active=True) & ~Q(npi="") | Q(pk=chosen_id)))


@query(Permission.BILLING)
def rendering_providers(actor: Actor, chosen_id: UUID | None = None) -> list[tuple[UUID, str]]:
    """Active providers, and the one chosen before; by name."""
    return staff_choices(StaffMember.objects.filter(Q(is_active=True, is_provider=True) | Q(pk=chosen_id)))


def _coverage_rows(client_id: UUID, day: date) -> list[CoverageRow]:
    rows = [
        CoverageRow(
            id=row.pk,
            payer_id=row.payer_id,
            payer_name=row.payer.name,
            rank=row.rank,
            insured_id=row.insured_id,
            group_number=row.group_number,
            plan_name=row.plan_name,
            relationship=row.get_relationship_display(),
            insured_name=f"{row.insured_first_name} {row.insured_last_name}".strip(),
            copay_cents=row.copay_cents,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
            is_in_force=in_force(row.starts_on, row.ends_on, day),
        )
        for row in Coverage.objects.filter(client_id=client_id).select_related("payer")
    ]
    return sorted(rows, key=lambda row: (not row.is_in_force, row.rank, -row.starts_on.toordinal()))


def _bill_to_warning(pays_by: str, is_covered: bool) -> str:
    if pays_by == Client.PaysBy.INSURANCE and not is_covered:
        return "No coverage is in force today: the whole amount of today’s services would be the client’s."
    if pays_by == Client.PaysBy.SELF and is_covered:
        return "The client pays by self: the coverage below is kept, but nothing is billed to it."
    return ""

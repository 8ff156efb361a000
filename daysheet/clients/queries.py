"""Reads about clients. `visible_clients` is the one place that knows who may see which client (P1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember

from .models import BillingNoteText, Client, ClientAssignment, Coverage, Diagnosis, Payer
from .rules import CoverageFacts, address_lines, in_force, search_patterns


@query(Permission.DEFAULT)
def visible_clients(actor: Actor) -> QuerySet[Client]:
    """The clients this actor may see. Every list, search, count, export and lookup of clients starts here (P1)."""
    if not actor.limited_to_assigned:
        return Client.objects.all()
    assigned = ClientAssignment.objects.filter(staff_member_id=actor.staff_member_id)
    return Client.objects.filter(pk__in=assigned.values("client_id"))


@query(Permission.DEFAULT)
def get_client(actor: Actor, client_id: UUID) -> Client:
    """One client. Raises NotFound where there is none this actor may see (P2)."""
    client = visible_clients(actor).filter(pk=client_id).first()
    if client is None:
        raise NotFound("There is no such client.")
    return client


@query(Permission.DEFAULT)
def matching_clients(actor: Actor, text: str = "", *, active: bool | None = None) -> QuerySet[Client]:
    """The visible clients in whom every word of `text` is found (name, preferred name, birth date, phone), in order of
    name; those in whom the words begin a name, date or number come first."""
    clients = visible_clients(actor)
    if active is not None:
        clients = clients.filter(is_active=active)
    patterns = search_patterns(text)
    if not patterns:
        return clients.order_by(Lower("last_name"), Lower("first_name"), "pk")
    begins = Q()
    for pattern in patterns:
        clients = clients.filter(search_text__contains=pattern)
        begins &= Q(search_text__contains=f" {pattern.strip()}")
    rank = Case(When(begins, then=Value(0)), default=Value(1), output_field=IntegerField())
    return clients.order_by("-is_active", rank, Lower("last_name"), Lower("first_name"), "pk")


@dataclass(frozen=True, slots=True)
class ClientRow:
    """One line of a list of clients."""

    id: UUID
    sort_name: str
    birth_on: date | None
    phone: str
    is_active: bool


@query(Permission.DEFAULT)
def search_clients(actor: Actor, text: str, limit: int = 12) -> list[ClientRow]:
    """The best `limit` clients for what was typed so far; nothing typed finds nobody. One statement."""
    if not search_patterns(text):
        return []
    return [client_row(client) for client in matching_clients(actor, text)[:limit]]


def client_row(client: Client) -> ClientRow:
    """A client as a list shows it."""
    return ClientRow(client.pk, client.sort_name, client.birth_on, client.mobile or client.phone, client.is_active)


@dataclass(frozen=True, slots=True)
class AssignedStaff:
    """A staff member assigned to a client."""

    id: UUID
    name: str
    is_active: bool
    is_limited: bool


@dataclass(frozen=True, slots=True)
class DiagnosisRow:
    """A diagnosis as the Details page shows it."""

    id: UUID
    code: str
    name: str
    position: int
    starts_on: date
    ends_on: date | None
    is_in_force: bool


@dataclass(frozen=True, slots=True)
class ClientDetails:
    """Everything of the Details page that needs no Billing permission."""

    id: UUID
    name: str
    legal_name: str
    preferred_name: str
    document_name: str
    birth_on: date | None
    age: int | None
    sex: str
    email: str
    phone: str
    mobile: str
    address_lines: tuple[str, ...]
    is_active: bool
    staff: tuple[AssignedStaff, ...]
    diagnoses: tuple[DiagnosisRow, ...]


_SEXES = {"F": "Female", "M": "Male", "U": "Unknown"}


@query(Permission.DEFAULT)
def client_details(actor: Actor, client_id: UUID) -> ClientDetails:
    """The Details page of one client, in three statements. Raises NotFound."""
    client = get_client(actor, client_id)
    legal_name = " ".join(part for part in (client.first_name, client.middle_name, client.last_name) if part)
    return ClientDetails(
        id=client.pk,
        name=client.name,
        legal_name=legal_name,
        preferred_name=client.preferred_name,
        document_name=client.document_name,
        birth_on=client.birth_on,
        age=_age(client.birth_on, actor.today),
        sex=_SEXES.get(client.sex, ""),
        email=client.email,
        phone=client.phone,
        mobile=client.mobile,
        address_lines=address_lines(client.address_1, client.address_2, client.city, client.state, client.postal_code),
        is_active=client.is_active,
        staff=tuple(_assigned_staff(client_id)),
        diagnoses=tuple(_diagnoses(client_id, actor.today)),
    )


@query(Permission.DEFAULT)
def assignable_staff(actor: Actor, client_id: UUID) -> list[tuple[UUID, str]]:
    """Active staff members not yet assigned to the client: id and name, by name."""
    assigned = ClientAssignment.objects.filter(client_id=client_id).values("staff_member_id")
    staff = StaffMember.objects.filter(is_active=True).exclude(pk__in=assigned)
    return [(person.pk, person.name_with_credentials) for person in staff.order_by("last_name", "first_name", "pk")]


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
def coverage_on_day(actor: Actor, client_id: UUID, day: date) -> CoverageRow | None:
    """The coverage that pays first on a day, if any."""
    standing = [row for row in _coverage_rows(client_id, day) if row.is_in_force]
    return min(standing, key=lambda row: (row.rank, -row.starts_on.toordinal(), str(row.id)), default=None)


@query(Permission.BILLING)
def get_coverage(actor: Actor, coverage_id: UUID) -> Coverage:
    """One coverage of a client this actor may see. Raises NotFound."""
    coverage = Coverage.objects.filter(pk=coverage_id, client__in=visible_clients(actor)).first()
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
    return found


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
def billing_providers(actor: Actor) -> list[tuple[UUID, str]]:
    """Active staff members with an NPI, whose NPI may bill (B11): id and name, by name."""
    return _named(StaffMember.objects.filter(is_active=True).exclude(npi=""))


@query(Permission.BILLING)
def rendering_providers(actor: Actor) -> list[tuple[UUID, str]]:
    """Active providers: id and name, by name."""
    return _named(StaffMember.objects.filter(is_active=True, is_provider=True))


@dataclass(frozen=True, slots=True)
class NoteText:
    """One wording of a billing note."""

    text: str
    author_name: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A billing note: its newest wording, and the earlier ones, newest first."""

    id: UUID
    text: str
    author_name: str
    written_at: datetime
    created_at: datetime
    earlier: tuple[NoteText, ...]


@query(Permission.BILLING)
def billing_notes(actor: Actor, client_id: UUID) -> list[Note]:
    """The billing notes of a client, newest note first. Two statements. Raises NotFound."""
    get_client(actor, client_id)
    texts: dict[UUID, list[BillingNoteText]] = defaultdict(list)
    rows = BillingNoteText.objects.filter(note__client_id=client_id).select_related("note")
    for row in rows.order_by("-note__created_at", "-note_id", "-written_at", "-pk"):
        texts[row.note_id].append(row)
    return [_note(wordings) for wordings in texts.values()]


def _note(wordings: list[BillingNoteText]) -> Note:
    newest = wordings[0]
    earlier = tuple(NoteText(row.text, row.author_name, row.written_at) for row in wordings[1:])
    return Note(newest.note_id, newest.text, newest.author_name, newest.written_at, newest.note.created_at, earlier)


def _named(staff: QuerySet[StaffMember]) -> list[tuple[UUID, str]]:
    return [(person.pk, person.name_with_credentials) for person in staff.order_by("last_name", "first_name", "pk")]


def _assigned_staff(client_id: UUID) -> list[AssignedStaff]:
    rows = ClientAssignment.objects.filter(client_id=client_id).select_related("staff_member")
    people = [row.staff_member for row in rows.order_by("staff_member__last_name", "staff_member__first_name")]
    return [
        AssignedStaff(person.pk, person.name_with_credentials, person.is_active, person.limited_to_assigned)
        for person in people
    ]


def _diagnoses(client_id: UUID, day: date) -> list[DiagnosisRow]:
    rows = [
        DiagnosisRow(
            row.pk, row.code, row.name, row.position, row.starts_on, row.ends_on,
            in_force(row.starts_on, row.ends_on, day),
        )
        for row in Diagnosis.objects.filter(client_id=client_id).order_by("position", "-starts_on", "pk")
    ]  # fmt: skip
    return sorted(rows, key=lambda row: not row.is_in_force)


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


def _age(birth_on: date | None, today: date) -> int | None:
    if birth_on is None:
        return None
    return today.year - birth_on.year - ((today.month, today.day) < (birth_on.month, birth_on.day))


def facts_of(row: Any, names: Collection[str]) -> dict[str, Any]:
    """The named columns of a row, for the form that edits it."""
    return {name: getattr(row, name) for name in names}

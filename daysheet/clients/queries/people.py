"""The list of clients, the search box, and what the Details page shows without Billing permission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from daysheet.clients.models import Client, ClientAssignment, Diagnosis
from daysheet.clients.rules import address_lines, in_force, search_patterns
from daysheet.kit.errors import NotFound
from daysheet.practices.action import query
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember

from .access import refuse_unseen, visible_clients


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
    documents_by: str
    phone: str
    mobile: str
    address_lines: tuple[str, ...]
    is_active: bool
    staff: tuple[AssignedStaff, ...]
    diagnoses: tuple[DiagnosisRow, ...]


_SEXES = {"F": "Female", "M": "Male", "U": "Unknown"}


@query(Permission.DEFAULT)
def client_details(actor: Actor, client: Client) -> ClientDetails:
    """The Details page of one client, in two statements."""
    refuse_unseen(actor, client)
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
        documents_by=client.get_documents_by_display(),
        phone=client.phone,
        mobile=client.mobile,
        address_lines=address_lines(client.address_1, client.address_2, client.city, client.state, client.postal_code),
        is_active=client.is_active,
        staff=tuple(_assigned_staff(client.pk)),
        diagnoses=tuple(_diagnoses(client.pk, actor.today)),
    )


@query(Permission.DEFAULT)
def assignable_staff(actor: Actor, client_id: UUID) -> list[tuple[UUID, str]]:
    """Active staff members not yet assigned to the client, by name. Nobody, for those who may not assign (P1)."""
    if actor.limited_to_assigned:
        return []
    assigned = ClientAssignment.objects.filter(client_id=client_id).values("staff_member_id")
    return staff_choices(StaffMember.objects.filter(is_active=True).exclude(pk__in=assigned))


def staff_choices(staff: QuerySet[StaffMember]) -> list[tuple[UUID, str]]:
    """Id and name of staff members, by name: for a drop-down."""
    return [(person.pk, person.name_with_credentials) for person in staff.order_by("last_name", "first_name", "pk")]


@query(Permission.DEFAULT)
def get_diagnosis(actor: Actor, diagnosis_id: UUID) -> Diagnosis:
    """One diagnosis of a client this actor may see. Raises NotFound."""
    found = (
        Diagnosis.objects.filter(pk=diagnosis_id, client__in=visible_clients(actor)).select_related("client").first()
    )
    if found is None:
        raise NotFound("There is no such diagnosis.")
    return found


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


def _age(birth_on: date | None, today: date) -> int | None:
    if birth_on is None:
        return None
    return today.year - birth_on.year - ((today.month, today.day) < (birth_on.month, birth_on.day))

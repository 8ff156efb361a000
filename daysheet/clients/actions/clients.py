"""The client's own facts, and who is assigned. `search_text` is written with the facts it is made of."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.clients.models import Client, ClientAssignment
from daysheet.clients.queries import get_client, visible_clients
from daysheet.clients.rules import search_text_of
from daysheet.kit.errors import NotAllowed, NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember

#: What add_client and edit_client take. How the client is billed is `set_bill_to`'s, which needs Billing.
CLIENT_FACTS = frozenset(
    {
        *("first_name", "middle_name", "last_name", "preferred_name", "print_preferred_name"),
        *("birth_on", "sex", "email", "documents_by", "phone", "mobile"),
        *("address_1", "address_2", "city", "state", "postal_code", "external_id"),
    }
)


class ClientNameMissing(Refusal):
    """First or last name is empty."""

    code = "client_name_missing"


class ClientNotBornYet(Refusal):
    """The birth date lies in the future."""

    code = "client_not_born_yet"


class StaffMemberLimited(NotAllowed):
    """Somebody limited to assigned clients tried to change who is assigned (P1)."""

    code = "staff_member_limited"


@action(Permission.DEFAULT, audited=False)
def add_client(
    actor: Actor, /, *, first_name: str, last_name: str, client_id: UUID | None = None, **facts: Any
) -> Client:
    """A new client; the same `client_id` again gives the first one back. Somebody limited to assigned clients is
    assigned to whom they add. Raises ClientNameMissing, ClientNotBornYet."""
    values = _clean(actor, facts | {"first_name": first_name, "last_name": last_name})
    values["search_text"] = _search_text(Client(**values))
    client, created = Client.objects.get_or_create(pk=client_id or new_id(), defaults=values)
    if not created:
        return get_client(actor, client.pk)
    record(actor, "add_client", "client", client.pk, client_id=client.pk)
    if actor.limited_to_assigned and actor.staff_member_id:
        ClientAssignment.objects.create(client=client, staff_member_id=actor.staff_member_id)
    return client


@action(Permission.DEFAULT, audited=False)
def edit_client(actor: Actor, /, client_id: UUID, **facts: Any) -> Client:
    """Change the given facts of a client; what is equal already is no change. Raises NotFound and as add_client."""
    client = lock_client(actor, client_id)
    values = _clean(actor, facts)
    changed = {name: value for name, value in values.items() if getattr(client, name) != value}
    if not changed:
        return client
    for name, value in changed.items():
        setattr(client, name, value)
    client.search_text = _search_text(client)
    Client.objects.filter(pk=client.pk).update(**changed, search_text=client.search_text)
    record(actor, "edit_client", "client", client.pk, client_id=client.pk, fields=sorted(changed))
    return client


@action(Permission.DEFAULT, audited=False)
def archive_client(actor: Actor, client_id: UUID) -> None:
    """Take a client off the lists of active ones. Everything is kept, and what is unbilled stays in sight."""
    _set_active(actor, client_id, False)


@action(Permission.DEFAULT, audited=False)
def activate_client(actor: Actor, client_id: UUID) -> None:
    """Put a client back among the active ones."""
    _set_active(actor, client_id, True)


@action(Permission.DEFAULT, audited=False)
def assign_staff(actor: Actor, client_id: UUID, staff_member_id: UUID) -> None:
    """Let a staff member limited to assigned clients see this client. Doing so twice is harmless. Raises NotFound."""
    _require_unlimited(actor)
    client = lock_client(actor, client_id)
    if not StaffMember.objects.filter(pk=staff_member_id, is_active=True).exists():
        raise NotFound("There is no such active staff member.")
    _, created = ClientAssignment.objects.get_or_create(client=client, staff_member_id=staff_member_id)
    if created:
        record(actor, "assign_staff", "client", client.pk, client_id=client.pk, staff_member_id=str(staff_member_id))


@action(Permission.DEFAULT, audited=False)
def unassign_staff(actor: Actor, client_id: UUID, staff_member_id: UUID) -> None:
    """Take a staff member's assignment to this client away. Doing so twice is harmless. Raises NotFound."""
    _require_unlimited(actor)
    client = get_client(actor, client_id)
    deleted, _ = ClientAssignment.objects.filter(client=client, staff_member_id=staff_member_id).delete()
    if deleted:
        record(actor, "unassign_staff", "client", client.pk, client_id=client.pk, staff_member_id=str(staff_member_id))


def lock_client(actor: Actor, client_id: UUID) -> Client:
    """The client's row, locked for this transaction. Raises NotFound. Ids and keys of others are not held up."""
    client = visible_clients(actor).select_for_update(of=("self",), no_key=True).filter(pk=client_id).first()
    if client is None:
        raise NotFound("There is no such client.")
    return client


def _set_active(actor: Actor, client_id: UUID, is_active: bool) -> None:
    client = lock_client(actor, client_id)
    if client.is_active == is_active:
        return
    Client.objects.filter(pk=client.pk).update(is_active=is_active)
    verb = "activate_client" if is_active else "archive_client"
    record(actor, verb, "client", client.pk, client_id=client.pk)


def _require_unlimited(actor: Actor) -> None:
    if actor.limited_to_assigned:
        raise StaffMemberLimited("Your access is limited to assigned clients, so you cannot change who is assigned.")


def _clean(actor: Actor, facts: dict[str, Any]) -> dict[str, Any]:
    unknown = facts.keys() - CLIENT_FACTS
    if unknown:
        raise TypeError(f"not facts of a client: {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {name: value.strip() if isinstance(value, str) else value for name, value in facts.items()}
    if not values.get("first_name", "?") or not values.get("last_name", "?"):
        raise ClientNameMissing("Enter the client’s first and last name.")
    birth_on = values.get("birth_on")
    if birth_on and birth_on > actor.today:
        raise ClientNotBornYet("The birth date lies in the future. Check the year.")
    if "external_id" in values:
        values["external_id"] = values["external_id"] or None
    return values


def _search_text(client: Client) -> str:
    return search_text_of(
        names=(client.first_name, client.middle_name, client.last_name, client.preferred_name),
        birth_on=client.birth_on,
        phones=(client.phone, client.mobile),
    )

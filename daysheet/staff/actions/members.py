"""Adding and editing staff members.

Invariants (P1, P2): nobody changes their own permissions; only an Organization Administrator touches the permissions
of one; the last of them stays; whoever's permissions, limit or activity change has their sessions ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from daysheet.audit.actions import record
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.ids import new_id
from daysheet.kit.npi import is_npi
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.models import Membership
from daysheet.practices.permissions import Permission
from daysheet.staff import rules
from daysheet.staff.models import Invitation, StaffMember

from .logins import end_sessions

_OWNER = Permission.ORGANIZATION_ADMINISTRATOR


class OwnPermissions(Refusal):
    """Nobody edits their own permissions (P2)."""

    code = "own_permissions"


class LastOwner(Refusal):
    """The practice would have no active Organization Administrator left who can sign in."""

    code = "last_organization_administrator"


class StaffEmailTaken(Refusal):
    """Another staff member of the practice has the same e-mail address."""

    code = "staff_email_taken"


class NpiWrong(Refusal):
    """The number is no NPI: its check digit does not fit."""

    code = "npi_wrong"


@action(Permission.ADMINISTRATOR, audited=False)
def add_staff_member(
    actor: Actor,
    *,
    first_name: str,
    last_name: str,
    permissions: Iterable[Permission] = (),
    staff_member_id: UUID | None = None,
    **facts: Any,
) -> StaffMember:
    """A staff member without a login. The same id twice is one person. Only an Organization Administrator makes
    another one (NotAllowed). Raises StaffEmailTaken, NpiWrong."""
    granted = rules.stored_permissions(permissions)
    if _OWNER.value in granted:
        actor.require(_OWNER)
    new = staff_member_id or new_id()
    facts = _checked(new, facts)
    try:
        with transaction.atomic():
            person, is_new = StaffMember.objects.get_or_create(
                pk=new,
                defaults={"first_name": first_name, "last_name": last_name, "permissions": granted, **facts},
            )
    except IntegrityError as error:
        raise _email_taken(error, facts) from error
    if is_new:
        record(actor, "add_staff_member", "staff_member", person.pk, permissions=granted)
    return person


@action(Permission.ADMINISTRATOR, audited=False)
def edit_staff_member(
    actor: Actor, staff_member_id: UUID, *, permissions: Iterable[Permission] | None = None, **facts: Any
) -> StaffMember:
    """Change facts, permissions, limit and activity; what is not named stays. The sessions of whoever's access
    changed are ended. Raises OwnPermissions, LastOwner, StaffEmailTaken, NpiWrong, NotFound, NotAllowed."""
    person = _locked(staff_member_id)
    wanted = _checked(person.pk, facts)
    if permissions is not None:
        wanted["permissions"] = rules.stored_permissions(permissions)
    changed = {name: value for name, value in wanted.items() if getattr(person, name) != value}
    if not changed:
        return person
    access = changed.keys() & rules.ACCESS_FACTS
    if access:
        _refuse_access_change(actor, person, changed)
    try:
        with transaction.atomic():
            StaffMember.objects.filter(pk=person.pk).update(**changed)
    except IntegrityError as error:
        raise _email_taken(error, wanted) from error
    if "is_active" in changed:
        _open_or_close_the_door(actor, person, is_active=changed["is_active"])
    if access and person.user_id:
        end_sessions(person.user_id)
    record(
        actor,
        "edit_staff_member",
        "staff_member",
        person.pk,
        changed=sorted(changed),
        **{name: changed[name] for name in sorted(access)},
    )
    return StaffMember.objects.get(pk=person.pk)


def _locked(staff_member_id: UUID) -> StaffMember:
    """The person, after locking them and every owner in id order, so that two owners cannot remove each other."""
    with_owners = StaffMember.objects.filter(pk=staff_member_id) | StaffMember.objects.filter(
        permissions__contains=[_OWNER.value]
    )
    locked = with_owners.order_by("pk").select_for_update(no_key=True)
    person = next((person for person in locked if person.pk == staff_member_id), None)
    if person is None:
        raise NotFound("There is no such staff member.")
    return person


def _refuse_access_change(actor: Actor, person: StaffMember, changed: dict[str, Any]) -> None:
    if person.pk == actor.staff_member_id:
        raise OwnPermissions(
            "Nobody changes their own permissions or makes themselves inactive. Nothing was saved: ask another "
            "administrator."
        )
    if rules.needs_owner(person.permissions, changed.get("permissions")):
        actor.require(_OWNER)
    was_owner = person.is_active and _OWNER.value in person.permissions
    stays = changed.get("is_active", True) and _OWNER.value in changed.get("permissions", person.permissions)
    if was_owner and not stays and not _has_other_owner(person.pk):
        raise LastOwner(
            f"{person.name} is the last active Organization Administrator. Nothing was saved: make somebody else one "
            "first."
        )


def _has_other_owner(staff_member_id: UUID) -> bool:
    owners = StaffMember.objects.filter(permissions__contains=[_OWNER.value], is_active=True, user_id__isnull=False)
    return owners.exclude(pk=staff_member_id).exists()


def _open_or_close_the_door(actor: Actor, person: StaffMember, *, is_active: bool) -> None:
    memberships = Membership.objects.filter(practice_id=actor.practice.id, staff_member_id=person.pk)
    memberships.update(ended_at=None if is_active else actor.now)
    if not is_active:
        open_ones = Invitation.objects.filter(staff_member=person, accepted_at=None, withdrawn_at=None)
        open_ones.update(withdrawn_at=actor.now)


def _checked(staff_member_id: UUID, facts: dict[str, Any]) -> dict[str, Any]:
    if facts.get("npi") and not is_npi(facts["npi"]):
        raise NpiWrong(f"{facts['npi']} is not an NPI: its check digit does not fit. Compare it with the NPI registry.")
    if "email" not in facts:
        return facts
    email = facts["email"].strip().lower()
    if email and StaffMember.objects.filter(email__iexact=email).exclude(pk=staff_member_id).exists():
        raise StaffEmailTaken(f"Another staff member has the e-mail address {email}.")
    return {**facts, "email": email}


def _email_taken(error: IntegrityError, facts: dict[str, Any]) -> Exception:
    """What a race over the same address looks like; any other broken constraint is passed on."""
    if "staff_email_once" in str(error):
        return StaffEmailTaken(f"Another staff member has the e-mail address {facts.get('email')}.")
    return error

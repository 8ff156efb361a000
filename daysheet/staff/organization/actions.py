"""Writes about the practice itself and its locations."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from daysheet.audit.actions import record
from daysheet.kit.errors import NotFound, Refusal
from daysheet.kit.npi import is_npi
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location, Practice
from daysheet.practices.permissions import Permission
from daysheet.staff.actions.members import NpiWrong


class LocationNameTaken(Refusal):
    """Another location of the practice has the same name."""

    code = "location_name_taken"


@action(Permission.ADMINISTRATOR, audited=False)
def edit_practice(actor: Actor, **facts: Any) -> None:
    """Change the practice's facts; what is not named stays. Raises NpiWrong."""
    _refuse_wrong_npi(facts)
    practice = Practice.objects.select_for_update(no_key=True).get(pk=actor.practice.id)
    changed = {name: value for name, value in facts.items() if getattr(practice, name) != value}
    if not changed:
        return
    Practice.objects.filter(pk=practice.pk).update(**changed)
    record(actor, "edit_practice", "practice", practice.pk, changed=sorted(changed))


@action(Permission.ORGANIZATION_ADMINISTRATOR, audited=False)
def set_sign_in_rules(actor: Actor, *, requires_two_step: bool, idle_minutes: int) -> None:
    """What signing in to this practice takes; holds from everybody's next request on."""
    practice = Practice.objects.select_for_update(no_key=True).get(pk=actor.practice.id)
    if (practice.requires_two_step, practice.idle_minutes) == (requires_two_step, idle_minutes):
        return
    Practice.objects.filter(pk=practice.pk).update(requires_two_step=requires_two_step, idle_minutes=idle_minutes)
    record(
        actor, "set_sign_in_rules", "practice", practice.pk, requires_two_step=requires_two_step,
        idle_minutes=idle_minutes,
    )  # fmt: skip


@action(Permission.ADMINISTRATOR, audited=False)
def add_location(actor: Actor, *, location_id: UUID, name: str, **facts: Any) -> Location:
    """A place where services are rendered. The same id twice is one location. Raises LocationNameTaken, NpiWrong."""
    _refuse_wrong_npi(facts)
    try:
        with transaction.atomic():
            location, is_new = Location.objects.get_or_create(pk=location_id, defaults={"name": name, **facts})
    except IntegrityError as error:
        raise _name_taken(error, name) from error
    if is_new:
        record(actor, "add_location", "location", location.pk)
    return location


@action(Permission.ADMINISTRATOR, audited=False)
def edit_location(actor: Actor, location_id: UUID, **facts: Any) -> None:
    """Change a location; invoices keep what they copied. Raises NotFound, LocationNameTaken, NpiWrong."""
    _refuse_wrong_npi(facts)
    location = Location.objects.select_for_update(no_key=True).filter(pk=location_id).first()
    if location is None:
        raise NotFound("There is no such location.")
    changed = {name: value for name, value in facts.items() if getattr(location, name) != value}
    if not changed:
        return
    try:
        with transaction.atomic():
            Location.objects.filter(pk=location_id).update(**changed)
    except IntegrityError as error:
        raise _name_taken(error, facts.get("name", location.name)) from error
    record(actor, "edit_location", "location", location_id, changed=sorted(changed))


def _refuse_wrong_npi(facts: dict[str, Any]) -> None:
    if facts.get("npi") and not is_npi(facts["npi"]):
        raise NpiWrong(f"{facts['npi']} is not an NPI: its check digit does not fit. Compare it with the NPI registry.")


def _name_taken(error: IntegrityError, name: str) -> Exception:
    """What two locations of one name look like; any other broken constraint is passed on."""
    if "location_name_once" in str(error):
        return LocationNameTaken(f"There is a location named {name} already.")
    return error

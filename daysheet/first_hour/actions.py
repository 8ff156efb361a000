"""The steps of the first hour: each is what the pages of its slice do, in one go. And what is skipped or put away."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from daysheet.audit.actions import record
from daysheet.kit.errors import NotFound
from daysheet.practices.action import action
from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.staff.actions import edit_staff_member
from daysheet.staff.licenses.actions import assign_license
from daysheet.staff.organization.actions import add_location, edit_practice

from .models import GuideMark
from .queries import has_location, holds_license
from .rules import DISMISSED, Step

_ADDRESS = ("phone", "address_1", "address_2", "city", "state", "postal_code")


@action(Permission.ADMINISTRATOR, audited=False)
def introduce_practice(
    actor: Actor, *, location_id: UUID, location_name: str = "", place_of_service: str = "", **facts: Any
) -> None:
    """The practice's facts; and where there is no location yet, the first one at the practice's address. Raises
    NpiWrong, LocationNameTaken."""
    edit_practice(actor, **facts)
    if location_name and not has_location(actor):
        address = {name: facts[name] for name in _ADDRESS if name in facts}
        add_location(actor, location_id=location_id, name=location_name, place_of_service=place_of_service, **address)


@action(Permission.ADMINISTRATOR, audited=False)
def become_provider(
    actor: Actor,
    *,
    credentials: str,
    npi: str,
    license_id: UUID,
    assigns_license: bool = False,
    fee_cents: int | None = None,
    paid_on: date | None = None,
    reference: str = "",
) -> None:
    """The person at the guide renders services, and holds the CPT licence of the year at the fee they typed (L4).
    Raises NotFound for whoever is no staff member, NpiWrong."""
    if actor.staff_member_id is None:
        raise NotFound("Only a staff member can become a provider.")
    edit_staff_member(actor, actor.staff_member_id, is_provider=True, credentials=credentials, npi=npi)
    if not assigns_license or holds_license(actor):
        return
    edit_practice(actor, cpt_license_fee_cents=fee_cents or 0)
    assign_license(
        actor, actor.staff_member_id, license_id=license_id, year=actor.today.year, confirmed_fee_cents=fee_cents or 0,
        paid_on=paid_on, reference=reference,
    )  # fmt: skip


@action(Permission.ADMINISTRATOR, audited=False)
def skip_step(actor: Actor, *, step: Step) -> None:
    """Leave a step for later. Twice is once."""
    _mark(actor, step)


@action(Permission.ADMINISTRATOR, audited=False)
def put_guide_away(actor: Actor) -> None:
    """The home page speaks of the first hour no more. Twice is once."""
    _mark(actor, DISMISSED)


@action(Permission.ADMINISTRATOR, audited=False)
def take_guide_up(actor: Actor, *, step: Step | None = None) -> None:
    """Come back to what was skipped (`step`) or to the guide that was put away."""
    marks = GuideMark.objects.filter(step=step or DISMISSED)
    if marks.delete()[0]:
        record(actor, "resume_guide", "practice", actor.practice.id, step=step or DISMISSED)


def _mark(actor: Actor, step: str) -> None:
    defaults = {"made_at": actor.now, "made_by_name": actor.person_name[:120]}
    _, is_new = GuideMark.objects.get_or_create(step=step, defaults=defaults)
    if is_new:
        record(actor, "skip_guide", "practice", actor.practice.id, step=step)

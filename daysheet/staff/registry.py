"""What higher slices show on a staff member's page and on Organization → Settings. They register in their
AppConfig.ready(); staff imports none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from daysheet.practices.actor import Actor


@dataclass(frozen=True, slots=True)
class AssignedClient:
    """A client assigned to a staff member; `url` leads to the client's page, where assignments are edited."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class SettingsSection:
    """A part of Organization → Settings: a template, which finds `context` as `section`."""

    template: str
    context: Any


@dataclass(frozen=True, slots=True)
class StaffSection:
    """A part of a staff member's page: a template, which finds `context` as `section`."""

    template: str
    context: Any


@dataclass(frozen=True, slots=True)
class InvitationLetter:
    """What an invited person is sent. `text` holds the link with `secret`, which nobody else may read."""

    invitation_id: UUID
    staff_member_id: UUID
    name: str
    address: str
    text: str
    secret: str


InvitationPost = Callable[[Actor, InvitationLetter], None]
SettingsSource = Callable[[Actor], SettingsSection]
StaffSource = Callable[[Actor, UUID], StaffSection]
AssignedClientSource = Callable[[Actor, UUID], list[AssignedClient]]

_sources: list[AssignedClientSource] = []
_settings_sources: list[SettingsSource] = []
_staff_sources: list[StaffSource] = []
_post: InvitationPost | None = None


def register_assigned_clients(source: AssignedClientSource) -> None:
    """Name the function that lists whom a staff member is assigned to, as far as the actor may see them. The last one
    registered answers."""
    _sources.append(source)


def assigned_clients(actor: Actor, staff_member_id: UUID) -> list[AssignedClient]:
    """The clients assigned to a staff member; none while no slice knows of clients."""
    return _sources[-1](actor, staff_member_id) if _sources else []


def register_settings_section(source: SettingsSource) -> None:
    """Add a part to Organization → Settings, below the practice's facts."""
    _settings_sources.append(source)


def settings_sections(actor: Actor) -> list[SettingsSection]:
    """The parts that other slices add to Organization → Settings."""
    return [source(actor) for source in _settings_sources]


def register_staff_section(source: StaffSource) -> None:
    """Add a part to a staff member's page."""
    _staff_sources.append(source)


def staff_sections(actor: Actor, staff_member_id: UUID) -> list[StaffSection]:
    """The parts that other slices add to a staff member's page."""
    return [source(actor, staff_member_id) for source in _staff_sources]


def register_invitation_post(post: InvitationPost) -> None:
    """Name the function that writes an invitation's e-mail, in the transaction of the invitation."""
    global _post  # noqa: PLW0603 (set once, while the slices start)
    _post = post


def post_invitation(actor: Actor, letter: InvitationLetter) -> None:
    """Have an invitation sent."""
    assert _post is not None, "no slice sends invitations"
    _post(actor, letter)

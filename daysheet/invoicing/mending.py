"""Where to mend what stops a bill: a refusal's code leads to the page that cures it (B5, L5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from daysheet.practices.actor import Actor
from daysheet.practices.permissions import Permission
from daysheet.web.pages import practice_url_or_none

from .links import agenda_url


@dataclass(frozen=True, slots=True)
class Mend:
    """The button that leads there."""

    label: str
    url: str


def mend_of(
    actor: Actor,
    code: str,
    *,
    client_id: UUID,
    service_on: date | None,
    staff_member_id: UUID | None = None,
    next_url: str = "",
) -> Mend | None:
    """The way to mend a refusal, or None where this person cannot (a licence needs an Administrator, L4).

    `next_url` is where the mending page leads back to.
    """
    if code == "license_missing" and staff_member_id:
        if not actor.may(Permission.ADMINISTRATOR):
            return None
        return _mend(actor, "Assign the license", "staff:assign_license", next_url, staff_member=staff_member_id)
    if code == "too_many_modifiers":
        may_change = actor.may(Permission.ADMINISTRATOR)
        return _mend(actor, "Insurers’ Prices", "services:priced_payers", "") if may_change else None
    if code == "no_coverage":
        return _mend(actor, "Bill To & Insurance Info", "clients:bill_to", next_url, client=client_id)
    if service_on is not None:
        return agenda_mend(actor, service_on)
    return None


def agenda_mend(actor: Actor, day: date, label: str = "Open the Agenda") -> Mend | None:
    """The Agenda of a day: where status, services and fees of a visit are changed."""
    url = agenda_url(actor, day)
    return Mend(label, url) if url else None


def _mend(actor: Actor, label: str, name: str, next_url: str, **kwargs: UUID) -> Mend | None:
    url = practice_url_or_none(actor, name, **kwargs)
    if url is None:
        return None
    return Mend(label, f"{url}?{urlencode({'next': next_url})}" if next_url else url)

"""What the full form and the move form have in common: saving for one appointment or for what follows it, and saying
what came of it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest

from daysheet.kit.dates import us_date
from daysheet.practices.actor import Actor
from daysheet.web.pages import practice_url

from .. import actions, queries, series
from ..series_outcome import Scope
from ..slot_rules import Members, Slot
from .days import agenda_url

_MOST_NAMED = 3


def save_change(
    request: HttpRequest,
    actor: Actor,
    details: queries.AppointmentDetails,
    *,
    scope: Scope,
    slot: Slot,
    version: int | None,
    members: Members | None = None,
) -> str:
    """Save a change of this appointment, or of it and what follows; returns the page that shows the result. `members`
    None: a mere move. Raises what the action raises."""
    if scope is not Scope.THIS and details.series:
        outcome = series.edit_series(
            actor, appointment_id=details.id, scope=scope, slot=slot, members=members, version=version
        )
        messages.success(request, outcome.words("changed"))
        warn_of_conflicts(request, actor, outcome.changed_ids)
        return practice_url(actor, "schedule:series", series=details.series.id)
    if members is None:
        actions.move_appointment(actor, appointment_id=details.id, slot=slot, version=version)
        messages.success(request, f"The appointment was moved to {us_date(slot.day)} at {slot.at:%-I:%M %p}.")
    else:
        actions.edit_appointment(actor, appointment_id=details.id, slot=slot, members=members, version=version)
        messages.success(request, "The appointment was saved.")
    warn_of_conflicts(request, actor, [details.id])
    return agenda_url(actor, slot.day)


def warn_of_conflicts(request: HttpRequest, actor: Actor, appointment_ids: Collection[UUID]) -> None:
    """Say who is in two places now. Nothing is refused for it."""
    found = queries.conflicts_of(actor, appointment_ids)
    if not found:
        return
    named = "; ".join(f"{us_date(each.day)}: {each.words}" for each in found[:_MOST_NAMED])
    more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    messages.warning(request, f"It was saved, and there is a conflict. {named}{more}.")

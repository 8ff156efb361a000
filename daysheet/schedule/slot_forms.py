"""The forms of a slot: when, where, who."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django import forms
from django.http import QueryDict

from daysheet.practices.actor import Actor
from daysheet.web.fields import DayField, IdInAdvance

from . import queries
from .rules import PLACE_NAMES, place_words
from .slot_rules import MOST_MINUTES, Slot

#: Empty is the location's own.
PLACES = (("", "The location's"), *((code, f"{code} {name}") for code, name in PLACE_NAMES.items()))


class MoveForm(forms.Form):
    """When, where and with whom an appointment takes place. A field that is not sent stays as it is."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    day = DayField(label="Date")
    at = forms.TimeField(
        label="Start",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        input_formats=["%H:%M", "%I:%M %p"],
    )
    minutes = forms.IntegerField(label="Minutes", min_value=1, max_value=MOST_MINUTES)
    staff = forms.ChoiceField(label="Provider")
    location = forms.ChoiceField(label="Location")

    def __init__(self, sent: QueryDict | None, *, actor: Actor, details: queries.AppointmentDetails) -> None:
        as_it_is = {**details.initial, "at": f"{details.slot.at:%H:%M}", "day": details.slot.day.isoformat()}
        super().__init__({**as_it_is, "version": "", **sent.dict()} if sent else None, initial=details.initial)
        self.before = details.slot
        _offer(self, actor, details)

    @property
    def slot(self) -> Slot:
        """The slot after the move, once valid."""
        typed = self.cleaned_data
        return replace(
            self.before,
            day=typed["day"],
            at=typed["at"],
            minutes=typed["minutes"],
            staff_member_id=UUID(typed["staff"]),
            location_id=UUID(typed["location"]),
        )


class SlotForm(forms.Form):
    """Everything about a slot, of a new appointment or of one that is there."""

    appointment_id = IdInAdvance(required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    day = DayField(label="Date")
    at = forms.TimeField(
        label="Start",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        input_formats=["%H:%M", "%I:%M %p"],
    )
    minutes = forms.IntegerField(label="Minutes", min_value=1, max_value=MOST_MINUTES, initial=50)
    staff = forms.ChoiceField(label="Provider")
    location = forms.ChoiceField(label="Location")
    place_of_service = forms.ChoiceField(label="Place of service", required=False, choices=PLACES)
    title = forms.CharField(label="Title", required=False, max_length=80, help_text="For a group: what people call it.")
    group_limit = forms.IntegerField(
        label="Group size limit",
        required=False,
        min_value=2,
        max_value=999,
        help_text="More clients are warned of, never refused.",
    )

    def __init__(
        self, *args: Any, actor: Actor, details: queries.AppointmentDetails | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, actor, details)
        own = details.slot.place_of_service if details else ""
        if own and own not in PLACE_NAMES:
            self.fields["place_of_service"].choices = [*PLACES, (own, f"{own} {place_words(own, '')}")]  # type: ignore[attr-defined]

    @property
    def slot(self) -> Slot:
        """What was typed, once valid."""
        typed = self.cleaned_data
        return Slot(
            day=typed["day"],
            at=typed["at"],
            minutes=typed["minutes"],
            staff_member_id=UUID(typed["staff"]),
            location_id=UUID(typed["location"]),
            place_of_service=typed["place_of_service"],
            title=typed["title"],
            group_limit=typed["group_limit"],
        )


def _offer(form: forms.Form, actor: Actor, details: queries.AppointmentDetails | None) -> None:
    """The active providers and locations, and whom and what an appointment has already, active or not."""
    staff, locations = queries.staff_choices(actor), queries.location_choices(actor)
    if details:
        staff = _with(staff, details.slot.staff_member_id, details.staff_name)
        locations = _with(locations, details.slot.location_id, details.location_name)
    for name, choices in (("staff", staff), ("location", locations)):
        form.fields[name].choices = [("", "Choose"), *((str(key), label) for key, label in choices)]  # type: ignore[attr-defined]


def _with(choices: Sequence[tuple[UUID, str]], key: UUID, name: str) -> list[tuple[UUID, str]]:
    is_there = any(key == each for each, _ in choices)
    return [*choices] if is_there else [*choices, (key, f"{name} (not active)")]

"""The forms of series: how an appointment repeats, which of its series an edit speaks of, how long it goes on."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from daysheet.web.fields import DayField, IdInAdvance

from .models import Visit
from .series_outcome import Scope
from .series_rules import MOST_DATES, MOST_EVERY, SUNDAY, WEEKDAYS, Frequency, Repeat, Terms, begin

_FREQUENCIES = (
    ("", "Does not repeat"),
    (Frequency.DAILY.value, "Daily"),
    (Frequency.WEEKLY.value, "Weekly"),
    (Frequency.MONTHLY_DAY.value, "Monthly, on the same day of the month"),
    (Frequency.MONTHLY_WEEKDAY.value, "Monthly, on the same weekday"),
)
_FROM_SUNDAY = [(str(day), WEEKDAYS[day]) for day in (SUNDAY, *range(SUNDAY))]
SCOPES = (
    (Scope.THIS.value, "This appointment"),
    (Scope.FOLLOWING.value, "This and following"),
    (Scope.FUTURE.value, "All future"),
)


class RepeatForm(forms.Form):
    """How a new appointment repeats (S3); nothing chosen is an appointment of its own."""

    repeats = forms.ChoiceField(label="Repeats", required=False, choices=_FREQUENCIES)
    every = forms.IntegerField(
        label="Every",
        required=False,
        min_value=1,
        max_value=MOST_EVERY,
        initial=1,
        help_text="1: every day, week or month. 2: every other one.",
    )
    weekdays = forms.MultipleChoiceField(
        label="On",
        required=False,
        choices=_FROM_SUNDAY,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: the weekday of the first appointment.",
    )
    until_on = DayField(label="Until", required=False, help_text="Or a number of appointments. At most two years.")
    count = forms.IntegerField(label="Number of appointments", required=False, min_value=2, max_value=MOST_DATES)

    def repeat(self, starts_on: date) -> Repeat | None:
        """The rule, once valid. Raises SeriesRefused."""
        typed = self.cleaned_data
        if not typed["repeats"]:
            return None
        return begin(
            Frequency(typed["repeats"]),
            starts_on,
            every=typed["every"] or 1,
            weekdays=[int(day) for day in typed["weekdays"]],
            until_on=typed["until_on"],
            count=typed["count"],
        )


class RepetitionForm(RepeatForm):
    """How often a series is to repeat from an appointment on. `shown`: what was seen before (Matching.token)."""

    series_id = IdInAdvance()
    version = forms.IntegerField(widget=forms.HiddenInput)
    shown = forms.CharField(widget=forms.HiddenInput, required=False)
    repeats = forms.ChoiceField(label="Repeats", choices=_FREQUENCIES[1:])
    count = forms.IntegerField(
        label="Number of appointments",
        required=False,
        min_value=1,
        max_value=MOST_DATES,
        help_text="From the first of those that change.",
    )

    @staticmethod
    def initial_of(repeat: Repeat, last_on: date) -> dict[str, Any]:
        """How it repeats as it is, until its last date."""
        return {
            "repeats": repeat.frequency.value,
            "every": repeat.every,
            "weekdays": [str(day) for day in repeat.weekdays] if repeat.frequency is Frequency.WEEKLY else [],
            "until_on": last_on,
        }

    @property
    def terms(self) -> Terms:
        """What was asked, once valid."""
        typed = self.cleaned_data
        return Terms(
            Frequency(typed["repeats"]),
            every=typed["every"] or 1,
            weekdays=frozenset(int(day) for day in typed["weekdays"]),
            until_on=typed["until_on"],
            count=typed["count"],
        )


class ScopeForm(forms.Form):
    """Which appointments of a series an edit speaks of. Nothing said is this one."""

    scope = forms.ChoiceField(required=False, choices=SCOPES, initial=Scope.THIS.value)

    @property
    def chosen(self) -> Scope:
        """The scope that was sent; nonsense is this one."""
        return Scope(self.cleaned_data["scope"] or Scope.THIS) if self.is_valid() else Scope.THIS


class CancelForm(forms.Form):
    """Canceling appointments: who initiated it, and for the client's part, why no fee is charged."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    initiated_by = forms.ChoiceField(
        label="Initiated by",
        choices=Visit.InitiatedBy.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say who initiated it: the client or the practice."},
    )
    waived_reason = forms.CharField(
        label="Waive fee: reason",
        required=False,
        max_length=200,
        help_text="Needed where the practice has a fee for Canceled and the client initiated it.",
    )
    notice_in_time = forms.BooleanField(label="The client canceled in time; it is only entered now", required=False)
    with_apart = forms.BooleanField(label="Also those that were changed on their own", required=False, initial=True)


class ExtendForm(forms.Form):
    """How far a series goes on."""

    series_id = IdInAdvance()
    last_on = DayField(widget=forms.HiddenInput)
    until_on = DayField(label="Until", required=False)
    count = forms.IntegerField(
        label="Or number of appointments more", required=False, min_value=1, max_value=MOST_DATES
    )

    @property
    def asked(self) -> dict[str, Any]:
        """What the action takes, once valid."""
        return {name: self.cleaned_data[name] for name in ("series_id", "last_on", "until_on", "count")}

"""The shapes of the schedule's forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from .models import Visit, VisitStatus

Choices = Sequence[tuple[UUID, str]]


class AgendaFilterForm(forms.Form):
    """Whose day, and where."""

    staff = forms.ChoiceField(label="Staff", required=False)
    location = forms.ChoiceField(label="Location", required=False)

    def __init__(self, *args: Any, staff: Choices, locations: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["staff"].choices = [("", "Everybody"), *((str(key), name) for key, name in staff)]  # type: ignore[attr-defined]
        self.fields["location"].choices = [("", "Everywhere"), *((str(key), name) for key, name in locations)]  # type: ignore[attr-defined]


class StatusForm(forms.Form):
    """A change of status: what, who initiated it, and what becomes of the fee (S1)."""

    status = forms.ChoiceField(label="Status", choices=VisitStatus.choices)
    initiated_by = forms.ChoiceField(
        label="Initiated by", required=False, choices=[("", "Not said"), *Visit.InitiatedBy.choices]
    )
    charge_fee = forms.BooleanField(
        label="Charge the fee",
        required=False,
        help_text="For No Show, Late Cancel and Canceled: bills the practice's fee service instead of the visit.",
    )
    fee_waived_reason = forms.CharField(
        label="Waive fee: reason", required=False, max_length=200, help_text="Needed where no fee is charged."
    )

"""The shapes of the schedule's forms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from daysheet.web.fields import IdInAdvance

from .models import CancellationPolicy, Visit, VisitStatus

Choices = Sequence[tuple[UUID, str]]
#: The statuses that may have a fee, in the order people read them.
PRICED = (VisitStatus.NO_SHOW.value, VisitStatus.LATE_CANCEL.value, VisitStatus.CANCELED.value)


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

    status = forms.ChoiceField(label="Status", choices=VisitStatus.choices, widget=forms.RadioSelect)
    initiated_by = forms.ChoiceField(
        label="Initiated by", required=False, choices=Visit.InitiatedBy.choices, widget=forms.RadioSelect
    )
    notice_in_time = forms.BooleanField(label="The client canceled in time; it is only entered now", required=False)
    fee = forms.ChoiceField(
        label="Fee",
        required=False,
        choices=[("", "As the cancellation policy says"), ("charge", "Charge the fee"), ("waive", "Waive fee")],
        widget=forms.RadioSelect,
    )
    fee_waived_reason = forms.CharField(label="Reason for waiving", required=False, max_length=200)

    @property
    def change(self) -> dict[str, Any]:
        """What the action takes, once valid: a reason counts only where the fee is waived."""
        typed = self.cleaned_data
        waived = typed["fee_waived_reason"] if typed["fee"] == "waive" else ""
        return {
            "status": typed["status"],
            "initiated_by": typed["initiated_by"],
            "notice_in_time": typed["notice_in_time"],
            "charge_fee": {"charge": True, "waive": False}.get(typed["fee"]),
            "fee_waived_reason": waived,
        }


class PolicyForm(forms.Form):
    """The cancellation policy: a notice, and for each status its fee and how it is charged (S1)."""

    notice_hours = forms.IntegerField(
        label="Hours of notice",
        min_value=0,
        max_value=720,
        help_text="A client who cancels with less notice is a Late Cancel. 0: a cancellation is never late.",
    )

    def __init__(self, *args: Any, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = [("", "No fee"), *((str(key), label) for key, label in services)]
        for status in PRICED:
            label = VisitStatus(status).label
            self.fields[f"{status}_fee"] = forms.ChoiceField(label=f"{label} fee", required=False, choices=chosen)
            self.fields[f"{status}_charge"] = forms.ChoiceField(
                label=f"{label}: charged", choices=CancellationPolicy.Charge.choices
            )

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """Fee and charge of each status, side by side."""
        return [(self[f"{status}_fee"], self[f"{status}_charge"]) for status in PRICED]

    @property
    def policy(self) -> dict[str, Any]:
        """What the action takes, once valid."""
        typed = self.cleaned_data
        fees = {status: typed[f"{status}_fee"] for status in PRICED}
        return {
            "notice_hours": typed["notice_hours"],
            "charges": {status: typed[f"{status}_charge"] for status in PRICED},
            "fees": {status: UUID(fee) if fee else None for status, fee in fees.items()},
        }


class FeedForm(forms.Form):
    """A new address for other calendars."""

    feed_id = IdInAdvance()
    shows_initials = forms.BooleanField(
        label="Show clients’ initials",
        required=False,
        help_text="Off: an appointment is called “Appointment”. Whoever has the address can read what it shows.",
    )

"""The shape of what is typed about automation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from daysheet.clients.models import Client
from daysheet.invoicing.models import Batch
from daysheet.web.fields import DayField, DayRangeForm, IdInAdvance

from .models import ExclusionRule

#: (id, name) pairs for a drop-down.
Choices = Sequence[tuple[UUID, str]]


class PlanForm(forms.Form):
    """The switches. `seen_version` says which settings were on the page when it was opened."""

    creates_invoices = forms.BooleanField(
        label="Create invoices", required=False, help_text="The night after a date of service."
    )
    queues_claims = forms.BooleanField(
        label="Queue claims",
        required=False,
        help_text="The night after an invoice was made, so that there is a day to review it.",
    )
    starts_on = DayField(
        label="Start date", help_text="Dates of service and invoices before this day are left to people."
    )
    look_back_days = forms.IntegerField(
        label="Look back, in days",
        min_value=1,
        max_value=60,
        help_text="What was not ready on its night is looked for again so long.",
    )
    grouping = forms.ChoiceField(label="Invoices", choices=Batch.Grouping.choices, widget=forms.RadioSelect)
    recipients = forms.TypedMultipleChoiceField(
        label="Morning summary to",
        required=False,
        coerce=UUID,
        widget=forms.CheckboxSelectMultiple,
        help_text="By e-mail: counts and totals and a link, no names and nothing of health.",
    )
    seen_version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, recipients: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["recipients"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(str(key), name) for key, name in recipients]


class ExclusionForm(DayRangeForm):
    """A rule to be. Empty conditions do not matter."""

    note = forms.CharField(
        label="Why", max_length=200, help_text="Shown wherever the rule leaves something out.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    for_invoices = forms.BooleanField(label="Leave out of Create invoices", required=False, initial=True)
    for_claims = forms.BooleanField(label="Leave out of Queue claims", required=False, initial=True)
    payer = forms.TypedChoiceField(label="Insurer", required=False, coerce=UUID, empty_value=None)
    staff_member = forms.TypedChoiceField(label="Staff", required=False, coerce=UUID, empty_value=None)
    service_type = forms.TypedChoiceField(label="Service type", required=False, coerce=UUID, empty_value=None)
    pays_by = forms.ChoiceField(label="Pays by", required=False, choices=[("", "Any"), *Client.PaysBy.choices])
    status = forms.ChoiceField(label="Status", required=False, choices=[("", "Any"), *ExclusionRule.Status.choices])
    from_on = DayField(label="Dates of service from", required=False)
    to_on = DayField(label="Dates of service to", required=False)
    exclusion_id = IdInAdvance()

    def __init__(self, *args: Any, payers: Choices, staff: Choices, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("payer", payers), ("staff_member", staff), ("service_type", services)):
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices = [("", "Any"), *((str(key), label) for key, label in choices)]

    def clean(self) -> dict[str, Any]:
        """The constraints of the table, in words."""
        cleaned = super().clean()
        if self.errors:
            return cleaned
        if not (cleaned["for_invoices"] or cleaned["for_claims"]):
            self.add_error("for_invoices", "Tick at least one of the two: a rule for nothing leaves nothing out.")
        if cleaned["payer"] and cleaned["pays_by"] == Client.PaysBy.SELF:
            self.add_error("pays_by", "A client who pays by self has no insurer in play: choose one of the two.")
        if not any(cleaned[name] for name in _CONDITIONS):
            raise forms.ValidationError(
                "Give at least one condition. To leave everything to people, switch automation off instead."
            )
        return cleaned

    @property
    def conditions(self) -> dict[str, Any]:
        """What the action is given beside id and note."""
        typed = self.cleaned_data
        ids = {f"{name}_id": typed[name] for name in ("payer", "staff_member", "service_type")}
        plain = ("for_invoices", "for_claims", "pays_by", "status", "from_on", "to_on")
        return ids | {name: typed[name] for name in plain}


_CONDITIONS = ("payer", "staff_member", "service_type", "pays_by", "status", "from_on", "to_on")

"""The shape of what is typed about licences."""

from __future__ import annotations

from django import forms

from daysheet.web.fields import DayField, IdInAdvance, MoneyField


class AssignForm(forms.Form):
    """The confirm step: what was shown (year and fee) is sent along, so that nobody confirms something else."""

    paid_on = DayField(label="Date paid", required=False, help_text="When the AMA was paid. May be filled in later.")
    reference = forms.CharField(label="Reference", max_length=60, required=False, help_text="Order or check number.")
    license_id = IdInAdvance()
    year = forms.IntegerField(widget=forms.HiddenInput)
    confirmed_fee_cents = forms.IntegerField(widget=forms.HiddenInput)


class CorrectForm(forms.Form):
    """What was paid to the AMA."""

    fee_cents = MoneyField(label="Fee")
    paid_on = DayField(label="Date paid", required=False)
    reference = forms.CharField(label="Reference", max_length=60, required=False)

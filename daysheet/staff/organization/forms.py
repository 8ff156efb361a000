"""The shape of what is typed about the practice and its locations."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

from django import forms

from daysheet.kit.npi import is_npi
from daysheet.practices.rules import is_tax_id, normal_tax_id, time_zone_order
from daysheet.web.fields import IdInAdvance, MoneyField

_STATE = re.compile(r"^[A-Z]{2}$")
_ZIP = re.compile(r"^[0-9]{5}(-[0-9]{4})?$")


class NpiField(forms.CharField):
    """A National Provider Identifier, its check digit included."""

    def __init__(self, **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
        super().__init__(**{"label": "NPI", "max_length": 10, "widget": widget, **options})

    def clean(self, value: Any) -> Any:
        npi = super().clean(value)
        if npi and not is_npi(npi):
            raise forms.ValidationError("This is not an NPI: ten digits whose last one is a check digit.")
        return npi


class AddressForm(forms.Form):
    """An address in the United States, and a phone."""

    phone = forms.CharField(label="Phone", max_length=20, required=False)
    address_1 = forms.CharField(label="Address", max_length=80, required=False)
    address_2 = forms.CharField(label="Address, second line", max_length=80, required=False)
    city = forms.CharField(label="City", max_length=60, required=False)
    state = forms.CharField(label="State", max_length=2, required=False, help_text="Two letters, such as NY.")
    postal_code = forms.CharField(label="ZIP code", max_length=10, required=False)

    def clean_state(self) -> str:
        """Two letters in capitals."""
        state: str = self.cleaned_data["state"].upper()
        if state and not _STATE.match(state):
            raise forms.ValidationError("Use the two letters of the state, such as NY.")
        return state

    def clean_postal_code(self) -> str:
        """Five digits, or nine with a hyphen."""
        code: str = self.cleaned_data["postal_code"]
        if code and not _ZIP.match(code):
            raise forms.ValidationError("Use five digits, or nine as in 12345-6789.")
        return code


class PracticeForm(AddressForm):
    """Organization, Settings."""

    name = forms.CharField(label="Practice name", max_length=120)
    legal_name = forms.CharField(
        label="Legal name", max_length=120, required=False, help_text="As the IRS and the insurers know it."
    )
    npi = NpiField(required=False, help_text="The organization's own (type 2), used as billing provider.")
    tax_id = forms.CharField(label="Tax ID", max_length=11, required=False, help_text="EIN, such as 12-3456789.")
    time_zone = forms.ChoiceField(
        label="Time zone",
        choices=lambda: [(name, name.replace("_", " ")) for name in time_zone_order(available_timezones())],
        help_text="Days of service, licenses and reports follow it.",
    )
    cpt_license_fee_cents = MoneyField(
        label="AMA CPT license fee", help_text="For one person and calendar year, as the AMA told you."
    )
    field_order = ("name", "legal_name", "npi", "tax_id")

    def clean_tax_id(self) -> str:
        """An EIN or a social security number."""
        tax_id: str = self.cleaned_data["tax_id"].strip()
        if tax_id and not is_tax_id(tax_id):
            raise forms.ValidationError("Use nine digits: 12-3456789 for an EIN, 123-45-6789 for a person's number.")
        return normal_tax_id(tax_id) if tax_id else ""


class SignInRulesForm(forms.Form):
    """Organization, Settings, Signing in."""

    requires_two_step = forms.BooleanField(
        label="Everybody needs a second step",
        required=False,
        help_text="An authenticator app or a passkey beside the password. Who has none is led to set one up before "
        "anything else, from their next page on.",
    )
    idle_minutes = forms.IntegerField(
        label="Minutes until the password is asked for again",
        min_value=5,
        max_value=480,
        error_messages=dict.fromkeys(
            ("min_value", "max_value", "invalid", "required"), "Use a whole number from 5 to 480."
        ),
        help_text="After so long without a click. What was typed in a form is kept.",
    )


class LocationForm(AddressForm):
    """A location as it is edited."""

    name = forms.CharField(label="Name", max_length=80)
    place_of_service = forms.RegexField(
        r"^[0-9]{2}$",
        label="Place of service",
        max_length=2,
        initial="11",
        help_text="Two digits (CMS-1500 box 24B), such as 11 for an office or 10 for telehealth at home.",
        error_messages={"invalid": "Use the two digits of the place of service, such as 11."},
    )
    npi = NpiField(required=False, help_text="Only if the location has one of its own.")
    is_active = forms.BooleanField(label="Active", required=False, initial=True)
    field_order = ("name", "place_of_service", "npi", "phone")


class NewLocationForm(LocationForm):
    """A location that is being added."""

    location_id = IdInAdvance()

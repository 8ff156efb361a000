"""The short forms of the first hour: what a first invoice needs and no more. The rest stands on each thing's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from daysheet.clients.forms import NewClientForm
from daysheet.schedule.rules import PLACE_NAMES
from daysheet.schedule.slot_forms import SlotForm
from daysheet.schedule.slot_rules import Slot
from daysheet.services.forms import NewServiceTypeForm
from daysheet.staff.organization.forms import NpiField, PracticeForm
from daysheet.web.fields import DayField, IdInAdvance, MoneyField

#: (id, name) pairs for a drop-down.
Choices = Sequence[tuple[UUID, str]]


class _Short(forms.Form):
    """A form that keeps some fields of a longer one; whoever types begins in the first that is empty."""

    kept: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in [each for each in self.fields if each not in self.kept]:
            del self.fields[name]
        for name in self.needed:
            if name in self.fields:
                self.fields[name].required = True
        self.order_fields(list(self.kept))
        visible = [field.name for field in self.visible_fields()]
        empty = [name for name in visible if not self.get_initial_for_field(self.fields[name], name)]
        self.fields[(empty or visible)[0]].widget.attrs["autofocus"] = True


class PracticeStepForm(_Short, PracticeForm):
    """What stands on an invoice, and the first location."""

    kept = (
        *("name", "time_zone", "npi", "tax_id", "phone", "address_1", "address_2", "city", "state", "postal_code"),
        *("location_name", "place_of_service", "location_id"),
    )
    needed = ("npi", "tax_id", "address_1", "city", "state", "postal_code")
    location_name = forms.CharField(
        label="Where you see clients", max_length=80, initial="Main office", help_text="The first location’s name."
    )
    place_of_service = forms.ChoiceField(
        label="Place of service", initial="11", choices=[(code, f"{code} {name}") for code, name in PLACE_NAMES.items()]
    )
    location_id = IdInAdvance()

    def __init__(self, *args: Any, asks_location: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["npi"].help_text = "The practice’s own, or yours where you practice alone."
        if not asks_location:
            del self.fields["location_name"], self.fields["place_of_service"]


class ServiceStepForm(_Short, NewServiceTypeForm):
    """A service type with the usual units: one, whatever the length."""

    kept = ("kind", "code", "name", "rate_cents", "default_minutes", "service_type_id")


class ProviderStepForm(forms.Form):
    """Oneself as a provider, and the licence where something is CPT-coded."""

    credentials = forms.CharField(
        label="Credentials", max_length=40, required=False, help_text="As printed after your name, such as LCSW.",
        widget=forms.TextInput(attrs={"autofocus": True}),
    )  # fmt: skip
    npi = NpiField(label="Your NPI", help_text="Your own (type 1), ten digits.")
    assigns_license = forms.BooleanField(required=False, initial=True)
    fee_cents = MoneyField(label="Fee of the AMA for the year", required=False, help_text="As the AMA told you.")
    paid_on = DayField(label="Date paid", required=False, help_text="May be filled in later.")
    reference = forms.CharField(label="Reference", max_length=60, required=False)
    license_id = IdInAdvance()

    def __init__(self, *args: Any, year: int, asks_license: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["assigns_license"].label = f"I hold the AMA CPT license for {year}"
        self.fields["assigns_license"].help_text = "CPT-coded services cannot be billed without it."
        if not asks_license:
            for name in ("assigns_license", "fee_cents", "paid_on", "reference"):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """A licence has a fee, even if it is nothing (L4)."""
        cleaned = super().clean() or {}
        if cleaned.get("assigns_license") and cleaned.get("fee_cents") is None and "fee_cents" not in self.errors:
            self.add_error("fee_cents", "Enter the fee for the year, or untick the license. 0 if you paid nothing.")
        return cleaned


class ClientStepForm(_Short, NewClientForm):
    """Who the client is."""

    kept = ("first_name", "last_name", "birth_on", "mobile", "email", "client_id")


class AppointmentStepForm(_Short, SlotForm):
    """When, with whom, for what."""

    kept = ("client", "service", "staff", "location", "day", "at", "minutes", "appointment_id")
    client = forms.TypedChoiceField(label="Client", coerce=UUID)
    service = forms.TypedChoiceField(label="Service type", coerce=UUID)

    def __init__(self, *args: Any, clients: Choices, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, choices in (("client", clients), ("service", services)):
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)
            field.choices = [(str(key), label) for key, label in choices]

    @property
    def slot(self) -> Slot:
        """What was typed, once valid."""
        typed = self.cleaned_data
        return Slot(typed["day"], typed["at"], typed["minutes"], UUID(typed["staff"]), UUID(typed["location"]))

"""The shape of what is typed on the pages of service types and of a client's agreements."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from daysheet.web.fields import IdInAdvance, MoneyField

from .models import ServiceType
from .rules import modifiers_from

#: (id, label) pairs for a drop-down.
Choices = list[tuple[UUID, str]]


class ServiceTypeForm(forms.Form):
    """A service type. Codes and names are the practice's own: none are shipped (L6)."""

    kind = forms.ChoiceField(label="Kind", choices=ServiceType.Kind.choices)
    code = forms.CharField(label="Code", max_length=20)
    name = forms.CharField(label="Name", max_length=120, help_text="As invoices show it.")
    rate_cents = MoneyField(label="Rate per unit")
    unit_rule = forms.ChoiceField(label="Units", choices=ServiceType.UnitRule.choices, widget=forms.RadioSelect)
    unit_count = forms.IntegerField(
        label="n units, or m minutes",
        min_value=1,
        max_value=1440,
        help_text="A unit of m minutes counts once more than half of it has passed; there is always at least one.",
    )
    default_minutes = forms.IntegerField(label="Usual length in minutes", min_value=1, max_value=1440)
    modifiers = forms.CharField(
        label="Modifiers", max_length=20, required=False, help_text="Up to four, of two characters each: 95, HJ."
    )
    bills_insurance = forms.BooleanField(
        label="Bills insurance",
        required=False,
        help_text="Off: the whole amount is the client’s, whatever the coverage.",
    )
    is_no_show_fee = forms.BooleanField(
        label="No Show fee", required=False, help_text="Offered when a visit becomes No Show. Non-CPT only."
    )
    is_late_cancel_fee = forms.BooleanField(
        label="Late Cancel fee", required=False, help_text="Offered when a visit becomes Late Cancel. Non-CPT only."
    )
    is_canceled_fee = forms.BooleanField(
        label="Canceled fee", required=False, help_text="Offered when a visit is canceled in time. Non-CPT only."
    )

    def clean_modifiers(self) -> tuple[str, ...]:
        """The modifiers as they are kept."""
        modifiers = modifiers_from(self.cleaned_data["modifiers"])
        if modifiers is None:
            raise forms.ValidationError("Enter up to four different modifiers of two characters each, such as 95, HJ.")
        return modifiers


class NewServiceTypeForm(ServiceTypeForm):
    """A service type to be."""

    service_type_id = IdInAdvance()


class ServiceTypeFilterForm(forms.Form):
    """The filters of the list of service types."""

    q = forms.CharField(label="Code or name", max_length=80, required=False)
    show = forms.ChoiceField(
        label="Show", required=False, choices=[("", "In use"), ("archived", "Archived"), ("all", "All")]
    )

    @property
    def archived(self) -> bool | None:
        """What `show` means for a query."""
        return {"": False, "archived": True}.get(str(self.data.get("show", "")))


class AgreementForm(forms.Form):
    """What is agreed with a client about one service."""

    is_default = forms.BooleanField(
        label="Default service", required=False, help_text="New appointments of the client begin with it."
    )
    set_payment_amount_cents = MoneyField(
        label="Set Payment Amount", required=False, help_text="Per unit, instead of the service’s rate."
    )

    def clean(self) -> dict[str, Any]:
        """One of the two must be said: to take an agreement back there is Remove."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["is_default"] and cleaned["set_payment_amount_cents"] is None:
            raise forms.ValidationError("Tick Default service, or enter an amount.")
        return cleaned


class NewAgreementForm(AgreementForm):
    """An agreement about a service to be chosen."""

    service_type_id = forms.TypedChoiceField(label="Service type", coerce=UUID)

    field_order = ("service_type_id",)

    def __init__(self, *args: Any, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["service_type_id"].choices = [("", "Choose…"), *services]  # type: ignore[attr-defined]


def initial_of(service: ServiceType) -> dict[str, Any]:
    """What the form that edits a service type begins with."""
    facts = {name: getattr(service, name) for name in ServiceTypeForm.base_fields}
    return facts | {"modifiers": ", ".join(service.modifiers)}

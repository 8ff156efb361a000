"""What is typed for a Good Faith Estimate."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from daysheet.clients.rules import diagnosis_code
from daysheet.invoicing.queries.choices import provider_choices
from daysheet.practices.actor import Actor
from daysheet.practices.models import Location
from daysheet.services.models import ServiceType
from daysheet.web.fields import DayField, IdInAdvance, MoneyField

from .actions import EstimateTerms, ExpectedService
from .proposal import Proposal


class EstimateForm(forms.Form):
    """The estimate but for its services."""

    estimate_id = IdInAdvance()
    first_on = DayField(label="First date of service")
    last_on = DayField(label="Last date of service", help_text="At most twelve months after the first.")
    scheduled_on = DayField(
        label="Scheduled for", required=False, help_text="The primary service’s day, if it is scheduled."
    )
    location_id = forms.ChoiceField(label="Location")
    description = forms.CharField(
        label="Primary service", max_length=400, help_text="In words that the client understands."
    )
    recurrence = forms.CharField(
        label="How often",
        max_length=200,
        required=False,
        help_text="Such as “weekly, 12 sessions”.",
    )
    diagnosis_codes = forms.CharField(
        label="Diagnosis codes",
        max_length=120,
        required=False,
        help_text="ICD-10-CM, with commas; none yet is fine.",
    )
    separately = forms.CharField(
        label="To be scheduled separately", max_length=400, required=False,
        widget=forms.Textarea(attrs={"rows": 2}), help_text="What is expected before or after these services.",
    )  # fmt: skip

    def __init__(self, sent: Any, *, proposal: Proposal) -> None:
        initial = {
            "first_on": proposal.first_on, "last_on": proposal.last_on, "scheduled_on": proposal.scheduled_on,
            "location_id": str(proposal.location_id or ""), "description": proposal.description,
            "recurrence": proposal.recurrence, "diagnosis_codes": ", ".join(proposal.diagnosis_codes),
        }  # fmt: skip
        super().__init__(sent, initial=initial)
        active = Location.objects.filter(is_active=True).order_by("name", "pk")
        places = [(str(place.pk), place.name) for place in active]
        location = self.fields["location_id"]
        assert isinstance(location, forms.ChoiceField)
        location.choices = [("", "Choose a location"), *places]

    def clean_diagnosis_codes(self) -> tuple[str, ...]:
        """Codes in their usual spelling."""
        typed = [part.strip() for part in self.cleaned_data["diagnosis_codes"].split(",") if part.strip()]
        codes = [(part, diagnosis_code(part)) for part in typed]
        wrong = [part for part, code in codes if code is None]
        if wrong:
            raise forms.ValidationError(f"{', '.join(wrong)} is no ICD-10-CM code such as F41.1.")
        return tuple(code for _, code in codes if code)

    def terms(self) -> EstimateTerms:
        """Of a valid form."""
        typed = self.cleaned_data
        return EstimateTerms(
            first_on=typed["first_on"], last_on=typed["last_on"], description=typed["description"],
            location_id=UUID(typed["location_id"]), scheduled_on=typed["scheduled_on"],
            recurrence=typed["recurrence"], separately=typed["separately"], diagnosis_codes=typed["diagnosis_codes"],
        )  # fmt: skip


class ExpectedForm(forms.Form):
    """One service that is expected; an empty row counts for nothing."""

    service_type = forms.ChoiceField(label="Service")
    staff_member = forms.ChoiceField(label="Provider")
    quantity = forms.IntegerField(label="Quantity", min_value=1, max_value=1000)
    # Not required as a field: an amount that is missing would count as a change of an empty row.
    unit_cents = MoneyField(label="Each", required=False)

    def __init__(
        self, *args: Any, services: list[tuple[str, str]], providers: list[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        for name, choices in (("service_type", services), ("staff_member", providers)):
            chosen = self.fields[name]
            assert isinstance(chosen, forms.ChoiceField)
            chosen.choices = [("", "Choose"), *choices]
        self.empty_permitted = True
        self.use_required_attribute = False

    def clean_unit_cents(self) -> int:
        """A row that is filled in has a price."""
        cents: int | None = self.cleaned_data["unit_cents"]
        if cents is None:
            raise forms.ValidationError("Enter what one of it costs.")
        return cents

    def expected(self) -> ExpectedService:
        """Of a valid row that was filled in."""
        typed = self.cleaned_data
        return ExpectedService(
            UUID(typed["service_type"]), UUID(typed["staff_member"]), typed["quantity"], typed["unit_cents"]
        )


#: More services than any estimate lists.
MOST_SERVICES = 20
ExpectedFormSet = forms.formset_factory(ExpectedForm, extra=1, max_num=MOST_SERVICES, absolute_max=MOST_SERVICES)


def expected_forms(actor: Actor, sent: Any, proposal: Proposal) -> Any:
    """The rows of services, beginning with those of the appointments ahead."""
    types = ServiceType.objects.filter(archived_at=None).order_by("code", "pk")
    choices = {
        "services": [(str(each.pk), each.label) for each in types],
        "providers": [(str(pk), name) for pk, name in provider_choices(actor)],
    }
    initial = [
        {
            "service_type": str(each.service_type_id), "staff_member": str(each.staff_member_id or ""),
            "quantity": each.quantity, "unit_cents": each.unit_cents,
        }
        for each in proposal.services[:MOST_SERVICES]
    ]  # fmt: skip
    return ExpectedFormSet(sent, prefix="services", initial=None if sent else initial, form_kwargs=choices)


class RequestForm(forms.Form):
    """That a client asked for an estimate."""

    request_id = IdInAdvance()
    requested_on = DayField(label="Asked on")

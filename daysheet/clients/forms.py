"""The shape of what is typed on the pages of clients. What it means is decided in `actions` and `rules`."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms

from daysheet.web.fields import DayField, IdInAdvance, MoneyField

from .models import Client, ClientIncome, Coverage, Payer

#: (id, name) pairs for a drop-down.
Choices = list[tuple[UUID, str]]
_STATE = re.compile(r"^[A-Za-z]{2}$")


class AddressForm(forms.Form):
    """An address in the United States."""

    address_1 = forms.CharField(label="Address", max_length=80, required=False)
    address_2 = forms.CharField(label="Address, second line", max_length=80, required=False)
    city = forms.CharField(label="City", max_length=60, required=False)
    state = forms.CharField(label="State", max_length=2, required=False, help_text="Two letters, such as NY.")
    postal_code = forms.CharField(label="ZIP code", max_length=10, required=False)

    def clean_state(self) -> str:
        """Two letters in capitals."""
        state: str = self.cleaned_data["state"]
        if state and not _STATE.match(state):
            raise forms.ValidationError("Use the two letters of the state, such as NY.")
        return state.upper()


class ClientForm(AddressForm):
    """A client's own facts."""

    first_name = forms.CharField(label="First name", max_length=60)
    middle_name = forms.CharField(label="Middle name", max_length=60, required=False)
    last_name = forms.CharField(label="Last name", max_length=60)
    preferred_name = forms.CharField(
        label="Preferred name",
        max_length=60,
        required=False,
        help_text="Shown on every page instead of the first name.",
    )
    print_preferred_name = forms.BooleanField(label="Print the preferred name on documents", required=False)
    birth_on = DayField(label="Birth date", required=False)
    sex = forms.ChoiceField(
        label="Sex on insurance", required=False, choices=[("", "–"), ("F", "Female"), ("M", "Male"), ("U", "Unknown")]
    )
    email = forms.EmailField(label="E-mail", max_length=254, required=False)
    documents_by = forms.ChoiceField(
        label="Invoices and statements", required=False, choices=[("", "No preference"), *Client.DocumentsBy.choices],
        help_text="Batches that follow each client’s preference go by this. No preference: by e-mail where possible.",
    )  # fmt: skip
    mobile = forms.CharField(label="Mobile phone", max_length=20, required=False)
    phone = forms.CharField(label="Other phone", max_length=20, required=False)

    field_order = (
        *("first_name", "middle_name", "last_name", "preferred_name", "print_preferred_name"),
        *("birth_on", "sex", "email", "documents_by", "mobile", "phone"),
    )


class NewClientForm(ClientForm):
    """A client to be."""

    client_id = IdInAdvance()


class ClientFilterForm(forms.Form):
    """The filters of the list of clients; they live in the address."""

    q = forms.CharField(label="Name, birth date or phone", max_length=80, required=False)
    show = forms.ChoiceField(
        label="Show", required=False, choices=[("", "Active"), ("inactive", "Inactive"), ("all", "All")]
    )

    @property
    def active(self) -> bool | None:
        """What `show` means for a query."""
        return {"": True, "inactive": False}.get(str(self.data.get("show", "")))


class AssignStaffForm(forms.Form):
    """Whom to assign."""

    staff_member_id = forms.TypedChoiceField(label="Staff member", coerce=UUID)

    def __init__(self, *args: Any, staff: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["staff_member_id"].choices = [("", "Choose…"), *staff]  # type: ignore[attr-defined]


class DiagnosisForm(forms.Form):
    """A diagnosis to be."""

    code = forms.CharField(label="ICD-10 code", max_length=9)
    name = forms.CharField(label="Name", max_length=120, required=False, help_text="For your own lists.")
    starts_on = DayField(label="From")
    diagnosis_id = IdInAdvance()


class EndForm(forms.Form):
    """The first day on which something is no longer in force."""

    ends_on = DayField(label="No longer in force from")


class BillToForm(forms.Form):
    """Who pays, at what amount, and both providers."""

    pays_by = forms.ChoiceField(label="Pays by", choices=Client.PaysBy.choices, widget=forms.RadioSelect)
    set_payment_amount_cents = MoneyField(
        label="Set Payment Amount",
        required=False,
        help_text="Per unit, for every service that has no amount of its own. Empty: the services’ rates.",
    )
    billing_staff_member_id = forms.TypedChoiceField(
        label="Billing provider", required=False, coerce=UUID, empty_value=None
    )
    rendering_override_id = forms.TypedChoiceField(
        label="Rendering provider", required=False, coerce=UUID, empty_value=None
    )

    def __init__(self, *args: Any, billing: Choices, rendering: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        chosen = self.fields["billing_staff_member_id"]
        chosen.choices = [  # type: ignore[attr-defined]
            ("", "Practice NPI"),
            ("Bill with selected staff NPI", billing),
        ]
        override = self.fields["rendering_override_id"]
        override.choices = [("", "The appointment’s staff member"), *rendering]  # type: ignore[attr-defined]


class CoverageForm(forms.Form):
    """A policy as it stands on the insurance card."""

    payer_id = forms.TypedChoiceField(label="Insurer", coerce=UUID)
    rank = forms.TypedChoiceField(
        label="Rank",
        coerce=int,
        initial=1,
        choices=[(1, "Primary"), (2, "Secondary"), (3, "Tertiary"), *((n, f"Number {n}") for n in range(4, 10))],
    )
    insured_id = forms.CharField(label="Insured ID", max_length=40)
    group_number = forms.CharField(label="Group number", max_length=40, required=False)
    plan_name = forms.CharField(label="Plan name", max_length=60, required=False)
    copay_cents = MoneyField(
        label="Copay", required=False, help_text="Once per date of service. Empty: the insurer owes everything."
    )
    starts_on = DayField(label="In force from")
    ends_on = DayField(label="No longer in force from", required=False)
    relationship = forms.ChoiceField(
        label="Relationship to insured",
        choices=Coverage.Relationship.choices,
        help_text="The client is the insured’s …",
    )
    insured_first_name = forms.CharField(label="Insured’s first name", max_length=60, required=False)
    insured_last_name = forms.CharField(label="Insured’s last name", max_length=60, required=False)
    insured_birth_on = DayField(label="Insured’s birth date", required=False)
    insured_sex = forms.ChoiceField(
        label="Insured’s sex", required=False, choices=[("", "–"), ("F", "Female"), ("M", "Male"), ("U", "Unknown")]
    )

    def __init__(self, *args: Any, payers: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["payer_id"].choices = [("", "Choose…"), *payers]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Of an insured who is not the client, the name is asked for."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("relationship", "self") != Coverage.Relationship.SELF:
            for name in ("insured_first_name", "insured_last_name"):
                if not cleaned.get(name):
                    self.add_error(name, "The client is not the insured: enter the insured’s name.")
        return cleaned


class NewCoverageForm(CoverageForm):
    """A coverage to be."""

    coverage_id = IdInAdvance()


class IncomeForm(forms.Form):
    """What a client's household lives on, as told on a day."""

    income_cents = MoneyField(label="Income of the household")
    period = forms.ChoiceField(label="Per", choices=ClientIncome.Period.choices, widget=forms.RadioSelect)
    household_size = forms.IntegerField(label="Household size", min_value=1, max_value=30)
    given_on = DayField(label="Given on")
    renew_on = DayField(
        label="To be renewed on",
        required=False,
        help_text="From this day on it no longer counts. Empty: until another is recorded.",
    )
    note = forms.CharField(label="Note", max_length=200, required=False, help_text="What was shown: payslip, letter.")
    income_id = IdInAdvance()


class TakeIncomeBackForm(forms.Form):
    """From which day on no income counts."""

    given_on = DayField(label="Counts no longer from")
    note = forms.CharField(label="Note", max_length=200, required=False)
    income_id = IdInAdvance()


class PayerForm(AddressForm):
    """An insurer."""

    name = forms.CharField(label="Name", max_length=80)
    payer_code = forms.CharField(
        label="Payer ID", max_length=30, required=False, help_text="The insurer’s electronic id on claims."
    )
    phone = forms.CharField(label="Phone", max_length=20, required=False)
    timely_filing_days = forms.IntegerField(label="Timely filing, in days", required=False, min_value=1, max_value=3650)
    is_active = forms.BooleanField(label="Offered for new coverages", required=False, initial=True)

    field_order = ("name", "payer_code", "phone", "timely_filing_days")


class NewPayerForm(PayerForm):
    """An insurer to be."""

    payer_id = IdInAdvance()


class PayerFilterForm(forms.Form):
    """The filters of the list of insurers."""

    q = forms.CharField(label="Name or payer ID", max_length=80, required=False)
    show = forms.ChoiceField(label="Show", required=False, choices=[("", "Active"), ("all", "All")])


def initial_of(row: Client | Coverage | Payer, form: type[forms.Form]) -> dict[str, Any]:
    """What a form that edits `row` begins with."""
    return {name: getattr(row, name) for name in form.base_fields if hasattr(row, name)}

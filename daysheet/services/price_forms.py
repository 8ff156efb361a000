"""The shape of what is typed on the pages of insurers' prices and of Income Based Payment Amounts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms

from daysheet.web.fields import DayField, IdInAdvance, MoneyField

from .actions import MOST_STEPS, NewStep
from .forms import Choices
from .models import IncomeScale, IncomeStep
from .rules import modifiers_from, percent_in_hundredths

#: Rows that a page of Income Based Payment Amounts offers beside those that are filled in.
_EMPTY_ROWS = 4


class PayerRateForm(forms.Form):
    """A line of an insurer's fee schedule."""

    service_type_id = forms.TypedChoiceField(label="Service type", coerce=UUID)
    rate_cents = MoneyField(label="Rate per unit")
    starts_on = DayField(label="In force from")
    ends_on = DayField(
        label="No longer in force from",
        required=False,
        help_text="Empty: until another rate takes its place. With a day: what held before holds again from then.",
    )
    rate_id = IdInAdvance()

    def __init__(self, *args: Any, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "service_type_id", "Choose…", services)


class EditRateForm(forms.Form):
    """The corrected amount of a rate."""

    rate_cents = MoneyField(label="Rate per unit")


class EndForm(forms.Form):
    """The first day on which a rate or rule no longer holds."""

    ends_on = DayField(label="No longer in force from")


class CopyScheduleForm(forms.Form):
    """Which schedule is copied to which day, and by how much it changes."""

    from_payer_id = forms.TypedChoiceField(label="Copy the rates of", coerce=UUID)
    as_of = DayField(label="As in force on")
    starts_on = DayField(label="In force from", help_text="Rates that begin on this day already stay as they are.")
    percent = forms.CharField(
        label="Change in percent", max_length=8, required=False, help_text="3 raises each rate by 3 %, -2.5 lowers it."
    )

    def __init__(self, *args: Any, payers: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["from_payer_id"].choices = payers  # type: ignore[attr-defined]
        self.fields["percent"].widget.attrs |= {"class": "money", "inputmode": "decimal"}

    def clean_percent(self) -> int:
        """Hundredths of a percent."""
        hundredths = percent_in_hundredths(self.cleaned_data["percent"] or "0")
        if hundredths is None:
            raise forms.ValidationError("Enter a percentage such as 3 or -2.5.")
        return hundredths


class PayerRuleForm(forms.Form):
    """Modifiers and place of service that an insurer wants."""

    service_type_id = forms.TypedChoiceField(
        label="Service type", coerce=UUID, required=False, empty_value=None, help_text="One of its own goes before all."
    )
    place_of_service = forms.RegexField(
        r"^[0-9]{2}$",
        label="Where the visit took place",
        max_length=2,
        required=False,
        help_text="Two digits, such as 10 for telehealth at home. Empty: any place that has no rule of its own.",
        error_messages={"invalid": "A place of service has two digits, such as 10."},
    )
    added_modifiers = forms.CharField(
        label="Modifiers to add",
        max_length=20,
        required=False,
        help_text="After the service’s own: 95. A claim holds four in all.",
    )
    billed_place_of_service = forms.RegexField(
        r"^[0-9]{2}$",
        label="Place of service to bill",
        max_length=2,
        required=False,
        help_text="Empty: where the visit took place.",
        error_messages={"invalid": "A place of service has two digits, such as 10."},
    )
    starts_on = DayField(label="In force from")
    rule_id = IdInAdvance()

    def __init__(self, *args: Any, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "service_type_id", "All service types", services)

    def clean_added_modifiers(self) -> tuple[str, ...]:
        """The modifiers as they are kept."""
        modifiers = modifiers_from(self.cleaned_data["added_modifiers"])
        if modifiers is None:
            raise forms.ValidationError("Enter up to four different modifiers of two characters each, such as 95, HJ.")
        return modifiers


class StepForm(forms.Form):
    """One step of Income Based Payment Amounts. A row that nobody filled in is none."""

    service = forms.ChoiceField(label="Service type", required=False)
    household = forms.IntegerField(label="Household size from", min_value=1, max_value=30, initial=1)
    income = MoneyField(label="Income from")
    amount = MoneyField(label="Amount per unit", required=False)

    def __init__(self, *args: Any, services: Choices, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "service", "All service types", services)
        self.fields["household"].widget.attrs["class"] = "money"
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = field.label

    def has_changed(self) -> bool:
        """A row says something once it has an income or an amount."""
        return any(self.data.get(self.add_prefix(name), "").strip() for name in ("income", "amount"))

    def step(self) -> NewStep:
        """The row as it is kept. Call after `is_valid`."""
        value = self.cleaned_data
        return NewStep(
            UUID(value["service"]) if value["service"] else None, value["household"], value["income"], value["amount"]
        )


_Rows = forms.formset_factory(StepForm, extra=_EMPTY_ROWS, max_num=MOST_STEPS + _EMPTY_ROWS, absolute_max=1000)


class IncomeScaleForm(forms.Form):
    """Income Based Payment Amounts as one page: from when, by which period, and the rows."""

    starts_on = DayField(label="In force from")
    period = forms.ChoiceField(label="Incomes are", choices=IncomeScale.Period.choices, widget=forms.RadioSelect)

    def __init__(self, data: Any = None, *, services: Choices, steps: Sequence[IncomeStep] = (), **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        self.rows = _Rows(
            data, prefix="steps", initial=[_typed(step) for step in steps], form_kwargs={"services": services}
        )

    def clean(self) -> dict[str, Any]:
        """The rows that were filled in, as `steps`."""
        cleaned = super().clean() or self.cleaned_data
        if not self.rows.is_valid():
            raise forms.ValidationError([*self.rows.non_form_errors(), *self._wrong_rows()])
        cleaned["steps"] = [row.step() for row in self.rows if row.has_changed()]
        return cleaned

    def _wrong_rows(self) -> list[str]:
        return [
            f"Row {number}, {row.fields[name].label}: {words}"
            for number, row in enumerate(self.rows, start=1)
            for name, errors in row.errors.items()
            for words in errors
        ]


class NewIncomeScaleForm(IncomeScaleForm):
    """Amounts to be."""

    scale_id = IdInAdvance()


def _offer(form: forms.Form, name: str, nothing: str, choices: Choices) -> None:
    form.fields[name].choices = [("", nothing), *choices]  # type: ignore[attr-defined]


def _typed(step: IncomeStep) -> dict[str, Any]:
    """A row as its fields show it."""
    return {
        "service": str(step.service_type_id or ""),
        "household": step.household_from,
        "income": step.income_from_cents,
        "amount": step.amount_cents,
    }

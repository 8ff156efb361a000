"""What every slice's forms type the same way: amounts, days and ranges of them, ids given in advance."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms

from daysheet.kit.dates import NotADate, parse_date
from daysheet.kit.ids import new_id
from daysheet.kit.money import Money, NotMoney


class MoneyField(forms.CharField):
    """Dollars and cents as typed; cleans to whole cents, or None where nothing was typed."""

    widget = forms.TextInput(attrs={"class": "money", "inputmode": "decimal", "autocomplete": "off"})

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"max_length": 16, **options})

    def prepare_value(self, value: Any) -> Any:
        return Money(value).plain if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether another amount was typed: `150` is not a change of 150.00."""
        try:
            return bool(self.clean(data or "") != initial)
        except forms.ValidationError:
            return True

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            cents = Money.parse(text).cents
        except NotMoney as error:
            raise forms.ValidationError(str(error)) from error
        if cents < 0:
            raise forms.ValidationError("An amount cannot be less than nothing.")
        return cents


class DayField(forms.CharField):
    """A day, never a moment (S6): the browser's own date picker, or typed as 11/23/2026."""

    widget = forms.DateInput(attrs={"type": "date"})

    def prepare_value(self, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return None
        try:
            return parse_date(text)
        except NotADate as error:
            raise forms.ValidationError(str(error)) from error


class IdInAdvance(forms.UUIDField):
    """The id of what a form creates, made with the page: a double click returns the first result."""

    widget = forms.HiddenInput

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"initial": new_id, **options})


class DayRangeForm(forms.Form):
    """A form with the days `from_on` and `to_on`, both included: a range that ends before it begins is refused."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from_on"), cleaned.get("to_on")
        if first and last and last < first:
            self.add_error("to_on", "The range ends before it begins.")
        return cleaned

"""The shape of what is typed on the pages of invoicing. What it means is decided in `rules`, `door` and `batches`."""

from __future__ import annotations

import re
from datetime import date
from typing import Any
from uuid import UUID

from django import forms

from daysheet.clients.models import Client
from daysheet.kit.dates import month_bounds, us_date
from daysheet.kit.errors import Refusal
from daysheet.kit.money import Money
from daysheet.web.fields import DayField, DayRangeForm, IdInAdvance, MoneyField

from .queries.batch_search import SearchFilters
from .selection import LineEdit, ManualLine

_MODIFIER = re.compile(r"^[0-9A-Z]{2}$")
#: (value, label) pairs for a drop-down.
Choices = list[tuple[str, str]]


class BatchSearchForm(DayRangeForm):
    """The date range and filters of Create New Invoices (B4). Lives in the address, so that a search can be shared."""

    from_on = DayField(label="From")
    to_on = DayField(label="To")
    client = forms.CharField(label="Client", required=False, max_length=80)
    pays_by = forms.ChoiceField(label="Pays by", required=False, choices=[("", "Any"), *Client.PaysBy.choices])
    staff = forms.ChoiceField(label="Staff", required=False)
    service = forms.ChoiceField(label="Service type", required=False)
    location = forms.ChoiceField(label="Location", required=False)
    hide = forms.BooleanField(label="Hide No Shows, Reschedules & Cancellations", required=False)

    def __init__(
        self, *args: Any, today: date, staff: Choices, services: Choices, locations: Choices, **kwargs: Any
    ) -> None:
        first, last = month_bounds(today)
        kwargs.setdefault("initial", {"from_on": first, "to_on": last})
        super().__init__(*args, **kwargs)
        for name, choices in (("staff", staff), ("service", services), ("location", locations)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "Any"), *choices]

    def filters(self) -> SearchFilters:
        """The search as the query wants it. Call after `is_valid`."""
        value = self.cleaned_data
        return SearchFilters(
            from_on=value["from_on"],
            to_on=value["to_on"],
            client_text=value["client"],
            pays_by=value["pays_by"],
            staff_member_id=_id(value["staff"]),
            service_type_id=_id(value["service"]),
            location_id=_id(value["location"]),
            hide_missed=value["hide"],
        )


class LineEditForm(forms.Form):
    """The facts of one line that may be changed before it is billed (B4). A field left empty keeps what the rules say;
    only modifiers and notes can be emptied."""

    rate = MoneyField(required=False)
    units = forms.IntegerField(required=False, min_value=1, max_value=999)
    provider = forms.ChoiceField(required=False)
    place = forms.RegexField(r"^[0-9]{2}$", required=False, max_length=2)
    modifiers = forms.CharField(required=False, max_length=20)
    note = forms.CharField(required=False, max_length=200)

    _LABELS = {
        "rate": "Rate",
        "units": "Units",
        "provider": "Provider",
        "place": "Place of service",
        "modifiers": "Modifiers",
        "note": "Notes",
    }

    def __init__(self, *args: Any, providers: Choices, line_label: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = self.fields["provider"]
        assert isinstance(provider, forms.ChoiceField)
        provider.choices = [("", "As scheduled"), *providers]
        for name, label in self._LABELS.items():
            self.fields[name].label = label
            self.fields[name].widget.attrs["aria-label"] = f"{label}, {line_label}" if line_label else label
        self.fields["units"].widget.attrs["class"] = "money"
        for name, characters in (("place", 3), ("modifiers", 8), ("rate", 8)):
            self.fields[name].widget.attrs["size"] = characters
        self.fields["place"].error_messages["invalid"] = "A place of service has two digits, such as 11."

    def clean_modifiers(self) -> tuple[str, ...] | None:
        codes = tuple(self.cleaned_data["modifiers"].upper().replace(",", " ").split())
        if len(codes) > 4 or not all(_MODIFIER.match(code) for code in codes):
            raise forms.ValidationError("At most four modifiers of two letters or digits, such as 95 GT.")
        return codes

    def edit(self) -> LineEdit:
        """What was changed, against the initial values that the rules gave. Call after `is_valid`."""
        changed = {name for name in self.changed_data if self.add_prefix(name) in self.data}
        value = self.cleaned_data
        return LineEdit(
            rate_cents=value["rate"] if "rate" in changed else None,
            units=value["units"] if "units" in changed else None,
            rendering_staff_member_id=UUID(value["provider"]) if "provider" in changed and value["provider"] else None,
            place_of_service=value["place"] or None if "place" in changed else None,
            modifiers=value["modifiers"] if "modifiers" in changed else None,
            note=value["note"] if "note" in changed else None,
        )


class ItemForm(forms.Form):
    """A manual line: Add an Invoice Item (B3). A row that nobody typed in is no item."""

    service = forms.ChoiceField(label="Service type", required=False)
    name = forms.CharField(label="Name", required=False, max_length=120)
    service_on = DayField(label="Date of service")
    units = forms.IntegerField(label="Units", min_value=1, max_value=999, initial=1)
    rate = MoneyField(label="Rate", required=False)
    side = forms.ChoiceField(label="Side", choices=[("client", "Client"), ("insurance", "Insurance")])
    provider = forms.ChoiceField(label="Provider", required=False)
    note = forms.CharField(label="Notes", required=False, max_length=200)

    def __init__(self, *args: Any, services: Choices, providers: Choices, rates: dict[str, int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rates = rates
        for name, empty, choices in (("service", "None: a free text", services), ("provider", "None", providers)):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", empty), *choices]
        self.fields["units"].widget.attrs["class"] = "money"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("service") and not cleaned.get("name"):
            self.add_error("name", "Choose a service type or write what is billed.")
        if cleaned.get("rate") is None and "rate" not in self.errors:
            if cleaned.get("service"):
                cleaned["rate"] = self.rates[cleaned["service"]]
            else:
                self.add_error("rate", "An item without a service type needs a rate.")
        return cleaned

    def manual_line(self) -> ManualLine:
        """The item as the door wants it. Call after `is_valid`."""
        value = self.cleaned_data
        return ManualLine(
            service_type_id=_id(value["service"]),
            name=value["name"],
            service_on=value["service_on"],
            units=value["units"],
            rate_cents=value["rate"],
            side=value["side"],
            note=value["note"],
            staff_member_id=_id(value["provider"]),
        )


class ReasonForm(forms.Form):
    """Why: kept with the correction, in All Activity and in the Activity Log."""

    request_key = IdInAdvance()
    reason = forms.CharField(label="Reason", max_length=400)
    #: Whether everything but the reason comes filled in: typing begins there.
    begins_with_reason = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.begins_with_reason and not self.is_bound:
            self.fields["reason"].widget.attrs["autofocus"] = True

    def told_of(self, refusal: Refusal) -> None:
        """The form is shown again with these words."""

    def typed(self) -> list[tuple[str, str]]:
        """What a valid form says, in words: (label, value) of the fields that are filled in."""
        words = [
            (str(field.label), _in_words(field, self.cleaned_data.get(field.name))) for field in self.visible_fields()
        ]
        return [(label, value) for label, value in words if value]


def _in_words(field: forms.BoundField, value: Any) -> str:
    """As people read it: dollars, days as they are written here, choices by their labels."""
    if isinstance(field.field, MoneyField):
        return str(Money(value)) if value is not None else ""
    if isinstance(value, date):
        return us_date(value)
    if isinstance(field.field, forms.ChoiceField):
        choices: Any = field.field.choices
        labels = {str(key): str(label) for key, label in choices}
        chosen = value if isinstance(value, list) else [value]
        return ", ".join(labels.get(str(each), "") for each in chosen)
    return str(value) if value is not None else ""


def _id(text: str) -> UUID | None:
    return UUID(text) if text else None

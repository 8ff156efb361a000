"""What can be asked of a report. Filters stand in the address, so that a report can be kept and sent as a link."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django import forms

from daysheet.kit.dates import us_date
from daysheet.ledger.rules import EntryClass
from daysheet.payments.models import Payment
from daysheet.web.fields import DayField

from .queries.entries import Balance, Direction


class Filters(forms.Form):
    """A form that always has an answer: what was not asked is the default, and so is, beside its error, what was not
    understood."""

    def __init__(self, asked: Mapping[str, Any], *, defaults: Mapping[str, Any] | None = None) -> None:
        self.defaults = dict(defaults or {})
        given = {name: asked.get(name) for name in self.base_fields if asked.get(name)}
        super().__init__({**self.defaults, **given})
        self.is_valid()

    def answer(self, name: str) -> Any:
        """What was asked for, or the default."""
        value = self.cleaned_data.get(name)
        return self.defaults.get(name) if value in (None, "") else value

    @property
    def in_words(self) -> Iterator[str]:
        """What is asked for as paper needs it, where the fields themselves are not printed: `From: 11/01/2026`."""
        for name, field in self.fields.items():
            value = self.answer(name)
            if field.widget.is_hidden or value in (None, ""):
                continue
            choices: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
            labels = dict(choices)
            yield f"{field.label}: {us_date(value) if isinstance(value, date) else labels.get(value, value)}"


class DayForm(Filters):
    """One day."""

    day = DayField(label="Day", required=False)


class CloseDayForm(forms.Form):
    """The closing of a day, with what the person saw of it."""

    day = DayField(label="Day", widget=forms.HiddenInput)
    expected_closing_cents = forms.IntegerField(widget=forms.HiddenInput)
    expected_entry_count = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class RangeForm(Filters):
    """Days from–to, both included."""

    from_on = DayField(label="From", required=False)
    to_on = DayField(label="To", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        first, last = cleaned.get("from_on"), cleaned.get("to_on")
        if first and last and last < first:
            self.add_error("to_on", "The range ends before it begins: the usual one is shown.")
            cleaned = {name: value for name, value in cleaned.items() if name not in ("from_on", "to_on")}
        return cleaned


_SOURCES = [("", "Everybody"), ("client", "Clients"), ("insurer", "Insurers")]


class EntriesForm(RangeForm):
    """Which entries; the links behind figures fill it in."""

    kind = forms.ChoiceField(
        label="What", required=False, choices=[("", "All"), *((each.value, each.label) for each in EntryClass)]
    )
    method = forms.ChoiceField(label="Method", required=False, choices=[("", "Any"), *Payment.Method.choices])
    staff = forms.CharField(label="Posted by", required=False, max_length=120)
    provider = forms.CharField(label="Rendering provider", required=False, max_length=170)
    source = forms.ChoiceField(label="From whom", required=False, choices=_SOURCES)
    direction = forms.ChoiceField(
        label="Money", required=False, choices=[("", "In and out"), *((each.value, each.label) for each in Direction)]
    )
    balance = forms.ChoiceField(
        label="Balance", required=False, choices=[("", "Any"), *((each.value, each.label) for each in Balance)]
    )
    client = forms.UUIDField(required=False, widget=forms.HiddenInput)
    payer = forms.UUIDField(required=False, widget=forms.HiddenInput)


def month_so_far(today: date) -> dict[str, date]:
    """The default range: this month up to today."""
    return {"from_on": today.replace(day=1), "to_on": today}


class AgingForm(Filters):
    """Invoice Aging: whose debts, from which day on they age, as of which day."""

    by = forms.ChoiceField(
        label="By",
        required=False,
        choices=[
            ("client", "Client: what clients owe"),
            ("insurer", "Insurer: what insurers owe"),
            ("both", "Client: both sides"),
        ],
    )
    since = forms.ChoiceField(
        label="Age by", required=False, choices=[("service", "Date of service"), ("invoice", "Invoice date")]
    )
    as_of = DayField(label="As of", required=False)
    #: Not shown: filled in by the links behind figures.
    of = forms.UUIDField(required=False, widget=forms.HiddenInput)
    bucket = forms.IntegerField(required=False, min_value=0, max_value=4, widget=forms.HiddenInput)


class ReceiptsForm(RangeForm):
    """Payments, and the deposit slip."""

    method = forms.ChoiceField(label="Method", required=False, choices=[("", "Any"), *Payment.Method.choices])
    source = forms.ChoiceField(label="From whom", required=False, choices=_SOURCES)


class CreditsForm(Filters):
    """Credits as of a day."""

    as_of = DayField(label="As of", required=False)
    source = forms.ChoiceField(label="From whom", required=False, choices=_SOURCES)
    client = forms.UUIDField(required=False, widget=forms.HiddenInput)
    payer = forms.UUIDField(required=False, widget=forms.HiddenInput)


class UnbilledForm(Filters):
    """The links behind the counts fill it in."""

    reason = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    bucket = forms.IntegerField(required=False, min_value=0, max_value=4, widget=forms.HiddenInput)


def last_year(today: date) -> dict[str, date]:
    """Twelve months up to today, the present one included."""
    first = today.replace(day=1)
    return {"from_on": date(first.year - (first.month < 12), first.month % 12 + 1, 1), "to_on": today}

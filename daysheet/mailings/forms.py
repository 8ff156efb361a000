"""What can be asked of the searches, and typed about a run."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms

from daysheet.clients.models import Client
from daysheet.documents.queries.statements import StatementChoices
from daysheet.documents.rules import Basis, Period
from daysheet.kit.dates import month_bounds
from daysheet.practices.actor import Actor
from daysheet.web.fields import DayField, DayRangeForm, IdInAdvance, MoneyField

from .actions import MOST_TEXT
from .queries.candidates import InvoiceSearch, StatementSearch
from .rules import Ways

_OWING, _ACTIVE = "owing", "active"


class StatementSearchForm(DayRangeForm):
    """Who gets a statement, of which days. Lives in the address."""

    from_on = DayField(label="From")
    to_on = DayField(label="To")
    basis = forms.ChoiceField(
        label="List charges", required=False, choices=[(basis.value, basis.label) for basis in Basis]
    )
    who = forms.ChoiceField(
        label="Clients", required=False,
        choices=[(_OWING, "Who owe at least"), (_ACTIVE, "With activity in the period")],
    )  # fmt: skip
    at_least = MoneyField(label="At least", required=False)
    client = forms.CharField(label="Name", required=False, max_length=80)
    pays_by = forms.ChoiceField(label="Pays by", required=False, choices=[("", "Any"), *Client.PaysBy.choices])
    hides_zero = forms.BooleanField(label="Leave out zero-amount lines", required=False)
    hides_insurance_only = forms.BooleanField(label="Leave out lines billed to insurance only", required=False)

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        first, _ = month_bounds(month_bounds(today)[0] - timedelta(days=1))
        kwargs.setdefault("initial", {"from_on": first, "to_on": today, "at_least": 1})
        super().__init__(*args, **kwargs)

    def search(self, actor: Actor) -> StatementSearch:
        """Of a valid form."""
        typed = self.cleaned_data
        choices = StatementChoices(
            Period(typed["from_on"], typed["to_on"]), Basis(typed["basis"] or Basis.SERVICE), actor.today,
            typed["hides_zero"], typed["hides_insurance_only"],
        )  # fmt: skip
        owing = typed["who"] != _ACTIVE
        return StatementSearch(choices, owing, max(typed["at_least"] or 0, 1), typed["pays_by"], typed["client"])


class InvoiceSearchForm(DayRangeForm):
    """The invoices of Process Existing Invoices, by their days of creation; the current month unless said otherwise."""

    from_on = DayField(label="Created from")
    to_on = DayField(label="Created to")
    client = forms.CharField(label="Client", required=False, max_length=80)
    status = forms.ChoiceField(
        label="Status", required=False,
        choices=[("", "Any"), ("open", "Open"), ("overdue", "Overdue"), ("paid", "Paid")],
    )  # fmt: skip
    batch = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, asked: Any, *, today: date) -> None:
        first, last = month_bounds(today)
        days = {"from_on": first.isoformat(), "to_on": last.isoformat()}
        super().__init__({**days, **{name: asked[name] for name in self.base_fields if name in asked}})

    def search(self) -> InvoiceSearch:
        """Of a valid form."""
        typed = self.cleaned_data
        return InvoiceSearch(typed["from_on"], typed["to_on"], typed["client"], typed["status"], typed["batch"])


class RunForm(forms.Form):
    """What is said yes to."""

    mailing_id = IdInAdvance()
    ways = forms.ChoiceField(label="Send", choices=[(ways.value, ways.label) for ways in Ways])
    email_text = forms.CharField(
        label="Text of the e-mail", max_length=MOST_TEXT, required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Between the greeting and the signature. Write nothing about treatment: e-mail is not sealed.",
    )  # fmt: skip
    #: Shown where some of them are in an earlier run.
    again = forms.BooleanField(label="Send it to them again", required=False)


class EmailForm(forms.Form):
    """One e-mail to one client."""

    request_id = IdInAdvance()
    email_text = forms.CharField(
        label="Text", max_length=MOST_TEXT, widget=forms.Textarea(attrs={"rows": 6}),
        help_text="Between the greeting and the signature. Write nothing about treatment: e-mail is not sealed.",
    )  # fmt: skip

"""The shapes of what is typed on the card pages. None of them ever takes a card number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.utils.datastructures import MultiValueDict

from daysheet.invoicing.forms import ReasonForm
from daysheet.web.fields import DayField, IdInAdvance, MoneyField

from .actions import ChargeRequest
from .models import ProcessorAccount
from .queries.chargeable import ChargeableRow


@dataclass(frozen=True, slots=True)
class RowInputs:
    """A client with its bound fields."""

    row: ChargeableRow
    tick: forms.BoundField
    card: forms.BoundField
    amount: forms.BoundField


class SearchForm(forms.Form):
    """Which clients to list."""

    client = forms.CharField(label="Client", required=False, max_length=60)


class ChargeForm(forms.Form):
    """Which clients are charged, with which card, how much."""

    run_id = IdInAdvance()

    def __init__(self, data: MultiValueDict[str, str] | None, *, rows: Sequence[ChargeableRow], **options: Any) -> None:
        super().__init__(data, **options)
        self.rows = [row for row in rows if row.cards]
        for row in self.rows:
            key, name = row.client_id, row.client_name
            attributes = {"data-check": "cards", "data-cents": str(row.default_cents), "aria-label": f"Charge {name}"}
            self.fields[f"tick-{key}"] = forms.BooleanField(
                required=False, initial=row.is_ticked, disabled=row.is_pending,
                widget=forms.CheckboxInput(attrs=attributes),
            )  # fmt: skip
            self.fields[f"card-{key}"] = forms.ChoiceField(
                required=False,
                choices=[(str(card.id), f"{card.label}, {card.expires}") for card in row.cards],
                widget=forms.Select(attrs={"aria-label": f"Card of {name}"}),
            )
            amount = MoneyField(required=False, initial=row.default_cents)
            amount.widget.attrs |= {"aria-label": f"Amount to charge {name}"}
            self.fields[f"amount-{key}"] = amount

    @property
    def row_inputs(self) -> list[RowInputs]:
        """Each client with its fields."""
        return [
            RowInputs(
                row, self[f"tick-{row.client_id}"], self[f"card-{row.client_id}"], self[f"amount-{row.client_id}"]
            )
            for row in self.rows
        ]

    def clean(self) -> dict[str, Any]:
        """A ticked client has a card and an amount."""
        for row in self.rows:
            name, card = f"amount-{row.client_id}", f"card-{row.client_id}"
            if self.cleaned_data.get(f"tick-{row.client_id}") and not self.cleaned_data.get(card, True):
                self.add_error(card, f"{row.client_name}: choose a card, or take the tick off.")
            if self.cleaned_data.get(f"tick-{row.client_id}") and not self.cleaned_data.get(name, True):
                self.add_error(name, f"{row.client_name}: enter an amount above zero, or take the tick off.")
        return self.cleaned_data

    def requests(self) -> list[ChargeRequest]:
        """The ticked clients."""
        return [
            ChargeRequest(
                row.client_id, UUID(self.cleaned_data[f"card-{row.client_id}"]),
                self.cleaned_data[f"amount-{row.client_id}"],
            )
            for row in self.rows
            if self.cleaned_data.get(f"tick-{row.client_id}")
        ]  # fmt: skip

    def credit_cents(self) -> int:
        """What of the amounts is more than is due."""
        due = {row.client_id: row.due_cents for row in self.rows}
        return sum(max(each.amount_cents - due[each.client_id], 0) for each in self.requests())


class ConfirmedForm(forms.Form):
    """What somebody said yes to."""

    expected_count = forms.IntegerField(min_value=1)
    expected_cents = forms.IntegerField(min_value=1)
    told_credit = forms.IntegerField(min_value=0)


class SetupForm(forms.Form):
    """Opening the processor's page for a card."""

    setup_id = IdInAdvance()


class InquiryForm(forms.Form):
    """Asking the processor about a charge."""

    inquiry_id = forms.UUIDField()


class MarkChargedForm(ReasonForm):
    """That a charge came in after all, by the processor's own desk."""

    field_order = ("reference", "received_on", "reason")
    reference = forms.CharField(label="The processor's reference", max_length=200)
    received_on = DayField(label="Date the money came in")


class MarkRefundedForm(ReasonForm):
    """That a refund was made after all, by the processor's own desk."""

    field_order = ("reference", "reason")
    reference = forms.CharField(label="The processor's reference", max_length=200)


class CardRefundForm(ReasonForm):
    """How much goes back to the card."""

    field_order = ("amount", "reason")
    amount = MoneyField(label="Amount")


class ProcessorForm(forms.Form):
    """A practice's account at a card processor. Secrets are never shown again."""

    account_id = IdInAdvance()
    kind = forms.ChoiceField(label="Processor", choices=ProcessorAccount.Kind.choices)
    api_key = forms.CharField(
        label="Secret key", max_length=300, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Of the simulated processor, any name that begins with sim_",
    )  # fmt: skip
    webhook_secret = forms.CharField(
        label="Webhook signing secret", max_length=300, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stripe shows it where the webhook address is entered.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Each processor's keys have their own shape."""
        cleaned = self.cleaned_data
        kind, key = cleaned.get("kind"), cleaned.get("api_key", "")
        if kind == ProcessorAccount.Kind.SIMULATED and key and not key.startswith("sim_"):
            self.add_error("api_key", "A key of the simulated processor begins with sim_.")
        if kind == ProcessorAccount.Kind.STRIPE:
            if key and not key.startswith(("sk_", "rk_")):
                self.add_error("api_key", "A secret key of Stripe begins with sk_ or rk_.")
            if not cleaned.get("webhook_secret"):
                self.add_error("webhook_secret", "Enter the signing secret: without it no message can be believed.")
        return cleaned

"""The shapes of the correction forms. Each carries its key in advance and asks for the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django import forms

from daysheet.invoicing.forms import ReasonForm
from daysheet.kit.errors import Refusal
from daysheet.web.fields import DayField, MoneyField

from .models import Payment
from .queries.correcting import AppliedLine, LineFacts
from .redating import PaymentChanged

Choices = Sequence[tuple[UUID, str]]
_SIDES = (("client", "Client"), ("insurance", "Insurance"))


class _TickedLines(forms.MultipleChoiceField):
    """A line that the payment is on no more is the action's to refuse: of a form sent twice the second is read alike,
    and a tick of an old page is never taken for another line."""

    def valid_value(self, value: Any) -> bool:
        try:
            return bool(UUID(str(value)))
        except ValueError:
            return False


class UnapplyForm(ReasonForm):
    """Off which lines. Of one line there is nothing to choose."""

    def __init__(self, *args: Any, lines: Sequence[AppliedLine], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lines"] = _TickedLines(
            label="Take it off", choices=[(str(line.id), line.label) for line in lines],
            initial=[str(line.id) for line in lines],
            widget=forms.CheckboxSelectMultiple if len(lines) > 1 else forms.MultipleHiddenInput,
            error_messages={"required": "Tick at least one line."},
        )  # fmt: skip
        self.order_fields(["lines", "reason"])

    def line_ids(self) -> list[UUID]:
        """The ticked lines."""
        return [UUID(text) for text in self.cleaned_data["lines"]]


class RefundForm(ReasonForm):
    """How much of the unapplied part goes back, and when."""

    field_order = ("amount", "refunded_on", "reason")
    amount = MoneyField(label="Amount")
    refunded_on = DayField(label="Date")


class EditPaymentForm(ReasonForm):
    """What may be corrected beside the amount (M6)."""

    begins_with_reason = False
    field_order = ("method", "received_on", "number", "notes", "reason")
    method = forms.ChoiceField(label="Method")
    received_on = DayField(label="Date")
    number = forms.CharField(label="Number", required=False, max_length=40)
    notes = forms.CharField(label="Notes", required=False, max_length=400)
    #: `facts_mark` of what the page showed.
    seen = forms.CharField(widget=forms.HiddenInput, max_length=24)

    def __init__(self, *args: Any, is_insurers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        methods = Payment.INSURER_METHODS if is_insurers else Payment.CLIENT_METHODS
        self.fields["method"].choices = [(method.value, method.label) for method in methods]  # type: ignore[attr-defined]

    def told_of(self, refusal: Refusal) -> None:
        """Who was told how the payment is now, and sends the form again, means it."""
        if isinstance(refusal, PaymentChanged):
            self.data = {**{name: self[name].data for name in self.fields}, "seen": self.initial["seen"]}


class WriteOffForm(ReasonForm):
    """An amount to give up on one side of a line (M7)."""

    field_order = ("side", "amount", "reason")
    side = forms.ChoiceField(label="Side", choices=_SIDES)
    amount = MoneyField(label="Amount")


class ResponsibilityForm(ReasonForm):
    """An unpaid amount to move to the other side (C2)."""

    field_order = ("to_side", "amount", "reason")
    to_side = forms.ChoiceField(label="Move to", choices=_SIDES)
    amount = MoneyField(label="Amount")


class EditLineForm(ReasonForm):
    """Units, rate and sides of a line (C1)."""

    begins_with_reason = False
    field_order = ("units", "rate", "client_part", "note", "reason")
    units = forms.IntegerField(label="Units", min_value=1, max_value=999)
    rate = MoneyField(label="Rate per unit")
    client_part = MoneyField(label="Client's part", help_text="The rest is the insurer's.")
    note = forms.CharField(label="Note", required=False, max_length=200)


class RebillForm(ReasonForm):
    """Void and rebill (C4): for each service that was billed, which it should have been, and its units."""

    begins_with_reason = False

    def __init__(self, *args: Any, lines: Sequence[LineFacts], services: Choices, providers: Choices, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.visit_service_id]
        on_day = Counter(line.service_on for line in self.lines)
        for line in self.lines:
            key, day = line.visit_service_id, f"{line.service_on:%m/%d/%Y}"
            if on_day[line.service_on] > 1:
                day = f"{day}, {line.name}"
            self.fields[f"service-{key}"] = forms.ChoiceField(
                label=f"Service on {day}", choices=[(str(pk), label) for pk, label in services],
                initial=str(line.service_type_id),
            )  # fmt: skip
            self.fields[f"units-{key}"] = forms.IntegerField(
                label=f"Units on {day}", required=False, min_value=1, max_value=999, help_text="Empty: by the rules."
            )
            self.fields[f"provider-{key}"] = forms.ChoiceField(
                label=f"Provider on {day}", required=False,
                choices=[("", "By the rules"), *((str(pk), label) for pk, label in providers)],
            )  # fmt: skip
        self.order_fields([name for name in self.fields if name != "reason"] + ["reason"])

    def corrected(self) -> Iterator[tuple[UUID, UUID, int | None, UUID | None]]:
        """(visit service, service type, units, rendering provider) of each line."""
        for line in self.lines:
            key = line.visit_service_id
            assert key is not None
            typed = self.cleaned_data
            provider = typed[f"provider-{key}"]
            yield key, UUID(typed[f"service-{key}"]), typed[f"units-{key}"], UUID(provider) if provider else None

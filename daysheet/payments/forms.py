"""The shape of what is typed when money is taken, applied, or noted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.utils.datastructures import MultiValueDict

from daysheet.web.fields import DayField, IdInAdvance, MoneyField

from .models import Payment
from .queries.accepting import Desk, PayableLine

#: The label says that no card is charged here.
METHODS = [
    (method.value, f"{method.label} (recorded elsewhere)" if method is Payment.Method.CARD else method.label)
    for method in Payment.CLIENT_METHODS
]
_APPLY, _TICK = "apply-", "tick-"


@dataclass(frozen=True, slots=True)
class LineInputs:
    """An open line with its two bound fields."""

    payable: PayableLine
    apply: forms.BoundField
    tick: forms.BoundField


class LinesForm(forms.Form):
    """One amount and one tick for each open line.

    The amounts that were sent count even for lines that are paid by now: the form sent twice must ask for the same.
    """

    request_key = IdInAdvance()
    pay_all = forms.BooleanField(required=False, label="Pay all lines")

    def __init__(self, data: MultiValueDict[str, str] | None, *, desk: Desk, **options: Any) -> None:
        super().__init__(data, **options)
        self.desk = desk
        shown = [payable.id for payable in desk.lines]
        sent = (_id_of(name) for name in data or () if name.startswith(_APPLY))
        self._line_ids = [*shown, *sorted({line_id for line_id in sent if line_id} - set(shown))]
        for line_id in self._line_ids:
            self.fields[f"{_APPLY}{line_id}"] = MoneyField(required=False, label="Amount to apply")
            self.fields[f"{_TICK}{line_id}"] = forms.BooleanField(required=False, label="Pay")

    @property
    def line_inputs(self) -> Iterator[LineInputs]:
        """The open lines, in the order in which they are paid."""
        for payable in self.desk.lines:
            apply, tick = self[f"{_APPLY}{payable.id}"], self[f"{_TICK}{payable.id}"]
            attributes = {"data-apply": str(payable.id), "data-due": str(payable.line.due_cents)}
            apply.field.widget.attrs |= attributes | {"aria-label": _label("Amount to apply", payable)}
            tick.field.widget.attrs |= {"data-check": "lines", "data-pay": str(payable.id)} | {
                "data-cents": str(payable.line.due_cents),
                "aria-label": _label("Pay", payable),
            }
            yield LineInputs(payable, apply, tick)

    def chosen(self) -> dict[UUID, int | None] | None:
        """Typed cents, or None for a tick without an amount; None altogether where no line was chosen."""
        chosen: dict[UUID, int | None] = {}
        for line_id in self._line_ids:
            typed = self.cleaned_data.get(f"{_APPLY}{line_id}")
            ticked = self.cleaned_data.get(f"{_TICK}{line_id}") or self.cleaned_data.get("pay_all")
            if typed is not None or ticked:
                chosen[line_id] = typed
        return chosen or None


class PaymentForm(LinesForm):
    """Accept Payment and Apply Payment."""

    amount = MoneyField(required=False, label="Amount", help_text="Empty: what the chosen lines come to.")
    method = forms.ChoiceField(choices=METHODS, initial=Payment.Method.CHECK, label="Method")
    received_on = DayField(label="Date")
    number = forms.CharField(required=False, max_length=40, label="Number")
    notes = forms.CharField(required=False, max_length=400, label="Notes")
    is_copay = forms.BooleanField(required=False, label="Co-Pay")
    appointment = forms.UUIDField(
        required=False,
        label="For appointment",
        widget=forms.Select,
        help_text="Kept as credit, and applied by itself when that appointment is billed.",
    )
    expected_credit = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: MultiValueDict[str, str] | None, *, desk: Desk, **options: Any) -> None:
        super().__init__(data, desk=desk, **options)
        dates = [(str(each.visit_id), each.label) for each in desk.appointments]
        if desk.visit_id and desk.visit_on and str(desk.visit_id) not in dict(dates):
            dates.append((str(desk.visit_id), f"{desk.visit_on:%m/%d/%Y}"))
        self.fields["appointment"].widget.choices = [("", "None"), *dates]

    def clean(self) -> dict[str, Any]:
        """A Co-Pay with nothing else entered is the copay of today's coverage."""
        cleaned = self.cleaned_data
        if cleaned.get("is_copay") and cleaned.get("amount") is None and not self.errors and self.chosen() is None:
            if self.desk.copay_cents is None:
                self.add_error("amount", "No copay is known for this client: enter the amount.")
            cleaned["amount"] = self.desk.copay_cents
        return cleaned

    def facts(self) -> dict[str, Any]:
        """What `accept_payment` is told, but for the client."""
        cleaned = self.cleaned_data
        return {
            "request_key": cleaned["request_key"],
            "amount_cents": cleaned["amount"],
            "method": cleaned["method"],
            "received_on": cleaned["received_on"],
            "applications": self.chosen(),
            "number": cleaned["number"],
            "notes": cleaned["notes"],
            "is_copay": cleaned["is_copay"],
            "visit_id": cleaned["appointment"] or self.desk.visit_id,
            "is_prepayment": cleaned["appointment"] is not None,
            "expected_credit_cents": cleaned["expected_credit"] or 0,
        }


class NoteForm(forms.Form):
    """A billing note."""

    text = forms.CharField(label="Note", max_length=4000, widget=forms.Textarea(attrs={"rows": 4}))


class NewNoteForm(NoteForm):
    """A billing note to be: a double click adds it once."""

    note_id = IdInAdvance()


def initial_payment(desk: Desk, invoice_number: int | None, today: Any) -> dict[str, Any]:
    """What the page holds when it opens: the lines of one invoice ticked and its client amount entered, or the
    appointment that is prepaid, or nothing."""
    if desk.visit_id and desk.visit_invoice_number is None:
        return {"received_on": today, "appointment": desk.visit_id}
    wanted = [payable for payable in desk.lines if payable.line.invoice_number == invoice_number]
    amount = {"amount": sum(payable.line.due_cents for payable in wanted)} if wanted else {}
    return ticked(desk, invoice_number) | amount | {"received_on": today}


def ticked(desk: Desk, invoice_number: int | None) -> dict[str, Any]:
    """The ticks of one invoice's open lines."""
    wanted = [payable for payable in desk.lines if payable.line.invoice_number == invoice_number]
    return {f"{_TICK}{payable.id}": True for payable in wanted}


def _label(verb: str, payable: PayableLine) -> str:
    return f"{verb}: {payable.service} of {payable.line.service_on:%m/%d/%Y}, invoice {payable.line.invoice_number}"


def _id_of(name: str) -> UUID | None:
    try:
        return UUID(name.removeprefix(_APPLY))
    except ValueError:
        return None

"""The shape of an insurer's payment: the head, and paid, adjusted and client's part for each open line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.utils.datastructures import MultiValueDict

from daysheet.web.fields import DayField, IdInAdvance, MoneyField

from .insurance import LinePosting
from .models import Payment
from .queries.insurer_desk import InsuredLine, InsurerDesk

_PARTS = (("paid", "Paid"), ("adjusted", "Adjustment"), ("moved", "To client"))


@dataclass(frozen=True, slots=True)
class InsuredInputs:
    """An open line with its three bound fields."""

    line: InsuredLine
    paid: forms.BoundField
    adjusted: forms.BoundField
    moved: forms.BoundField


class ChooseInsurerForm(forms.Form):
    """Whose money came in, and which clients to list."""

    payer = forms.ChoiceField(label="Insurer")
    client = forms.CharField(label="Client", required=False, max_length=60)

    def __init__(self, *args: Any, payers: Sequence[tuple[UUID, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["payer"].choices = [("", "Choose"), *((str(pk), name) for pk, name in payers)]  # type: ignore[attr-defined]


class InsurerPaymentForm(forms.Form):
    """A cheque or transfer of an insurer. Amounts that were sent count even for lines no longer listed."""

    request_key = IdInAdvance()
    amount = MoneyField(required=False, label="Amount", help_text="Empty: what the lines get.")
    method = forms.ChoiceField(label="Method", choices=[(m.value, m.label) for m in Payment.INSURER_METHODS])
    received_on = DayField(label="Date")
    number = forms.CharField(required=False, max_length=40, label="Number")
    notes = forms.CharField(required=False, max_length=400, label="Notes")
    expected_credit = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: MultiValueDict[str, str] | None, *, desk: InsurerDesk, **options: Any) -> None:
        super().__init__(data, **options)
        self.desk = desk
        if data is None:
            self.fields["amount"].widget.attrs["autofocus"] = True
        sent = {_line_id(name) for name in data or ()} - {None}
        self._line_ids = [line.id for line in desk.lines]
        self._line_ids += sorted(line_id for line_id in sent if line_id and line_id not in set(self._line_ids))
        for line_id in self._line_ids:
            for part, label in _PARTS:
                self.fields[f"{part}-{line_id}"] = MoneyField(required=False, label=label)

    @property
    def line_inputs(self) -> Iterator[InsuredInputs]:
        """The listed lines with their fields, each named after line and part for screen readers."""
        for line in self.desk.lines:
            bound = {}
            for part, label in _PARTS:
                bound[part] = self[f"{part}-{line.id}"]
                words = f"{label}: {line.client_name}, {line.service_on:%m/%d/%Y}"
                bound[part].field.widget.attrs |= {
                    "aria-label": words,
                    "data-part": part,
                    "data-due": line.due_cents,
                    "size": 8,
                }
            yield InsuredInputs(line, bound["paid"], bound["adjusted"], bound["moved"])

    def postings(self) -> dict[UUID, LinePosting]:
        """What was typed, by line."""
        typed = self.cleaned_data
        return {
            line_id: LinePosting(*(typed.get(f"{part}-{line_id}") or 0 for part, _ in _PARTS))
            for line_id in self._line_ids
        }

    def facts(self) -> dict[str, Any]:
        """What `accept_insurance_payment` is told, but for the insurer."""
        typed = self.cleaned_data
        return {
            "request_key": typed["request_key"],
            "amount_cents": typed["amount"],
            "method": typed["method"],
            "received_on": typed["received_on"],
            "postings": self.postings(),
            "number": typed["number"],
            "notes": typed["notes"],
            "expected_credit_cents": typed["expected_credit"] or 0,
        }


def _line_id(name: str) -> UUID | None:
    part, _, text = name.partition("-")
    if part not in dict(_PARTS):
        return None
    try:
        return UUID(text)
    except ValueError:
        return None

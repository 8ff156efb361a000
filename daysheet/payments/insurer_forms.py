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
_TICK = "tick-"


@dataclass(frozen=True, slots=True)
class InsuredInputs:
    """An open line with its bound fields."""

    line: InsuredLine
    tick: forms.BoundField
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
        if not self.is_bound:  # the next check begins here
            self.fields["payer"].widget.attrs["autofocus"] = True


class SearchForm(forms.Form):
    """Which clients to list."""

    client = forms.CharField(label="Client", required=False, max_length=60)


class InsurerLinesForm(forms.Form):
    """For each open line a tick, and paid, adjusted and client's part. What was sent counts even for lines that are no
    longer listed: the form sent twice must ask for the same."""

    request_key = IdInAdvance()
    pay_all = forms.BooleanField(required=False, label="Pay all lines")

    def __init__(self, data: MultiValueDict[str, str] | None, *, desk: InsurerDesk, **options: Any) -> None:
        super().__init__(data, **options)
        self.desk = desk
        sent = {_line_id(name) for name in data or ()} - {None}
        self._line_ids = [line.id for line in desk.lines]
        self._line_ids += sorted(line_id for line_id in sent if line_id and line_id not in set(self._line_ids))
        for line_id in self._line_ids:
            self.fields[f"{_TICK}{line_id}"] = forms.BooleanField(required=False)
            for part, label in _PARTS:
                self.fields[f"{part}-{line_id}"] = MoneyField(required=False, label=label)

    @property
    def line_inputs(self) -> Iterator[InsuredInputs]:
        """The listed lines with their fields, each named after line and part for screen readers. The ticks are no stop
        of the Tab key, so that a cheque is typed from amount to amount: a space in an amount ticks its line."""
        for line in self.desk.lines:
            of_line = f"{line.client_name}, {line.service_on:%m/%d/%Y}"
            tick = self[f"{_TICK}{line.id}"]
            tick.field.widget.attrs |= {
                "aria-label": f"Pay in full: {of_line}", "data-check": "lines", "data-cents": line.due_cents,
                "tabindex": -1,
            }  # fmt: skip
            bound = {part: self[f"{part}-{line.id}"] for part, _ in _PARTS}
            for part, label in _PARTS:
                bound[part].field.widget.attrs |= {
                    "aria-label": f"{label}: {of_line}", "data-part": part, "data-due": line.due_cents, "size": 8,
                }  # fmt: skip
            yield InsuredInputs(line, tick, bound["paid"], bound["adjusted"], bound["moved"])

    def postings(self) -> dict[UUID, LinePosting]:
        """What was typed, by line; a tick without an amount takes its share."""
        return {line_id: self._posting(line_id) for line_id in self._line_ids}

    def _posting(self, line_id: UUID) -> LinePosting:
        typed = self.cleaned_data
        paid, adjusted, moved = (typed.get(f"{part}-{line_id}") for part, _ in _PARTS)
        is_ticked = typed.get(f"{_TICK}{line_id}") or typed.get("pay_all")
        return LinePosting(paid if is_ticked else paid or 0, adjusted or 0, moved or 0)


class InsurerPaymentForm(InsurerLinesForm):
    """A cheque or transfer of an insurer, and the lines it is for."""

    amount = MoneyField(required=False, label="Amount", help_text="Empty: what the lines get.")
    method = forms.ChoiceField(label="Method", choices=[(m.value, m.label) for m in Payment.INSURER_METHODS])
    received_on = DayField(label="Date")
    number = forms.CharField(required=False, max_length=40, label="Number")
    notes = forms.CharField(required=False, max_length=400, label="Notes")
    expected_credit = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: MultiValueDict[str, str] | None, *, desk: InsurerDesk, **options: Any) -> None:
        super().__init__(data, desk=desk, **options)
        if data is None:
            self.fields["amount"].widget.attrs["autofocus"] = True

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

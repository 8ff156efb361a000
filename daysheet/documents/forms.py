"""What can be asked of documents, and typed about how they look."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms

from daysheet.web.fields import DayField, DayRangeForm, IdInAdvance

from .colours import contrast_words, is_readable
from .logos import MOST_UPLOAD_BYTES
from .models import DocumentSettings
from .queries.statements import StatementChoices
from .rules import Basis, Period

_COLOUR = re.compile(r"^#[0-9a-f]{6}$")


class PeriodForm(DayRangeForm):
    """The days of a document, both included. Asked in the address; nothing asked is the default."""

    from_on = DayField(label="From")
    to_on = DayField(label="To")

    def __init__(self, asked: Mapping[str, Any], *, period: Period) -> None:
        days: dict[str, Any] = {"from_on": period.first_on.isoformat(), "to_on": period.last_on.isoformat()}
        given = {name: asked[name] for name in self.base_fields if name in asked}
        super().__init__({**days, **given})

    @property
    def period(self) -> Period:
        """Of a valid form."""
        return Period(self.cleaned_data["from_on"], self.cleaned_data["to_on"])


class StatementForm(PeriodForm):
    """A statement's choices."""

    basis = forms.ChoiceField(
        label="List charges", required=False, choices=[(basis.value, basis.label) for basis in Basis]
    )
    hides_zero = forms.BooleanField(label="Leave out zero-amount lines", required=False)
    hides_insurance_only = forms.BooleanField(label="Leave out lines billed to insurance only", required=False)

    def choices(self, as_of: date) -> StatementChoices:
        """Of a valid form, as of this day."""
        typed = self.cleaned_data
        return StatementChoices(
            self.period, Basis(typed["basis"] or Basis.SERVICE), as_of, typed["hides_zero"],
            typed["hides_insurance_only"],
        )  # fmt: skip


class MakeForm(forms.Form):
    """Makes what the page shows. The same id twice makes one document."""

    request_id = IdInAdvance()


class LookForm(forms.Form):
    """How documents look."""

    pay_to = forms.ChoiceField(
        label="Pay-to address",
        choices=DocumentSettings.PayTo.choices,
        help_text="Documents say whose address it is. Where a location has none, the practice’s is printed.",
    )
    brand_colour = forms.CharField(
        label="Colour", max_length=7, widget=forms.TextInput(attrs={"type": "color"}),
        help_text="Of headings and lines. Dark enough to be read on white paper.",
    )  # fmt: skip
    message = forms.CharField(
        label="Message", max_length=400, required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Printed at the end of invoices, statements and receipts.",
    )  # fmt: skip

    def clean_brand_colour(self) -> str:
        """`#rrggbb`, readable on white."""
        colour: str = self.cleaned_data["brand_colour"].lower()
        if not _COLOUR.match(colour):
            raise forms.ValidationError("Write the colour as # and six digits or letters a–f, such as #1f4d3a.")
        if not is_readable(colour):
            raise forms.ValidationError(
                f"This is too light to be read on white paper: its contrast is {contrast_words(colour)}."
            )
        return colour


class LogoForm(forms.Form):
    """A logo to print."""

    logo_id = IdInAdvance()
    picture = forms.FileField(
        label="Logo", widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
        help_text="PNG or JPEG, at most 2 MB. It is drawn anew and printed 0.55 inches high.",
    )  # fmt: skip
    alt = forms.CharField(
        label="Text for people who cannot see it", max_length=120, help_text="Usually the practice’s name."
    )

    def clean_picture(self) -> bytes:
        """The file's content, if it is not too large to be looked at."""
        file = self.cleaned_data["picture"]
        if file.size > MOST_UPLOAD_BYTES:
            raise forms.ValidationError(f"The file is larger than {MOST_UPLOAD_BYTES // 1_000_000} MB.")
        content: bytes = file.read()
        return content

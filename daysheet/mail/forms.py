"""The shape of what is typed about e-mail, and of the Delivery Log's filters."""

from __future__ import annotations

from typing import Any

from django import forms

from daysheet.web.fields import DayField, DayRangeForm, IdInAdvance

from .models import Message
from .queries import TROUBLE
from .registry import kind_choices


class MailboxForm(forms.Form):
    """How the practice signs."""

    sender_name = forms.CharField(
        label="Sender name", max_length=120, required=False,
        help_text="What receivers see as sender. Empty: the practice's name. Choose words that say nothing of health.",
    )  # fmt: skip
    reply_to = forms.EmailField(
        label="Answers go to", max_length=254, required=False,
        help_text="Empty: each message says that answers are not read.",
    )  # fmt: skip

    def clean_sender_name(self) -> str:
        """One line: a line break in a header would begin another."""
        name: str = self.cleaned_data["sender_name"]
        if not name.isprintable():
            raise forms.ValidationError("Use one line of letters, figures and signs.")
        return name


class TestForm(forms.Form):
    """The test message's id, made with the page."""

    __test__ = False  # not a test of pytest's
    run_id = IdInAdvance()


class LogForm(DayRangeForm):
    """Lives in the address, so that a search can be shared."""

    state = forms.ChoiceField(label="State", required=False)
    kind = forms.ChoiceField(label="What", required=False)
    from_on = DayField(label="From", required=False)
    to_on = DayField(label="To", required=False)
    client_id = forms.UUIDField(required=False, widget=forms.HiddenInput)
    run_id = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        states = [(TROUBLE, "Not arrived, or unknown"), *Message.State.choices]
        for name, choices in (("state", states), ("kind", kind_choices())):
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = [("", "Any"), *choices]

"""Our template of a list to choose from gives what Django's own gives, but for empty lines."""

from __future__ import annotations

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates


class _Marked(forms.Select):
    """One of its options has an attribute of its own."""

    def create_option(self, *args: object, **kwargs: object) -> dict[str, object]:
        option: dict[str, object] = super().create_option(*args, **kwargs)  # type: ignore[arg-type]
        option["attrs"] = {**option["attrs"], "data-kind": "a<b"} if option["value"] == "b" else option["attrs"]  # type: ignore[dict-item]
        return option


_CHOICES = [("", "Any"), ("a", "Ana “R” <b>"), ("b", "Ben & Co"), ("Group's", [(3, "Three"), (None, "None")])]


class _Form(forms.Form):
    plain = forms.ChoiceField(choices=_CHOICES, help_text="Choose.")
    many = forms.MultipleChoiceField(choices=_CHOICES)
    marked = forms.ChoiceField(choices=_CHOICES, widget=_Marked(attrs={"class": "wide"}), required=False)


@pytest.mark.parametrize("data", [None, {"plain": "a", "many": ["b", "3"], "marked": "b"}])
def test_it_is_what_django_makes(data: dict[str, object] | None) -> None:
    ours, theirs = _Form(data), _Form(data, renderer=DjangoTemplates())
    for name in ours.fields:
        assert _lines(ours[name]) == _lines(theirs[name])
        # Django's own leaves an empty line after each option: so this is really our template.
        assert "\n\n" in str(theirs[name]) and "\n\n" not in str(ours[name])


def _lines(field: forms.BoundField) -> list[str]:
    return [line for line in str(field).splitlines() if line.strip()]

"""The upload form."""

from __future__ import annotations

from typing import Any

from django import forms

from daysheet.practices.actor import Actor

from .actions import may_import
from .layouts import LAYOUTS

#: About 100,000 rows: what a page can compare while somebody waits. The command line takes more.
LARGEST_UPLOAD_BYTES = 8 * 1024 * 1024


class UploadForm(forms.Form):
    """Which template, and the file."""

    kind = forms.ChoiceField(label="What the file holds")
    file = forms.FileField(
        label="File",
        help_text="CSV (UTF-8) or Excel (.xlsx), with the titles of the template in its first row.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )

    def __init__(self, *args: Any, actor: Actor, **options: Any) -> None:
        super().__init__(*args, **options)
        allowed = [(layout.kind, layout.label) for layout in LAYOUTS.values() if may_import(actor, layout)]
        self.fields["kind"] = forms.ChoiceField(label="What the file holds", choices=allowed)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_UPLOAD_BYTES:
            raise forms.ValidationError(
                f"The file is larger than {LARGEST_UPLOAD_BYTES // 1024 // 1024} MB. Split it, or let whoever runs the "
                "server use “daysheet import”."
            )
        return file

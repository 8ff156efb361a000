"""Forms of signing in that differ from the library's."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as LibraryLoginForm


class LoginForm(LibraryLoginForm):  # type: ignore[misc]
    """The way to a forgotten password stands beside the button, as a link large enough to be touched, and once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""

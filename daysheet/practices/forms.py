"""Forms of signing in that differ from the library's."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import LoginForm as LibraryLoginForm
from allauth.mfa.base.forms import AuthenticateForm as LibraryAuthenticateForm
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as LibraryReauthenticateForm
from django.core.exceptions import ValidationError

from daysheet.kit.sealing import CannotUnseal


class LoginForm(LibraryLoginForm):  # type: ignore[misc]
    """The way to a forgotten password stands beside the button, as a link large enough to be touched, and once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class _SaysWhichKeyIsMissing(BaseAuthenticateForm):  # type: ignore[misc]
    """Where the key is lost under which second steps are sealed, no code can be checked, and trying on is of no use."""

    def clean_code(self) -> str:
        """The code, where it is right."""
        try:
            return str(super().clean_code())
        except CannotUnseal as missing:
            raise ValidationError(
                "No code can be checked: a key of this installation is missing. Tell whoever looks after Daysheet; "
                "that person can also let you in with your password alone."
            ) from missing


class AuthenticateForm(_SaysWhichKeyIsMissing, LibraryAuthenticateForm):  # type: ignore[misc]
    """The second step of signing in."""


class ReauthenticateForm(_SaysWhichKeyIsMissing, LibraryReauthenticateForm):  # type: ignore[misc]
    """The second step once more, before something that needs it."""

"""What the pages that make a login have in common: the field for a new password, its check, and signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse

from daysheet.practices.models import User

_ENDED = (
    "You were signed out, because your permissions or your password were changed. What you had not saved was not "
    "saved. Sign in again to go on."
)
_NOT_SENT = "You were signed out meanwhile, so what you sent was not saved. Sign in again, then enter it once more."
_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class NewPasswordField(forms.CharField):
    """A password that is being chosen."""

    def __init__(self, **options: Any) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
        super().__init__(**{"strip": False, "widget": widget, "help_text": _demands(), **options})


def check_new_password(form: forms.Form, user: User, field: str = "password") -> None:
    """Put what is wrong with a chosen password beside its field."""
    password = form.cleaned_data.get(field)
    if password:
        try:
            validate_password(password, user)
        except forms.ValidationError as weak:
            form.add_error(field, weak)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page, and back here afterwards. Whoever's session was ended for them (P2) is told so there: Django
    has emptied it in this very request, which an expired or missing session never is."""
    if request.session.modified and request.session.is_empty():
        messages.warning(request, _ENDED)
    elif request.method == "POST":
        messages.warning(request, _NOT_SENT)
    return redirect_to_login(request.get_full_path())


def sign_in(request: HttpRequest, user: User) -> None:
    """Sign a person in who has just chosen their password."""
    login(request, user, backend=_BACKEND)
    record_authentication(request, user, method="password", email=user.email)


def _demands() -> str:
    return " ".join(password_validators_help_texts()[:1])

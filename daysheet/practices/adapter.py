"""allauth's hooks: nobody signs up by themselves; logins come from the first-run page and from invitations."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Password resets are sent by allauth itself, in the request: a login belongs to no one practice, so no Delivery
    Log could hold them, and none should say who forgot a password. The answer is the same whether the mail server took
    it, and asking again is harmless: each link works once."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed: see staff.actions.invite_staff_member and staff.entrance.welcome."""
        return False

    def populate_username(self, request: HttpRequest, user: Any) -> None:
        """Logins have no user name."""


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Keeps the secrets of the second step sealed."""

    def encrypt(self, text: str) -> str:
        """As it is stored."""
        from .sealing import seal  # models are not loaded yet when the library asks for this class

        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises CannotUnseal."""
        from .sealing import unseal

        return unseal(encrypted_text)

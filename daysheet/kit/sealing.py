"""Secrets at rest: sealed with keys of their own, the newest of which seals while older ones still open."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotUnseal(Exception):
    """The secret was sealed with a key that is not at hand."""


class Box:
    """Seals for one purpose: what was sealed for another is not opened. `keys`: the newest first."""

    def __init__(self, purpose: str, keys: Sequence[str]) -> None:
        self._boxes = [_fernet(purpose, key) for key in keys]

    def seal(self, secret: str) -> str:
        """The secret as it is stored."""
        return self._boxes[0].encrypt(secret.encode()).decode()

    def unseal(self, stored: str) -> str:
        """The secret again. Raises CannotUnseal."""
        try:
            return MultiFernet(self._boxes).decrypt(stored.encode()).decode()
        except InvalidToken as error:
            raise CannotUnseal("It was sealed with another key.") from error

    def is_of_newest_key(self, stored: str) -> bool:
        """Whether the older keys are not needed for it."""
        try:
            self._boxes[0].decrypt(stored.encode())
        except InvalidToken:
            return False
        return True


def _fernet(purpose: str, key: str) -> Fernet:
    digest = hashlib.sha256(f"{purpose}:{key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))

"""Secrets at rest: sealed with keys of their own, the newest of which seals while older ones still open."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from enum import StrEnum

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class CannotUnseal(Exception):
    """The secret was sealed with a key that is not at hand."""


class Sealing(StrEnum):
    """How a stored secret is kept."""

    FINE = "fine"
    OLD_KEY = "old key"
    PLAIN = "plain"
    LOST = "lost"


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

    def sealing_of(self, stored: str) -> Sealing:
        """Which key it needs."""
        for place, box in enumerate(self._boxes):
            try:
                box.decrypt(stored.encode())
            except InvalidToken:
                continue
            return Sealing.OLD_KEY if place else Sealing.FINE
        return Sealing.LOST

    def seal_again(self, stored: str) -> str:
        """The same secret under the newest key. Raises CannotUnseal."""
        return self.seal(self.unseal(stored))


def _fernet(purpose: str, key: str) -> Fernet:
    digest = hashlib.sha256(f"{purpose}:{key}".encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))

"""Secrets of card processors at rest: sealed with a key of its own, apart from the one that signs sessions."""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


class CannotUnseal(Exception):
    """The secret was sealed with another key: DAYSHEET_CARD_KEY, or the file card-key of the data folder, was lost."""


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def unseal(stored: str) -> str:
    """The secret again. Raises CannotUnseal."""
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise CannotUnseal("The card processor's key cannot be read: it was sealed with another card key.") from error


def _box() -> Fernet:
    digest = hashlib.sha256(b"daysheet card secrets:" + settings.CARD_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))

"""Secrets of card processors at rest: sealed with a key of their own, apart from the one that signs sessions."""

from __future__ import annotations

from django.conf import settings

from daysheet.kit.sealing import Box, CannotUnseal

__all__ = ["CannotUnseal", "seal", "unseal"]


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return _box().seal(secret)


def unseal(stored: str) -> str:
    """The secret again. Raises CannotUnseal where DAYSHEET_CARD_KEY, or the file card-key of the data folder, was
    lost."""
    try:
        return _box().unseal(stored)
    except CannotUnseal as error:
        raise CannotUnseal("The card processor's key cannot be read: it was sealed with another card key.") from error


def _box() -> Box:
    return Box("daysheet card secrets", [settings.CARD_KEY, *settings.OLD_KEYS])

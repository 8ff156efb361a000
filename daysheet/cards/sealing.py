"""Secrets of card processors at rest: sealed with a key of their own, apart from the one that signs sessions."""

from __future__ import annotations

from django.conf import settings

from daysheet.database.scope import practice_transaction
from daysheet.kit.sealing import Box, CannotUnseal, Sealing
from daysheet.practices.models import Practice

from .models import ProcessorAccount

__all__ = ["CannotUnseal", "count_sealings", "seal", "seal_again", "unseal"]
_FIELDS = ("api_key_sealed", "webhook_secret_sealed")


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


def count_sealings() -> dict[Sealing, int]:
    """How many secrets of all practices are kept in which way; of ended accounts too, whose news is still heard."""
    counts = dict.fromkeys(Sealing, 0)
    for practice in Practice.objects.order_by("pk"):
        with practice_transaction(practice.pk):
            for secrets in ProcessorAccount.objects.values_list(*_FIELDS):
                for stored in filter(None, secrets):
                    counts[_box().sealing_of(stored)] += 1
    return counts


def seal_again() -> int:
    """Seal what is of an older key with the newest one, as the tables' owner: the runtime role changes no secret.
    Returns how many. What no key opens stays."""
    sealed = 0
    for practice in Practice.objects.order_by("pk"):
        with practice_transaction(practice.pk):
            for account in ProcessorAccount.objects.select_for_update().order_by("pk"):
                stored = {field: getattr(account, field) for field in _FIELDS}
                due = {
                    field: _box().seal_again(secret)
                    for field, secret in stored.items()
                    if secret and _box().sealing_of(secret) is Sealing.OLD_KEY
                }
                if due:
                    ProcessorAccount.objects.filter(pk=account.pk).update(**due)
                sealed += len(due)
    return sealed


def _box() -> Box:
    return Box("daysheet card secrets", [settings.CARD_KEY, *settings.OLD_KEYS])

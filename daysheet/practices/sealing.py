"""Secrets of the second step of signing in (TOTP keys, seeds of recovery codes) at rest: sealed with a key of their
own, apart from the one that signs sessions. Who reads the database alone cannot sign in as anybody."""

from __future__ import annotations

from collections.abc import Collection

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from daysheet.kit.sealing import Box, Sealing

_SEALED = "sealed:"
#: Where the library keeps a secret; a passkey's data is a public key.
_FIELDS = ("secret", "seed")


def seal(secret: str) -> str:
    """The secret as it is stored."""
    return _SEALED + _box().seal(secret)


def unseal(stored: str) -> str:
    """The secret again, also of a row that was written before secrets were sealed. Raises CannotUnseal."""
    return _box().unseal(stored.removeprefix(_SEALED)) if stored.startswith(_SEALED) else stored


def sealing_of(stored: str) -> Sealing:
    """How it is kept now."""
    return _box().sealing_of(stored.removeprefix(_SEALED)) if stored.startswith(_SEALED) else Sealing.PLAIN


def count_sealings() -> dict[Sealing, int]:
    """How many secrets of all logins are kept in which way."""
    counts = dict.fromkeys(Sealing, 0)
    for data in Authenticator.objects.values_list("data", flat=True):
        for field in _FIELDS:
            if stored := data.get(field):
                counts[sealing_of(stored)] += 1
    return counts


def seal_plain() -> int:
    """Seal what was written before secrets were sealed; returns how many. Of another key nothing is touched: on another
    machine that one may be the newest still."""
    is_plain = Q()
    for field in _FIELDS:
        is_plain |= Q(**{f"data__{field}__isnull": False}) & ~Q(**{f"data__{field}__startswith": _SEALED})
    return _seal({Sealing.PLAIN}, Authenticator.objects.filter(is_plain))


def seal_again() -> int:
    """Seal what is plain or of an older key with the newest one; returns how many. What no key opens stays."""
    return _seal({Sealing.PLAIN, Sealing.OLD_KEY}, Authenticator.objects.all())


def _seal(ways: Collection[Sealing], among: QuerySet[Authenticator]) -> int:
    sealed = 0
    with transaction.atomic():
        for row in among.select_for_update().order_by("pk"):
            due = [field for field in _FIELDS if row.data.get(field) and sealing_of(row.data[field]) in ways]
            for field in due:
                row.data[field] = seal(unseal(row.data[field]))
            if due:
                row.save(update_fields=["data"])
            sealed += len(due)
    return sealed


def _box() -> Box:
    return Box("daysheet sign-in secrets", [settings.SIGN_IN_KEY, *settings.OLD_KEYS])

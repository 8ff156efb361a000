"""Request keys: the same request twice is one, whichever form, connection or moment it comes from (M5).

A key is claimed by inserting its row, in the transaction of what it does: a twin waits for the first to commit, then
finds the row and is told that it is a repeat, or that the key was used for something else. What is rolled back leaves
no row, so that a refused form can be mended and sent again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from uuid import UUID

from django.db import connection

from daysheet.kit.errors import Refusal
from daysheet.practices.actor import Actor

from .models import MoneyRequest


class RequestKeyReused(Refusal):
    """The request key was used before for something else (M5)."""

    code = "request_key_reused"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            "This form was saved before with other content. Nothing was saved now: look at what the first one did, and "
            "open the form anew for another one."
        )


def claim_request(actor: Actor, request_key: UUID, verb: str, content: Mapping[str, object]) -> bool:
    """Whether the request is new; False where the same was carried out before. To be called before anything is
    decided; `verb` and `content` (of plain values) are what makes it the same. Raises RequestKeyReused."""
    digest = _digest(verb, content)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{MoneyRequest._meta.db_table}" (practice_id, id, verb, digest, posted_at) '
            "VALUES (%s, %s, %s, %s, %s) ON CONFLICT (practice_id, id) DO NOTHING",
            [actor.practice.id, request_key, verb, digest, actor.now],
        )
        if cursor.rowcount:
            return True
    if MoneyRequest.objects.values_list("digest", flat=True).get(pk=request_key) != digest:
        raise RequestKeyReused
    return False


def is_carried_out(request_key: UUID) -> bool:
    """Whether this request was carried out before, or in this moment."""
    return MoneyRequest.objects.filter(pk=request_key).exists()


def _digest(verb: str, content: Mapping[str, object]) -> str:
    return hashlib.sha256(json.dumps([verb, content], sort_keys=True, default=str).encode()).hexdigest()

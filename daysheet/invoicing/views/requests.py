"""What every view of this slice is given."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from daysheet.practices.actor import Actor

from ..batch_form import read_id


class PracticeRequest(HttpRequest):
    """A request inside a practice: the middleware has found the actor."""

    actor: Actor


def id_or_none(text: str | None) -> UUID | None:
    """An id of a drop-down or filter; nothing chosen, or nonsense, is None."""
    return read_id(text) if text else None

"""What a view takes from its request."""

from __future__ import annotations

from django.http import HttpRequest

from daysheet.practices.actor import Actor


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the middleware found for a view under `/<practice>/`."""
    actor = getattr(request, "actor", None)
    assert isinstance(actor, Actor), "this view is not under a practice's address"
    return actor

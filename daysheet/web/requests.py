"""What a view takes from its request, and where it may lead back to."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from daysheet.practices.actor import Actor


def actor_of(request: HttpRequest) -> Actor:
    """The actor that the middleware found for a view under `/<practice>/`."""
    actor = getattr(request, "actor", None)
    assert isinstance(actor, Actor), "this view is not under a practice's address"
    return actor


def next_url(request: HttpRequest, otherwise: str) -> str:
    """The page named by `next`, when it is a page of ours; never another host."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if wanted and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return otherwise

"""The marks on business verbs: `@action` for writes, `@query` for reads. The permission is checked here, once (P3)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import transaction

from .actor import Actor
from .permissions import Permission

Verb = TypeVar("Verb", bound=Callable[..., Any])

_audited: ContextVar[int] = ContextVar("daysheet_audited", default=0)


class NotAudited(AssertionError):
    """An action wrote without an audit event. Raised in tests only."""


def note_audited(events: int = 1) -> None:
    """Called by `audit.record`: lets tests see that an action left its trace."""
    _audited.set(_audited.get() + events)


def action(permission: Permission, *, audited: bool = True) -> Callable[[Verb], Verb]:
    """Mark a write: checks `permission`, opens a savepoint, and in tests fails where nothing was audited.

    `audited=False` is for verbs that may rightly find nothing to do (a retry, an idempotent renewal).
    """

    def mark(verb: Verb) -> Verb:
        @functools.wraps(verb)
        def checked(actor: Actor, *args: Any, **kwargs: Any) -> Any:
            actor.require(permission)
            before = _audited.get()
            with transaction.atomic():
                result = verb(actor, *args, **kwargs)
            if settings.TESTING and audited and _audited.get() == before:
                raise NotAudited(f"{verb.__module__}.{verb.__qualname__} wrote no audit event")
            return result

        checked.permission = permission  # type: ignore[attr-defined]
        return cast(Verb, checked)

    return mark


def query(permission: Permission) -> Callable[[Verb], Verb]:
    """Mark a read: checks `permission`."""

    def mark(read: Verb) -> Verb:
        @functools.wraps(read)
        def checked(actor: Actor, *args: Any, **kwargs: Any) -> Any:
            actor.require(permission)
            return read(actor, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return cast(Verb, checked)

    return mark

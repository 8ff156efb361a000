"""What the clock does in every practice: licences renewed, books verified, nights made up for."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

from daysheet.practices.actor import PracticeFacts
from daysheet.practices.models import Practice

Result = TypeVar("Result")
_log = logging.getLogger("daysheet.jobs")


def in_every_practice(work: Callable[[PracticeFacts], Result | None], *, doing: str) -> dict[str, Result]:
    """Do `work` in one practice after the other; returns what it answered by address, None left out.

    One practice's failure does not stop the others: it is logged as `doing` and tried again at the next call, so
    `work` must bear late and repeated calls.
    """
    results: dict[str, Result] = {}
    for practice in Practice.objects.order_by("pk"):
        try:
            result = work(practice.facts)
        except Exception:
            _log.exception("%s of practice %s failed", doing, practice.pk)
        else:
            if result is not None:
                results[practice.slug] = result
    return results

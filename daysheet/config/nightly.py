"""The books are verified every night, in each practice's own time zone, and the result is kept and shown.

A run that was missed because the machine was down is made up for at the next call; two workers make one run.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

from daysheet.audit.actions import record
from daysheet.audit.seals import seal_night
from daysheet.database.scope import practice_transaction
from daysheet.jobs.everywhere import in_every_practice
from daysheet.kit.dates import last_night
from daysheet.practices.action import action, query
from daysheet.practices.actor import Actor, PracticeFacts, system_actor
from daysheet.practices.models import Practice
from daysheet.practices.permissions import Permission
from daysheet.staff.registry import SettingsSection

from .models import Verification
from .verify import verify_practice, verify_storage
from .verify_checks import Found

_log = logging.getLogger("daysheet.config")
#: After so long without a verification something is wrong with the worker.
_OVERDUE = timedelta(hours=50)


@dataclass(frozen=True, slots=True)
class LastVerification:
    """What Organization → Settings says. `found` holds amounts and is empty for people without Billing (P2)."""

    ran_at: datetime
    check_count: int
    difference_count: int
    found: Sequence[dict[str, Any]]


def verify_where_due(now: datetime) -> dict[str, int]:
    """Verify every practice whose night it is; returns the differences found by address."""

    def verify_if_due(facts: PracticeFacts) -> int | None:
        return _verify(facts, now) if _is_due(facts, now) else None

    return in_every_practice(verify_if_due, doing="the verification")


def is_night(now: datetime, last_on: date | None, time_zone: str) -> bool:
    """Whether the night's run of today is still to be made."""
    return last_on is None or last_on < last_night(now, time_zone)


def overdue_or_different(now: datetime) -> list[str]:
    """Practices whose newest verification found differences, or is older than two nights; in words."""
    said = in_every_practice(lambda facts: _overdue_or_different(facts, now), doing="asking for the verification")
    return list(said.values())


@query(Permission.ADMINISTRATOR)
def last_verification(actor: Actor) -> LastVerification | None:
    """The newest result; None before the first night."""
    last = Verification.objects.order_by("-ran_on").first()
    if last is None:
        return None
    found = last.found if actor.may(Permission.BILLING) else []
    return LastVerification(last.ran_at, last.check_count, last.difference_count, found)


def settings_section(actor: Actor) -> SettingsSection:
    """The part of Organization → Settings."""
    return SettingsSection("config/verification.html", last_verification(actor))


@action(Permission.ORGANIZATION_ADMINISTRATOR, audited=False)
def keep_verification(actor: Actor, *, results: Sequence[Found]) -> None:
    """Write down what was found, once a day: a second worker's result is left out."""
    found = [asdict(result) for result in results if result.count]
    kept, is_first = Verification.objects.get_or_create(
        ran_on=last_night(actor.now, actor.practice.time_zone),
        defaults={
            "ran_at": actor.now,
            "check_count": len(results),
            "difference_count": sum(result.count for result in results),
            "found": found,
        },
    )
    if is_first:
        differences = kept.difference_count
        failed = [result.name for result in results if result.count]
        record(actor, "verify_books", "practice", actor.practice.id, differences=differences, failed=failed)


def _overdue_or_different(facts: PracticeFacts, now: datetime) -> str | None:
    with practice_transaction(facts.id):
        last = Verification.objects.order_by("-ran_at").first()
    since = last.ran_at if last else Practice.objects.values_list("created_at", flat=True).get(pk=facts.id)
    if now - since > _OVERDUE:
        return f"{facts.slug} was not verified in the last two nights: does the worker run at night?"
    if last and last.difference_count:
        return f"{facts.slug}: the books do not agree. Run `daysheet verify {facts.slug}`."
    return None


def _is_due(facts: PracticeFacts, now: datetime) -> bool:
    with practice_transaction(facts.id):
        last_on = Verification.objects.order_by("-ran_on").values_list("ran_on", flat=True).first()
    return is_night(now, last_on, facts.time_zone)


def _verify(facts: PracticeFacts, now: datetime) -> int:
    seal_night(facts, now)
    results = [*verify_storage(), *verify_practice(facts, now).results]
    differences = sum(result.count for result in results)
    with practice_transaction(facts.id):
        keep_verification(system_actor(facts, now, name="Daysheet"), results=results)
    if differences:
        _log.error("the verification of practice %s found %s differences: run `daysheet verify`", facts.id, differences)
    return differences

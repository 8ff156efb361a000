"""The nightly verification: due once a night in practice time, kept, shown, and loud where it failed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from daysheet.audit.models import AuditEvent
from daysheet.config.models import Verification
from daysheet.config.nightly import is_night, verify_where_due
from daysheet.database.scope import practice_transaction
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember
from tests.architecture.world import browser_of
from tests.people import Cast

from .damage import damage

#: 02:30 in New York, 23:30 of the day before in Los Angeles.
NIGHT = datetime(2026, 11, 17, 7, 30, tzinfo=UTC)
SETTINGS = "/alder/organization/settings"


@pytest.mark.parametrize(
    ("hours", "last_on", "zone", "is_due"),
    [
        (0, None, "America/New_York", True),
        (0, date(2026, 11, 16), "America/New_York", True),
        (0, date(2026, 11, 17), "America/New_York", False),
        (-1, date(2026, 11, 16), "America/New_York", False),
        (12, date(2026, 11, 14), "America/New_York", True),
        (0, date(2026, 11, 16), "America/Los_Angeles", False),
        (3, date(2026, 11, 16), "America/Los_Angeles", True),
    ],
)
def test_it_is_due_once_a_night_in_practice_time(hours: int, last_on: date | None, zone: str, is_due: bool) -> None:
    assert is_night(NIGHT + timedelta(hours=hours), last_on, zone) is is_due


def test_a_clean_night_is_kept_once_and_shown(history: Cast) -> None:
    bob = browser_of(history.alice)
    assert "The first result comes tomorrow" in bob.get(SETTINGS).content.decode()
    assert verify_where_due(NIGHT) == {"alder": 0, "birch": 0}  # birch was never verified: last night's run
    assert verify_where_due(NIGHT + timedelta(hours=1)) == {}
    with practice_transaction(history.alder.id):
        kept = Verification.objects.get()
        event = AuditEvent.objects.get(verb="verify_books")
    assert (kept.ran_on, kept.difference_count, kept.found) == (date(2026, 11, 17), 0, [])
    assert event.details == {"differences": 0, "failed": []}
    page = bob.get(SETTINGS).content.decode()
    assert f"Everything agreed: {kept.check_count} checks, 11/17/2026 2:30 AM" in page


def test_a_failed_night_warns_and_names_amounts_only_for_people_with_billing(history: Cast) -> None:
    damage("UPDATE payments_payment SET unapplied_cents = unapplied_cents + 1 WHERE unapplied_cents < amount_cents")
    found = verify_where_due(NIGHT)
    assert found["alder"] > 0 and found["birch"] == 0
    with practice_transaction(history.alder.id):
        StaffMember.objects.filter(pk=history.carol.staff_member_id).update(
            permissions=[Permission.ADMINISTRATOR.value]
        )
    owner, admin = (browser_of(person).get(SETTINGS).content.decode() for person in (history.alice, history.carol))
    assert "The books do not agree." in owner and "The books do not agree." in admin
    assert "every payment came in once" in owner and "by its entries" in owner
    assert "by its entries" not in admin
    log = browser_of(history.alice).get("/alder/organization/activity").content.decode()
    assert "verified the books" in log and "every payment came in once" in log


def test_one_practice_that_cannot_be_verified_does_not_stop_the_others(
    history: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from daysheet.config import nightly

    real = nightly.verify_practice

    def fail_for_alder(facts: object, now: datetime) -> object:
        if facts.id == history.alder.id:  # type: ignore[attr-defined]
            raise RuntimeError("disk")
        return real(facts, now)  # type: ignore[arg-type]

    monkeypatch.setattr(nightly, "verify_practice", fail_for_alder)
    assert verify_where_due(NIGHT + timedelta(hours=5)) == {"birch": 0}
    monkeypatch.setattr(nightly, "verify_practice", real)
    assert verify_where_due(NIGHT + timedelta(hours=6)) == {"alder": 0}

"""New Year: licences renew by practice time, once, and late if need be (L2, L3)."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.practices.actor import PracticeFacts
from daysheet.practices.models import Practice
from daysheet.staff import actions as staff
from daysheet.staff.actors import Entrance, person_actor, practice_facts
from daysheet.staff.jobs import renew_licenses_everywhere
from daysheet.staff.licenses.actions import (
    assign_license,
    correct_license,
    renew_if_due,
    renew_licenses,
    set_cpt_access,
)
from daysheet.staff.licenses.queries import licensed_staff_ids, licenses_of_year
from daysheet.staff.licenses.rules import previous_year, who_is_renewed
from daysheet.staff.models import CptLicense, LicenseRenewalRun
from tests.invariants.at_once import at_once
from tests.people import NOW, Cast, Person

ZONES = ["America/New_York", "America/Los_Angeles", "Pacific/Honolulu"]


def at(zone: str, year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def holders(cast: Cast, year: int) -> set[str]:
    with practice_transaction(cast.alder.id):
        held = CptLicense.objects.filter(year=year).select_related("staff_member")
        return {license_.staff_member.first_name for license_ in held}


def give(cast: Cast, *people: Person, now: datetime = NOW) -> None:
    with practice_transaction(cast.alder.id):
        for person in people:
            assign_license(cast.actor(cast.alice, now=now), person.staff_member_id)


def edit(cast: Cast, person: Person, **facts: object) -> None:
    with practice_transaction(cast.alder.id):
        staff.edit_staff_member(cast.actor(cast.alice), person.staff_member_id, **facts)


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ZONES)
def test_the_year_turns_at_midnight_of_each_practice_and_not_before(zone: str) -> None:
    practice, owner = staff.create_practice(
        slug="zone", name="Zone", time_zone=zone, owner=staff.NewOwner("z@zone.example", "Zoe", "Zone"), now=NOW
    )
    facts = practice_facts(practice)
    eve, new_year = at(zone, 2026, 12, 31, 23, 59), at(zone, 2027, 1, 1, 0, 1)
    with practice_transaction(facts.id):
        user_id = type(owner).objects.get(pk=owner.pk).user_id
        zoe = person_actor(Entrance(facts, owner.pk), user_id, now=eve)
        assert zoe is not None
        assign_license(zoe, owner.pk)

        assert renew_licenses(facts, eve) == 0
        assert licensed_staff_ids(2026, [owner.pk]) == {owner.pk}
        assert licensed_staff_ids(2027, [owner.pk]) == set()

        assert renew_licenses(facts, new_year) == 1
        assert licensed_staff_ids(2027, [owner.pk]) == {owner.pk}
        renewed = CptLicense.objects.get(year=2027)
    assert (renewed.is_renewal, renewed.paid_on, renewed.assigned_by) == (True, None, "License renewal")


def test_one_moment_is_new_year_in_the_east_and_still_old_in_the_west(cast: Cast) -> None:
    give(cast, cast.carol)
    with practice_transaction(cast.birch.id):
        assign_license(cast.actor(cast.charlie), cast.charlie.staff_member_id)

    one_oclock_in_the_east = at("America/New_York", 2027, 1, 1, 1, 0)

    assert renew_licenses_everywhere(at("America/New_York", 2026, 12, 31, 12, 0)) == {"alder": 0, "birch": 0}
    assert renew_licenses_everywhere(one_oclock_in_the_east) == {"alder": 1, "birch": 0}
    assert renew_licenses_everywhere(at("America/Los_Angeles", 2027, 1, 1, 0, 1)) == {"alder": 0, "birch": 1}


def test_access_turned_off_keeps_the_year_and_stops_the_renewal(cast: Cast) -> None:
    give(cast, cast.carol, cast.bob)
    with practice_transaction(cast.alder.id):
        set_cpt_access(cast.actor(cast.alice), cast.carol.staff_member_id, has_access=False)

    assert holders(cast, 2026) == {"Carol", "Bob"}
    renew_licenses(cast.alder, at("America/New_York", 2027, 1, 1, 0, 1))
    assert holders(cast, 2027) == {"Bob"}

    # Turned on again later, a lapsed licence is assigned by a person and never comes back by itself.
    with practice_transaction(cast.alder.id):
        set_cpt_access(cast.actor(cast.alice), cast.carol.staff_member_id, has_access=True)
    renew_licenses(cast.alder, at("America/New_York", 2028, 1, 1, 0, 1))
    assert holders(cast, 2028) == {"Bob"}


def test_the_inactive_are_not_renewed_and_the_never_licensed_get_nothing(cast: Cast) -> None:
    give(cast, cast.carol, cast.bob)
    edit(cast, cast.bob, is_active=False)

    assert renew_licenses(cast.alder, at("America/New_York", 2027, 1, 1, 0, 1)) == 1

    assert holders(cast, 2027) == {"Carol"}


def test_a_second_run_and_a_licence_assigned_before_the_run_change_nothing(cast: Cast) -> None:
    give(cast, cast.carol, cast.bob)
    early = at("America/New_York", 2027, 1, 1, 0, 0)
    give(cast, cast.carol, now=early)

    assert renew_licenses(cast.alder, at("America/New_York", 2027, 1, 1, 0, 1)) == 1
    assert renew_licenses(cast.alder, at("America/New_York", 2027, 6, 1, 0, 1)) == 0

    assert holders(cast, 2027) == {"Carol", "Bob"}
    with practice_transaction(cast.alder.id):
        assert [run.renewed_count for run in LicenseRenewalRun.objects.filter(year=2027)] == [1]


def test_a_machine_that_slept_over_three_new_years_renews_the_current_year_only(cast: Cast) -> None:
    give(cast, cast.carol)

    assert renew_licenses(cast.alder, at("America/New_York", 2029, 3, 4, 9, 0)) == 1

    assert [holders(cast, year) for year in (2027, 2028, 2029)] == [set(), set(), {"Carol"}]


def test_a_licence_that_lapsed_before_a_year_without_any_stays_lapsed(cast: Cast) -> None:
    give(cast, cast.carol)
    with practice_transaction(cast.alder.id):
        set_cpt_access(cast.actor(cast.alice), cast.carol.staff_member_id, has_access=False)
    renew_licenses(cast.alder, at("America/New_York", 2027, 1, 1, 0, 1))
    with practice_transaction(cast.alder.id):
        set_cpt_access(cast.actor(cast.alice), cast.carol.staff_member_id, has_access=True)

    assert renew_licenses(cast.alder, at("America/New_York", 2028, 1, 1, 0, 1)) == 0
    assert holders(cast, 2028) == set()


def test_a_renewal_costs_the_fee_of_its_day_and_keeps_the_earlier_one(cast: Cast) -> None:
    give(cast, cast.carol)
    with practice_transaction(cast.alder.id):
        first = CptLicense.objects.get()
        correct_license(cast.actor(cast.alice), first.pk, fee_cents=1900, paid_on=None, reference="")
        Practice.objects.filter(pk=cast.alder.id).update(cpt_license_fee_cents=2300)

    renew_licenses(cast.alder, at("America/New_York", 2027, 1, 1, 0, 1))

    with practice_transaction(cast.alder.id):
        alice = cast.actor(cast.alice)
        assert [licenses_of_year(alice, year).fees_cents for year in (2026, 2027)] == [1900, 2300]


def test_where_nothing_is_due_the_door_pays_one_query(cast: Cast, django_assert_num_queries) -> None:
    renew_licenses(cast.alder, NOW)

    with practice_transaction(cast.alder.id), django_assert_num_queries(1):
        assert renew_if_due(cast.alder, NOW) == 0


def test_two_workers_at_midnight_renew_once(live_cast: Cast) -> None:
    give(live_cast, live_cast.carol, live_cast.bob)
    new_year = at("America/New_York", 2027, 1, 1, 0, 0)

    assert sorted(_together(live_cast.alder, new_year, workers=4)) == [0, 0, 0, 2]

    assert holders(live_cast, 2027) == {"Carol", "Bob"}
    with practice_transaction(live_cast.alder.id):
        assert LicenseRenewalRun.objects.filter(year=2027).count() == 1


def test_rules_know_the_latest_year_with_a_licence_or_a_run() -> None:
    assert previous_year(2027, [], []) is None
    assert previous_year(2027, [2026, 2027], [2026]) == 2026
    assert previous_year(2027, [2024], [2025]) == 2025
    assert who_is_renewed([], [], {}) == []


def _together(facts: PracticeFacts, now: datetime, *, workers: int) -> list[int]:
    return at_once(*[lambda: renew_licenses(facts, now)] * workers)

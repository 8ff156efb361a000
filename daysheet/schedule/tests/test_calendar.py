"""The Calendar over HTTP: what each person sees, the Billed tag, filters, crowded days, fixed numbers of statements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.test import Client as Browser

from daysheet.clients.actions import assign_staff
from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.practices.models import Location, User
from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.queries import calendar_month, calendar_week
from daysheet.schedule.rules import minutes_of_day
from daysheet.schedule.statuses import set_status
from daysheet.staff.models import StaffMember
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast, Person

SUNDAY = date(2026, 11, 1)
WEEK = f"/alder/calendar/?day={DAY.isoformat()}"
MONTH = f"{WEEK}&view=month"


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def _book(clinic: Clinic, *clients: UUID, day: date = DAY, at: time = time(10), **more: Any) -> UUID:
    slot = Slot(day, at, 50, clinic.cast.carol.staff_member_id, clinic.location.pk, **more)
    members = {client: [ServiceChoice(clinic.letter.pk)] for client in clients}
    return add_appointment(clinic.owner, slot=slot, members=members)


def _crowd(clinic: Clinic, days: int, per_day: int) -> None:
    """So many appointments on each of so many days from Sunday on, written as sets."""
    client = clinic.client("Crowd")
    for day in (SUNDAY + timedelta(days=number) for number in range(days)):
        starts = datetime.combine(day, time(8), tzinfo=ZoneInfo("America/New_York"))
        slots = [
            Appointment(
                service_on=day, location=clinic.location, staff_member_id=clinic.cast.carol.staff_member_id,
                starts_at=starts + timedelta(minutes=4 * number), ends_at=starts + timedelta(minutes=4 * number + 50),
            )
            for number in range(per_day)
        ]  # fmt: skip
        Appointment.objects.bulk_create(slots)
        visits = [Visit(appointment=slot, client_id=client, service_on=day) for slot in slots]
        Visit.objects.bulk_create(visits)
        VisitService.objects.bulk_create(
            VisitService(visit=visit, service_type=clinic.letter, service_on=day) for visit in visits
        )


def test_the_week_shows_time_name_status_in_words_and_the_billed_tag(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.talk)
    _book(clinic, clinic.client("Late"), at=time(13), place_of_service="10")
    set_status(clinic.owner, visit_id=Visit.objects.latest("id").pk, status="late_cancel", initiated_by="client")
    bob = _as(clinic.cast.bob)
    page = bob.get(WEEK).content.decode()
    assert "11/01/2026 to 11/07/2026" in page and "Ana Ruiz" in page and "tag-billed" not in page
    assert "Kept · Carol Clinician" in page and "Late Cancel · Telehealth at home" in page
    bill_visit(clinic.biller, visit_id=visit)
    for url in (WEEK, MONTH):
        assert bob.get(url).content.decode().count("tag-billed") == 1
    assert "$" not in re.sub(r"<script.*?</script>", "", page)


def test_a_group_says_how_many_and_how_its_members_differ(clinic: Clinic) -> None:
    _book(clinic, clinic.client("A"), clinic.client("B"), clinic.client("C"), title="Circle")
    one, two, _ = Visit.objects.order_by("pk")
    set_status(clinic.owner, visit_id=one.pk, status="kept")
    bill_visit(clinic.biller, visit_id=one.pk)
    page = _as(clinic.cast.bob).get(MONTH).content.decode()
    assert "Circle (3)" in page and "2 Upcoming, 1 Kept" in page and "Partly billed" in page
    set_status(clinic.owner, visit_id=two.pk, status="canceled", initiated_by="practice")
    (day,) = [day for day in calendar_week(clinic.owner, SUNDAY).days if day.count]
    assert day.slots[0][0].status_words == "1 Kept, 1 Canceled, 1 Upcoming"


def test_filters_and_other_weeks_are_in_the_address(clinic: Clinic) -> None:
    _book(clinic, clinic.client())
    elsewhere = Location.objects.create(name="Annex", place_of_service="11")
    dan = _as(clinic.cast.dan)
    for query, is_there in (
        (f"staff={clinic.cast.carol.staff_member_id}", True),
        (f"location={clinic.location.pk}", True),
        (f"location={elsewhere.pk}", False),
    ):
        for url in (WEEK, MONTH):
            page = dan.get(f"{url}&{query}").content.decode()
            assert ("Ana Ruiz" in page) == is_there
            assert f"&amp;{query}" in page  # previous and next keep it
            assert ("Nothing here with these filters" in page) != is_there
    assert "day=2026-10-31" in dan.get(WEEK).content.decode()
    assert "day=2026-12-01" in dan.get(MONTH).content.decode()
    assert "No appointments in this week" in dan.get("/alder/calendar/?day=2027-01-04").content.decode()
    assert "No appointments in this month" in dan.get("/alder/calendar/?day=2027-01-04&view=month").content.decode()
    assert dan.get("/alder/calendar/?day=tomorrow").status_code == 404


def test_limited_people_see_and_count_only_their_clients(clinic: Clinic) -> None:
    seen, unseen = clinic.client("Seen"), clinic.client("Unseen")
    _book(clinic, unseen, at=time(9))
    group = _book(clinic, seen, unseen, title="Circle")
    assign_staff(clinic.owner, seen, clinic.cast.dan.staff_member_id)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    dan = _as(clinic.cast.dan)
    for url in (WEEK, MONTH):
        page = dan.get(url).content.decode()
        assert "Circle (1)" in page and "Unseen" not in page and f"/appointments/{group}/" not in page
        assert ">1 appointment<" in page


def test_the_month_counts_what_it_does_not_name(clinic: Clinic) -> None:
    _crowd(clinic, days=1, per_day=150)
    page = _as(clinic.cast.dan).get(MONTH).content.decode()
    assert "+147 more" in page and page.count("Ana Crowd") == 3
    week = calendar_week(clinic.owner, SUNDAY)
    shown, more = week.days[0].slots, week.days[0].more
    assert len(shown) + sum(block.count for block in more) == 150
    assert len(more) == 10  # one for each hour that has more than can lie side by side
    (first, *_), *_ = calendar_month(clinic.owner, DAY)
    assert (first.day, first.count, first.hidden_count) == (SUNDAY, 150, 147)


@pytest.mark.parametrize("url", [WEEK, MONTH, "/alder/agenda/?day=2026-11-01"])
def test_a_full_month_needs_no_more_statements_than_one_visit(
    clinic: Clinic, url: str, django_assert_max_num_queries: Any, django_assert_num_queries: Any
) -> None:
    bob = _as(clinic.cast.bob)
    _crowd(clinic, days=1, per_day=1)
    with django_assert_max_num_queries(18) as few:
        bob.get(url)
    _crowd(clinic, days=21, per_day=150)
    assert Client.objects.count() == 2
    with django_assert_num_queries(len(few)):
        bob.get(url)


@pytest.mark.parametrize(
    ("starts_at", "minutes", "expected"),
    [
        (datetime(2026, 11, 2, 9), 50, (540, 590)),
        (datetime(2026, 11, 2, 23, 30), 60, (1410, 1440)),  # what goes on after midnight ends there
        (datetime(2026, 3, 8, 1, 30), 60, (90, 210)),  # the clock jumps from 2 to 3
        (datetime(2026, 11, 1, 1, 30), 60, (90, 150)),  # the clock goes back from 2 to 1: still an hour long
    ],
)
def test_slots_lie_at_the_hours_of_the_wall_clock(starts_at: datetime, minutes: int, expected: tuple[int, int]) -> None:
    zone = ZoneInfo("America/New_York")
    start = starts_at.replace(tzinfo=zone)
    end = (start.astimezone(ZoneInfo("UTC")) + timedelta(minutes=minutes)).astimezone(zone)
    assert minutes_of_day(start, end) == expected


def test_another_practice_sees_nothing(clinic: Clinic) -> None:
    _book(clinic, clinic.client())
    charlie = _as(clinic.cast.charlie)
    assert charlie.get(WEEK).status_code == 404
    assert "Ana Ruiz" not in charlie.get(WEEK.replace("alder", "birch")).content.decode()

"""The calendar feed: what another calendar reads, who may read it, and that no name leaves the practice by it."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import icalendar
import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from daysheet.audit.models import AuditEvent
from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.operations.logs import configuration
from daysheet.practices.actor import Actor
from daysheet.practices.models import User
from daysheet.schedule.actions import ServiceChoice, Slot, add_appointment, edit_appointment, move_appointment
from daysheet.schedule.feeds import NotAProvider, make_feed, my_feed, open_feed, stop_feed, stop_my_feed
from daysheet.schedule.ical import FeedEvent, ical_file
from daysheet.schedule.models import CalendarFeed, Visit
from daysheet.schedule.queries import feed_events
from daysheet.schedule.queries.feed import DAYS_AHEAD, DAYS_BACK
from daysheet.schedule.statuses import set_status
from daysheet.schedule.views.feed import MOST_READINGS
from daysheet.staff.models import StaffMember
from daysheet.web.requests import MOST_MISSES
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast, Person

TODAY = date(2026, 11, 16)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id), time_machine.travel(NOW, tick=False):
        yield build_clinic(cast)


@pytest.fixture
def carol(clinic: Clinic) -> Actor:
    return clinic.cast.actor(clinic.cast.carol)


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def _url(token: str | None, practice: str = "alder") -> str:
    return f"/{practice}/calendar/feeds/{token}.ics"


def _slot(clinic: Clinic, day: date = TODAY, at: time = time(10), **more: Any) -> Slot:
    staff = more.pop("staff", clinic.cast.carol.staff_member_id)
    return Slot(day, at, 50, staff, clinic.location.pk, **more)


def _book(clinic: Clinic, *clients: UUID, **more: Any) -> UUID:
    members = {client: [ServiceChoice(clinic.talk.pk)] for client in clients or (clinic.client(),)}
    return add_appointment(clinic.owner, slot=_slot(clinic, **more), members=members)


def _read(token: str | None) -> list[Any]:
    """The events, parsed by the library as a calendar would."""
    answer = Browser().get(_url(token))
    assert answer.status_code == 200, answer.status_code
    return list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))


def test_the_hour_is_kept_on_both_sides_of_both_changes_of_the_clock(clinic: Clinic, carol: Actor) -> None:
    """A Thursday hour at 10 in New York, in February, March, July, October and November: 15:00 or 14:00 UTC."""
    token = make_feed(carol)
    days = [date(2026, 10, 29), date(2026, 11, 5), date(2027, 3, 11), date(2027, 3, 18), date(2027, 7, 1)]
    for day in days:
        _book(clinic, clinic.client(), day=day)
    starts = [event.decoded("dtstart") for event in _read(token)]
    assert [moment.astimezone(NEW_YORK).replace(tzinfo=None) for moment in starts] == [
        datetime.combine(day, time(10)) for day in days
    ]
    assert [moment.astimezone(UTC).hour for moment in starts] == [14, 15, 15, 14, 14]
    assert all(str(moment.tzinfo) == "UTC" for moment in starts)


def test_events_name_no_client_and_say_what_other_calendars_need(clinic: Clinic, carol: Actor) -> None:
    client = clinic.client("Ruiz")
    appointment = _book(clinic, client)
    _book(clinic, clinic.client("Otero"), at=time(12), place_of_service="10")
    _book(clinic, clinic.client("Boone"), clinic.client("Lowe"), at=time(14), title="Grief circle")
    token = make_feed(carol)
    first, second, group = _read(token)
    assert first.decoded("uid") == f"{appointment}@daysheet"
    assert (str(first["summary"]), str(first["location"]), str(first["status"])) == (
        "Appointment", "Main", "CONFIRMED",
    )  # fmt: skip
    assert first.decoded("dtend") - first.decoded("dtstart") == timedelta(minutes=50)
    assert str(first["url"]).endswith(f"/alder/appointments/{appointment}/")
    assert str(second["summary"]) == "Telehealth appointment" and "location" not in second
    assert str(group["summary"]) == "Group of 2"
    text = Browser().get(_url(token)).content.decode()
    assert not [name for name in ("Ruiz", "Otero", "Boone", "Lowe", "Ana", "Grief", "9T001", "Talk") if name in text]
    assert text.count("\r\n") == text.count("\n") and max(len(line.encode()) for line in text.split("\r\n")) <= 75


def test_initials_are_shown_only_where_they_were_asked_for(clinic: Clinic, carol: Actor) -> None:
    _book(clinic, clinic.client("Ruiz"), clinic.client("Lowe"))
    (event,) = _read(make_feed(carol, shows_initials=True))
    assert str(event["summary"]) == "Group of 2: A.L., A.R."


def test_what_is_canceled_says_so_and_every_change_counts_up(clinic: Clinic, carol: Actor) -> None:
    one, two = clinic.client("One"), clinic.client("Two")
    group = _book(clinic, one, two)
    token = make_feed(carol)
    (made,) = _read(token)
    visits = {visit.client_id: visit.pk for visit in Visit.objects.all()}
    seen = [(int(made["sequence"]), made.decoded("last-modified"))]
    for minutes, change in enumerate(
        (
            lambda actor: set_status(actor, visit_id=visits[one], status="canceled", initiated_by="client"),
            lambda actor: set_status(actor, visit_id=visits[two], status="rescheduled", initiated_by="practice"),
            lambda actor: move_appointment(actor, appointment_id=group, slot=_slot(clinic, at=time(11))),
            lambda actor: edit_appointment(
                actor, appointment_id=group, slot=_slot(clinic, at=time(11)),
                members={two: [ServiceChoice(clinic.talk.pk)]},
            ),
        ),
        start=1,
    ):  # fmt: skip
        change(clinic.cast.actor(clinic.cast.alice, now=NOW + timedelta(minutes=minutes)))
        (event,) = _read(token)
        assert (int(event["sequence"]), event.decoded("last-modified")) > seen[-1]
        assert int(event["sequence"]) > seen[-1][0]
        assert str(event["status"]) == ("CONFIRMED" if minutes == 1 else "CANCELLED")
        assert event.decoded("uid") == made.decoded("uid")
        seen.append((int(event["sequence"]), event.decoded("last-modified")))


def test_a_missed_visit_was_held_and_a_canceled_one_leaves_the_time_free(clinic: Clinic, carol: Actor) -> None:
    _book(clinic)
    set_status(clinic.owner, visit_id=Visit.objects.get().pk, status="no_show")
    token = make_feed(carol)
    (event,) = _read(token)
    assert (str(event["status"]), str(event["transp"])) == ("CONFIRMED", "OPAQUE")
    set_status(clinic.owner, visit_id=Visit.objects.get().pk, status="late_cancel", initiated_by="client")
    (event,) = _read(token)
    assert (str(event["status"]), str(event["transp"])) == ("CANCELLED", "TRANSPARENT")


def test_a_feed_holds_the_persons_own_appointments_around_today(clinic: Clinic, carol: Actor) -> None:
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(is_provider=True)
    _book(clinic, staff=clinic.cast.dan.staff_member_id)
    inside = [TODAY - timedelta(days=DAYS_BACK), TODAY + timedelta(days=DAYS_AHEAD)]
    for day in (*inside, inside[0] - timedelta(days=1), inside[1] + timedelta(days=1)):
        _book(clinic, day=day)
    found = [event.decoded("dtstart").astimezone(NEW_YORK).date() for event in _read(make_feed(carol))]
    assert found == inside


def test_limited_people_read_only_of_their_clients(clinic: Clinic, carol: Actor) -> None:
    seen, unseen = clinic.client("Seen"), clinic.client("Unseen")
    _book(clinic, unseen)
    _book(clinic, seen, unseen, at=time(12))
    assign_staff(clinic.owner, seen, carol.staff_member_id)
    token = make_feed(carol, shows_initials=True)
    assert len(_read(token)) == 2
    StaffMember.objects.filter(pk=carol.staff_member_id).update(limited_to_assigned=True)
    (event,) = _read(token)
    assert str(event["summary"]) == "Group of 1: A.S."


def test_a_year_of_appointments_takes_as_many_statements_as_one(
    clinic: Clinic, carol: Actor, django_assert_num_queries: Any
) -> None:
    def read() -> list[FeedEvent]:
        return feed_events(carol, shows_initials=True, url_of=str)

    _book(clinic)
    with django_assert_num_queries(2):
        assert len(read()) == 1
    for number in range(40):
        _book(clinic, day=TODAY + timedelta(days=number), at=time(13))
    with django_assert_num_queries(2):
        assert len(read()) == 41


def test_an_unchanged_feed_answers_304_and_a_changed_one_does_not(clinic: Clinic, carol: Actor) -> None:
    appointment = _book(clinic)
    token, calendar = make_feed(carol), Browser()
    first = calendar.get(_url(token))
    again = calendar.get(_url(token), headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"] and first["Cache-Control"] == "private, no-cache"
    assert calendar.head(_url(token)).status_code == 200
    later = clinic.cast.actor(clinic.cast.alice, now=NOW + timedelta(minutes=5))
    move_appointment(later, appointment_id=appointment, slot=_slot(clinic, at=time(11)))
    assert calendar.get(_url(token), headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_only_the_newest_address_works_and_only_until_it_is_stopped(clinic: Clinic, carol: Actor) -> None:
    old = make_feed(carol)
    new = make_feed(carol)
    calendar = Browser()
    assert [calendar.get(_url(token)).status_code for token in (old, new, "guess")] == [404, 200, 404]
    stop_my_feed(carol)
    stop_my_feed(carol)  # again does no harm
    assert calendar.get(_url(new)).status_code == 404
    again = make_feed(carol)
    stop_feed(clinic.owner, carol.staff_member_id)
    assert calendar.get(_url(again)).status_code == 404
    verbs = list(AuditEvent.objects.filter(verb__contains="feed").order_by("pk").values_list("verb", flat=True))
    assert verbs == ["make_calendar_feed"] * 2 + ["stop_calendar_feed", "make_calendar_feed", "stop_calendar_feed"]
    assert not any(str(new) in str(event.details) for event in AuditEvent.objects.all())


@pytest.mark.parametrize("gone", [{"is_active": False}, {"is_provider": False}])
def test_the_address_of_a_former_staff_member_opens_nothing(
    clinic: Clinic, carol: Actor, gone: dict[str, bool]
) -> None:
    token = make_feed(carol)
    StaffMember.objects.filter(pk=carol.staff_member_id).update(**gone)
    assert Browser().get(_url(token)).status_code == 404


def test_the_secret_of_one_practice_opens_nothing_in_another(clinic: Clinic, carol: Actor) -> None:
    """Row security leaves only the addressed practice's feeds to be found; a practice that is gone has none."""
    token = make_feed(carol)
    assert Browser().get(_url(token, "birch")).status_code == 404
    assert Browser().get(_url(token, "nowhere")).status_code == 404
    with practice_transaction(clinic.cast.birch.id), pytest.raises(Exception, match="no such calendar"):
        open_feed(clinic.cast.birch, str(token), NOW)


def test_the_database_keeps_a_hash_and_one_live_address(clinic: Clinic, carol: Actor) -> None:
    token = make_feed(carol)
    feed = CalendarFeed.objects.get()
    assert token not in {str(value) for value in feed.__dict__.values()} and len(feed.token_hash) == 64
    with pytest.raises(IntegrityError, match="calendar_feed_one_live"), transaction.atomic():
        CalendarFeed.objects.create(
            staff_member_id=carol.staff_member_id, token_hash="0" * 64, created_at=NOW, shows_initials=False
        )
    with pytest.raises(IntegrityError, match="calendar_feed_hash_not_secret"), transaction.atomic():
        CalendarFeed.objects.create(
            staff_member_id=carol.staff_member_id, token_hash=str(token), created_at=NOW, revoked_at=NOW
        )
    for statement in ("DELETE FROM schedule_calendarfeed", "UPDATE schedule_calendarfeed SET shows_initials = true"):
        with connection.cursor() as cursor, pytest.raises(Exception, match="permission denied"), transaction.atomic():
            cursor.execute(statement)


def test_the_same_form_twice_is_one_address(clinic: Clinic, carol: Actor) -> None:
    page = _as(clinic.cast.carol)
    form = {"feed_id": "01a21476-0000-7000-8000-000000000001"}
    first = page.post("/alder/account/calendar-feed/", form).content.decode()
    assert "/alder/calendar/feeds/" in first and "webcal://" in first
    second = page.post("/alder/account/calendar-feed/", form).content.decode()
    assert "was made and shown before" in second and "/alder/calendar/feeds/" not in second
    assert CalendarFeed.objects.count() == 1
    assert "/alder/calendar/feeds/" not in page.get("/alder/account/calendar-feed/").content.decode()


def test_only_a_provider_has_an_address_and_an_administrator_can_stop_it(clinic: Clinic, carol: Actor) -> None:
    with pytest.raises(NotAProvider):
        make_feed(clinic.cast.actor(clinic.cast.dan))
    dan = _as(clinic.cast.dan)
    assert "no schedule of your own" in dan.get("/alder/account/calendar-feed/").content.decode()
    make_feed(carol)
    stop = f"/alder/staff/{carol.staff_member_id}/calendar-feed/stop/"
    assert dan.post(stop).status_code == 403
    alice = _as(clinic.cast.alice)
    assert "Stop the calendar feed" in alice.get(f"/alder/staff/{carol.staff_member_id}").content.decode()
    assert alice.post(stop).status_code == 303
    assert my_feed(carol) is None


def test_the_page_says_when_a_calendar_read_it_last_once_an_hour(clinic: Clinic, carol: Actor) -> None:
    token = make_feed(carol)
    assert (feed := my_feed(carol)) and feed.last_read_at is None
    for minutes, expected in ((0, 0), (30, 0), (61, 61)):
        open_feed(clinic.cast.alder, str(token), NOW + timedelta(minutes=minutes))
        assert (feed := my_feed(carol)) and feed.last_read_at == NOW + timedelta(minutes=expected)


def test_who_asks_on_and_on_has_to_wait(clinic: Clinic, carol: Actor) -> None:
    token, calendar = make_feed(carol), Browser()
    answers = [calendar.get(_url(token)).status_code for _ in range(MOST_READINGS + 1)]
    assert answers == [200] * MOST_READINGS + [429]
    guesses = [calendar.get(_url(f"guess{number}")).status_code for number in range(MOST_MISSES + 1)]
    assert guesses == [404] * MOST_MISSES + [429]
    assert calendar.get(_url(token))["Retry-After"] == "60"


def test_neither_secret_nor_name_is_written_into_a_log(clinic: Clinic, carol: Actor) -> None:
    """Through the formatter that the settings configure, for right, stopped, wrong and too many readings."""
    _book(clinic, clinic.client("Ruiz"))
    token = str(make_feed(carol))
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    options = dict(configuration("text")["formatters"]["line"])
    handler.setFormatter(options.pop("()")(**options))
    logging.getLogger().addHandler(handler)
    try:
        calendar = Browser()
        for _ in range(MOST_READINGS + 1):
            calendar.get(_url(token))
        stop_my_feed(carol)
        calendar.get(_url(token))
    finally:
        logging.getLogger().removeHandler(handler)
    log = written.getvalue()
    assert log.count("schedule:feed") >= MOST_READINGS and "404" in log and "429" in log
    assert token not in log and "Ruiz" not in log


def test_hostile_words_stay_text() -> None:
    moment = datetime(2026, 11, 2, 15, tzinfo=UTC)
    place = "Main\nEND:VEVENT\r\nX-EVIL:1; a, b \\ ünïcode 👩🏽‍⚕️ " + "x" * 200
    event = FeedEvent("u@daysheet", moment, moment, moment, moment, "Appointment", place, "https://x/y", False)
    (read,) = icalendar.Calendar.from_ical(ical_file("Schedule", [event])).walk("VEVENT")
    assert str(read["location"]) == place.replace("\r\n", "\n")
    assert "X-EVIL" not in read

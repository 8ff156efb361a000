"""The pages of series over HTTP, without scripts: New Appointment, moving and changing what follows, canceling; what
is said of conflicts before and after."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser

from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.practices.models import User
from daysheet.schedule.models import Appointment, Series, Visit
from daysheet.staff.models import StaffMember
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast, Person

NEW = "/alder/appointments/new/"


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


@pytest.fixture
def dan(clinic: Clinic) -> Browser:
    return _as(clinic.cast.dan)


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def _typed(clinic: Clinic, *clients: UUID, **more: Any) -> dict[str, Any]:
    services = {f"service-{client}": [str(clinic.talk.pk)] for client in clients}
    return {
        "appointment_id": str(uuid4()), "day": DAY.isoformat(), "at": "10:00", "minutes": "50",
        "staff": str(clinic.cast.carol.staff_member_id), "location": str(clinic.location.pk),
        "client": [str(client) for client in clients], **services, **more,
    }  # fmt: skip


def _weekly(clinic: Clinic, dan: Browser, *clients: UUID, count: int = 4, **more: Any) -> list[Appointment]:
    form = _typed(clinic, *clients, save="1", repeats="weekly", every="1", count=str(count), **more)
    assert dan.post(NEW, form).status_code == 303
    return list(Appointment.objects.filter(series=form["appointment_id"]).order_by("occurrence_on"))


def _text(answer: Any) -> str:
    return " ".join(str(answer.content.decode()).split())


def _said(answer: Any, browser: Browser) -> str:
    """The messages on the page that an answer leads to."""
    return _text(browser.get(answer["Location"]))


def test_a_series_is_previewed_saved_once_and_shown(clinic: Clinic, dan: Browser) -> None:
    client = clinic.client()
    form = _typed(clinic, client, repeats="weekly", every="2", weekdays=["0", "2"], until_on="2026-11-30")
    checked = _text(dan.post(NEW, form | {"check": "1"}))
    assert "5 appointments, 11/02/2026 to 11/30/2026" in checked and "No conflicts" in checked
    assert not Series.objects.exists()
    for _ in range(2):
        saved = dan.post(NEW, form | {"save": "1"})
    page = _said(saved, dan)
    assert "5 appointments were added, 11/02/2026 to 11/30/2026." in page
    assert "Every 2 weeks on Monday and Wednesday at 10:00 AM, 11/02/2026 to 11/30/2026, 5 appointments" in page
    assert Appointment.objects.count() == 5


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"count": "400"}, "less than or equal to 370"),
        ({}, "Say when the series ends"),
        ({"count": "3", "until_on": "2026-12-01"}, "Say when the series ends"),
        ({"count": "3", "weekdays": ["1"]}, "Tick Monday too"),
        ({"until_on": "2030-01-01"}, "at most two years"),
        ({"count": "3", "every": "99"}, "less than or equal to 52"),
    ],
)
def test_a_rule_that_makes_no_series_is_refused_in_words(
    clinic: Clinic, dan: Browser, more: dict[str, Any], said: str
) -> None:
    form = _typed(clinic, clinic.client(), repeats="weekly", **more)
    for button in ("save", "check"):
        answer = dan.post(NEW, form | {button: "1"})
        assert answer.status_code == 422 and said in _text(answer)
        part = dan.post(NEW, form | {button: "1"}, headers={"HX-Request": "true"})
        assert part.status_code == 422 and said in _text(part) and "<html" not in _text(part)
    assert not Appointment.objects.exists()


def test_looking_for_a_client_keeps_what_was_typed_and_judges_nothing(clinic: Clinic, dan: Browser) -> None:
    form = _typed(clinic, repeats="monthly_day", weekdays=["3"], staff="", find="rui", look="1")
    clinic.client()
    page = _text(dan.post(NEW, form))
    assert "Add Ruiz, Ana" in page and "field-errors" not in page
    assert '<option value="monthly_day" selected>' in page and 'value="3" id="id_weekdays_4" checked' in page


def test_moving_what_follows_says_what_was_left(clinic: Clinic, dan: Browser) -> None:
    rows = _weekly(clinic, dan, clinic.client())
    bill_visit(clinic.biller, visit_id=Visit.objects.get(appointment=rows[2]).pk)
    url = f"/alder/appointments/{rows[1].pk}/move/"
    assert "This and following (3)" in _text(dan.get(url)) and "All future (2)" in _text(dan.get(url))
    form = {"version": "1", "at": "12:00", "scope": "following"}
    checked = _text(dan.post(url, form | {"check": "1"}))
    assert "2 appointments would be changed. Left as they are: 1 billed." in checked
    assert "2 appointments were changed. Left as they are: 1 billed." in _said(dan.post(url, form), dan)
    assert [row.starts_at.hour for row in Appointment.objects.order_by("occurrence_on")] == [15, 17, 15, 17]
    page = _text(dan.get(f"/alder/series/{rows[0].series_id}/"))
    assert page.count("Changes with it") == 3 and page.count("Stays: billed") == 1


def test_conflicts_are_shown_before_and_after_and_never_forbidden(clinic: Clinic, dan: Browser) -> None:
    one, other = clinic.client("One"), clinic.client("Other")
    taken = _weekly(clinic, dan, one, count=2, day=(DAY + timedelta(weeks=1)).isoformat())
    form = _typed(clinic, other, repeats="weekly", count="4", at="10:30")
    said = "Carol Clinician is with One, Ana from 10:00 AM to 10:50 AM"
    checked = _text(dan.post(NEW, form | {"check": "1"}))
    assert f"11/09/2026: {said}" in checked and f"11/16/2026: {said}" in checked and checked.count(said) == 2
    saved = _said(dan.post(NEW, form | {"save": "1"}), dan)
    assert f"It was saved, and there is a conflict. 11/09/2026: {said}; 11/16/2026: {said}." in saved
    page = _text(dan.get(f"/alder/appointments/{taken[0].pk}/"))
    assert "Somebody is in two places" in page and "with Other, Ana from 10:30 AM to 11:20 AM" in page
    # The client's own time counts too, with another provider; a canceled visit leaves it free.
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(is_provider=True)
    with_dan = _typed(clinic, one, day="2026-11-09", staff=str(clinic.cast.dan.staff_member_id), check="1")
    assert "One, Ana is with Carol Clinician from 10:00 AM" in _text(dan.post(NEW, with_dan))
    Visit.objects.filter(client_id=one).update(status="canceled")
    assert "No conflicts" in _text(dan.post(NEW, with_dan))
    assert "No conflicts" in _text(dan.post(NEW, _typed(clinic, one, day="2026-11-09", at="11:20", check="1")))


def test_a_conflict_with_a_client_one_may_not_see_names_nobody(clinic: Clinic, dan: Browser) -> None:
    unseen, seen = clinic.client("Secret"), clinic.client("Seen")
    _weekly(clinic, dan, unseen, count=2)
    assign_staff(clinic.owner, seen, clinic.cast.dan.staff_member_id)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    checked = _text(dan.post(NEW, _typed(clinic, seen, check="1")))
    assert "Carol Clinician is with somebody else from 10:00 AM to 10:50 AM" in checked and "Secret" not in checked


def test_canceling_asks_who_initiated_it_and_says_how_many(clinic: Clinic, dan: Browser) -> None:
    rows = _weekly(clinic, dan, clinic.client())
    url = f"/alder/appointments/{rows[1].pk}/cancel/"
    assert "This and following (3)" in _text(dan.get(url))
    refused = dan.post(url, {"version": "1", "scope": "following", "with_apart": "on"})
    assert refused.status_code == 422 and "Say who initiated it" in _text(refused)
    form = {"version": "1", "scope": "following", "with_apart": "on", "initiated_by": "practice"}
    assert "3 appointments were canceled." in _said(dan.post(url, form), dan)
    assert Visit.objects.filter(status="canceled").count() == 3
    stale = dan.post(f"/alder/appointments/{rows[0].pk}/cancel/", form | {"version": "7"})
    assert stale.status_code == 409 and "Open it as it is now" in _text(stale)


def test_a_series_goes_on_from_its_page(clinic: Clinic, dan: Browser) -> None:
    rows = _weekly(clinic, dan, clinic.client())
    url = f"/alder/series/{rows[0].series_id}/"
    form = {"series_id": str(uuid4()), "last_on": "2026-11-23", "until_on": "2026-12-07"}
    for _ in range(2):
        assert "The series goes on." in _said(dan.post(url, form), dan)
    assert Appointment.objects.count() == 6
    refused = dan.post(url, {"series_id": str(uuid4()), "last_on": "2026-12-07", "until_on": "2026-12-08"})
    assert refused.status_code == 422 and "next date of this series is 12/14/2026" in _text(refused)
    stale = dan.post(url, {"series_id": str(uuid4()), "last_on": "2026-11-23", "count": "1"})
    assert stale.status_code == 409 and 'value="2026-12-07"' in _text(stale)


def _repetition(**more: str) -> dict[str, str]:
    return {
        "series_id": str(uuid4()), "version": "1", "scope": "following", "repeats": "weekly", "every": "2",
        "until_on": "2026-12-07", **more,
    }  # fmt: skip


def test_another_repetition_is_shown_before_it_happens(clinic: Clinic, dan: Browser) -> None:
    rows = _weekly(clinic, dan, clinic.client(), count=6)
    bill_visit(clinic.biller, visit_id=Visit.objects.get(appointment=rows[2]).pk)
    url = f"/alder/appointments/{rows[1].pk}/repetition/"
    assert url in _text(dan.get(f"/alder/appointments/{rows[1].pk}/"))
    page = _text(dan.get(url))
    assert "This and following (5)" in page and "All future (4)" in page and "This appointment<" not in page
    assert 'value="weekly" selected' in page and 'name="until_on" value="2026-12-07"' in page
    form = _repetition()
    unseen = dan.post(url, form)
    said = "1 appointment would be canceled. 3 keep their dates. Left as they are: 1 billed."
    for answer, status in ((unseen, 422), (dan.post(url, form | {"check": "1"}), 200)):
        text = _text(answer)
        assert answer.status_code == status and said in text and "Change the series" in text
        assert "Canceled: 1" in text and "no longer part of the series: 1</summary>" in text
    assert "See below what would be" in _text(unseen) and Series.objects.count() == 1
    part = _text(dan.post(url, form | {"check": "1"}, headers={"HX-Request": "true"}))
    assert said in part and "<html" not in part
    shown = {"shown": part.split('name="shown" value="')[1].split('"')[0], "save": "1"}
    done = said.replace("would be", "was")
    assert done in _said(dan.post(url, form | shown), dan)
    assert "it was done once" in _said(dan.post(url, form | shown), dan)
    assert Visit.objects.filter(status="canceled").count() == 1 and Series.objects.count() == 2


def test_another_repetition_is_refused_in_words(clinic: Clinic, dan: Browser) -> None:
    rows = _weekly(clinic, dan, clinic.client(), count=3)
    url = f"/alder/appointments/{rows[1].pk}/repetition/"
    for more, status, said in (
        ({"until_on": "2020-01-01"}, 422, "first date would be 11/09/2026"),
        ({"count": "2"}, 422, "Say when the series ends"),
        ({"repeats": ""}, 422, "required"),
        ({"scope": "this"}, 422, "Choose this and following, or all future"),
        ({"scope": "x"}, 422, "Choose this and following, or all future"),
        ({"every": "0"}, 422, "greater than or equal to 1"),
    ):
        for headers in ({}, {"HX-Request": "true"}):
            answer = dan.post(url, _repetition(check="1", **more), headers=headers)
            assert answer.status_code == status and said in _text(answer), more
    stale = dan.post(url, _repetition(version="7"))
    assert stale.status_code == 409 and "Open it as it is now" in _text(stale)
    dan.post(NEW, _typed(clinic, clinic.client("Lone"), save="1"))
    alone = Appointment.objects.get(series=None)
    url = f"/alder/appointments/{alone.pk}/repetition/"
    assert "Not part of a series" in _text(dan.get(url)) and dan.post(url, _repetition(check="1")).status_code == 422
    assert Series.objects.count() == 1


def test_a_conflict_of_another_repetition_is_said_before_and_after(clinic: Clinic, dan: Browser) -> None:
    rows = _weekly(clinic, dan, clinic.client(), count=2)
    dan.post(NEW, _typed(clinic, clinic.client("Other"), day="2026-11-16", save="1"))
    url, form = f"/alder/appointments/{rows[0].pk}/repetition/", _repetition(until_on="", count="2")
    page = _text(dan.post(url, form | {"check": "1"}))
    assert "Somebody would be in two places" in page and "moved from 11/09/2026" in page
    shown = page.split('name="shown" value="')[1].split('"')[0]
    assert "It was saved, and there is a conflict. 11/16/2026" in _said(dan.post(url, form | {"shown": shown}), dan)


def test_a_group_larger_than_meant_is_warned_of(clinic: Clinic, dan: Browser) -> None:
    three = [clinic.client(str(number)) for number in range(3)]
    form = _typed(clinic, *three, group_limit="2")
    words = "3 clients, and this group is meant for 2."
    assert words in _text(dan.post(NEW, form | {"check": "1"}))
    dan.post(NEW, form | {"save": "1"})
    assert words in _text(dan.get(f"/alder/appointments/{Appointment.objects.get().pk}/"))


def test_what_is_to_come_stands_apart_from_what_is_past(clinic: Clinic, dan: Browser) -> None:
    """Today is November 16: of four Mondays from November 2 on, two are past."""
    client = clinic.client()
    url = f"/alder/clients/{client}/appointments/"
    assert "No appointments yet" in _text(dan.get(url))
    _weekly(clinic, dan, client)
    dan.get("/alder/agenda/")  # where the message of the form is read
    soonest_first, newest_first = _text(dan.get(url)), _text(dan.get(f"{url}?show=past"))
    assert "11/02/2026" not in soonest_first
    assert 0 < soonest_first.index("11/16/2026") < soonest_first.index("11/23/2026")
    assert 0 < newest_first.index("11/09/2026") < newest_first.index("11/02/2026")
    Visit.objects.update(service_on=date(2026, 11, 9))
    assert "11/09/2026" in _text(dan.get(url))
    assert "No upcoming appointments" in _text(dan.get(f"{url}?show=upcoming"))


def test_a_long_series_is_paged_and_costs_the_same(
    clinic: Clinic, dan: Browser, django_assert_max_num_queries: Any
) -> None:
    client = clinic.client()
    short = _weekly(clinic, dan, client, count=2, day="2025-01-06")
    rows = _weekly(clinic, dan, client, count=104)
    assert rows[-1].service_on == date(2026, 11, 2) + timedelta(weeks=103)
    for series in (short, rows):
        with django_assert_max_num_queries(22):
            page = _text(dan.get(f"/alder/series/{series[0].series_id}/"))
        with django_assert_max_num_queries(30):
            dan.get(f"/alder/appointments/{series[0].pk}/")
    assert "Appointments 1–50" in page and "page=2" in page
    assert "Appointments 51–100" in _text(dan.get(f"/alder/series/{rows[0].series_id}/?page=2"))
    assert "Appointments 51–100" in _text(dan.get(f"/alder/clients/{client}/appointments/?page=2"))

"""How often a series repeats is changed: what moves, is added and called off; what is left alone; the hour that stays;
two clicks, two people, and who may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from daysheet.audit.models import AuditEvent
from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.kit.errors import NotFound
from daysheet.schedule import queries
from daysheet.schedule.actions import AppointmentIncomplete, ServiceChoice, add_appointment, move_appointment
from daysheet.schedule.following import NotInSeries
from daysheet.schedule.models import Appointment, Series, Visit, VisitService
from daysheet.schedule.previews import preview_repetition
from daysheet.schedule.repetition import OtherThanShown, change_repetition
from daysheet.schedule.series import cancel_appointments, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.series_rules import Frequency, SeriesRefused, Terms
from daysheet.schedule.slots import AppointmentChanged
from daysheet.schedule.statuses import set_status
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import Cast

from .weekly import FIRST, NEW_YORK, check_series, shown, slot_on, visit_of, weekly, when

EVERY_OTHER = Terms(Frequency.WEEKLY, 2, until_on=FIRST + timedelta(weeks=7))


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _change(clinic: Clinic, row: Appointment, terms: Terms, scope: Scope = Scope.FOLLOWING, **more: Any) -> str:
    """What is said of it."""
    changed = change_repetition(clinic.owner, appointment_id=row.pk, scope=scope, terms=terms, **more)
    check_series()
    return changed.rearranged.words() if changed.rearranged else "already"


def _status(row: Appointment) -> str:
    return visit_of(row).status


def _in_series() -> list[Appointment]:
    return list(Appointment.objects.exclude(series=None).order_by("occurrence_on"))


def test_every_other_week_until_the_same_date_calls_off_every_other_one(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    before = [when(row) for row in rows]
    assert _change(clinic, rows[2], EVERY_OTHER) == "3 appointments were canceled. 3 keep their dates."
    assert [when(row) for row in rows] == before, "none is moved"
    assert [_status(row) for row in rows] == ["upcoming"] * 3 + ["canceled", "upcoming"] * 2 + ["canceled"]
    assert {visit_of(row).initiated_by for row in rows[3::2]} == {"practice"}
    assert VisitService.objects.filter(is_suspended=True).count() == 3
    facts = queries.series_facts(clinic.owner, rows[0].series_id or uuid4())
    assert (facts.words, facts.total) == ("Every 2 weeks on Tuesday at 10:00 AM", 5)
    event = AuditEvent.objects.get(verb="change_repetition")
    assert (event.details["canceled"], event.details["kept"], event.details["moved"]) == (3, 3, 0)
    # It goes on by its new rule, and is edited like every other.
    root, last_on = rows[0].series_id, FIRST + timedelta(weeks=6)
    assert root is not None
    assert extend_series(clinic.owner, root_id=root, last_on=last_on, count=1) == 1
    assert when(_in_series()[-1]) == "12/29 10:00"
    edited = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[2]), at=time(8))
    )
    assert edited.changed == 4 and [when(row)[6:] for row in rows] == ["10:00"] * 2 + ["08:00", "10:00"] * 3
    check_series()


def test_the_same_number_every_other_week_moves_the_others_behind(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), count=4)
    terms = replace(EVERY_OTHER, until_on=None, count=4)
    assert _change(clinic, rows[0], terms) == "2 appointments were moved. 2 keep their dates."
    assert [when(row) for row in rows] == ["11/03 10:00", "12/01 10:00", "11/17 10:00", "12/15 10:00"]
    assert Appointment.objects.count() == 4 and not Visit.objects.exclude(status="upcoming").exists()
    assert {row.changed_at is None for row in Appointment.objects.filter(pk__in=[rows[0].pk, rows[2].pk])} == {True}
    assert not Appointment.objects.filter(pk__in=[rows[1].pk, rows[3].pk], changed_at=None).exists()


def test_twice_a_week_adds_with_the_members_and_services_of_the_newest(clinic: Clinic) -> None:
    first, late = clinic.client("First"), clinic.client("Late")
    rows = weekly(clinic, first, count=3)
    talk = ServiceChoice(clinic.talk.pk, rate_cents=9900)
    edit_series(
        clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=shown(rows[1]),
        members={first: [ServiceChoice(clinic.talk.pk)], late: [talk]},
    )  # fmt: skip
    twice = Terms(Frequency.WEEKLY, 1, frozenset({1, 3}), count=6)
    assert _change(clinic, rows[0], twice) == "3 appointments were added. 3 keep their dates."
    assert [when(row)[:5] for row in _in_series()] == ["11/03", "11/05", "11/10", "11/12", "11/17", "11/19"]
    added = [row for row in _in_series() if row.pk not in {each.pk for each in rows}]
    assert all(row.is_group and Visit.objects.filter(appointment=row).count() == 2 for row in added)
    assert VisitService.objects.filter(visit__appointment__in=added, rate_cents=9900).count() == 3


def test_tuesdays_become_thursdays_of_every_month(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), count=3)
    assert _change(clinic, rows[0], Terms(Frequency.WEEKLY, 1, frozenset({3}), count=3)).startswith("3 appointments")
    assert [when(row)[:5] for row in rows] == ["11/05", "11/12", "11/19"]
    assert _change(clinic, rows[0], Terms(Frequency.MONTHLY_WEEKDAY, count=3)) == (
        "2 appointments were moved. 1 keeps its date."
    )
    assert [when(row)[:5] for row in rows] == ["11/05", "12/03", "01/07"]
    facts = queries.series_facts(clinic.owner, rows[0].series_id or uuid4())
    assert facts.words == "Every month on the first Thursday at 10:00 AM"
    for row in rows:
        assert VisitService.objects.get(visit__appointment=row).service_on == visit_of(row).service_on


def test_billed_moved_and_canceled_ones_stay_and_none_comes_beside_them(clinic: Clinic) -> None:
    """On a date of the new rule they keep it; on none they leave the series, as they are."""
    rows = weekly(clinic, clinic.client())
    for number in (2, 3):
        bill_visit(clinic.biller, visit_id=visit_of(rows[number]).pk)
    for number in (4, 5):
        day = FIRST + timedelta(days=7 * number + 1)
        move_appointment(clinic.owner, appointment_id=rows[number].pk, slot=slot_on(clinic, day, time(15)))
    for number in (6, 7):
        set_status(clinic.owner, visit_id=visit_of(rows[number]).pk, status="canceled", initiated_by="client")
    before = [when(row) for row in rows]
    said = _change(clinic, rows[0], EVERY_OTHER)
    assert said == (
        "1 appointment was canceled. 1 keeps its date. "
        "Left as they are: 2 billed, 2 canceled or over, 2 changed on their own."
    )
    assert [when(row) for row in rows] == before
    now = [Appointment.objects.get(pk=row.pk) for row in rows]
    assert [row.series_id is None for row in now] == [False, True] * 4
    assert [row.apart_at is None for row in now] == [True] * 4 + [False] + [True] * 3
    assert Appointment.objects.count() == 8
    assert VisitService.objects.exclude(line_id=None).count() == 2


def test_what_was_moved_to_a_date_of_the_new_rule_stands_for_it(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), count=2)
    thursday = FIRST + timedelta(days=9)
    move_appointment(clinic.owner, appointment_id=rows[1].pk, slot=slot_on(clinic, thursday, time(15)))
    terms = Terms(Frequency.WEEKLY, 1, frozenset({3}), count=2)
    assert _change(clinic, rows[0], terms) == ("1 appointment was moved. Left as they are: 1 changed on its own.")
    assert [when(row) for row in rows] == ["11/05 10:00", "11/12 15:00"] and Appointment.objects.count() == 2


def test_the_opened_one_goes_along_though_it_was_changed_on_its_own(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), count=3)
    move_appointment(clinic.owner, appointment_id=rows[1].pk, slot=slot_on(clinic, FIRST + timedelta(days=8), time(15)))
    assert _change(clinic, rows[1], Terms(Frequency.DAILY, 1, count=2)) == (
        "1 appointment was moved. 1 keeps its date."
    )
    assert [when(row) for row in rows] == ["11/03 10:00", "11/11 15:00", "11/11 10:00"]
    _change(clinic, rows[1], Terms(Frequency.WEEKLY, 1, frozenset({4}), count=2))
    assert [when(row) for row in rows[1:]] == ["11/13 15:00", "11/20 10:00"], "its own hour stays"


def test_all_future_begins_with_the_first_from_today_on(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    before = [when(row) for row in rows]
    for opened in (rows[0], rows[6]):
        said = _change(clinic, opened, EVERY_OTHER, Scope.FUTURE)
    assert said == "No date changed. 3 keep their dates." and [when(row) for row in rows] == before
    assert [_status(row)[0] for row in rows] == ["u"] * 3 + ["c", "u", "c", "u", "c"]


def test_the_hour_on_the_clock_stays_and_each_part_keeps_its_own(clinic: Clinic) -> None:
    """From before March 14, 2027, when the clocks go forward; the later ones are an hour that an edit gave them."""
    rows = weekly(clinic, clinic.client(), day=date(2027, 3, 2), count=4)
    edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[2]), at=time(13))
    )
    twice = Terms(Frequency.WEEKLY, 1, frozenset({1, 4}), until_on=date(2027, 3, 26))
    assert _change(clinic, rows[0], twice) == "4 appointments were added. 4 keep their dates."
    assert [when(row) for row in _in_series()] == [
        "03/02 10:00", "03/05 10:00", "03/09 10:00", "03/12 10:00",
        "03/16 13:00", "03/19 13:00", "03/23 13:00", "03/26 13:00",
    ]  # fmt: skip
    _change(clinic, rows[1], Terms(Frequency.WEEKLY, 1, frozenset({2}), count=4))
    assert [when(row)[6:] for row in _in_series()] == ["10:00"] * 3 + ["13:00"] * 3
    hours = {row.starts_at.astimezone(NEW_YORK).utcoffset() for row in _in_series()}
    assert len(hours) == 2 and {(row.ends_at - row.starts_at).seconds for row in _in_series()} == {3000}


def test_the_same_form_twice_changes_once(clinic: Clinic) -> None:
    rows, key = weekly(clinic, clinic.client()), uuid4()
    said = [_change(clinic, rows[1], EVERY_OTHER, series_id=key, version=1) for _ in range(2)]
    assert said[1] == "already" and AuditEvent.objects.filter(verb="change_repetition").count() == 1
    # Also where the opened one has left the series by it.
    bill_visit(clinic.biller, visit_id=visit_of(rows[5]).pk)
    other, thursdays = uuid4(), Terms(Frequency.WEEKLY, 1, frozenset({3}), count=2)
    said = [_change(clinic, rows[5], thursdays, series_id=other) for _ in range(2)]
    assert said == ["1 appointment was moved, 1 added. Left as they are: 1 billed.", "already"]
    assert Appointment.objects.get(pk=rows[5].pk).series_id is None


def test_of_two_people_one_is_told(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    _change(clinic, rows[1], EVERY_OTHER, version=1)
    for opened in (rows[1], rows[3]):
        with pytest.raises(AppointmentChanged):
            _change(clinic, opened, EVERY_OTHER, version=1)
    with pytest.raises(AppointmentChanged):
        edit_series(clinic.owner, appointment_id=rows[5].pk, scope=Scope.FOLLOWING, slot=shown(rows[5]), version=1)


def test_what_was_shown_is_what_happens_or_nothing(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    seen = preview_repetition(clinic.owner, rows[0].pk, Scope.FOLLOWING, EVERY_OTHER)
    assert seen.words == "4 appointments would be canceled. 4 keep their dates."
    cancel_appointments(clinic.owner, appointment_id=rows[3].pk, initiated_by="client", notice_in_time=True)
    for wrong in (seen.token, ""):
        with pytest.raises(OtherThanShown):
            _change(clinic, rows[0], EVERY_OTHER, shown=wrong)
    again = preview_repetition(clinic.owner, rows[0].pk, Scope.FOLLOWING, EVERY_OTHER)
    said = _change(clinic, rows[0], EVERY_OTHER, shown=again.token)
    assert said == again.words.replace("would be", "were") and "3 appointments were canceled" in said


def test_where_nothing_follows_nothing_is_written(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), count=2)
    for row in rows:
        bill_visit(clinic.biller, visit_id=visit_of(row).pk)
    with pytest.raises(SeriesRefused, match="None of these appointments can change"):
        _change(clinic, rows[0], EVERY_OTHER)
    with pytest.raises(SeriesRefused, match="One appointment does not repeat"):
        _change(clinic, rows[0], EVERY_OTHER, Scope.THIS)
    alone = add_appointment(clinic.owner, slot=slot_on(clinic), members={clinic.client("Other"): []})
    with pytest.raises(NotInSeries):
        _change(clinic, Appointment.objects.get(pk=alone), EVERY_OTHER)
    assert Series.objects.count() == 1


def test_a_rule_without_bounds_and_a_provider_who_left_are_refused(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    daily = Terms(Frequency.DAILY)
    for wrong in (daily, replace(daily, count=371), replace(daily, until_on=date(2030, 1, 1)), replace(daily, every=0)):
        with pytest.raises(SeriesRefused):
            _change(clinic, rows[0], wrong)
    StaffMember.objects.filter(pk=clinic.cast.carol.staff_member_id).update(is_active=False)
    with pytest.raises(AppointmentIncomplete, match="active provider"):
        _change(clinic, rows[0], replace(daily, count=20))
    assert Series.objects.count() == 1 and Appointment.objects.count() == 8
    assert _change(clinic, rows[0], replace(daily, count=2)).startswith("1 appointment was moved, 6 canceled")


def test_limited_people_and_strangers_do_not_reach_it(clinic: Clinic) -> None:
    seen, unseen = clinic.client("Seen"), clinic.client("Unseen")
    rows = weekly(clinic, seen)
    edit_series(
        clinic.owner, appointment_id=rows[5].pk, scope=Scope.FOLLOWING, slot=shown(rows[5]),
        members={client: [ServiceChoice(clinic.talk.pk)] for client in (seen, unseen)},
    )  # fmt: skip
    assign_staff(clinic.owner, seen, clinic.cast.dan.staff_member_id)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    asked: dict[str, Any] = {"appointment_id": rows[2].pk, "scope": Scope.FOLLOWING, "terms": EVERY_OTHER}
    with pytest.raises(NotFound):
        change_repetition(clinic.cast.actor(clinic.cast.dan), **asked)
    with pytest.raises(NotFound):
        preview_repetition(clinic.cast.actor(clinic.cast.dan), *asked.values())
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        change_repetition(clinic.cast.actor(clinic.cast.charlie), **asked)
    assert Series.objects.count() == 1


def test_two_years_of_days_change_in_few_statements(clinic: Clinic, django_assert_max_num_queries: Any) -> None:
    client: UUID = clinic.client()
    rows = weekly(clinic, client, count=100)
    with django_assert_max_num_queries(45):
        _change(clinic, rows[0], Terms(Frequency.DAILY, count=370))
    assert len(_in_series()) == Visit.objects.count() == 370

"""Series: the hour kept across both changes of the clocks, what an edit leaves alone, and what never comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, time, timedelta
from typing import Any
from uuid import uuid4

import pytest

from daysheet.audit.models import AuditEvent
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.schedule import queries
from daysheet.schedule.actions import (
    AppointmentIncomplete,
    ServiceChoice,
    add_appointment,
    edit_appointment,
    move_appointment,
)
from daysheet.schedule.following import NotInSeries
from daysheet.schedule.models import Appointment, Series, Visit, VisitService
from daysheet.schedule.series import add_series, edit_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.series_rules import Frequency, SeriesRefused, begin
from daysheet.schedule.slots import AppointmentChanged
from daysheet.schedule.statuses import set_status
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast

from .weekly import FIRST, NEW_YORK, all_rows, check_series, shown, slot_on, visit_of, weekly, when


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def test_a_weekly_series_keeps_its_local_hour_across_both_changes_of_the_clocks(clinic: Clinic) -> None:
    """Issue 4, acceptance 1: stored moments, Agenda and Calendar, from before November 1 until after March 14."""
    rows = weekly(clinic, clinic.client(), day=date(2026, 10, 20), count=26)
    assert [row.service_on for row in rows] == [date(2026, 10, 20) + timedelta(weeks=week) for week in range(26)]
    assert {row.starts_at.astimezone(NEW_YORK).time() for row in rows} == {time(10)}
    assert {(row.service_on < date(2026, 11, 1), row.starts_at.astimezone(UTC).hour) for row in rows if
            row.service_on < date(2027, 3, 14)} == {(True, 14), (False, 15)}  # fmt: skip
    assert {row.starts_at.astimezone(UTC).hour for row in rows if row.service_on > date(2027, 3, 14)} == {14}
    assert {(row.ends_at - row.starts_at).total_seconds() for row in rows} == {3000}
    for row in rows:
        (seen,) = queries.agenda_day(clinic.owner, row.service_on)
        assert (seen.starts_at.date(), seen.starts_at.time()) == (row.service_on, time(10))
        week = queries.calendar_week(clinic.owner, row.service_on - timedelta(days=2))
        on_calendar = {(day.day, slot.starts_at.time()) for day in week.days for slot, _ in day.slots}
        assert on_calendar == {(row.service_on, time(10))}
    check_series()


def test_this_and_following_leaves_billed_moved_and_canceled_ones_alone(clinic: Clinic) -> None:
    """Issue 4, acceptance 1: the billed, the moved and the canceled one stay; the result says how many of each."""
    rows = weekly(clinic, clinic.client())
    bill_visit(clinic.biller, visit_id=visit_of(rows[3]).pk)
    move_appointment(
        clinic.owner, appointment_id=rows[4].pk, slot=slot_on(clinic, date(2026, 12, 2), time(15)), version=1
    )
    set_status(clinic.owner, visit_id=visit_of(rows[5]).pk, status="canceled", initiated_by="client")
    before = {row.pk: when(row) for row in rows}
    after = replace(shown(rows[2]), day=FIRST + timedelta(days=16), at=time(11, 30))  # Tuesday to Thursday
    outcome = edit_series(clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=after, version=1)
    assert outcome.words("moved") == (
        "3 appointments were moved. Left as they are: 1 billed, 1 canceled or over, 1 changed on its own."
    )
    assert [when(row) == before[row.pk] for row in rows] == [True, True, False, True, True, True, False, False]
    assert [when(rows[number]) for number in (2, 6, 7)] == ["11/19 11:30", "12/17 11:30", "12/24 11:30"]
    check_series()
    # The canceled one does not come back, and another edit of what follows leaves the same three alone.
    again = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[2]), at=time(9))
    )
    assert (again.changed, again.billed, again.over, again.apart) == (3, 1, 1, 1)
    assert Appointment.objects.count() == Visit.objects.count() == 8
    assert [when(rows[number]) for number in (3, 4, 5)] == [before[rows[number].pk] for number in (3, 4, 5)]
    check_series()


def test_one_is_changed_on_its_own_and_stays_as_changed(clinic: Clinic) -> None:
    client = clinic.client()
    rows = weekly(clinic, client)
    members = {client: [ServiceChoice(clinic.talk.pk)]}
    edit_appointment(clinic.owner, appointment_id=rows[1].pk, slot=replace(shown(rows[1]), minutes=80), members=members)
    outcome = edit_series(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[0]), at=time(14))
    )
    assert (outcome.changed, outcome.apart) == (7, 1)
    assert when(rows[1]) == "11/10 10:00"
    # Edited together with what follows from its own page, it changes by what is different there, and only by that.
    own = edit_series(
        clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[1]), at=time(16))
    )
    assert (own.changed, own.apart) == (7, 0)
    assert when(rows[1]) == "11/10 16:00" and shown(rows[1]).minutes == 80 and shown(rows[2]).minutes == 50
    check_series()


def test_all_future_begins_today_wherever_it_was_opened(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    outcome = edit_series(
        clinic.owner, appointment_id=rows[7].pk, scope=Scope.FUTURE, slot=replace(shown(rows[7]), at=time(8))
    )
    assert outcome.changed == 6
    assert [when(row)[6:] for row in rows] == ["10:00"] * 2 + ["08:00"] * 6
    from_the_past = edit_series(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FUTURE, slot=replace(shown(rows[0]), title="Talk")
    )
    assert from_the_past.changed == 6
    assert shown(rows[0]).title == "" and shown(rows[5]).title == "Talk" and when(rows[5])[6:] == "08:00"
    check_series()


def test_an_edit_speaks_only_of_what_is_different(clinic: Clinic) -> None:
    """The provider changes; the hour that an earlier edit gave to the later ones stays."""
    rows = weekly(clinic, clinic.client())
    edit_series(
        clinic.owner, appointment_id=rows[4].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[4]), at=time(13))
    )
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(is_provider=True)
    slot = replace(shown(rows[2]), staff_member_id=clinic.cast.dan.staff_member_id)
    assert edit_series(clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=slot).changed == 6
    assert [when(row)[6:] for row in rows] == ["10:00"] * 4 + ["13:00"] * 4
    assert {shown(row).staff_member_id for row in rows[2:]} == {clinic.cast.dan.staff_member_id}
    check_series()


def test_a_series_moved_into_the_hour_that_the_clocks_leave_out_comes_out_of_it_again(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), day=date(2027, 3, 7), at=time(2, 30), count=3)
    assert [when(row)[6:] for row in rows] == ["02:30", "03:30", "02:30"]
    slot = replace(shown(rows[0]), day=date(2027, 3, 8))
    edit_series(clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=slot)
    assert [when(row) for row in rows] == ["03/08 02:30", "03/15 02:30", "03/22 02:30"]
    check_series()


def test_what_follows_stays_behind_what_went_before(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    too_early = replace(shown(rows[2]), day=FIRST + timedelta(days=7))
    with pytest.raises(SeriesRefused, match="earlier appointment of this series is on 11/10/2026"):
        edit_series(clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=too_early)
    assert Series.objects.count() == 1


def test_where_nothing_follows_an_edit_nothing_is_written(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client(), count=2)
    for row in rows:
        bill_visit(clinic.biller, visit_id=visit_of(row).pk)
    events = AuditEvent.objects.count()
    outcome = edit_series(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[0]), at=time(14))
    )
    assert outcome.words("moved") == "No appointment was moved. Left as they are: 2 billed."
    assert Series.objects.count() == 1 and AuditEvent.objects.count() == events
    assert not Appointment.objects.exclude(apart_at=None).exists()


def test_an_appointment_of_its_own_has_nothing_that_follows(clinic: Clinic) -> None:
    alone = add_appointment(clinic.owner, slot=slot_on(clinic), members={clinic.client(): []})
    with pytest.raises(NotInSeries):
        edit_series(clinic.owner, appointment_id=alone, scope=Scope.FOLLOWING, slot=slot_on(clinic))


def test_of_two_edits_of_what_was_shown_one_wins(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    slot = replace(shown(rows[1]), at=time(12))
    edit_series(clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=slot, version=1)
    with pytest.raises(AppointmentChanged, match="now on 11/10/2026 at 12:00 PM"):
        edit_series(clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=slot, version=1)
    with pytest.raises(AppointmentChanged):
        move_appointment(clinic.owner, appointment_id=rows[6].pk, slot=slot_on(clinic, at=time(9)), version=1)


def test_the_same_form_twice_is_one_series(clinic: Clinic) -> None:
    client, key = clinic.client(), uuid4()
    for _ in range(2):
        add_series(
            clinic.owner, slot=slot_on(clinic), repeat=begin(Frequency.WEEKLY, FIRST, count=3), series_id=key,
            members={client: [ServiceChoice(clinic.talk.pk)]},
        )  # fmt: skip
    assert (Series.objects.count(), Appointment.objects.count()) == (1, 3)


def test_what_cannot_be_is_refused_for_a_series_too(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    for wrong in ({"minutes": 0}, {"staff_member_id": clinic.cast.dan.staff_member_id}, {"location_id": uuid4()}):
        with pytest.raises(AppointmentIncomplete):
            edit_series(
                clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[0]), **wrong)
            )
    assert NOW.date() > FIRST and Series.objects.count() == 1


def test_a_series_of_two_years_of_days_is_made_in_few_statements(
    clinic: Clinic, django_assert_max_num_queries: Any
) -> None:
    members = {clinic.client(str(number)): [ServiceChoice(clinic.talk.pk)] for number in range(3)}
    with django_assert_max_num_queries(20):
        add_series(clinic.owner, slot=slot_on(clinic), members=members, repeat=begin(Frequency.DAILY, FIRST, count=370))
    rows = all_rows()
    assert (len(rows), Visit.objects.count(), VisitService.objects.count()) == (370, 1110, 1110)
    with django_assert_max_num_queries(30):
        edit_series(
            clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING,
            slot=replace(shown(rows[1]), day=FIRST + timedelta(days=2), at=time(7)),
        )  # fmt: skip
    check_series()

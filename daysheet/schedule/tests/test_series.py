"""Series: the hour kept across both changes of the clocks, what an edit leaves alone, and what never comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from daysheet.audit.models import AuditEvent
from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.kit.errors import NotFound
from daysheet.payments.actions import accept_payment
from daysheet.schedule import queries
from daysheet.schedule.actions import (
    AppointmentIncomplete,
    ServiceChoice,
    Slot,
    add_appointment,
    edit_appointment,
    move_appointment,
)
from daysheet.schedule.following import NotInSeries
from daysheet.schedule.models import Appointment, Series, Visit, VisitService
from daysheet.schedule.policy import set_cancellation_policy
from daysheet.schedule.series import add_series, cancel_appointments, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.series_rows import repeat_of
from daysheet.schedule.series_rules import Frequency, SeriesRefused, begin, dates
from daysheet.schedule.slots import AppointmentChanged, slot_of
from daysheet.schedule.statuses import CancelIsLate, FeeNotDecided, InitiatorNotSaid, set_status
from daysheet.services.actions import add_service_type
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast

#: A Tuesday; the cast's today is Monday, November 16.
FIRST = date(2026, 11, 3)
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _slot(clinic: Clinic, day: date = FIRST, at: time = time(10), **more: Any) -> Slot:
    return Slot(day, at, 50, clinic.cast.carol.staff_member_id, clinic.location.pk, **more)


def _weekly(clinic: Clinic, *clients: UUID, count: int = 8, **more: Any) -> list[Appointment]:
    slot = _slot(clinic, **more)
    add_series(
        clinic.owner, slot=slot, repeat=begin(Frequency.WEEKLY, slot.day, count=count),
        members={client: [ServiceChoice(clinic.talk.pk)] for client in clients},
    )  # fmt: skip
    return _all()


def _all() -> list[Appointment]:
    """The appointments by the date of the rule that each stands for."""
    return list(Appointment.objects.order_by("occurrence_on"))


def _shown(appointment: Appointment) -> Slot:
    return slot_of(Appointment.objects.get(pk=appointment.pk), "America/New_York")


def _when(appointment: Appointment) -> str:
    return Appointment.objects.get(pk=appointment.pk).starts_at.astimezone(NEW_YORK).strftime("%m/%d %H:%M")


def _visit(appointment: Appointment) -> Visit:
    return Visit.objects.get(appointment=appointment)


def check_series() -> None:
    """What holds of every series after every edit: a date of a rule has one appointment, its rows are a run of the
    rule's dates, and whoever does not stand apart is exactly where the rule says."""
    for series in Series.objects.all():
        rows = list(Appointment.objects.filter(series=series).order_by("occurrence_on"))
        days = [row.occurrence_on for row in rows]
        rule = list(dates(repeat_of(series)))
        start = rule.index(days[0]) if days else 0
        assert days == rule[start : start + len(days)]
        for row in rows:
            if row.apart_at is None:
                assert row.service_on == row.occurrence_on
                assert row.starts_at.astimezone(NEW_YORK).time() == series.at
                assert row.staff_member_id == series.staff_member_id
    for visit in Visit.objects.select_related("appointment"):
        assert visit.service_on == visit.appointment.service_on
        assert visit.service_on == visit.appointment.starts_at.astimezone(NEW_YORK).date()
    for service in VisitService.objects.select_related("visit"):
        assert service.service_on == service.visit.service_on


def test_a_weekly_series_keeps_its_local_hour_across_both_changes_of_the_clocks(clinic: Clinic) -> None:
    """Issue 4, acceptance 1: stored moments, Agenda and Calendar, from before November 1 until after March 14."""
    rows = _weekly(clinic, clinic.client(), day=date(2026, 10, 20), count=26)
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
    rows = _weekly(clinic, clinic.client())
    bill_visit(clinic.biller, visit_id=_visit(rows[3]).pk)
    move_appointment(
        clinic.owner, appointment_id=rows[4].pk, slot=_slot(clinic, date(2026, 12, 2), time(15)), version=1
    )
    set_status(clinic.owner, visit_id=_visit(rows[5]).pk, status="canceled", initiated_by="client")
    before = {row.pk: _when(row) for row in rows}
    after = replace(_shown(rows[2]), day=FIRST + timedelta(days=16), at=time(11, 30))  # Tuesday to Thursday
    outcome = edit_series(clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=after, version=1)
    assert outcome.words("moved") == (
        "3 appointments were moved. Left as they are: 1 billed, 1 canceled or over, 1 changed on its own."
    )
    assert [_when(row) == before[row.pk] for row in rows] == [True, True, False, True, True, True, False, False]
    assert [_when(rows[number]) for number in (2, 6, 7)] == ["11/19 11:30", "12/17 11:30", "12/24 11:30"]
    check_series()
    # The canceled one does not come back, and another edit of what follows leaves the same three alone.
    again = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[2]), at=time(9))
    )
    assert (again.changed, again.billed, again.over, again.apart) == (3, 1, 1, 1)
    assert Appointment.objects.count() == Visit.objects.count() == 8
    assert [_when(rows[number]) for number in (3, 4, 5)] == [before[rows[number].pk] for number in (3, 4, 5)]
    check_series()


def test_one_is_changed_on_its_own_and_stays_as_changed(clinic: Clinic) -> None:
    client = clinic.client()
    rows = _weekly(clinic, client)
    members = {client: [ServiceChoice(clinic.talk.pk)]}
    edit_appointment(
        clinic.owner, appointment_id=rows[1].pk, slot=replace(_shown(rows[1]), minutes=80), members=members
    )
    outcome = edit_series(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[0]), at=time(14))
    )
    assert (outcome.changed, outcome.apart) == (7, 1)
    assert _when(rows[1]) == "11/10 10:00"
    # Edited together with what follows from its own page, it changes by what is different there, and only by that.
    own = edit_series(
        clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[1]), at=time(16))
    )
    assert (own.changed, own.apart) == (7, 0)
    assert _when(rows[1]) == "11/10 16:00" and _shown(rows[1]).minutes == 80 and _shown(rows[2]).minutes == 50
    check_series()


def test_all_future_begins_today_wherever_it_was_opened(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client())
    outcome = edit_series(
        clinic.owner, appointment_id=rows[7].pk, scope=Scope.FUTURE, slot=replace(_shown(rows[7]), at=time(8))
    )
    assert outcome.changed == 6
    assert [_when(row)[6:] for row in rows] == ["10:00"] * 2 + ["08:00"] * 6
    from_the_past = edit_series(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FUTURE, slot=replace(_shown(rows[0]), title="Talk")
    )
    assert from_the_past.changed == 6
    assert _shown(rows[0]).title == "" and _shown(rows[5]).title == "Talk" and _when(rows[5])[6:] == "08:00"
    check_series()


def test_an_edit_speaks_only_of_what_is_different(clinic: Clinic) -> None:
    """The provider changes; the hour that an earlier edit gave to the later ones stays."""
    rows = _weekly(clinic, clinic.client())
    edit_series(
        clinic.owner, appointment_id=rows[4].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[4]), at=time(13))
    )
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(is_provider=True)
    slot = replace(_shown(rows[2]), staff_member_id=clinic.cast.dan.staff_member_id)
    assert edit_series(clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=slot).changed == 6
    assert [_when(row)[6:] for row in rows] == ["10:00"] * 4 + ["13:00"] * 4
    assert {_shown(row).staff_member_id for row in rows[2:]} == {clinic.cast.dan.staff_member_id}
    check_series()


def test_a_series_moved_into_the_hour_that_the_clocks_leave_out_comes_out_of_it_again(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client(), day=date(2027, 3, 7), at=time(2, 30), count=3)
    assert [_when(row)[6:] for row in rows] == ["02:30", "03:30", "02:30"]
    slot = replace(_shown(rows[0]), day=date(2027, 3, 8))
    edit_series(clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=slot)
    assert [_when(row) for row in rows] == ["03/08 02:30", "03/15 02:30", "03/22 02:30"]
    check_series()


def test_what_follows_stays_behind_what_went_before(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client())
    too_early = replace(_shown(rows[2]), day=FIRST + timedelta(days=7))
    with pytest.raises(SeriesRefused, match="earlier appointment of this series is on 11/10/2026"):
        edit_series(clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=too_early)
    assert Series.objects.count() == 1


def test_where_nothing_follows_an_edit_nothing_is_written(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client(), count=2)
    for row in rows:
        bill_visit(clinic.biller, visit_id=_visit(row).pk)
    events = AuditEvent.objects.count()
    outcome = edit_series(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[0]), at=time(14))
    )
    assert outcome.words("moved") == "No appointment was moved. Left as they are: 2 billed."
    assert Series.objects.count() == 1 and AuditEvent.objects.count() == events
    assert not Appointment.objects.exclude(apart_at=None).exists()


def test_an_appointment_of_its_own_has_nothing_that_follows(clinic: Clinic) -> None:
    alone = add_appointment(clinic.owner, slot=_slot(clinic), members={clinic.client(): []})
    with pytest.raises(NotInSeries):
        edit_series(clinic.owner, appointment_id=alone, scope=Scope.FOLLOWING, slot=_slot(clinic))


def test_of_two_edits_of_what_was_shown_one_wins(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client())
    slot = replace(_shown(rows[1]), at=time(12))
    edit_series(clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=slot, version=1)
    with pytest.raises(AppointmentChanged, match="now on 11/10/2026 at 12:00 PM"):
        edit_series(clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING, slot=slot, version=1)
    with pytest.raises(AppointmentChanged):
        move_appointment(clinic.owner, appointment_id=rows[6].pk, slot=_slot(clinic, at=time(9)), version=1)


def test_the_same_form_twice_is_one_series(clinic: Clinic) -> None:
    client, key = clinic.client(), uuid4()
    for _ in range(2):
        add_series(
            clinic.owner, slot=_slot(clinic), repeat=begin(Frequency.WEEKLY, FIRST, count=3), series_id=key,
            members={client: [ServiceChoice(clinic.talk.pk)]},
        )  # fmt: skip
    assert (Series.objects.count(), Appointment.objects.count()) == (1, 3)


def test_canceling_all_future_takes_the_moved_ones_along_and_keeps_the_billed(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client())
    bill_visit(clinic.biller, visit_id=_visit(rows[2]).pk)
    move_appointment(clinic.owner, appointment_id=rows[3].pk, slot=_slot(clinic, date(2026, 11, 25)), version=1)
    kept = cancel_appointments(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FUTURE, initiated_by="practice", with_apart=False
    )
    assert (kept.changed, kept.billed, kept.apart) == (4, 1, 1)
    outcome = cancel_appointments(clinic.owner, appointment_id=rows[0].pk, scope=Scope.FUTURE, initiated_by="practice")
    assert (outcome.changed, outcome.billed, outcome.over) == (1, 1, 4)
    statuses = [_visit(row).status for row in rows]
    assert statuses == ["upcoming"] * 3 + ["canceled"] * 5
    assert not VisitService.objects.filter(visit__status="canceled", is_suspended=False).exists()
    check_series()


def test_canceling_follows_the_policy(clinic: Clinic) -> None:
    fee = add_service_type(clinic.owner, code="CX", name="Canceled", kind="non_cpt", rate_cents=2500,
                           bills_insurance=False)  # fmt: skip
    ask = dict.fromkeys(("no_show", "late_cancel", "canceled"), "ask")
    none = dict.fromkeys(("no_show", "late_cancel", "canceled"), None)
    set_cancellation_policy(clinic.owner, notice_hours=24, charges=ask, fees={**none, "canceled": fee.pk})
    rows = _weekly(clinic, clinic.client())
    with pytest.raises(InitiatorNotSaid):
        cancel_appointments(clinic.owner, appointment_id=rows[2].pk, initiated_by="")
    late = replace(clinic.owner, now=datetime(2026, 11, 17, 10, tzinfo=UTC))
    with pytest.raises(CancelIsLate):
        cancel_appointments(late, appointment_id=rows[2].pk, initiated_by="client", waived_reason="Moves away")
    with pytest.raises(FeeNotDecided):
        cancel_appointments(clinic.owner, appointment_id=rows[2].pk, initiated_by="client", scope=Scope.FOLLOWING)
    outcome = cancel_appointments(
        clinic.owner,
        appointment_id=rows[2].pk,
        initiated_by="client",
        scope=Scope.FOLLOWING,
        waived_reason="Moves away",
    )
    assert outcome.changed == 6
    assert {visit.fee_waived_reason for visit in Visit.objects.filter(status="canceled")} == {"Moves away"}


def test_a_late_joiner_joins_this_one_or_what_follows(clinic: Clinic) -> None:
    """S4: a visit of their own, at the full amount, also where the group was moved on its own; not where it is off."""
    first, second, late = clinic.client("First"), clinic.client("Second"), clinic.client("Late")
    rows = _weekly(clinic, first, second)
    talk = [ServiceChoice(clinic.talk.pk)]
    move_appointment(clinic.owner, appointment_id=rows[4].pk, slot=_slot(clinic, date(2026, 12, 2)), version=1)
    cancel_appointments(clinic.owner, appointment_id=rows[5].pk, initiated_by="practice")
    bill_visit(clinic.biller, visit_id=Visit.objects.get(appointment=rows[3], client_id=first).pk)
    everybody = {first: talk, second: talk, late: talk}
    edit_appointment(clinic.owner, appointment_id=rows[0].pk, slot=_shown(rows[0]), members=everybody)
    outcome = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=_shown(rows[2]), members=everybody
    )
    assert (outcome.changed, outcome.over) == (5, 1)
    joined = Visit.objects.filter(client_id=late).values_list("appointment_id", flat=True)
    assert set(joined) == {rows[number].pk for number in (0, 2, 3, 4, 6, 7)}
    for visit in (Visit.objects.get(client_id=client, appointment=rows[2]) for client in everybody):
        assert bill_visit(clinic.biller, visit_id=visit.pk).created[0].total_cents == 15000
    assert not Appointment.objects.filter(pk=rows[0].pk).exclude(apart_at=None).exists()
    check_series()


def test_who_leaves_keeps_billed_visits_and_what_has_money_or_a_void_invoice(clinic: Clinic) -> None:
    stays, leaves = clinic.client("Stays"), clinic.client("Leaves")
    rows = _weekly(clinic, stays, leaves)
    of_leaver = [Visit.objects.get(appointment=row, client_id=leaves) for row in rows]
    bill_visit(clinic.biller, visit_id=of_leaver[3].pk)
    void_invoice(
        clinic.biller, invoice_id=bill_visit(clinic.biller, visit_id=of_leaver[4].pk).created[0].id, reason="x"
    )
    accept_payment(
        clinic.biller, request_key=uuid4(), client_id=leaves, amount_cents=100, method="cash", received_on=FIRST,
        applications=None, visit_id=of_leaver[5].pk, is_prepayment=True,
    )  # fmt: skip
    outcome = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=_shown(rows[2]),
        members={stays: [ServiceChoice(clinic.talk.pk)]},
    )  # fmt: skip
    assert (outcome.changed, outcome.billed) == (5, 1)
    left = {visit.appointment_id: visit.status for visit in Visit.objects.filter(client_id=leaves)}
    assert left == {rows[0].pk: "upcoming", rows[1].pk: "upcoming", rows[3].pk: "upcoming", rows[4].pk: "canceled",
                    rows[5].pk: "canceled"}  # fmt: skip
    groups = [Appointment.objects.get(pk=row.pk).is_group for row in rows]
    assert groups == [True, True, False, True, True, True, False, False]
    assert Visit.objects.filter(client_id=stays, status="upcoming").count() == 8
    check_series()


def test_other_services_for_what_follows(clinic: Clinic) -> None:
    client = clinic.client()
    rows = _weekly(clinic, client)
    bill_visit(clinic.biller, visit_id=_visit(rows[3]).pk)
    outcome = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=_shown(rows[2]),
        members={client: [ServiceChoice(clinic.letter.pk)]},
    )  # fmt: skip
    assert (outcome.changed, outcome.billed) == (5, 1)
    live = VisitService.objects.filter(removed_at=None).order_by("service_on").values_list("service_type_id", flat=True)
    talk, letter = clinic.talk.pk, clinic.letter.pk
    assert list(live) == [talk, talk, letter, talk, letter, letter, letter, letter]


def test_a_series_goes_on_by_its_rule_with_the_members_of_its_newest_one(clinic: Clinic) -> None:
    first, late = clinic.client("First"), clinic.client("Late")
    rows = _weekly(clinic, first, count=4)
    root = rows[0].series_id
    assert root is not None
    talk = ServiceChoice(clinic.talk.pk, rate_cents=9900)
    edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[2]), at=time(17)),
        members={first: [ServiceChoice(clinic.talk.pk)], late: [talk]},
    )  # fmt: skip
    cancel_appointments(clinic.owner, appointment_id=rows[3].pk, initiated_by="practice")
    key = uuid4()
    with pytest.raises(AppointmentChanged, match="goes until 11/24/2026"):
        extend_series(clinic.owner, root_id=root, last_on=FIRST, count=3)
    for added in (3, 0):
        asked = {"last_on": date(2026, 11, 24), "count": 3, "series_id": key}
        assert extend_series(clinic.owner, root_id=root, **asked) == added
    more = _all()[4:]
    assert [_when(row) for row in more] == ["12/01 17:00", "12/08 17:00", "12/15 17:00"]
    assert {visit.client_id for visit in Visit.objects.filter(appointment=more[0])} == {first, late}
    assert VisitService.objects.filter(visit__client_id=late, rate_cents=9900).count() == 5
    facts = queries.series_facts(clinic.owner, root)
    assert (facts.total, facts.words) == (7, "Every week on Tuesday at 5:00 PM")
    check_series()


def test_limited_people_and_strangers_do_not_reach_a_series(clinic: Clinic) -> None:
    seen, unseen = clinic.client("Seen"), clinic.client("Unseen")
    rows = _weekly(clinic, seen)
    talk = [ServiceChoice(clinic.talk.pk)]
    edit_series(
        clinic.owner, appointment_id=rows[5].pk, scope=Scope.FOLLOWING, slot=_shown(rows[5]),
        members={seen: talk, unseen: talk},
    )  # fmt: skip
    assign_staff(clinic.owner, seen, clinic.cast.dan.staff_member_id)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    dan, slot = clinic.cast.actor(clinic.cast.dan), replace(_shown(rows[2]), at=time(9))
    with pytest.raises(NotFound):
        edit_series(dan, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=slot)
    move_appointment(dan, appointment_id=rows[2].pk, slot=slot)
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        edit_series(clinic.cast.actor(clinic.cast.charlie), appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=slot)


def test_what_cannot_be_is_refused_for_a_series_too(clinic: Clinic) -> None:
    rows = _weekly(clinic, clinic.client())
    for wrong in ({"minutes": 0}, {"staff_member_id": clinic.cast.dan.staff_member_id}, {"location_id": uuid4()}):
        with pytest.raises(AppointmentIncomplete):
            edit_series(
                clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, slot=replace(_shown(rows[0]), **wrong)
            )
    assert NOW.date() > FIRST and Series.objects.count() == 1


def test_a_series_of_two_years_of_days_is_made_in_few_statements(
    clinic: Clinic, django_assert_max_num_queries: Any
) -> None:
    members = {clinic.client(str(number)): [ServiceChoice(clinic.talk.pk)] for number in range(3)}
    with django_assert_max_num_queries(20):
        add_series(clinic.owner, slot=_slot(clinic), members=members, repeat=begin(Frequency.DAILY, FIRST, count=370))
    rows = _all()
    assert (len(rows), Visit.objects.count(), VisitService.objects.count()) == (370, 1110, 1110)
    with django_assert_max_num_queries(30):
        edit_series(
            clinic.owner, appointment_id=rows[1].pk, scope=Scope.FOLLOWING,
            slot=replace(_shown(rows[1]), day=FIRST + timedelta(days=2), at=time(7)),
        )  # fmt: skip
    check_series()

"""What the tables of series refuse beside what tests/architecture tries: each way of a rule to be half there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time

import pytest
from django.db import IntegrityError, connection, transaction

from daysheet.database.scope import practice_transaction
from daysheet.schedule.actions import ServiceChoice, Slot
from daysheet.schedule.models import Appointment
from daysheet.schedule.series import add_series
from daysheet.schedule.series_rules import Frequency, begin
from tests.billing import DAY, Clinic, build_clinic
from tests.people import Cast

_SERIES = (
    "INSERT INTO schedule_series (practice_id, id, {columns}) "
    "SELECT practice_id, gen_random_uuid(), {values} FROM schedule_series"
)
_EVERY_DAY = {"frequency": "'daily'", "weekdays": "0"}
_COPIED = (
    "every, starts_on, week_starts, at, minutes, staff_member_id, location_id, place_of_service, title, created_at"
)


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        clinic = build_clinic(cast)
        slot = Slot(DAY, time(10), 50, cast.carol.staff_member_id, clinic.location.pk)
        members = {clinic.client(): [ServiceChoice(clinic.talk.pk)]}
        add_series(clinic.owner, slot=slot, members=members, repeat=begin(Frequency.WEEKLY, DAY, count=3))
        yield clinic


@pytest.mark.parametrize(
    ("constraint", "columns"),
    [
        ("series_rule_complete", {"frequency": "'yearly'", "weekdays": "1", "count": "2"}),
        ("series_rule_complete", {"frequency": "'daily'", "weekdays": "1", "count": "2"}),
        ("series_rule_complete", {"frequency": "'daily'", "weekdays": "0", "month_day": "3", "count": "2"}),
        ("series_rule_complete", {"frequency": "'weekly'", "weekdays": "0", "count": "2"}),
        ("series_rule_complete", {"frequency": "'weekly'", "weekdays": "128", "count": "2"}),
        ("series_rule_complete", {"frequency": "'weekly'", "weekdays": "1", "month_week": "2", "count": "2"}),
        ("series_rule_complete", {"frequency": "'monthly_day'", "weekdays": "0", "count": "2"}),
        ("series_rule_complete", {"frequency": "'monthly_day'", "weekdays": "0", "month_day": "32", "count": "2"}),
        ("series_rule_complete", {"frequency": "'monthly_weekday'", "weekdays": "1", "count": "2"}),
        ("series_rule_complete", {"frequency": "'monthly_weekday'", "weekdays": "3", "month_week": "2", "count": "2"}),
        ("series_rule_complete", {"frequency": "'monthly_weekday'", "weekdays": "1", "month_week": "6", "count": "2"}),
        ("series_ends_within_bounds", {"frequency": "'weekly'", "weekdays": "1"}),
        ("series_ends_within_bounds", {"frequency": "'weekly'", "weekdays": "1", "count": "371"}),
        (
            "series_ends_within_bounds",
            {"frequency": "'weekly'", "weekdays": "1", "count": "2", "until_on": "starts_on"},
        ),
        ("series_ends_within_bounds", {"frequency": "'weekly'", "weekdays": "1", "until_on": "starts_on - 1"}),
    ],
)
def test_half_a_rule_is_refused(clinic: Clinic, constraint: str, columns: dict[str, str]) -> None:
    names, values = ", ".join([*columns, _COPIED]), ", ".join([*columns.values(), _COPIED])
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SERIES.format(columns=names, values=values))


@pytest.mark.parametrize(
    "change",
    [
        {"series_id": None},
        {"occurrence_on": None},
        {"series_id": None, "occurrence_on": None, "apart_at": "2026-11-02T10:00Z"},
        {"service_on": "2026-11-03"},
        {"occurrence_on": None, "apart_at": "2026-11-02T10:00Z"},
    ],
)
def test_an_appointment_of_a_series_is_on_its_date_or_known_to_stand_apart(
    clinic: Clinic, change: dict[str, str | None]
) -> None:
    with pytest.raises(IntegrityError, match="appointment_on_its_series_date"), transaction.atomic():
        Appointment.objects.filter(service_on=DAY).update(**change)


def test_a_rule_is_a_fact(clinic: Clinic) -> None:
    for statement in ("UPDATE schedule_series SET every = 2", "DELETE FROM schedule_series"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)

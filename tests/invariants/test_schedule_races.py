"""Two at once over the same appointment or series, on real connections: one wins and the other is told; a date of
service is the same everywhere; a date of a series has one appointment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import time, timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.invoicing.models import InvoiceLine
from daysheet.kit.errors import Refusal
from daysheet.schedule.actions import ServiceChoice, Slot, VisitBilled, add_appointment, move_appointment
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.repetition import change_repetition
from daysheet.schedule.series import add_series, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.series_rules import Frequency, Terms, begin
from daysheet.schedule.slots import AppointmentChanged
from tests.billing import DAY, Clinic

from .at_once import at_once

REPEATS = 50
pytestmark = [pytest.mark.system, pytest.mark.race]


def _slot(clinic: Clinic) -> Slot:
    return Slot(DAY, time(10), 50, clinic.cast.carol.staff_member_id, clinic.location.pk)


def _trying(clinic: Clinic, piece: Callable[[], object]) -> Callable[[], Refusal | None]:
    """The piece in a transaction of its own; answers with what refused it."""

    def run() -> Refusal | None:
        try:
            with practice_transaction(clinic.cast.alder.id):
                piece()
        except Refusal as refusal:
            return refusal
        return None

    return run


def _appointment(clinic: Clinic, client: UUID) -> UUID:
    with practice_transaction(clinic.cast.alder.id):
        members = {client: [ServiceChoice(clinic.talk.pk)]}
        return add_appointment(clinic.owner, slot=_slot(clinic), members=members)


def _series(clinic: Clinic, client: UUID) -> list[Appointment]:
    with practice_transaction(clinic.cast.alder.id):
        series_id = add_series(
            clinic.owner, slot=_slot(clinic), members={client: [ServiceChoice(clinic.talk.pk)]},
            repeat=begin(Frequency.WEEKLY, DAY, count=4),
        )  # fmt: skip
        return list(Appointment.objects.filter(series=series_id).order_by("occurrence_on"))


def _client(clinic: Clinic) -> UUID:
    with practice_transaction(clinic.cast.alder.id):
        return clinic.client()


def test_of_two_people_who_move_the_same_appointment_one_wins(clinic: Clinic) -> None:
    client = _client(clinic)
    for _ in range(REPEATS):
        appointment = _appointment(clinic, client)
        tries = [
            partial(
                move_appointment, clinic.owner, appointment_id=appointment, version=1,
                slot=replace(_slot(clinic), at=time(hour)),
            )
            for hour in (13, 16)
        ]  # fmt: skip
        answers = at_once(*(_trying(clinic, each) for each in tries))
        (refusal,) = [each for each in answers if each]
        assert isinstance(refusal, AppointmentChanged) and "Somebody else changed this appointment" in str(refusal)
        with practice_transaction(clinic.cast.alder.id):
            assert Appointment.objects.get(pk=appointment).version == 2


def test_a_move_and_a_bill_at_once_agree_on_the_date_of_service(clinic: Clinic) -> None:
    client = _client(clinic)
    for _ in range(REPEATS):
        appointment = _appointment(clinic, client)
        with practice_transaction(clinic.cast.alder.id):
            visit = Visit.objects.get(appointment=appointment).pk
        later = replace(_slot(clinic), day=DAY + timedelta(days=1))
        refused, _ = at_once(
            _trying(clinic, partial(move_appointment, clinic.owner, appointment_id=appointment, slot=later, version=1)),
            _trying(clinic, partial(bill_visit, clinic.biller, visit_id=visit)),
        )
        assert refused is None or isinstance(refused, VisitBilled)
        with practice_transaction(clinic.cast.alder.id):
            line = InvoiceLine.objects.get(visit_service__visit=visit)
            days = {line.service_on, VisitService.objects.get(visit=visit).service_on}
            assert days == {Visit.objects.get(pk=visit).service_on} == {DAY + timedelta(days=refused is None)}


def test_two_edits_of_a_series_at_once_leave_one_series(clinic: Clinic) -> None:
    client = _client(clinic)
    for _ in range(REPEATS // 2):
        rows = _series(clinic, client)
        edits = [
            partial(
                edit_series, clinic.owner, appointment_id=row.pk, scope=Scope.FOLLOWING, version=1,
                slot=replace(_slot(clinic), day=row.service_on + timedelta(days=days), at=time(hour)),
            )
            for row, days, hour in ((rows[0], 1, 8), (rows[1], 2, 18))
        ]  # fmt: skip
        answers = at_once(*(_trying(clinic, each) for each in edits))
        assert [each for each in answers if each and not isinstance(each, AppointmentChanged)] == []
        with practice_transaction(clinic.cast.alder.id):
            now = Appointment.objects.filter(pk__in=[row.pk for row in rows])
            assert all(row.service_on == row.occurrence_on for row in now)
            assert len({row.occurrence_on for row in now}) == 4
            for visit in Visit.objects.filter(appointment__in=now).select_related("appointment"):
                assert visit.service_on == visit.appointment.service_on


def test_of_two_other_repetitions_at_once_one_wins_and_a_second_click_is_one(clinic: Clinic) -> None:
    client = _client(clinic)
    for number in range(REPEATS // 5):
        rows, key, is_one_form = _series(clinic, client), uuid4(), number % 2 == 0
        tries = [
            partial(
                change_repetition, clinic.owner, appointment_id=rows[0].pk, scope=Scope.FOLLOWING, version=1,
                terms=Terms(Frequency.WEEKLY, 2, count=6), series_id=key if is_one_form else uuid4(),
            )
            for _ in range(2)
        ]  # fmt: skip
        refused = [each for each in at_once(*(_trying(clinic, each) for each in tries)) if each]
        assert len(refused) == (0 if is_one_form else 1)
        assert all(isinstance(each, AppointmentChanged) for each in refused)
        with practice_transaction(clinic.cast.alder.id):
            now = Appointment.objects.filter(series__root=rows[0].series_id).order_by("occurrence_on")
            assert [row.service_on for row in now] == [DAY + timedelta(weeks=2 * week) for week in range(6)]
            assert Visit.objects.filter(appointment__in=now, status="upcoming").count() == 6


def test_two_people_who_let_a_series_go_on_add_to_it_once(clinic: Clinic) -> None:
    client = _client(clinic)
    for _ in range(REPEATS // 2):
        rows = _series(clinic, client)
        root, last_on = rows[0].series_id, rows[-1].service_on
        assert root is not None
        piece = partial(extend_series, clinic.owner, root_id=root, last_on=last_on, count=2)
        answers = at_once(_trying(clinic, piece), _trying(clinic, piece))
        (refusal,) = [each for each in answers if each]
        assert isinstance(refusal, AppointmentChanged)
        with practice_transaction(clinic.cast.alder.id):
            assert Appointment.objects.filter(series__root=root).count() == 2

"""Series and the people in them: canceling, late joiners and leavers, other services, going on longer, who may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from uuid import uuid4

import pytest

from daysheet.clients.actions import assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, void_invoice
from daysheet.kit.errors import NotFound
from daysheet.payments.actions import accept_payment
from daysheet.schedule import queries
from daysheet.schedule.actions import (
    ServiceChoice,
    edit_appointment,
    move_appointment,
)
from daysheet.schedule.models import Appointment, Visit, VisitService
from daysheet.schedule.policy import set_cancellation_policy
from daysheet.schedule.series import cancel_appointments, edit_series, extend_series
from daysheet.schedule.series_outcome import Scope
from daysheet.schedule.slots import AppointmentChanged
from daysheet.schedule.statuses import CancelIsLate, FeeNotDecided, InitiatorNotSaid
from daysheet.services.actions import add_service_type
from daysheet.staff.models import StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import Cast

from .weekly import FIRST, all_rows, check_series, shown, slot_on, visit_of, weekly, when


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def test_canceling_all_future_takes_the_moved_ones_along_and_keeps_the_billed(clinic: Clinic) -> None:
    rows = weekly(clinic, clinic.client())
    bill_visit(clinic.biller, visit_id=visit_of(rows[2]).pk)
    move_appointment(clinic.owner, appointment_id=rows[3].pk, slot=slot_on(clinic, date(2026, 11, 25)), version=1)
    kept = cancel_appointments(
        clinic.owner, appointment_id=rows[0].pk, scope=Scope.FUTURE, initiated_by="practice", with_apart=False
    )
    assert (kept.changed, kept.billed, kept.apart) == (4, 1, 1)
    outcome = cancel_appointments(clinic.owner, appointment_id=rows[0].pk, scope=Scope.FUTURE, initiated_by="practice")
    assert (outcome.changed, outcome.billed, outcome.over) == (1, 1, 4)
    statuses = [visit_of(row).status for row in rows]
    assert statuses == ["upcoming"] * 3 + ["canceled"] * 5
    assert not VisitService.objects.filter(visit__status="canceled", is_suspended=False).exists()
    check_series()


def test_canceling_follows_the_policy(clinic: Clinic) -> None:
    fee = add_service_type(clinic.owner, code="CX", name="Canceled", kind="non_cpt", rate_cents=2500,
                           bills_insurance=False)  # fmt: skip
    ask = dict.fromkeys(("no_show", "late_cancel", "canceled"), "ask")
    none = dict.fromkeys(("no_show", "late_cancel", "canceled"), None)
    set_cancellation_policy(clinic.owner, notice_hours=24, charges=ask, fees={**none, "canceled": fee.pk})
    rows = weekly(clinic, clinic.client())
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
    rows = weekly(clinic, first, second)
    talk = [ServiceChoice(clinic.talk.pk)]
    move_appointment(clinic.owner, appointment_id=rows[4].pk, slot=slot_on(clinic, date(2026, 12, 2)), version=1)
    cancel_appointments(clinic.owner, appointment_id=rows[5].pk, initiated_by="practice")
    bill_visit(clinic.biller, visit_id=Visit.objects.get(appointment=rows[3], client_id=first).pk)
    everybody = {first: talk, second: talk, late: talk}
    edit_appointment(clinic.owner, appointment_id=rows[0].pk, slot=shown(rows[0]), members=everybody)
    outcome = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=shown(rows[2]), members=everybody
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
    rows = weekly(clinic, stays, leaves)
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
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=shown(rows[2]),
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
    rows = weekly(clinic, client)
    bill_visit(clinic.biller, visit_id=visit_of(rows[3]).pk)
    outcome = edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=shown(rows[2]),
        members={client: [ServiceChoice(clinic.letter.pk)]},
    )  # fmt: skip
    assert (outcome.changed, outcome.billed) == (5, 1)
    live = VisitService.objects.filter(removed_at=None).order_by("service_on").values_list("service_type_id", flat=True)
    talk, letter = clinic.talk.pk, clinic.letter.pk
    assert list(live) == [talk, talk, letter, talk, letter, letter, letter, letter]


def test_a_series_goes_on_by_its_rule_with_the_members_of_its_newest_one(clinic: Clinic) -> None:
    first, late = clinic.client("First"), clinic.client("Late")
    rows = weekly(clinic, first, count=4)
    root = rows[0].series_id
    assert root is not None
    talk = ServiceChoice(clinic.talk.pk, rate_cents=9900)
    edit_series(
        clinic.owner, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=replace(shown(rows[2]), at=time(17)),
        members={first: [ServiceChoice(clinic.talk.pk)], late: [talk]},
    )  # fmt: skip
    cancel_appointments(clinic.owner, appointment_id=rows[3].pk, initiated_by="practice")
    key = uuid4()
    with pytest.raises(AppointmentChanged, match="goes until 11/24/2026"):
        extend_series(clinic.owner, root_id=root, last_on=FIRST, count=3)
    for added in (3, 0):
        asked = {"last_on": date(2026, 11, 24), "count": 3, "series_id": key}
        assert extend_series(clinic.owner, root_id=root, **asked) == added
    more = all_rows()[4:]
    assert [when(row) for row in more] == ["12/01 17:00", "12/08 17:00", "12/15 17:00"]
    assert {visit.client_id for visit in Visit.objects.filter(appointment=more[0])} == {first, late}
    assert VisitService.objects.filter(visit__client_id=late, rate_cents=9900).count() == 5
    facts = queries.series_facts(clinic.owner, root)
    assert (facts.total, facts.words) == (7, "Every week on Tuesday at 5:00 PM")
    check_series()


def test_limited_people_and_strangers_do_not_reach_a_series(clinic: Clinic) -> None:
    seen, unseen = clinic.client("Seen"), clinic.client("Unseen")
    rows = weekly(clinic, seen)
    talk = [ServiceChoice(clinic.talk.pk)]
    edit_series(
        clinic.owner, appointment_id=rows[5].pk, scope=Scope.FOLLOWING, slot=shown(rows[5]),
        members={seen: talk, unseen: talk},
    )  # fmt: skip
    assign_staff(clinic.owner, seen, clinic.cast.dan.staff_member_id)
    StaffMember.objects.filter(pk=clinic.cast.dan.staff_member_id).update(limited_to_assigned=True)
    dan, slot = clinic.cast.actor(clinic.cast.dan), replace(shown(rows[2]), at=time(9))
    with pytest.raises(NotFound):
        edit_series(dan, appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=slot)
    move_appointment(dan, appointment_id=rows[2].pk, slot=slot)
    with practice_transaction(clinic.cast.birch.id), pytest.raises(NotFound):
        edit_series(clinic.cast.actor(clinic.cast.charlie), appointment_id=rows[2].pk, scope=Scope.FOLLOWING, slot=slot)

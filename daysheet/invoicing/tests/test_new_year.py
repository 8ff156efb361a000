"""New Year at the doors, in three time zones: the licence that counts is that of the year of the bill's creation in
practice time, whatever day the service was on, and whether or not the clock of renewals has come round (L1-L3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit, issue_invoices
from daysheet.invoicing.batches import BatchRequest, run_batch, start_batch
from daysheet.invoicing.door import preview
from daysheet.invoicing.models import BatchProblem, Invoice, InvoiceLine
from daysheet.invoicing.selection import Issued, Selection
from daysheet.jobs.models import JobRun
from daysheet.jobs.registry import RunningJob
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.staff import actions as staff
from daysheet.staff.licenses.actions import StaffMemberInactive, assign_license, renew_licenses, set_cpt_access
from daysheet.staff.models import CptLicense, LicenseRenewalRun
from tests.billing import Clinic, build_clinic
from tests.people import Cast

DECEMBER = date(2026, 12, 31)
EAST, WEST = "America/New_York", "Pacific/Honolulu"


@pytest.fixture(params=[EAST, "America/Los_Angeles", WEST])
def clinic(request: pytest.FixtureRequest, cast: Cast) -> Iterator[Clinic]:
    """Alder Clinic in one of three time zones, with Carol licensed for 2026."""
    with practice_transaction(cast.alder.id):
        yield _clinic_in(request.param, cast)


def _clinic_in(zone: str, cast: Cast) -> Clinic:
    Practice.objects.filter(pk=cast.alder.id).update(time_zone=zone)
    return build_clinic(replace(cast, alder=replace(cast.alder, time_zone=zone)))


def at(clinic: Clinic, year: int, month: int, day: int, hour: int, minute: int) -> datetime:
    """A wall-clock moment of the practice."""
    zone = ZoneInfo(clinic.cast.alder.time_zone)
    return datetime(year, month, day, hour, minute, tzinfo=zone).astimezone(UTC)


def eve(clinic: Clinic) -> datetime:
    return at(clinic, 2026, 12, 31, 23, 59)


def new_year(clinic: Clinic) -> datetime:
    return at(clinic, 2027, 1, 1, 0, 1)


def biller(clinic: Clinic, now: datetime) -> Actor:
    return clinic.cast.actor(clinic.cast.bob, now=now)


def admin(clinic: Clinic, now: datetime) -> Actor:
    return clinic.cast.actor(clinic.cast.alice, now=now)


def december_visit(clinic: Clinic) -> tuple[UUID, tuple[UUID, ...]]:
    return clinic.visit(clinic.client(), clinic.talk, day=DECEMBER)


def refusals(issued: Issued) -> list[tuple[str, int | None]]:
    return [(refused.code, refused.year) for refused in issued.refused]


def test_one_minute_before_and_after_midnight_a_december_visit_is_billed(clinic: Clinic) -> None:
    before, after = december_visit(clinic)[0], december_visit(clinic)[0]

    assert bill_visit(biller(clinic, eve(clinic)), visit_id=before).created
    assert not LicenseRenewalRun.objects.filter(year=2027).exists()
    assert bill_visit(biller(clinic, new_year(clinic)), visit_id=after).created

    issued = Invoice.objects.order_by("number").values_list("issued_on", flat=True)
    assert list(issued) == [date(2026, 12, 31), date(2027, 1, 1)]
    assert set(InvoiceLine.objects.values_list("service_on", flat=True)) == {DECEMBER}
    renewed = CptLicense.objects.get(year=2027)
    assert (renewed.staff_member_id, renewed.is_renewal, renewed.fee_cents, renewed.assigned_by) == (
        clinic.cast.carol.staff_member_id, True, 2150, "License renewal",
    )  # fmt: skip
    # The clock comes later and finds the year done.
    assert renew_licenses(clinic.cast.alder, at(clinic, 2027, 1, 1, 0, 15)) == 0
    assert CptLicense.objects.filter(year=2027).count() == 1


def test_the_ledger_s_door_and_its_preview_agree_after_midnight(clinic: Clinic) -> None:
    _, services = december_visit(clinic)
    actor = biller(clinic, new_year(clinic))

    assert [shown.refusal for shown in preview(actor, Selection(services))] == [None]
    assert issue_invoices(actor, selection=Selection(services), door=Invoice.Door.LEDGER).created


def test_a_batch_confirmed_before_midnight_and_run_after_needs_the_new_year_s_licence(clinic: Clinic) -> None:
    paid_client, other_client = clinic.client("Paid"), clinic.client("Other")
    _, licensed = clinic.visit(paid_client, clinic.talk, day=DECEMBER)
    _, lapsed = clinic.visit(other_client, clinic.talk, day=DECEMBER, staff_member_id=clinic.cast.bob.staff_member_id)
    assign_license(admin(clinic, eve(clinic)), clinic.cast.bob.staff_member_id)
    set_cpt_access(admin(clinic, eve(clinic)), clinic.cast.bob.staff_member_id, has_access=False)
    batch_id = start_batch(
        biller(clinic, eve(clinic)), batch_id=uuid4(), from_on=DECEMBER, to_on=DECEMBER,
        items=[BatchRequest(paid_client, licensed), BatchRequest(other_client, lapsed)],
        expected_count=2, expected_cents=30000,
    )  # fmt: skip

    run = JobRun.objects.get(subject_id=batch_id)
    run_batch(RunningJob(clinic.cast.alder, run.pk, batch_id, clock=lambda: new_year(clinic)))

    assert list(Invoice.objects.values_list("client_id", "issued_on")) == [(paid_client, date(2027, 1, 1))]
    problem = BatchProblem.objects.get()
    assert (problem.client_id, problem.code) == (other_client, "license_missing")
    assert "2027" in problem.message


def test_access_turned_off_keeps_december_and_stops_january_until_somebody_assigns(clinic: Clinic) -> None:
    carol = clinic.cast.carol.staff_member_id
    set_cpt_access(admin(clinic, eve(clinic)), carol, has_access=False)
    before, after = december_visit(clinic)[0], december_visit(clinic)[0]

    assert bill_visit(biller(clinic, eve(clinic)), visit_id=before).created
    refused = bill_visit(biller(clinic, new_year(clinic)), visit_id=after)
    assert (refusals(refused), refused.created) == ([("license_missing", 2027)], ())
    assert "Carol Clinician" in refused.refused[0].message and "2027" in refused.refused[0].message

    assign_license(admin(clinic, new_year(clinic)), carol)
    assert bill_visit(biller(clinic, new_year(clinic)), visit_id=after).created


def test_an_inactive_person_is_not_renewed_and_their_december_visits_need_them_back(clinic: Clinic) -> None:
    carol = clinic.cast.carol.staff_member_id
    staff.edit_staff_member(admin(clinic, eve(clinic)), carol, is_active=False)
    before, after = december_visit(clinic)[0], december_visit(clinic)[0]

    assert bill_visit(biller(clinic, eve(clinic)), visit_id=before).created
    assert refusals(bill_visit(biller(clinic, new_year(clinic)), visit_id=after)) == [("license_missing", 2027)]
    with pytest.raises(StaffMemberInactive):
        assign_license(admin(clinic, new_year(clinic)), carol)

    staff.edit_staff_member(admin(clinic, new_year(clinic)), carol, is_active=True)
    # The renewal is over: coming back does not bring the licence back.
    assert refusals(bill_visit(biller(clinic, new_year(clinic)), visit_id=after)) == [("license_missing", 2027)]
    assign_license(admin(clinic, new_year(clinic)), carol)
    assert bill_visit(biller(clinic, new_year(clinic)), visit_id=after).created


def test_a_service_without_a_cpt_code_asks_for_no_renewal(clinic: Clinic) -> None:
    visit, _ = clinic.visit(clinic.client(), clinic.letter, day=DECEMBER)

    assert bill_visit(biller(clinic, new_year(clinic)), visit_id=visit).created
    assert not LicenseRenewalRun.objects.filter(year=2027).exists()


def test_one_moment_is_january_in_the_east_and_december_in_the_west(cast: Cast) -> None:
    with practice_transaction(cast.alder.id):
        clinic = _clinic_in(EAST, cast)
        moment = new_year(clinic)
        set_cpt_access(clinic.owner, cast.carol.staff_member_id, has_access=False)
        visit, _ = december_visit(clinic)

        assert refusals(bill_visit(biller(clinic, moment), visit_id=visit)) == [("license_missing", 2027)]

        Practice.objects.filter(pk=cast.alder.id).update(time_zone=WEST)
        in_the_west = replace(clinic, cast=replace(clinic.cast, alder=replace(cast.alder, time_zone=WEST)))
        assert bill_visit(biller(in_the_west, moment), visit_id=visit).created
        assert Invoice.objects.get().issued_on == date(2026, 12, 31)


def test_add_invoice_stays_within_fifteen_queries_once_the_year_is_renewed(
    clinic: Clinic, django_assert_max_num_queries
) -> None:
    bill_visit(biller(clinic, new_year(clinic)), visit_id=december_visit(clinic)[0])
    visit, actor = december_visit(clinic)[0], biller(clinic, new_year(clinic))

    with django_assert_max_num_queries(15):
        assert bill_visit(actor, visit_id=visit).created

"""Nights: when one is due, what it bills, queues and leaves out, once, in order (B12)."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import time_machine

from daysheet.automation import claiming, nights
from daysheet.automation.models import LeftOut, Night, NightClaim
from daysheet.automation.nights import MOST_FAILURES
from daysheet.claims.actions import queue_claims, withdraw_claim
from daysheet.claims.models import Claim
from daysheet.invoicing import batches
from daysheet.invoicing.actions import bill_visit, issue_invoices, void_invoice
from daysheet.invoicing.models import Batch, BatchProblem, Invoice
from daysheet.invoicing.selection import ManualLine, Selection
from daysheet.invoicing.undoing import undo_batch
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import JobRun
from daysheet.practices.actor import Actor
from daysheet.practices.models import Practice
from daysheet.schedule.models import Visit, VisitService
from daysheet.staff.models import CptLicense

from .conftest import Life, at

MON, TUE, WED, THU, FRI = (date(2026, 11, day) for day in (16, 17, 18, 19, 20))


def test_the_night_after_bills_the_day_and_the_night_after_that_queues_its_claims(life: Life) -> None:
    life.switch(at(MON, 10), claims=True, starts_on=MON)
    insured = life.clinic.client("Ruiz", insured=True, copay_cents=2500)
    life.clinic.visit(insured, life.clinic.talk, day=MON)
    assert life.live(at(MON, 23)) == {}
    assert life.live(at(TUE, 1, 59)) == {}
    assert life.live(at(TUE, 2)) == {"alder": [TUE]}
    assert life.billed() == [(MON, TUE)]
    invoice = Invoice.objects.get()
    assert (invoice.door, invoice.created_by_name) == ("automation", "Automation")
    assert invoice.batch == life.night(TUE).batch
    assert not Claim.objects.exists(), "a day for review"
    assert life.live(at(TUE, 9)) == {}
    assert life.live(at(WED, 3)) == {"alder": [WED]}
    claim = Claim.objects.get()
    assert (claim.invoice, claim.queued_by_name) == (invoice, "Automation")
    assert Batch.objects.count() == 1 and life.night(WED).batch_id is None
    assert NightClaim.objects.get().claim_count == 1
    assert life.live(at(THU, 3)) == {"alder": [THU]}
    assert Claim.objects.count() == 1
    assert not Night.objects.filter(finished_at=None).exists()
    assert not LeftOut.objects.exists()


def test_missed_nights_are_made_up_for_in_order_and_once(life: Life) -> None:
    life.switch(at(MON, 10), claims=True, starts_on=MON)
    client = life.clinic.client("Ruiz", insured=True)
    for day in (MON, TUE, WED):
        life.clinic.visit(client, life.clinic.talk, day=day)
    assert life.clock(at(THU, 9)) == {"alder": [TUE]}, "the others wait for its end"
    assert life.clock(at(THU, 9, 15)) == {}, "it is at work"
    life.work(at(THU, 9, 16))
    assert [night.night_on for night in Night.objects.order_by("started_at", "pk")] == [TUE, WED, THU]
    assert life.billed() == [(MON, THU), (TUE, THU), (WED, THU)], "each by its own night, all issued today"
    assert not Claim.objects.exists(), "their day for review is still to come"
    assert life.live(at(THU, 20)) == {}
    life.live(at(FRI, 2))
    assert Claim.objects.count() == 3


def test_what_was_not_ready_is_looked_for_again_as_far_as_the_nights_look_back(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON, look_back_days=2)
    client = life.clinic.client()
    visit, _ = life.clinic.visit(client, life.clinic.letter, day=MON, status="canceled")
    life.live(at(TUE, 2))
    Visit.objects.filter(pk=visit).update(status="kept")
    life.live(at(WED, 2))
    assert life.billed() == [(MON, WED)]
    late, _ = life.clinic.visit(client, life.clinic.letter, day=MON)
    life.live(at(THU, 2))
    assert life.billed() == [(MON, WED)], "three days back: left to people"
    assert Visit.objects.filter(pk=late, service_on=MON).exists()


def test_nothing_before_the_start_is_touched(life: Life) -> None:
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    life.switch(at(TUE, 10), starts_on=WED)
    assert life.live(at(WED, 10)) == {}, "nothing to look at yet"
    assert life.live(at(THU, 10)) == {"alder": [THU]}
    assert life.billed() == []
    assert (life.night(THU).from_on, life.night(THU).to_on) == (WED, WED)


def test_off_is_off_and_on_again_makes_up_for_nothing(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.live(at(TUE, 3))
    life.switch(at(TUE, 10), invoices=False, starts_on=MON)
    assert life.live(at(WED, 3)) == life.live(at(THU, 3)) == {}
    life.switch(at(THU, 10), starts_on=MON)
    assert life.live(at(THU, 11)) == {}
    assert life.live(at(FRI, 3)) == {"alder": [FRI]}


def test_a_change_of_settings_forgets_no_missed_night(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.switch(at(THU, 9), starts_on=MON, look_back_days=3)
    life.live(at(THU, 9))
    assert list(Night.objects.order_by("night_on").values_list("night_on", flat=True)) == [TUE, WED, THU]
    assert {night.plan.version for night in Night.objects.select_related("plan")} == {2}


def test_what_somebody_voided_is_left_to_people(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    life.live(at(TUE, 2))
    batch_id = life.night(TUE).batch_id
    assert batch_id is not None
    undo_batch(replace(life.clinic.biller, now=at(TUE, 9)), batch_id=batch_id, reason="The rates were wrong")
    life.live(at(WED, 2))
    assert Invoice.objects.count() == 1
    left = LeftOut.objects.get()
    assert (left.kind, left.night.night_on, left.service_on) == ("voided", WED, MON)


def test_missed_visits_wait_for_the_decision_on_their_fee(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    client = life.clinic.client()
    undecided, services = life.clinic.visit(client, life.clinic.talk, day=MON, status="no_show")
    waived, more = life.clinic.visit(client, life.clinic.talk, day=MON, status="late_cancel")
    bare, _ = life.clinic.visit(client, day=MON)
    VisitService.objects.filter(pk__in=services + more).update(is_suspended=True)
    Visit.objects.filter(pk=waived).update(fee_waived_reason="Ill")
    life.live(at(TUE, 2))
    assert set(LeftOut.objects.values_list("kind", "visit_id")) == {("no_fee", undecided), ("no_service", bare)}
    assert life.billed() == []


def test_a_refused_date_stands_in_the_batch_and_is_tried_again(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    dan = life.clinic.cast.dan.staff_member_id
    life.clinic.visit(life.clinic.client(), life.clinic.talk, day=MON, staff_member_id=dan)
    life.live(at(TUE, 2))
    assert list(BatchProblem.objects.values_list("code", flat=True)) == ["license_missing"]
    CptLicense.objects.create(staff_member_id=dan, year=2026, fee_cents=0, assigned_at=at(TUE, 9), assigned_by="Alice")
    life.live(at(WED, 2))
    assert life.billed() == [(MON, WED)]


def test_claims_taken_back_and_imported_balances_are_never_queued(life: Life) -> None:
    life.switch(at(MON, 10), invoices=False, claims=True, starts_on=MON)
    client = life.clinic.client("Ruiz", insured=True)
    for _ in range(2):
        visit, _ = life.clinic.visit(client, life.clinic.talk, day=MON)
        bill_visit(replace(life.clinic.biller, now=at(MON, 11)), visit_id=visit)
    first, second = Invoice.objects.order_by("number")
    queue_claims(life.clinic.biller, invoice_id=first.pk)
    withdraw_claim(life.clinic.biller, claim_id=Claim.objects.get().pk)
    issue_invoices(
        replace(life.clinic.biller, now=at(MON, 12)), door=Invoice.Door.IMPORT,
        selection=Selection((), manual=(ManualLine(None, "Balance", MON, 1, 9900, "insurance"),), client_id=client),
    )  # fmt: skip
    life.live(at(TUE, 2))
    assert list(NightClaim.objects.values_list("invoice_id", "claim_count")) == [(second.pk, 1)]
    assert Claim.objects.filter(withdrawn_at=None).count() == 1


def test_an_invoice_voided_before_the_job_came_to_it_says_so(life: Life) -> None:
    life.switch(at(MON, 10), invoices=False, claims=True, starts_on=MON)
    visit, _ = life.clinic.visit(life.clinic.client("Ruiz", insured=True), life.clinic.talk, day=MON)
    bill_visit(replace(life.clinic.biller, now=at(MON, 11)), visit_id=visit)
    life.clock(at(TUE, 2))
    void_invoice(life.clinic.biller, invoice_id=Invoice.objects.get().pk, reason="Wrong client")
    life.work(at(TUE, 2, 1))
    claim = NightClaim.objects.get()
    assert (claim.claim_count, claim.code, claim.done_at is not None) == (0, "invoice_already_void", True)
    assert life.night(TUE).finished_at is not None


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        # 2:00 does not exist: the clocks go from 1:59 to 3:00.
        (date(2026, 3, 8), datetime(2026, 3, 8, 6, 59, tzinfo=UTC), datetime(2026, 3, 8, 7, 0, tzinfo=UTC)),
        # 1:00 to 1:59 comes twice.
        (date(2026, 11, 1), datetime(2026, 11, 1, 6, 59, tzinfo=UTC), datetime(2026, 11, 1, 7, 0, tzinfo=UTC)),
    ],
)
def test_nights_in_which_the_clocks_change_come_once(life: Life, day: date, before: datetime, after: datetime) -> None:
    start = day - timedelta(days=1)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=start)
    life.switch(at(start, 12), starts_on=start)
    assert life.live(before) == {}
    assert life.live(after) == {"alder": [day]}
    assert life.live(after + timedelta(hours=1)) == {}
    assert life.billed() == [(start, day)]


def test_a_practice_that_moves_west_repeats_no_night_and_one_that_moves_east_skips_none(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    life.live(at(TUE, 2, 30))
    Practice.objects.filter(slug="alder").update(time_zone="America/Los_Angeles")
    assert life.live(at(TUE, 3)) == {}  # midnight there
    assert life.live(at(TUE, 6)) == {}  # 3:00 of the night that ran already
    Practice.objects.filter(slug="alder").update(time_zone="Pacific/Guam")
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=TUE)
    assert life.live(at(TUE, 13)) == {"alder": [WED]}  # 4:00 of the 18th there
    assert life.live(at(WED, 2)) == {}
    assert life.live(at(WED, 12)) == {"alder": [THU]}
    assert [day for day, _ in life.billed()] == [MON, TUE]


def test_a_night_whose_job_keeps_failing_is_closed_and_the_next_goes_on(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)

    def broken(job: object, size: int) -> bool:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(batches, "_bill_chunk", broken)
        for hour in range(2, 6):
            life.clock(at(TUE, hour))
            with contextlib.suppress(MemoryError):
                life.work(at(TUE, hour, 1))
    life.clock(at(TUE, 7))
    assert life.night(TUE).has_stopped
    assert JobRun.objects.filter(state="failed").count() == MOST_FAILURES
    life.live(at(WED, 2))
    assert life.billed() == [(MON, WED)], "the next night bills what it left"


def test_a_night_whose_end_went_unnoticed_is_closed_by_the_clock(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    with monkeypatch.context() as patch:
        patch.setattr(batches, "tell_batch_finished", lambda *_: None)  # as if the worker died at that moment
        life.live(at(TUE, 2))
    assert life.night(TUE).finished_at is None
    life.clock(at(TUE, 2, 15))
    assert life.night(TUE).finished_at == at(TUE, 2, 15)


def test_one_practice_that_fails_does_not_stop_the_others(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    real = nights.begin_night

    def fail_for_birch(actor: Actor) -> Night | None:
        if actor.practice.slug == "birch":
            raise RuntimeError("disk")
        return real(actor)

    monkeypatch.setattr(nights, "begin_night", fail_for_birch)
    assert life.live(at(TUE, 3)) == {"alder": [TUE]}


def test_a_night_killed_before_it_was_decided_leaves_nothing_and_is_decided_whole(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.switch(at(MON, 10), claims=True, starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(nights, "choose_claims", killed)  # after the batch was written
        life.clock(at(TUE, 2))
    assert (Night.objects.count(), Batch.objects.count(), JobRun.objects.count()) == (0, 0, 0)
    life.live(at(TUE, 2, 15))
    assert life.billed() == [(MON, TUE)]


def test_claims_killed_in_the_middle_go_on_where_they_stopped(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    life.switch(at(MON, 10), invoices=False, claims=True, starts_on=MON)
    for number in range(3):
        visit, _ = life.clinic.visit(life.clinic.client(f"C{number}", insured=True), life.clinic.talk, day=MON)
        bill_visit(replace(life.clinic.biller, now=at(MON, 11)), visit_id=visit)
    life.clock(at(TUE, 2))
    real, calls = claiming.queue_claims, []

    def killed(actor: Actor, *, invoice_id: UUID) -> int:
        calls.append(invoice_id)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(actor, invoice_id=invoice_id)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(claiming, "queue_claims", killed)
        life.work(at(TUE, 2, 1))
    assert Claim.objects.count() == NightClaim.objects.exclude(done_at=None).count() == 1
    life.clock(at(TUE, 2, 5))
    run = JobRun.objects.get(state="running")
    with time_machine.travel(at(TUE, 2, 5), tick=False):
        run_job(life.clinic.cast.alder.id, run.pk)  # as the sweep does once it has not moved for a minute
    assert Claim.objects.count() == 3 and life.night(TUE).finished_at == at(TUE, 2, 5)
    run.refresh_from_db()
    assert (run.state, run.done_count) == ("done", 3)


def test_what_is_unexpected_at_one_invoice_does_not_stop_the_others(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    life.switch(at(MON, 10), invoices=False, claims=True, starts_on=MON)
    for number in range(2):
        visit, _ = life.clinic.visit(life.clinic.client(f"C{number}", insured=True), life.clinic.talk, day=MON)
        bill_visit(replace(life.clinic.biller, now=at(MON, 11)), visit_id=visit)
    real, first = claiming.queue_claims, Invoice.objects.order_by("number")[0].pk

    def broken(actor: Actor, *, invoice_id: UUID) -> int:
        if invoice_id == first:
            raise LookupError
        return real(actor, invoice_id=invoice_id)

    with monkeypatch.context() as patch:
        patch.setattr(claiming, "queue_claims", broken)
        life.live(at(TUE, 2))
    assert set(NightClaim.objects.values_list("code", "claim_count")) == {("unexpected", 0), ("", 1)}
    life.live(at(WED, 2))
    assert Claim.objects.count() == 2, "the next night tried again"

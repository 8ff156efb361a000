"""A practice whose machine slept for three days over New Year wakes to the right renewals, invoices and summaries, once
(issue 4, acceptance 4): two real workers find the clock's calls waiting, twice over, and everything in real commits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from time import monotonic, sleep
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.db import connection, connections
from procrastinate.contrib.django import app

from daysheet.automation.actions import Settings, save_plan
from daysheet.automation.jobs import automate_everywhere
from daysheet.automation.models import Night
from daysheet.claims.models import Claim
from daysheet.config.verify import differences_of
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.models import BatchProblem, Invoice, InvoiceLine
from daysheet.jobs.jobs import run_job
from daysheet.jobs.models import LIVE_STATES, JobRun
from daysheet.mail.models import Message
from daysheet.staff.models import CptLicense, LicenseRenewalRun, StaffMember
from tests.billing import Clinic, build_clinic
from tests.people import build_cast

from .at_once import at_once

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 150
ZONE = ZoneInfo("America/New_York")
#: Days of service from before the sleep into it, and the nights that the machine was awake for.
DEC_28, DEC_29, DEC_30, DEC_31 = (date(2026, 12, day) for day in (28, 29, 30, 31))
JAN_1, JAN_2, JAN_3 = (date(2027, 1, day) for day in (1, 2, 3))
_WORKER = """
import sys, time_machine
from datetime import datetime

with time_machine.travel(datetime.fromisoformat(sys.argv[1]), tick=True):
    from django.core.management import execute_from_command_line
    execute_from_command_line(["django", "procrastinate", "worker", "--concurrency", "2"])
"""


def at(day: date, hour: int) -> datetime:
    """A wall-clock moment of the practice, in UTC."""
    return datetime.combine(day, time(hour), tzinfo=ZONE).astimezone(UTC)


@pytest.fixture
def clinic(live_db: None) -> Iterator[Clinic]:
    """Carol and Dan licensed for 2026, Dan's CPT Code Access off; a visit of Carol's every day from December 28 on, and
    one of Dan's on New Year's Day. Automation has been on since the 28th; the machine was last awake on the 30th."""
    with time_machine.travel(at(DEC_28, 9), tick=False):
        cast = build_cast(at(DEC_28, 9))
        with practice_transaction(cast.alder.id):
            made = build_clinic(cast)
            dan = cast.dan.staff_member_id
            StaffMember.objects.filter(pk=dan).update(cpt_access=False)
            CptLicense.objects.create(
                staff_member_id=dan, year=2026, fee_cents=0, assigned_at=at(DEC_28, 9), assigned_by="Alice"
            )
            settings = Settings(True, True, DEC_28, 7, "date", frozenset({cast.bob.staff_member_id}))
            owner = replace(made.owner, now=at(DEC_28, 9))
            save_plan(owner, settings, seen_version=0, link_base="https://billing.example")
            insured = made.client("Ruiz", insured=True, copay_cents=2500)
            for day in (DEC_28, DEC_29, DEC_30, DEC_31, JAN_1):
                made.visit(insured, made.talk, day=day)
            made.visit(made.client("Long"), made.talk, day=JAN_1, staff_member_id=dan)
    for day in (DEC_29, DEC_30):
        _live(made, at(day, 3))
    yield made


def _live(clinic: Clinic, now: datetime) -> None:
    """A night with the machine awake."""
    practice_id = clinic.cast.alder.id
    with time_machine.travel(now, tick=False):
        automate_everywhere(now)
        while run_id := _queued(practice_id):
            run_job(practice_id, run_id)


def _queued(practice_id: int) -> UUID | None:
    with practice_transaction(practice_id):
        waiting = JobRun.objects.filter(state=JobRun.State.QUEUED).exclude(kind="mail_delivery")
        return waiting.order_by("created_at", "pk").values_list("pk", flat=True).first()


def _wake(clinic: Clinic, now: datetime, home: Path) -> None:
    """The clock's calls, each twice, and two workers that start together and work until nothing is left."""
    for name in ("daysheet.automation", "daysheet.renew_licenses") * 2:
        app.configure_task(name).defer(timestamp=int(now.timestamp()))
    connections.close_all()
    log = home / "workers.log"
    with log.open("a") as output:
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", _WORKER, now.isoformat()], cwd=ROOT, stdout=output, stderr=output,
                env=os.environ | {"DAYSHEET_HOME": str(home)},
            )
            for _ in range(2)
        ]  # fmt: skip
    deadline = monotonic() + PATIENCE_SECONDS
    while not _is_quiet(clinic, now):
        assert monotonic() < deadline and all(worker.poll() is None for worker in workers), log.read_text()
        sleep(0.2)
    for worker in workers:
        worker.send_signal(signal.SIGTERM)
    for worker in workers:
        assert worker.wait(timeout=60) in {0, -signal.SIGTERM}, log.read_text()


def _is_quiet(clinic: Clinic, now: datetime) -> bool:
    """Whether the queue is empty, every job done and the newest night closed. Summaries are written by then; one that
    was written in the moment in which the delivery job ended is sent a minute later."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')")
        (waiting,) = cursor.fetchone()
    with practice_transaction(clinic.cast.alder.id):
        live = JobRun.objects.filter(state__in=LIVE_STATES).exists()
        return not waiting and not live and Night.objects.filter(night_on=now.date(), finished_at__gt=now).exists()


@pytest.mark.timeout(600)
def test_it_wakes_to_the_right_renewals_invoices_and_summaries_once(clinic: Clinic, tmp_path: Path) -> None:
    _check_before(clinic)
    for _ in range(2):  # the second time everything has been made up for
        _wake(clinic, at(JAN_2, 9), tmp_path)
        _check_after(clinic)
    _wake(clinic, at(JAN_3, 9), tmp_path)
    with practice_transaction(clinic.cast.alder.id):
        claimed = set(Claim.objects.values_list("invoice__number", flat=True))
    assert claimed == {1, 2, 3, 4, 5}, "those of January 2 after a day for review"
    assert differences_of(clinic.cast.alder, at(JAN_3, 10)) == []


def _check_before(clinic: Clinic) -> None:
    with practice_transaction(clinic.cast.alder.id):
        assert list(Night.objects.order_by("night_on").values_list("night_on", flat=True)) == [DEC_29, DEC_30]
        assert list(_billed()) == [(1, DEC_28, DEC_29), (2, DEC_29, DEC_30)]
        assert set(Claim.objects.values_list("invoice__number", flat=True)) == {1}


def _check_after(clinic: Clinic) -> None:
    cast = clinic.cast
    with practice_transaction(cast.alder.id):
        renewed = CptLicense.objects.filter(year=2027)
        assert [(each.staff_member_id, each.is_renewal) for each in renewed] == [(cast.carol.staff_member_id, True)]
        assert LicenseRenewalRun.objects.filter(year=2027).count() == 1
        nights = Night.objects.order_by("pk")  # begun in this order; two workers' travelled clocks differ
        assert [night.night_on for night in nights] == [DEC_29, DEC_30, DEC_31, JAN_1, JAN_2]
        assert all(night.finished_at and not night.has_stopped for night in nights)
        assert list(_billed()) == [
            (1, DEC_28, DEC_29), (2, DEC_29, DEC_30), (3, DEC_30, JAN_2), (4, DEC_31, JAN_2), (5, JAN_1, JAN_2),
        ]  # fmt: skip
        made_by = dict(Invoice.objects.values_list("number", "batch_id"))
        assert [made_by[number] for number in range(1, 6)] == [night.batch_id for night in nights]
        problem = BatchProblem.objects.get()
        assert (problem.code, problem.staff_member_id) == ("license_missing", cast.dan.staff_member_id)
        assert set(Claim.objects.values_list("invoice__number", flat=True)) == {1, 2}
        told = Counter(Message.objects.values_list("run_id", "address"))
        assert told == Counter({(night.pk, cast.bob.email): 1 for night in nights})
        said = [message.body for message in Message.objects.order_by("pk")]
        assert sum("CPT licenses renewed: 1" in body for body in said) <= 1
    assert differences_of(cast.alder, at(JAN_2, 10)) == []


def _billed() -> Iterator[tuple[int, date, date]]:
    """(number, date of service, issued on) of every live line."""
    lines = InvoiceLine.objects.filter(ended_at=None).order_by("invoice__number")
    yield from lines.values_list("invoice__number", "service_on", "invoice__issued_on")


@pytest.mark.race
def test_two_clocks_at_the_same_moment_begin_each_night_once(clinic: Clinic) -> None:
    now = at(JAN_2, 9)
    with time_machine.travel(now, tick=False):
        for _ in range(10):
            begun = at_once(lambda: automate_everywhere(now), lambda: automate_everywhere(now))
            assert sum(len(each.get("alder", [])) for each in begun) <= 1
            while run_id := _queued(clinic.cast.alder.id):
                at_once(lambda each=run_id: _try(clinic, each), lambda each=run_id: _try(clinic, each))
    _check_after(clinic)


def _try(clinic: Clinic, run_id: UUID) -> None:
    run_job(clinic.cast.alder.id, run_id)

"""The demo practice, small: deterministic, carried on with after a kill, found again the second time."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Sum

from daysheet.config.verify import run_verify
from daysheet.database.scope import practice_transaction
from daysheet.imports.demo import DemoInTheWay, load_demo, money
from daysheet.imports.demo.plan import BIRCH, JUNIPER, Demo
from daysheet.invoicing.models import Batch, BatchProblem, Invoice, InvoiceLine
from daysheet.jobs.models import JobRun
from daysheet.ledger.models import Account, Entry
from daysheet.payments.models import Payment
from daysheet.practices.models import Practice, User
from daysheet.schedule.models import Appointment, Series, Visit, VisitService
from daysheet.staff.actions import NewOwner, create_practice
from daysheet.staff.models import StaffMember

pytestmark = pytest.mark.system

NOW = datetime(2026, 11, 16, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def data_folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path
    return tmp_path


def load(progress: Callable[[str], None] = lambda line: None, visits: int = 1000) -> Any:
    return load_demo(visits=visits, progress=progress, now=NOW)


def summary() -> tuple[Any, ...]:
    with practice_transaction(Practice.objects.get(slug="juniper").pk):
        charged = Entry.objects.filter(credit_account=Account.REVENUE).aggregate(total=Sum("amount_cents"))["total"]
        paid = Payment.objects.aggregate(total=Sum("amount_cents"))["total"]
        return Visit.objects.count(), Invoice.objects.count(), InvoiceLine.objects.count(), charged, paid


def test_rows_depend_on_the_seed_and_the_day_alone() -> None:
    def rows(seed: int) -> list[Any]:
        return list(Demo(JUNIPER, seed=seed, today=NOW.date(), clients=20).files())

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


def test_twelve_staff_of_whom_nine_render_and_one_has_no_license() -> None:
    assert (len(JUNIPER.staff), len(JUNIPER.providers), len(JUNIPER.locations)) == (12, 9, 3)
    assert JUNIPER.unlicensed in JUNIPER.providers
    emails = [login.email for shape in (JUNIPER, BIRCH) for login in shape.logins]
    assert emails == [
        *(f"{who}@demo.daysheet.example" for who in ("owner", "admin", "biller", "clinician", "frontdesk")),
        "owner@other.daysheet.example",
    ]


@pytest.mark.django_db
def test_the_demo_has_what_a_visitor_looks_for_and_is_found_again(data_folder: Path) -> None:
    logins = load()
    assert not logins.was_there and len(logins.password) > 12
    assert (data_folder / "demo-password").stat().st_mode & 0o777 == 0o600
    for email in logins.emails:
        assert User.objects.get(email=email).check_password(logins.password)
    before = summary()
    with practice_transaction(Practice.objects.get(slug="juniper").pk):
        assert StaffMember.objects.get(email="clinician@demo.daysheet.example").limited_to_assigned
        assert Appointment.objects.filter(is_group=True).exists()
        _has_series_with_a_past_and_exceptions()
        assert Appointment.objects.filter(location__place_of_service="10").exists()
        assert set(Visit.objects.values_list("status", flat=True)) >= {"kept", "no_show", "late_cancel", "upcoming"}
        assert (
            Visit.objects.exclude(fee_waived_reason="").exists() and VisitService.objects.filter(is_fee=True).exists()
        )
        assert set(BatchProblem.objects.values_list("code", flat=True)) <= {"license_missing", "held_back"}
        assert BatchProblem.objects.filter(code="license_missing").exists()
        assert Batch.objects.filter(finished_at=None).count() == 0 and Batch.objects.count() >= 13
        assert set(JobRun.objects.values_list("state", flat=True)) == {JobRun.State.DONE}
        assert not InvoiceLine.objects.filter(service_on__gte=NOW.date().replace(day=1)).exists()
        assert Payment.objects.filter(unapplied_cents__gt=0).exists()
        assert Invoice.objects.order_by("issued_on")[0].issued_on == NOW.date().replace(year=2025, month=10, day=1)
    report = io.StringIO()
    assert run_verify(None, report) == 0, report.getvalue()
    again = load()
    assert again.was_there and again.password == logins.password
    assert summary() == before


def _has_series_with_a_past_and_exceptions() -> None:
    """Clients' series and a group's; one date moved, one called off, somebody who joined the group later."""
    in_series = Appointment.objects.exclude(series=None)
    ahead = in_series.filter(service_on__gt=NOW.date()).order_by("service_on")
    assert Series.objects.filter(root=None, title="").count() >= 3
    assert VisitService.objects.exclude(line_id=None).filter(visit__appointment__in=in_series).exists()
    assert ahead.filter(service_on__gt=NOW.date() + timedelta(weeks=6)).exists()
    assert in_series.exclude(apart_at=None).count() == 1
    assert Visit.objects.filter(appointment__in=ahead, status="canceled").count() == 1
    sizes = [Visit.objects.filter(appointment=each).count() for each in ahead.filter(title="Evening group")]
    assert sizes[-1] == sizes[0] + 1


@pytest.mark.django_db
def test_a_load_that_was_killed_is_carried_on_with(monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        """As if the machine went off."""

    real = money.accept_payments
    calls = 0

    def dies_in_the_fifth_month(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise Killed
        return real(*given)

    monkeypatch.setattr(money, "accept_payments", dies_in_the_fifth_month)
    with pytest.raises(Killed):
        load(visits=600)
    half = summary()
    assert not load().was_there
    assert summary()[0] == half[0] and summary()[1] > half[1]
    with practice_transaction(Practice.objects.get(slug="juniper").pk):
        lines = InvoiceLine.objects.filter(ended_at=None)
        assert lines.values("visit_service").distinct().count() == lines.count()
        assert Payment.objects.values("client", "received_on").exists()
    assert load().was_there


@pytest.mark.django_db
def test_a_practice_of_ones_own_is_never_taken_for_the_demo() -> None:
    owner = NewOwner("me@juniper.example", "Me", "Myself", "correct horse battery")
    create_practice(slug="juniper", name="Mine", time_zone="America/New_York", owner=owner, now=NOW)
    with pytest.raises(DemoInTheWay):
        load()
    assert Practice.objects.count() == 1


@pytest.mark.django_db
def test_a_lost_password_is_replaced(data_folder: Path) -> None:
    first = load(visits=200)
    (data_folder / "demo-password").unlink()
    second = load(visits=200)
    assert second.password != first.password and second.was_there
    assert User.objects.get(email="owner@demo.daysheet.example").check_password(second.password)

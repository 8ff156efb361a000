"""Statuses and the cancellation policy: who initiated a change, the fee, the notice, frozen visits (S1, S5)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client as Browser

from daysheet.audit.models import AuditEvent
from daysheet.database.scope import practice_transaction
from daysheet.invoicing.actions import bill_visit
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.practices.models import User
from daysheet.schedule.actions import ServiceChoice, Slot, VisitBilled, add_appointment
from daysheet.schedule.models import CancellationPolicy, Visit, VisitService
from daysheet.schedule.policy import cancellation_policy, set_cancellation_policy
from daysheet.schedule.rules import decide_fee, is_late
from daysheet.schedule.statuses import CancelIsLate, FeeNotDecided, InitiatorNotSaid, set_status
from daysheet.services.actions import add_service_type
from daysheet.services.models import ServiceType
from tests.billing import Clinic, build_clinic
from tests.people import NOW, Cast, Person

TODAY = date(2026, 11, 16)  # NOW is 10:00 of it, in New York
ASK = dict.fromkeys(("no_show", "late_cancel", "canceled"), "ask")
AUTOMATIC = dict.fromkeys(ASK, "automatic")
NO_FEES: dict[str, UUID | None] = dict.fromkeys(ASK)


@pytest.fixture
def clinic(cast: Cast) -> Iterator[Clinic]:
    with practice_transaction(cast.alder.id):
        yield build_clinic(cast)


def _as(person: Person) -> Browser:
    browser = Browser()
    browser.force_login(User.objects.get(pk=person.user_id))
    return browser


def _fee(clinic: Clinic, code: str = "FEE", **facts: Any) -> ServiceType:
    return add_service_type(
        clinic.owner, code=code, name="No-show fee", kind="non_cpt", rate_cents=7500,
        **{"bills_insurance": False, **facts},
    )  # fmt: skip


def _policy(clinic: Clinic, *, notice_hours: int = 24, charges: dict[str, str] = ASK, **fees: UUID) -> None:
    set_cancellation_policy(clinic.owner, notice_hours=notice_hours, charges=charges, fees={**NO_FEES, **fees})


def _visit(clinic: Clinic, *, day: date = TODAY, at: time = time(15)) -> UUID:
    slot = Slot(day, at, 50, clinic.cast.carol.staff_member_id, clinic.location.pk)
    add_appointment(clinic.owner, slot=slot, members={clinic.client(): [ServiceChoice(clinic.talk.pk)]})
    return Visit.objects.latest("id").pk


def _live(visit_id: UUID) -> list[str]:
    """What the visit would be billed for, by code."""
    found = VisitService.objects.filter(visit_id=visit_id, is_suspended=False)
    return sorted(found.values_list("service_type__code", flat=True))


@pytest.mark.parametrize(
    ("has_fee", "is_automatic", "initiated_by", "charge", "reason", "decided"),
    [
        (False, True, "client", None, "", (False, "")),
        (False, False, "client", False, "Storm", (False, "")),  # nothing to waive
        (True, False, "client", None, "", None),
        (True, False, "client", True, "", (True, "")),
        (True, False, "client", False, " Storm ", (False, "Storm")),
        (True, False, "client", False, "  ", None),
        (True, True, "client", None, "", (True, "")),
        (True, True, "client", False, "", None),  # waived, and no word why
        (True, True, "client", None, "Storm", (False, "Storm")),
        (True, True, "practice", None, "", (False, "The practice initiated it")),
        (True, True, "practice", True, "", (True, "")),
    ],
)
def test_what_becomes_of_a_fee(
    has_fee: bool, is_automatic: bool, initiated_by: str, charge: bool | None, reason: str, decided: Any
) -> None:
    decision = decide_fee(
        has_fee=has_fee, is_automatic=is_automatic, initiated_by=initiated_by, charge=charge, waived_reason=reason
    )
    assert (decision and (decision.is_charged, decision.waived_reason)) == decided


def test_notice_is_counted_in_real_hours_also_when_clocks_change() -> None:
    """From Saturday 10:00 to Sunday 10:00 are 25 hours on the day clocks go back."""
    new_york = ZoneInfo("America/New_York")
    starts_at = datetime(2026, 11, 1, 10, tzinfo=new_york)
    before = datetime(2026, 10, 31, 10, tzinfo=new_york)
    assert not is_late(starts_at.astimezone(ZoneInfo("UTC")), before.astimezone(ZoneInfo("UTC")), 25)
    assert is_late(starts_at.astimezone(ZoneInfo("UTC")), before.astimezone(ZoneInfo("UTC")), 26)
    assert not is_late(NOW, NOW + timedelta(days=2), 0)


def test_late_cancel_canceled_and_rescheduled_ask_who_initiated_them(clinic: Clinic) -> None:
    visit = _visit(clinic)
    for status in ("late_cancel", "canceled", "rescheduled"):
        with pytest.raises(InitiatorNotSaid):
            set_status(clinic.owner, visit_id=visit, status=status)
    set_status(clinic.owner, visit_id=visit, status="no_show")
    assert Visit.objects.get(pk=visit).initiated_by == "client"
    set_status(clinic.owner, visit_id=visit, status="no_show", initiated_by="practice")
    assert Visit.objects.get(pk=visit).initiated_by == "practice"
    set_status(clinic.owner, visit_id=visit, status="kept")
    assert (Visit.objects.get(pk=visit).initiated_by, _live(visit)) == ("", ["9T001"])


def test_a_fee_that_is_asked_for_is_charged_or_waived_with_a_reason(clinic: Clinic) -> None:
    _policy(clinic, no_show=_fee(clinic).pk)
    visit = _visit(clinic)
    for undecided in ({}, {"charge_fee": False}):
        with pytest.raises(FeeNotDecided, match="say why it is waived"):
            set_status(clinic.owner, visit_id=visit, status="no_show", **undecided)
    set_status(clinic.owner, visit_id=visit, status="no_show", charge_fee=True)
    assert _live(visit) == ["FEE"]
    set_status(clinic.owner, visit_id=visit, status="no_show", charge_fee=False, fee_waived_reason="Storm")
    assert (_live(visit), Visit.objects.get(pk=visit).fee_waived_reason) == ([], "Storm")
    set_status(clinic.owner, visit_id=visit, status="kept")
    assert (_live(visit), Visit.objects.get(pk=visit).fee_waived_reason) == (["9T001"], "")


def test_an_automatic_fee_is_charged_unless_waived_or_the_practice_initiated_it(clinic: Clinic) -> None:
    fee = _fee(clinic).pk
    _policy(clinic, charges=AUTOMATIC, no_show=fee, late_cancel=fee, canceled=fee, notice_hours=0)
    visit = _visit(clinic)
    for status in ("no_show", "late_cancel", "canceled"):
        set_status(clinic.owner, visit_id=visit, status=status, initiated_by="client")
        assert _live(visit) == ["FEE"], status
    set_status(clinic.owner, visit_id=visit, status="late_cancel", initiated_by="client", fee_waived_reason="Ill")
    assert _live(visit) == []
    set_status(clinic.owner, visit_id=visit, status="canceled", initiated_by="practice")
    assert (_live(visit), Visit.objects.get(pk=visit).fee_waived_reason) == ([], "The practice initiated it")
    assert VisitService.objects.filter(visit_id=visit, is_fee=True, removed_at=None).count() == 0


def test_a_status_without_a_fee_service_costs_nothing_and_asks_nothing(clinic: Clinic) -> None:
    _policy(clinic, late_cancel=_fee(clinic).pk)
    visit = _visit(clinic)
    with pytest.raises(FeeNotDecided, match="no fee service"):
        set_status(clinic.owner, visit_id=visit, status="no_show", charge_fee=True)
    set_status(clinic.owner, visit_id=visit, status="no_show")
    assert _live(visit) == []


def test_less_notice_than_the_policy_asks_for_is_a_late_cancel(clinic: Clinic) -> None:
    """Now is 10:00; the visit of the same afternoon is late for 24 hours' notice, the one in two days is not."""
    _policy(clinic, notice_hours=24)
    late, early = _visit(clinic), _visit(clinic, day=TODAY + timedelta(days=2))
    cancel: dict[str, Any] = {"status": "canceled", "initiated_by": "client"}
    set_status(clinic.owner, visit_id=early, **cancel)
    with pytest.raises(CancelIsLate, match="24 hours’ notice"):
        set_status(clinic.owner, visit_id=late, **cancel)
    assert Visit.objects.get(pk=late).status == "upcoming"
    set_status(clinic.owner, visit_id=late, **cancel, notice_in_time=True)
    set_status(clinic.owner, visit_id=late, status="canceled", initiated_by="practice")
    _policy(clinic, notice_hours=4)
    set_status(clinic.owner, visit_id=late, **cancel)


def test_a_change_is_audited_with_who_initiated_it_and_whether_it_costs(clinic: Clinic) -> None:
    _policy(clinic, charges=AUTOMATIC, no_show=_fee(clinic).pk)
    visit = _visit(clinic)
    set_status(clinic.owner, visit_id=visit, status="no_show")
    details = AuditEvent.objects.get(verb="set_status").details
    assert details == {
        "before": "upcoming", "after": "no_show", "initiated_by": "client", "fee": True, "notice_in_time": False,
    }  # fmt: skip


def test_the_policy_is_the_administrators_and_one_row(clinic: Clinic) -> None:
    with pytest.raises(NotAllowed):
        set_cancellation_policy(clinic.biller, notice_hours=1, charges=ASK, fees=NO_FEES)
    before = cancellation_policy(clinic.biller)
    assert (before.notice_hours, before.automatic, dict(before.fees)) == (0, frozenset(), {})
    fee, other = _fee(clinic), _fee(clinic, "OTHER")
    _policy(clinic, notice_hours=48, charges=ASK | {"no_show": "automatic"}, no_show=fee.pk, canceled=other.pk)
    _policy(clinic, notice_hours=48, charges=ASK | {"no_show": "automatic"}, no_show=other.pk, canceled=other.pk)
    after = cancellation_policy(clinic.biller)
    assert (after.notice_hours, after.automatic) == (48, {"no_show"})
    assert {status: each.code for status, each in after.fees.items()} == {"no_show": "OTHER", "canceled": "OTHER"}
    assert CancellationPolicy.objects.count() == 1
    (event,) = AuditEvent.objects.filter(verb="set_cancellation_policy")
    assert event.details["changes"]["notice_hours"] == [0, 48]
    assert not ServiceType.objects.get(pk=fee.pk).fee_words


def test_the_policy_of_another_practice_is_its_own(clinic: Clinic) -> None:
    _policy(clinic, notice_hours=48)
    with practice_transaction(clinic.cast.birch.id):
        charlie = clinic.cast.actor(clinic.cast.charlie)
        assert cancellation_policy(charlie).notice_hours == 0
        with pytest.raises(NotFound):
            set_cancellation_policy(charlie, notice_hours=1, charges=ASK, fees=NO_FEES | {"no_show": clinic.letter.pk})


def test_the_database_refuses_a_second_policy(clinic: Clinic) -> None:
    _policy(clinic)
    with pytest.raises(IntegrityError, match="cancellation_policy_once"), transaction.atomic():
        CancellationPolicy.objects.create(notice_hours=1)
    with pytest.raises(IntegrityError, match="cancellation_notice_sane"), transaction.atomic():
        CancellationPolicy.objects.update(notice_hours=721)
    with pytest.raises(IntegrityError, match="cancellation_charge_known"), transaction.atomic():
        CancellationPolicy.objects.update(canceled_charge="never")
    with pytest.raises(IntegrityError, match="visit_initiator_known"), transaction.atomic():
        _visit(clinic)
        Visit.objects.update(initiated_by="weather")
    with connection.cursor() as cursor, pytest.raises(Exception, match="permission denied"), transaction.atomic():
        cursor.execute("DELETE FROM schedule_cancellationpolicy")


def test_the_page_says_beforehand_what_each_status_costs(clinic: Clinic) -> None:
    """Amounts are for people with Billing (P2)."""
    _policy(clinic, charges=ASK | {"no_show": "automatic"}, no_show=_fee(clinic).pk, late_cancel=_fee(clinic, "L").pk)
    url = f"/alder/visits/{_visit(clinic)}/status/"
    page = _as(clinic.cast.bob).get(url).content.decode()
    assert "Will add 1 × No-show fee $75.00, billed to the client, unless it is waived." in page
    assert "If charged, will add 1 × No-show fee $75.00, billed to the client." in page
    assert "Bills 9T001 Talk." in page and "Nothing is billed." in page
    desk = _as(clinic.cast.dan).get(url).content.decode()
    assert "Will add 1 × No-show fee, billed to the client, unless it is waived." in desk and "$" not in desk


def test_the_amount_on_the_page_is_what_is_billed(clinic: Clinic) -> None:
    """A Set Payment Amount, units by minutes and a copay: the page asks the same rules as the door (B10)."""
    fee = _fee(clinic, bills_insurance=True, unit_rule="per_minutes", unit_count=15)
    _policy(clinic, charges=AUTOMATIC, no_show=fee.pk)
    client = clinic.client("Insured", insured=True, copay_cents=2000)
    visit, _ = clinic.visit(client, clinic.talk, status="upcoming")
    page = _as(clinic.cast.bob).get(f"/alder/visits/{visit}/status/").content.decode()
    assert "3 × No-show fee $225.00, $20.00 of it billed to the client and the rest to the insurer" in page
    set_status(clinic.owner, visit_id=visit, status="no_show")
    made = bill_visit(clinic.biller, visit_id=visit).created[0]
    assert (made.total_cents, made.client_cents) == (22500, 2000)


def test_a_status_is_changed_on_its_page_and_leads_back_to_the_row(clinic: Clinic) -> None:
    _policy(clinic, no_show=_fee(clinic).pk, notice_hours=0)
    visit = _visit(clinic)
    url, dan = f"/alder/visits/{visit}/status/", _as(clinic.cast.dan)
    refused = dan.post(url, {"status": "no_show", "fee": "waive"})
    assert refused.status_code == 422 and b"say why it is waived" in refused.content
    refused = dan.post(url, {"status": "canceled"})
    assert refused.status_code == 422 and b"Say who initiated it" in refused.content
    answer = dan.post(url, {"status": "no_show", "fee": "waive", "fee_waived_reason": "Storm"})
    assert answer.status_code == 303 and answer["Location"] == f"/alder/agenda/?day=2026-11-16#visit-{visit}"
    answer = dan.post(url, {"status": "kept", "next": "/alder/agenda/?staff="})
    assert answer["Location"] == "/alder/agenda/?staff="
    answer = dan.post(url, {"status": "kept", "next": "https://evil.example/"})
    assert answer["Location"].startswith("/alder/agenda/")


def test_a_billed_visit_is_frozen_and_says_how_to_go_on(clinic: Clinic) -> None:
    visit = _visit(clinic)
    number = bill_visit(clinic.biller, visit_id=visit).created[0].number
    url = f"/alder/visits/{visit}/status/"
    page = _as(clinic.cast.bob).get(url).content.decode()
    assert f"/alder/invoices/{number}/rebill/" in page and "Void and rebill" in page and 'type="radio"' not in page
    desk = _as(clinic.cast.dan)
    page = desk.get(url).content.decode()
    assert "frozen" in page and "/invoices/" not in page
    assert desk.post(url, {"status": "no_show"}).status_code == 422
    with pytest.raises(VisitBilled):
        set_status(clinic.owner, visit_id=visit, status="no_show")


def test_the_policy_is_set_on_its_page_and_shown_in_the_settings(clinic: Clinic) -> None:
    fee, alice = _fee(clinic), _as(clinic.cast.alice)
    url = "/alder/organization/cancellation-policy/"
    assert "9T001" not in alice.get(url).content.decode()  # a fee is never a CPT code
    typed = {f"{status}_charge": "ask" for status in ASK} | {f"{status}_fee": "" for status in ASK}
    wrong = alice.post(url, typed | {"notice_hours": "1000"})
    assert wrong.status_code == 422
    sent = typed | {"notice_hours": "24", "no_show_fee": str(fee.pk), "no_show_charge": "automatic"}
    assert alice.post(url, sent).status_code == 303
    settings = alice.get("/alder/organization/settings").content.decode()
    assert "24 hours" in settings and "FEE No-show fee" in settings and "charged unless waived" in settings
    assert f'value="{fee.pk}" selected' in alice.get(url).content.decode()

"""Organization → Automation over HTTP: settings, rules, nights, the dry run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from daysheet.automation.actions import add_exclusion
from daysheet.automation.models import AutomationPlan, ExclusionRule, LeftOut, Night, SummaryRecipient
from daysheet.clients.models import Coverage
from daysheet.invoicing.models import Batch, Invoice
from daysheet.practices.permissions import Permission
from daysheet.schedule.models import Visit, VisitService
from daysheet.staff.models import CptLicense, StaffMember
from tests.people import Person

from .conftest import Life, at
from .test_nights import MON, TUE, WED

SignIn = Callable[[Person], Browser]
HOME = "/alder/organization/automation/"


@pytest.fixture
def alice(life: Life, sign_in: SignIn) -> Iterator[Browser]:
    """The owner's browser on Monday at ten."""
    with time_machine.travel(at(MON, 10), tick=False):
        yield sign_in(life.clinic.cast.alice)


def form(**typed: object) -> dict[str, object]:
    """The settings form as it comes, with what is typed."""
    return {
        "starts_on": MON.isoformat(), "look_back_days": "7", "grouping": "client", "seen_version": "0", **typed
    }  # fmt: skip


def words(answer: object) -> str:
    return " ".join(answer.content.decode().split())  # type: ignore[attr-defined]


def test_settings_are_saved_once_and_say_what_they_do(life: Life, alice: Browser) -> None:
    assert "Automation is off" in words(alice.get(HOME))
    bob = life.clinic.cast.bob.staff_member_id
    typed = form(creates_invoices="on", recipients=[str(bob)])
    for _ in range(2):
        assert alice.post(f"{HOME}edit/", typed).status_code == 303
    plan = AutomationPlan.objects.get()
    assert (plan.version, plan.creates_invoices, plan.queues_claims, plan.first_night_on) == (1, True, False, TUE)
    assert SummaryRecipient.objects.get().staff_member_id == bob
    page = words(alice.get(HOME))
    assert "The next night is that of 11/17/2026" in page and "Bob Biller" in page
    assert "Not available yet" in page, "Submit claims is no switch that pretends"


def test_settings_that_somebody_else_changed_meanwhile_are_not_overwritten(life: Life, alice: Browser) -> None:
    life.switch(at(MON, 9), claims=True)
    answer = alice.post(f"{HOME}edit/", form(creates_invoices="on"))
    assert answer.status_code == 409 and "saved other settings meanwhile" in words(answer)
    assert AutomationPlan.objects.count() == 1


@pytest.mark.parametrize("wrong", [{"look_back_days": "0"}, {"look_back_days": "61"}, {"starts_on": "soon"}])
def test_settings_that_make_no_sense_come_back_with_words(alice: Browser, wrong: dict[str, str]) -> None:
    answer = alice.post(f"{HOME}edit/", form(**wrong))
    assert answer.status_code == 422 and "The settings were not saved" in words(answer)


def test_the_summary_goes_to_nobody_who_may_not_read_the_figures(life: Life, alice: Browser) -> None:
    dan = life.clinic.cast.dan.staff_member_id
    assert alice.post(f"{HOME}edit/", form(recipients=[str(dan)])).status_code == 422
    assert "Dan Desk" not in words(alice.get(f"{HOME}edit/"))


def test_an_administrator_without_billing_sees_counts_and_changes_nothing(life: Life, sign_in: SignIn) -> None:
    life.switch(at(MON, 10), starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    life.live(at(TUE, 2))
    person = life.clinic.cast.carol
    StaffMember.objects.filter(pk=person.staff_member_id).update(permissions=[Permission.ADMINISTRATOR.value])
    with time_machine.travel(at(TUE, 9), tick=False):
        admin = sign_in(person)
        page = words(admin.get(HOME))
        assert "11/17/2026" in page and "$" not in page and "Dry Run" not in page
        for path in ("edit/", "rules/new/"):
            answer = admin.get(HOME + path)
            assert answer.status_code == 422 and "needs the permission Billing as well" in words(answer)
        assert admin.post(f"{HOME}edit/", form()).status_code == 422
        assert admin.get(f"{HOME}nights/{Night.objects.get().pk}/").status_code == 403


def test_a_rule_leaves_out_what_fits_all_its_conditions_and_says_why(life: Life, alice: Browser) -> None:
    life.switch(at(MON, 9), starts_on=MON)
    insured = life.clinic.client("Ruiz", insured=True)
    payer = str(Coverage.objects.get(client_id=insured).payer_id)
    typed = {
        "note": "Harbor wants paper", "payer": payer, "service_type": str(life.clinic.talk.pk), "status": "kept",
        "for_invoices": "on", "exclusion_id": str(uuid4()),
    }  # fmt: skip
    for _ in range(2):
        assert alice.post(f"{HOME}rules/new/", typed).status_code == 303
    assert ExclusionRule.objects.count() == 1
    page = words(alice.get(HOME))
    assert "Harbor wants paper" in page and "9T001 Talk" in page and "Kept" in page
    life.clinic.visit(insured, life.clinic.talk, day=MON)
    other, _ = life.clinic.visit(insured, life.clinic.letter, day=MON)
    dry = words(alice.get(f"{HOME}dry-run/"))
    assert "Harbor wants paper" in dry and "$40.00" in dry
    life.live(at(TUE, 2))
    left = LeftOut.objects.get()
    assert left.rule == ExclusionRule.objects.get() and left.visit_id != other
    night = words(alice.get(f"{HOME}nights/{Night.objects.get().pk}/"))
    assert "Harbor wants paper" in night and "Ruiz, Ana" in night and "Open the Agenda" in night


def test_an_ended_rule_leaves_nothing_out_and_stays_readable(life: Life, alice: Browser) -> None:
    life.switch(at(MON, 9), starts_on=MON)
    rule = add_exclusion(
        life.clinic.owner, exclusion_id=uuid4(), note="On leave", for_invoices=True, for_claims=True,
        staff_member_id=life.clinic.cast.carol.staff_member_id,
    )  # fmt: skip
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    life.live(at(TUE, 2))
    assert not Invoice.objects.exists()
    url = f"{HOME}rules/{rule.pk}/end/"
    assert "End the rule" in words(alice.get(url))
    for _ in range(2):
        assert alice.post(url).status_code == 303
    life.live(at(WED, 2))
    assert Invoice.objects.count() == 1
    assert "On leave" in words(alice.get(f"{HOME}nights/{life.night(TUE).pk}/"))
    assert "On leave" not in words(alice.get(HOME))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"note": "x"}, "at least one condition"),
        ({"pays_by": "self"}, "This field is required"),
        ({"note": "x", "pays_by": "self", "for_invoices": ""}, "Tick at least one of the two"),
        ({"note": "x", "from_on": "2026-11-02", "to_on": "2026-11-01"}, "ends before it begins"),
    ],
)
def test_a_rule_that_says_nothing_is_refused(alice: Browser, typed: dict[str, str], said: str) -> None:
    sent = {"for_invoices": "on", "exclusion_id": str(uuid4()), **typed}
    sent = {name: value for name, value in sent.items() if value}
    answer = alice.post(f"{HOME}rules/new/", sent)
    assert answer.status_code == 422 and said in words(answer)
    assert not ExclusionRule.objects.exists()


def test_the_dry_run_promises_what_the_night_does_and_writes_nothing(life: Life, alice: Browser) -> None:
    assert "Automation was never set" in words(alice.get(f"{HOME}dry-run/"))
    life.switch(at(MON, 9), claims=True, starts_on=MON)
    good, bad = life.clinic.client("Good"), life.clinic.client("Bad")
    life.clinic.visit(good, life.clinic.talk, day=MON)
    life.clinic.visit(good, life.clinic.letter, day=MON)
    dan = life.clinic.cast.dan.staff_member_id
    life.clinic.visit(bad, life.clinic.talk, day=MON, staff_member_id=dan)
    life.clinic.visit(bad, life.clinic.letter, day=MON)
    missed, services = life.clinic.visit(good, life.clinic.talk, day=MON, status="no_show")
    VisitService.objects.filter(pk__in=services).update(is_suspended=True)
    page = words(alice.get(f"{HOME}dry-run/"))
    for part in ("$190.00", "no AMA CPT license", "Assign the license", "Held back", "Nobody decided on the fee"):
        assert part in page
    assert not Batch.objects.exists() and not Night.objects.exists()
    life.live(at(TUE, 2))
    assert sum(batch.expected_cents for batch in Batch.objects.all()) == 19000
    assert Invoice.objects.count() == 1
    assert Visit.objects.filter(pk=missed).exists()


def test_a_night_says_what_was_refused_and_where_to_mend_it(life: Life, alice: Browser) -> None:
    life.switch(at(MON, 9), starts_on=MON)
    dan = life.clinic.cast.dan.staff_member_id
    life.clinic.visit(life.clinic.client(), life.clinic.talk, day=MON, staff_member_id=dan)
    life.live(at(TUE, 2))
    page = words(alice.get(f"{HOME}nights/{life.night(TUE).pk}/"))
    assert "no AMA CPT license" in page and reverse("staff:assign_license", args=["alder", dan]) in page
    CptLicense.objects.create(staff_member_id=dan, year=2026, fee_cents=0, assigned_at=at(TUE, 9), assigned_by="Alice")
    batch_page = reverse("invoicing:batch_run", args=["alder", life.night(TUE).batch_id])
    assert batch_page in page
    assert "Automation" in words(alice.get(reverse("invoicing:batch_history", args=["alder"])))
    assert "Retry refused" in words(alice.get(batch_page))


def test_a_night_that_is_overdue_is_told(life: Life, sign_in: SignIn) -> None:
    life.switch(at(MON, 9), starts_on=MON)
    for hour, is_told in ((2, False), (8, True)):
        with time_machine.travel(at(TUE, hour, 30), tick=False):
            page = words(sign_in(life.clinic.cast.alice).get(HOME))
            assert ("The night of 11/17/2026 has not run yet" in page) is is_told


def test_pages_ask_the_same_however_many_nights_and_dates(life: Life, alice: Browser) -> None:
    life.switch(at(MON, 9), claims=True, starts_on=MON, look_back_days=30)

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert alice.get(HOME + path).status_code == 200
        return len(seen)

    def grow(count: int, now_day: int) -> None:
        for number in range(count):
            client = life.clinic.client(f"N{now_day}{number}", insured=True)
            life.clinic.visit(client, life.clinic.talk, day=MON)
            life.clinic.visit(client, day=MON)

    alice.get(HOME)
    grow(1, 1)
    dry = asked("dry-run/")
    grow(6, 2)
    assert asked("dry-run/") == dry
    life.live(at(TUE, 2))
    few, night = asked(""), asked(f"nights/{life.night(TUE).pk}/")
    for day in range(1, 5):
        life.live(at(TUE, 2) + timedelta(days=day))
    assert asked("") == few
    assert asked(f"nights/{life.night(WED).pk}/") <= night + 4, "one more list, of claims"


def test_people_limited_to_assigned_clients_see_no_night(life: Life, sign_in: SignIn) -> None:
    life.switch(at(MON, 9), starts_on=MON)
    life.clinic.visit(life.clinic.client(), life.clinic.letter, day=MON)
    life.live(at(TUE, 2))
    bob = life.clinic.cast.bob
    StaffMember.objects.filter(pk=bob.staff_member_id).update(
        limited_to_assigned=True, permissions=[Permission.BILLING.value, Permission.ADMINISTRATOR.value]
    )
    with time_machine.travel(at(TUE, 9), tick=False):
        browser = sign_in(bob)
        assert "not shown to people whose access is limited" in words(browser.get(HOME))
        assert browser.get(f"{HOME}nights/{Night.objects.get().pk}/").status_code == 404
        life.clinic.visit(life.clinic.client("Hidden"), life.clinic.letter, day=TUE)
        assert "Hidden" not in words(browser.get(f"{HOME}dry-run/"))

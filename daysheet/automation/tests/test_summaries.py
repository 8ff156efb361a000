"""The morning summary: once a night and person, with counts, totals and a link, and nothing about anybody."""

from __future__ import annotations

from datetime import date

from daysheet.automation.models import Night
from daysheet.automation.nights import close_night
from daysheet.automation.summaries import send_summary
from daysheet.mail.models import Message
from daysheet.practices.actor import system_actor
from daysheet.staff.models import StaffMember

from .conftest import Life, at
from .test_nights import MON, TUE, WED


def test_everybody_chosen_gets_one_with_counts_totals_and_a_link(life: Life) -> None:
    cast = life.clinic.cast
    life.switch(
        at(MON, 10), starts_on=MON, recipients=(cast.bob.staff_member_id, cast.alice.staff_member_id), claims=True
    )
    insured = life.clinic.client("Ruiz", insured=True)
    life.clinic.visit(insured, life.clinic.talk, day=MON)
    life.clinic.visit(life.clinic.client("Long"), life.clinic.letter, day=MON)
    life.clinic.visit(insured, life.clinic.talk, day=MON, staff_member_id=cast.dan.staff_member_id, status="no_show")
    life.live(at(TUE, 2))
    night = life.night(TUE)
    messages = list(Message.objects.filter(run_id=night.pk))
    assert {message.address for message in messages} == {cast.bob.email, cast.alice.email}
    assert {message.subject for message in messages} == {"Summary of last night"}
    (body,) = {message.body for message in messages}
    assert body.splitlines()[:6] == [
        "Alder Clinic, night of 11/17/2026", "", "Invoices created: 2, $190.00 in total", "Refused: 0",
        "Left to people: 1", "Claims queued: 0",
    ]  # fmt: skip
    assert f"https://billing.example/alder/organization/automation/nights/{night.pk}/" in body
    for word in ("Ruiz", "Long", "Ana", "Talk", "9T001", "Letter", "Carol", "Dan"):
        assert word not in body
    life.live(at(WED, 2))
    (later,) = {message.body for message in Message.objects.filter(run_id=life.night(WED).pk)}
    assert "Claims queued: 1" in later and "Invoices created: 0\n" in later


def test_a_night_that_is_closed_again_sends_nothing_more(life: Life) -> None:
    life.switch(at(MON, 10), starts_on=MON, recipients=(life.clinic.cast.bob.staff_member_id,))
    life.live(at(TUE, 2))
    night = Night.objects.select_related("plan").get()
    assert not close_night(life.clinic.cast.alder, night.pk, at(TUE, 3))
    assert send_summary(system_actor(life.clinic.cast.alder, at(TUE, 3)), night) == 1, "the one there is"
    assert Message.objects.count() == 1


def test_who_may_not_read_the_figures_any_more_gets_none(life: Life) -> None:
    cast = life.clinic.cast
    life.switch(at(MON, 10), starts_on=MON, recipients=(cast.bob.staff_member_id, cast.alice.staff_member_id))
    StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(permissions=[])
    life.live(at(TUE, 2))
    assert [message.address for message in Message.objects.all()] == [cast.alice.email]


def test_a_night_made_up_for_says_so_and_renewals_are_counted_once(life: Life) -> None:
    eve, day = date(2026, 12, 30), date(2027, 1, 2)
    life.switch(at(eve, 10), starts_on=eve, recipients=(life.clinic.cast.bob.staff_member_id,))
    life.live(at(date(2026, 12, 31), 2))
    life.live(at(day, 9))
    bodies = [message.body for message in Message.objects.order_by("created_at", "pk")]
    assert [body.splitlines()[0] for body in bodies] == [
        "Alder Clinic, night of 12/31/2026",
        "Alder Clinic, night of 01/01/2027 (made up for on 01/02/2027)",
        "Alder Clinic, night of 01/02/2027",
    ]
    assert [body.count("CPT licenses renewed: 1") for body in bodies] == [0, 1, 0]

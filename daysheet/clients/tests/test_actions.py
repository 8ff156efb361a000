"""Clients, coverages, diagnoses, insurers and notes through their actions, successes and refusals together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from daysheet.audit.models import AuditEvent
from daysheet.clients import actions, queries
from daysheet.clients.models import BillingNoteText, Client, ClientAssignment, Coverage, Diagnosis
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from tests.people import NOW, Cast


@pytest.fixture
def alice(cast: Cast) -> Iterator[Actor]:
    with practice_transaction(cast.alder.id):
        yield cast.actor(cast.alice)


@pytest.fixture
def ana(alice: Actor) -> Client:
    return actions.add_client(alice, first_name="Ana", last_name="Ruiz", birth_on=date(1980, 11, 23))


def add_coverage(actor: Actor, client: Client, **facts: Any) -> Coverage:
    payer_id = facts.pop("payer_id", None) or actions.add_payer(actor, name=f"Plan {new_id()}").pk
    given = {"insured_id": "X1", "starts_on": date(2026, 1, 1)} | facts
    return actions.add_coverage(actor, client.pk, payer_id=payer_id, **given)


def test_the_same_id_again_gives_the_first_client_back(alice):
    client_id = new_id()
    first = actions.add_client(alice, first_name="Ana", last_name="Ruiz", client_id=client_id)
    again = actions.add_client(alice, first_name="Ana", last_name="Ruiz", client_id=client_id)
    assert first == again and Client.objects.count() == 1
    assert AuditEvent.objects.filter(verb="add_client").count() == 1


def test_somebody_limited_sees_whom_they_add_and_cannot_fetch_others_by_a_known_id(cast, alice, ana):
    carol = replace(cast.actor(cast.carol), limited_to_assigned=True)
    mine = actions.add_client(carol, first_name="Bea", last_name="Ortiz")
    assert list(queries.visible_clients(carol)) == [mine]
    with pytest.raises(NotFound):
        actions.add_client(carol, first_name="X", last_name="Y", client_id=ana.pk)
    with pytest.raises(NotFound):
        actions.edit_client(carol, ana.pk, first_name="X")


def test_facts_that_cannot_be_are_refused(alice, ana):
    for names in ({"first_name": " ", "last_name": "Ruiz"}, {"first_name": "Ana", "last_name": ""}):
        with pytest.raises(actions.ClientNameMissing):
            actions.add_client(alice, **names)
    with pytest.raises(actions.ClientNameMissing):
        actions.edit_client(alice, ana.pk, last_name=" ")
    with pytest.raises(actions.ClientNotBornYet):
        actions.edit_client(alice, ana.pk, birth_on=alice.today + timedelta(days=1))
    assert actions.edit_client(alice, ana.pk, birth_on=alice.today).birth_on == alice.today
    with pytest.raises(TypeError, match="pays_by"):
        actions.edit_client(alice, ana.pk, pays_by="insurance")


def test_the_search_follows_an_edit_and_the_audit_names_fields_but_no_facts(alice, ana):
    actions.edit_client(alice, ana.pk, last_name="Long", mobile="212 555 1234")
    assert [row.id for row in queries.search_clients(alice, "long 5551234 11/23/80")] == [ana.pk]
    assert queries.search_clients(alice, "ruiz") == []
    event = AuditEvent.objects.get(verb="edit_client")
    assert event.details == {"fields": ["last_name", "mobile"]} and event.client_id == ana.pk
    actions.edit_client(alice, ana.pk, last_name="Long")
    assert AuditEvent.objects.filter(verb="edit_client").count() == 1


def test_a_search_puts_beginnings_first_active_before_inactive_and_stops_at_its_limit(alice):
    for first, last in (("Bert", "Andruzzi"), ("Ann", "Ruzicka"), ("Rudy", "Zane")):
        actions.add_client(alice, first_name=first, last_name=last)
    names = [row.sort_name for row in queries.search_clients(alice, "ru")]
    assert names == ["Ruzicka, Ann", "Zane, Rudy", "Andruzzi, Bert"]
    actions.archive_client(alice, queries.search_clients(alice, "ruzicka")[0].id)
    assert [row.sort_name for row in queries.search_clients(alice, "ru")][-1] == "Ruzicka, Ann"
    assert len(queries.search_clients(alice, "ru", limit=2)) == 2
    assert queries.search_clients(alice, "%") == [] and queries.search_clients(alice, " ") == []


def test_nobody_of_another_practice_reaches_a_client(cast, alice, ana):
    coverage, note = add_coverage(alice, ana), actions.add_billing_note(alice, ana.pk, text="Hello")
    diagnosis = actions.add_diagnosis(alice, ana.pk, code="X99", starts_on=date(2026, 1, 1))
    charlie = cast.actor(cast.charlie)
    seen_by_alice = queries.get_client(alice, ana.pk)
    attempts: list[Callable[[], object]] = [
        lambda: queries.get_client(charlie, ana.pk),
        lambda: actions.edit_client(charlie, ana.pk, first_name="X"),
        lambda: actions.archive_client(charlie, ana.pk),
        lambda: actions.assign_staff(charlie, ana.pk, cast.charlie.staff_member_id),
        lambda: actions.unassign_staff(charlie, ana.pk, cast.charlie.staff_member_id),
        lambda: actions.set_bill_to(charlie, ana.pk, pays_by="self"),
        lambda: actions.end_coverage(charlie, coverage.pk, ends_on=date(2026, 2, 1)),
        lambda: actions.end_diagnosis(charlie, diagnosis.pk, ends_on=date(2026, 2, 1)),
        lambda: actions.move_diagnosis_up(charlie, diagnosis.pk),
        lambda: actions.update_billing_note(charlie, note.pk, text="X"),
        lambda: actions.edit_payer(charlie, coverage.payer_id, name="X"),
        lambda: queries.billing_notes(charlie, seen_by_alice),
        lambda: queries.client_details(charlie, ana),
    ]
    with practice_transaction(cast.birch.id):
        for attempt in attempts:
            with pytest.raises(NotFound):
                attempt()


def test_without_billing_no_money_is_read_or_written(cast, alice, ana):
    coverage, note = add_coverage(alice, ana), actions.add_billing_note(alice, ana.pk, text="Hello")
    dan = cast.actor(cast.dan)
    attempts: list[Callable[[], object]] = [
        lambda: actions.set_bill_to(dan, ana.pk, pays_by="self"),
        lambda: actions.add_payer(dan, name="X"),
        lambda: actions.edit_payer(dan, coverage.payer_id, name="X"),
        lambda: add_coverage(dan, ana, payer_id=coverage.payer_id),
        lambda: actions.edit_coverage(dan, coverage.pk, rank=2),
        lambda: actions.end_coverage(dan, coverage.pk, ends_on=date(2026, 2, 1)),
        lambda: actions.add_billing_note(dan, ana.pk, text="X"),
        lambda: actions.update_billing_note(dan, note.pk, text="X"),
        lambda: queries.bill_to(dan, ana.pk),
        lambda: queries.billing_notes(dan, ana),
        lambda: queries.payers(dan),
    ]
    for attempt in attempts:
        with pytest.raises(NotAllowed):
            attempt()


def test_assignment_is_once_and_only_of_people_of_the_practice(cast, alice, ana):
    actions.assign_staff(alice, ana.pk, cast.carol.staff_member_id)
    actions.assign_staff(alice, ana.pk, cast.carol.staff_member_id)
    assert ClientAssignment.objects.count() == 1
    with pytest.raises(NotFound):
        actions.assign_staff(alice, ana.pk, cast.charlie.staff_member_id)
    with pytest.raises(NotAllowed):
        limited = replace(cast.actor(cast.carol), limited_to_assigned=True)
        actions.unassign_staff(limited, ana.pk, cast.carol.staff_member_id)


def test_bill_to_takes_providers_who_can_be_providers(cast, alice, ana):
    carol, dan = cast.carol.staff_member_id, cast.dan.staff_member_id
    actions.set_bill_to(
        alice, ana.pk, pays_by="insurance", set_payment_amount_cents=0, rendering_override_id=carol,
        billing_staff_member_id=carol,
    )  # fmt: skip
    ana.refresh_from_db()
    assert (ana.pays_by, ana.set_payment_amount_cents, ana.rendering_override_id) == ("insurance", 0, carol)
    with pytest.raises(actions.NotAProvider):
        actions.set_bill_to(alice, ana.pk, pays_by="self", rendering_override_id=dan)
    with pytest.raises(actions.StaffNpiMissing):
        actions.set_bill_to(alice, ana.pk, pays_by="self", billing_staff_member_id=dan)
    with pytest.raises(NotFound):
        actions.set_bill_to(alice, ana.pk, pays_by="self", billing_staff_member_id=cast.charlie.staff_member_id)


def test_on_any_day_a_rank_is_taken_once(alice, ana):
    first = add_coverage(alice, ana, ends_on=date(2026, 6, 1))
    add_coverage(alice, ana, starts_on=date(2026, 6, 1))
    secondary = add_coverage(alice, ana, rank=2)
    with pytest.raises(actions.CoverageOverlaps, match="06/01/2026"):
        add_coverage(alice, ana, starts_on=date(2026, 3, 1), ends_on=date(2026, 4, 1))
    with pytest.raises(actions.CoverageOverlaps):
        actions.edit_coverage(alice, secondary.pk, rank=1)
    with pytest.raises(actions.CoverageOverlaps):
        actions.end_coverage(alice, first.pk, ends_on=date(2026, 6, 2))
    with pytest.raises(actions.CoverageEndsBeforeStart):
        actions.end_coverage(alice, first.pk, ends_on=date(2026, 1, 1))
    with pytest.raises(actions.InsuredIdMissing):
        actions.edit_coverage(alice, first.pk, insured_id=" ")
    other = actions.add_client(alice, first_name="Bea", last_name="Ortiz")
    add_coverage(alice, other)
    assert [facts.rank for facts in queries.coverages_for([ana.pk])[ana.pk]] == [1, 1, 2]


def test_a_thirteenth_diagnosis_is_refused_and_ended_ones_make_room(alice, ana):
    codes = [f"X{number}" for number in range(10, 22)]
    rows = [actions.add_diagnosis(alice, ana.pk, code=code, starts_on=date(2026, 1, 1)) for code in codes]
    with pytest.raises(actions.TooManyDiagnoses):
        actions.add_diagnosis(alice, ana.pk, code="X50", starts_on=date(2026, 1, 1))
    actions.end_diagnosis(alice, rows[0].pk, ends_on=date(2026, 2, 1))
    actions.add_diagnosis(alice, ana.pk, code="X50", starts_on=date(2026, 2, 1))
    standing = Diagnosis.objects.filter(ends_on=None).order_by("position").values_list("code", "position")
    assert list(standing) == [(code, place) for place, code in enumerate([*codes[1:], "X50"], start=1)]
    with pytest.raises(actions.DiagnosisCodeWrong):
        actions.add_diagnosis(alice, ana.pk, code="nonsense", starts_on=date(2026, 1, 1))


def test_the_id_of_another_clients_diagnosis_is_refused_in_words(alice, ana):
    zoe = actions.add_client(alice, first_name="Zoe", last_name="Other").pk
    given = new_id()
    facts = {"code": "X99", "starts_on": date(2026, 1, 1), "diagnosis_id": given}
    assert actions.add_diagnosis(alice, ana.pk, **facts) == actions.add_diagnosis(alice, ana.pk, **facts)
    with pytest.raises(actions.DiagnosisAlreadyThere, match="another client"):
        actions.add_diagnosis(alice, zoe, **facts)
    assert Diagnosis.objects.count() == 1


def test_a_note_shows_its_newest_text_and_keeps_the_earlier_ones_with_their_authors(cast, alice, ana):
    note_id = new_id()
    actions.add_billing_note(alice, ana.pk, text=" Call first ", note_id=note_id)
    actions.add_billing_note(alice, ana.pk, text="Call first", note_id=note_id)
    bob = cast.actor(cast.bob, now=NOW + timedelta(hours=1))
    actions.update_billing_note(bob, note_id, text="Pays monthly")
    actions.update_billing_note(bob, note_id, text="Pays monthly")
    actions.add_billing_note(bob, ana.pk, text="A second note")
    newest, oldest = queries.billing_notes(bob, queries.get_client(bob, ana.pk))
    assert newest.text == "A second note" and newest.earlier == ()
    assert (oldest.text, oldest.author_name, oldest.written_at) == ("Pays monthly", "Bob Biller", bob.now)
    assert [(text.text, text.author_name) for text in oldest.earlier] == [("Call first", "Alice Owner")]
    for empty in ("", "  \n"):
        with pytest.raises(actions.NoteEmpty):
            actions.update_billing_note(bob, note_id, text=empty)
    assert BillingNoteText.objects.count() == 3
    assert "Pays" not in str(list(AuditEvent.objects.values_list("details", flat=True)))

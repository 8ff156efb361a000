"""The pages of clients over HTTP: who may open them, what they show and refuse, and how many queries they need."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client as Browser
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from daysheet.clients import actions, queries
from daysheet.clients.models import Client, ClientAssignment, Coverage, Diagnosis, Payer
from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.staff.models import StaffMember
from tests.people import Cast, Person


@pytest.fixture
def ana(cast: Cast) -> Client:
    with practice_transaction(cast.alder.id):
        return actions.add_client(
            cast.actor(cast.alice),
            first_name="Ana",
            last_name="Ruiz",
            birth_on=date(1980, 11, 23),
            mobile="212 555 1234",
        )


@pytest.fixture
def coverage(cast: Cast, ana: Client) -> Coverage:
    alice = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        payer = actions.add_payer(alice, name="Blue Plan")
        return actions.add_coverage(
            alice, ana.pk, payer_id=payer.pk, insured_id="X1", starts_on=date(2026, 1, 1), copay_cents=2500
        )


@pytest.fixture
def diagnosis(cast: Cast, ana: Client) -> Diagnosis:
    with practice_transaction(cast.alder.id):
        return actions.add_diagnosis(cast.actor(cast.alice), ana.pk, code="X99.9", starts_on=date(2026, 1, 1))


def at(name: str, **kwargs: object) -> str:
    return reverse(f"clients:{name}", kwargs={"practice": "alder", **kwargs})


def limit(cast: Cast, person: Person) -> None:
    with practice_transaction(cast.alder.id):
        StaffMember.objects.filter(pk=person.staff_member_id).update(limited_to_assigned=True)


def test_everybody_reads_clients_and_a_stranger_finds_none_of_it(cast, sign_in, ana, diagnosis):
    pages = [
        at("list"), at("search"), at("add"), at("details", client=ana.pk), at("edit", client=ana.pk),
        at("assign_staff", client=ana.pk), at("add_diagnosis", client=ana.pk),
        at("end_diagnosis", diagnosis=diagnosis.pk),
    ]  # fmt: skip
    for page in pages:
        assert sign_in(cast.dan).get(page).status_code == 200, page
        assert sign_in(cast.charlie).get(page).status_code == 404, page
        assert Browser().get(page).status_code == 302, page


def test_the_list_is_a_whole_page_for_a_browser_that_asks_for_a_part(cast, sign_in, ana):
    """It has no parts; asked for one, it was a server error."""
    answer = sign_in(cast.dan).get(at("list"), headers={"HX-Request": "true"})
    assert answer.status_code == 200 and "Ruiz" in answer.content.decode()


def test_money_and_insurance_need_billing_and_a_stranger_gets_404(cast, sign_in, ana, coverage):
    pages = [
        at("bill_to", client=ana.pk), at("edit_bill_to", client=ana.pk), at("add_coverage", client=ana.pk),
        at("edit_coverage", coverage=coverage.pk), at("end_coverage", coverage=coverage.pk), at("insurers"),
        at("add_insurer"), at("insurer", payer=coverage.payer_id), at("edit_insurer", payer=coverage.payer_id),
    ]  # fmt: skip
    for page in pages:
        assert sign_in(cast.bob).get(page).status_code == 200, page
        assert sign_in(cast.dan).get(page).status_code == 403, page
        assert sign_in(cast.dan).post(page, {}).status_code in (403, 405), page
        assert sign_in(cast.charlie).get(page).status_code == 404, page


def test_what_does_not_exist_or_belongs_to_another_practice_is_404(cast, sign_in):
    with practice_transaction(cast.birch.id):
        theirs = actions.add_client(cast.actor(cast.charlie), first_name="Their", last_name="Client")
    for client_id in (new_id(), theirs.pk):
        for name in ("details", "edit", "bill_to", "edit_bill_to", "add_coverage", "add_diagnosis", "assign_staff"):
            assert sign_in(cast.alice).get(at(name, client=client_id)).status_code == 404, name
        for name in ("archive", "activate"):
            assert sign_in(cast.alice).post(at(name, client=client_id)).status_code == 404, name


def test_a_client_is_added_once_however_often_the_button_is_pressed(cast, sign_in):
    browser = sign_in(cast.dan)
    typed = {"client_id": str(new_id()), "first_name": "Bea", "last_name": "Ortiz", "birth_on": "04/05/1990"}
    first, second = browser.post(at("add"), typed), browser.post(at("add"), typed)
    assert first.status_code == second.status_code == 303
    assert first["Location"] == second["Location"]
    with practice_transaction(cast.alder.id):
        assert Client.objects.get().birth_on == date(1990, 4, 5)


def test_a_form_that_is_refused_is_shown_again_with_422_and_writes_nothing(cast, sign_in):
    typed = {"client_id": str(new_id()), "first_name": "", "last_name": "Ortiz", "state": "New York"}
    answer = sign_in(cast.dan).post(at("add"), typed)
    assert answer.status_code == 422
    assert "The client was not added" in answer.content.decode()
    future = typed | {"first_name": "Bea", "state": "", "birth_on": "2031-01-01"}
    answer = sign_in(cast.dan).post(at("add"), future)
    assert answer.status_code == 422
    assert "lies in the future" in answer.content.decode()
    with practice_transaction(cast.alder.id):
        assert not Client.objects.exists()


def test_editing_keeps_what_the_form_does_not_ask_and_finds_the_new_name(cast, sign_in, ana):
    browser = sign_in(cast.dan)
    page = browser.get(at("edit", client=ana.pk)).content.decode()
    assert 'value="Ana"' in page and 'value="1980-11-23"' in page
    typed = {"first_name": "Anna", "last_name": "Ruiz-Long", "birth_on": "1980-11-23", "mobile": "212 555 1234"}
    assert browser.post(at("edit", client=ana.pk), typed).status_code == 303
    assert "Ruiz-Long, Anna" in browser.get(at("search"), {"q": "ruizlong 1234"}).content.decode()


def test_details_show_tiles_only_to_people_with_billing_permission(cast, sign_in, ana, coverage):
    with practice_transaction(cast.alder.id):
        actions.set_bill_to(cast.actor(cast.bob), ana.pk, pays_by="insurance")
    assert "Primary Copay" not in sign_in(cast.dan).get(at("details", client=ana.pk)).content.decode()
    page = sign_in(cast.bob).get(at("details", client=ana.pk)).content.decode()
    assert "Primary Copay" in page and "$25.00" in page
    menu = sign_in(cast.dan).get(at("details", client=ana.pk)).content.decode()
    assert "Bill To &amp; Insurance Info" not in menu


def test_limited_access_narrows_list_search_details_and_changes(cast, sign_in, ana, coverage, diagnosis):
    limit(cast, cast.carol)
    limit(cast, cast.bob)
    carol, bob = sign_in(cast.carol), sign_in(cast.bob)
    assert "Ruiz" not in carol.get(at("list")).content.decode()
    assert "No clients are assigned to you" in carol.get(at("list")).content.decode()
    assert "Ruiz" not in carol.get(at("search"), {"q": "ruiz"}).content.decode()
    for page in (at("details", client=ana.pk), at("edit", client=ana.pk), at("end_diagnosis", diagnosis=diagnosis.pk)):
        assert carol.get(page).status_code == 404
        assert carol.post(page, {}).status_code in (404, 405)
    assert bob.get(at("bill_to", client=ana.pk)).status_code == 404
    assert bob.get(at("edit_coverage", coverage=coverage.pk)).status_code == 404
    assert "0 clients" in bob.get(at("insurer", payer=coverage.payer_id)).content.decode()
    with practice_transaction(cast.alder.id):
        actions.assign_staff(cast.actor(cast.alice), ana.pk, cast.carol.staff_member_id)
    assert "Ruiz" in carol.get(at("list")).content.decode()
    assert "Ruiz" in carol.get(at("search"), {"q": "ru"}).content.decode()
    assert carol.get(at("details", client=ana.pk)).status_code == 200


def test_limited_people_do_not_change_who_is_assigned(cast, sign_in, ana):
    with practice_transaction(cast.alder.id):
        actions.assign_staff(cast.actor(cast.alice), ana.pk, cast.carol.staff_member_id)
    limit(cast, cast.carol)
    carol = sign_in(cast.carol)
    page = carol.get(at("details", client=ana.pk)).content.decode()
    assert "Assign</button>" not in page and "Remove" not in page
    assign = carol.post(at("assign_staff", client=ana.pk), {"staff_member_id": str(cast.dan.staff_member_id)})
    assert assign.status_code == 422
    url = at("unassign_staff", client=ana.pk, staff_member=cast.carol.staff_member_id)
    assert carol.post(url).status_code == 403
    with practice_transaction(cast.alder.id):
        assert ClientAssignment.objects.count() == 1


def test_staff_are_assigned_and_unassigned_on_details(cast, sign_in, ana):
    dan = sign_in(cast.dan)
    typed = {"staff_member_id": str(cast.carol.staff_member_id)}
    assert dan.post(at("assign_staff", client=ana.pk), typed).status_code == 303
    assert "Carol Clinician, LCSW" in dan.get(at("details", client=ana.pk)).content.decode()
    url = at("unassign_staff", client=ana.pk, staff_member=cast.carol.staff_member_id)
    assert dan.post(url).status_code == 303
    assert dan.post(url).status_code == 303
    with practice_transaction(cast.alder.id):
        assert not ClientAssignment.objects.exists()


def test_inactive_clients_leave_the_list_and_come_back(cast, sign_in, ana):
    dan = sign_in(cast.dan)
    assert dan.get(at("archive", client=ana.pk)).status_code == 405
    assert dan.post(at("archive", client=ana.pk)).status_code == 303
    assert "Ruiz, Ana" not in dan.get(at("list")).content.decode()
    assert "Ruiz, Ana" in dan.get(at("list"), {"show": "all"}).content.decode()
    assert "Ruiz, Ana" in dan.get(at("list"), {"show": "inactive"}).content.decode()
    assert dan.post(at("activate", client=ana.pk)).status_code == 303
    assert "Ruiz, Ana" in dan.get(at("list")).content.decode()


def test_diagnoses_are_added_moved_and_ended(cast, sign_in, ana, diagnosis):
    dan = sign_in(cast.dan)
    typed = {"code": "x881", "name": "Second", "starts_on": "2026-02-01", "diagnosis_id": str(new_id())}
    assert dan.post(at("add_diagnosis", client=ana.pk), typed).status_code == 303
    assert dan.post(at("add_diagnosis", client=ana.pk), typed).status_code == 303
    again = dan.post(at("add_diagnosis", client=ana.pk), typed | {"diagnosis_id": str(new_id())})
    assert again.status_code == 422 and "X88.1 already" in again.content.decode()
    with practice_transaction(cast.alder.id):
        second = Diagnosis.objects.get(code="X88.1")
    assert dan.post(at("move_diagnosis_up", diagnosis=second.pk)).status_code == 303
    page = dan.get(at("details", client=ana.pk)).content.decode()
    assert page.index("X88.1") < page.index("X99.9")
    wrong = dan.post(at("end_diagnosis", diagnosis=diagnosis.pk), {"ends_on": "2026-01-01"})
    assert wrong.status_code == 422
    assert dan.post(at("end_diagnosis", diagnosis=diagnosis.pk), {"ends_on": "2026-03-01"}).status_code == 303
    with practice_transaction(cast.alder.id):
        assert Diagnosis.objects.get(pk=diagnosis.pk).ends_on == date(2026, 3, 1)


def test_bill_to_is_shown_edited_and_warns_without_coverage(cast, sign_in, ana):
    bob = sign_in(cast.bob)
    page = bob.get(at("bill_to", client=ana.pk)).content.decode()
    assert "Pays by" in page and "Practice NPI" in page and "Set Payment Amount" in page
    assert "Bill with selected staff NPI" in bob.get(at("edit_bill_to", client=ana.pk)).content.decode()
    typed = {
        "pays_by": "insurance", "set_payment_amount_cents": "80",
        "billing_staff_member_id": str(cast.carol.staff_member_id),
        "rendering_override_id": str(cast.carol.staff_member_id),
    }  # fmt: skip
    assert bob.post(at("edit_bill_to", client=ana.pk), typed).status_code == 303
    page = bob.get(at("bill_to", client=ana.pk)).content.decode()
    assert "$80.00" in page and "NPI 1245319599" in page and "No coverage is in force today" in page
    with practice_transaction(cast.alder.id):
        assert Client.objects.get(pk=ana.pk).set_payment_amount_cents == 8000
    wrong = bob.post(at("edit_bill_to", client=ana.pk), typed | {"set_payment_amount_cents": "-5"})
    assert wrong.status_code == 422


def test_coverage_is_added_once_edited_refused_where_it_overlaps_and_ended(cast, sign_in, ana, coverage):
    bob = sign_in(cast.bob)
    typed = {
        "coverage_id": str(new_id()), "payer_id": str(coverage.payer_id), "rank": "2", "insured_id": "S2",
        "starts_on": "2026-05-01", "relationship": "self",
    }  # fmt: skip
    assert bob.post(at("add_coverage", client=ana.pk), typed).status_code == 303
    assert bob.post(at("add_coverage", client=ana.pk), typed).status_code == 303
    clash = bob.post(at("add_coverage", client=ana.pk), typed | {"coverage_id": str(new_id()), "rank": "1"})
    assert clash.status_code == 422 and "same rank" in clash.content.decode()
    child = bob.post(at("add_coverage", client=ana.pk), typed | {"coverage_id": str(new_id()), "relationship": "child"})
    assert child.status_code == 422 and "enter the insured’s name" in child.content.decode()
    edit = typed | {"rank": "1", "insured_id": "X1-9", "starts_on": "2026-01-01", "copay_cents": "30.00"}
    assert bob.post(at("edit_coverage", coverage=coverage.pk), edit).status_code == 303
    assert bob.post(at("end_coverage", coverage=coverage.pk), {"ends_on": "2026-06-01"}).status_code == 303
    with practice_transaction(cast.alder.id):
        row = Coverage.objects.get(pk=coverage.pk)
        assert (row.insured_id, row.copay_cents, row.ends_on) == ("X1-9", 3000, date(2026, 6, 1))
        assert Coverage.objects.count() == 2


def test_insurers_are_listed_found_added_once_and_edited(cast, sign_in, coverage):
    bob = sign_in(cast.bob)
    assert "Blue Plan" in bob.get(at("insurers"), {"q": "plan blu"}).content.decode()
    assert "No insurer matches" in bob.get(at("insurers"), {"q": "zzz"}).content.decode()
    typed = {"payer_id": str(new_id()), "name": "Green Plan", "payer_code": "G1", "is_active": "on"}
    assert bob.post(at("add_insurer"), typed)["Location"] == bob.post(at("add_insurer"), typed)["Location"]
    taken = bob.post(at("add_insurer"), typed | {"payer_id": str(new_id()), "name": "green plan"})
    assert taken.status_code == 422 and "already" in taken.content.decode()
    with practice_transaction(cast.alder.id):
        green = Payer.objects.get(name="Green Plan")
    assert bob.post(at("edit_insurer", payer=green.pk), {"name": "BLUE PLAN"}).status_code == 422
    assert bob.post(at("edit_insurer", payer=green.pk), {"name": "Green Plan"}).status_code == 303
    assert "Green Plan" not in bob.get(at("insurers")).content.decode()
    assert "Green Plan" in bob.get(at("insurers"), {"show": "all"}).content.decode()


def test_the_list_pages_and_needs_the_same_queries_however_long_it_is(
    cast, sign_in, django_assert_max_num_queries: DjangoAssertNumQueries
):
    alice = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        for number in range(53):
            actions.add_client(alice, first_name="Test", last_name=f"Person{number:02d}")
    browser = sign_in(cast.dan)
    browser.get(at("list"))
    with django_assert_max_num_queries(12):
        page = browser.get(at("list")).content.decode()
    assert "Person49" in page and "Person50" not in page and "Clients 1–50" in page
    rest = browser.get(at("list"), {"page": "2"}).content.decode()
    assert "Person52" in rest and "Clients 51–53" in rest
    assert browser.get(at("list"), {"page": "nonsense"}).status_code == 200
    with django_assert_max_num_queries(12):
        found = browser.get(at("search"), {"q": "person"}).content.decode()
    assert found.count('role="option"') == 12


def test_details_and_bill_to_need_a_constant_number_of_queries(
    cast, sign_in, ana, coverage, django_assert_max_num_queries: DjangoAssertNumQueries
):
    alice = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        for number in range(9):
            actions.add_diagnosis(alice, ana.pk, code=f"X9{number}", starts_on=date(2026, 1, 1))
            payer = actions.add_payer(alice, name=f"Plan {number}")
            actions.add_coverage(
                alice, ana.pk, payer_id=payer.pk, insured_id="1", starts_on=date(2010 + number, 1, 1),
                ends_on=date(2010 + number, 6, 1),
            )  # fmt: skip
    bob = sign_in(cast.bob)
    with django_assert_max_num_queries(20):
        assert bob.get(at("details", client=ana.pk)).status_code == 200
    with django_assert_max_num_queries(16):
        assert bob.get(at("bill_to", client=ana.pk)).status_code == 200


def test_names_are_escaped(cast, sign_in):
    with practice_transaction(cast.alder.id):
        client = actions.add_client(cast.actor(cast.alice), first_name="<b>", last_name='"><script>')
        assert queries.get_client(cast.actor(cast.alice), client.pk).first_name == "<b>"
    for page in (at("list"), at("details", client=client.pk), at("edit", client=client.pk)):
        content = sign_in(cast.dan).get(page).content.decode()
        assert '"><script>' not in content and "&lt;script&gt;" in content

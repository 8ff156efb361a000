"""The pages of service types and agreements over HTTP."""

from __future__ import annotations

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from daysheet.clients import actions as clients
from daysheet.clients.models import Client
from daysheet.database.scope import practice_transaction
from daysheet.kit.ids import new_id
from daysheet.services import actions
from daysheet.services.models import ClientService, ServiceType
from daysheet.staff.models import StaffMember
from tests.people import Cast


@pytest.fixture
def session(cast: Cast) -> ServiceType:
    with practice_transaction(cast.alder.id):
        return actions.add_service_type(
            cast.actor(cast.alice), code="9T001", name="Long session", kind="cpt", rate_cents=15000
        )


@pytest.fixture
def ana(cast: Cast) -> Client:
    with practice_transaction(cast.alder.id):
        return clients.add_client(cast.actor(cast.alice), first_name="Ana", last_name="Ruiz")


def at(name: str, **kwargs: object) -> str:
    return reverse(f"services:{name}", kwargs={"practice": "alder", **kwargs})


def typed_service(**changes: object) -> dict[str, object]:
    return {
        "service_type_id": str(new_id()), "kind": "cpt", "code": "9t002", "name": "Short session", "rate_cents": "90",
        "unit_rule": "per_minutes", "unit_count": "15", "default_minutes": "30", "modifiers": "95, hj",
        "bills_insurance": "on",
    } | changes  # fmt: skip


def test_service_types_are_the_administrators_and_a_stranger_gets_404(cast, sign_in, session):
    for page in (at("list"), at("add"), at("edit", service_type=session.pk)):
        assert sign_in(cast.alice).get(page).status_code == 200, page
        assert sign_in(cast.bob).get(page).status_code == 403, page
        assert sign_in(cast.dan).post(page, {}).status_code in (403, 405), page
        assert sign_in(cast.charlie).get(page).status_code == 404, page
    for page in (at("archive", service_type=session.pk), at("restore", service_type=session.pk)):
        assert sign_in(cast.alice).get(page).status_code == 405, page
        assert sign_in(cast.bob).post(page).status_code == 403, page
        assert sign_in(cast.charlie).post(page).status_code == 404, page
    assert sign_in(cast.alice).get(at("edit", service_type=new_id())).status_code == 404


def test_a_clients_amounts_need_billing_and_a_stranger_gets_404(cast, sign_in, session, ana):
    with practice_transaction(cast.alder.id):
        actions.set_client_service(cast.actor(cast.alice), ana.pk, session.pk, is_default=True)
    pages = [
        at("add_client_service", client=ana.pk), at("edit_client_service", client=ana.pk, service_type=session.pk),
    ]  # fmt: skip
    for page in pages:
        assert sign_in(cast.bob).get(page).status_code == 200, page
        assert sign_in(cast.dan).get(page).status_code == 403, page
        assert sign_in(cast.charlie).get(page).status_code == 404, page
    remove = at("remove_client_service", client=ana.pk, service_type=session.pk)
    assert sign_in(cast.dan).post(remove).status_code == 403
    assert sign_in(cast.charlie).post(remove).status_code == 404


def test_a_service_type_is_added_once_and_shown_with_its_rule(cast, sign_in):
    alice = sign_in(cast.alice)
    typed = typed_service()
    assert alice.post(at("add"), typed).status_code == 303
    assert alice.post(at("add"), typed).status_code == 303
    page = alice.get(at("list")).content.decode()
    assert "9T002" in page and "1 Unit per 15 minutes" in page and "95, HJ" in page and "$90.00" in page
    with practice_transaction(cast.alder.id):
        assert ServiceType.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "T1"}, "A CPT code has five characters"),
        ({"kind": "hcpcs"}, "A HCPCS code is a letter and four digits"),
        ({"code": "9T001"}, "Another service type in use has the code 9T001"),
        ({"modifiers": "1, 2"}, "two characters each"),
        ({"is_no_show_fee": "on"}, "is a Non-CPT service"),
        ({"rate_cents": "a lot"}, "is not an amount"),
        ({"unit_count": "0"}, "greater than or equal to 1"),
    ],
)
def test_a_wrong_service_type_is_refused_in_words(cast, sign_in, session, changes, words):
    answer = sign_in(cast.alice).post(at("add"), typed_service(**changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    with practice_transaction(cast.alder.id):
        assert ServiceType.objects.count() == 1


def test_archiving_takes_it_off_the_list_and_restoring_is_refused_while_the_code_is_taken(cast, sign_in, session):
    alice = sign_in(cast.alice)
    assert alice.post(at("archive", service_type=session.pk)).status_code == 303
    assert "Long session" not in alice.get(at("list")).content.decode()
    assert "Long session" in alice.get(at("list"), {"show": "archived"}).content.decode()
    assert alice.post(at("add"), typed_service(code="9T001")).status_code == 303
    refused = alice.post(at("restore", service_type=session.pk))
    assert refused.status_code == 422 and "has the code 9T001" in refused.content.decode()
    with practice_transaction(cast.alder.id):
        other = ServiceType.objects.get(archived_at=None)
    assert alice.post(at("archive", service_type=other.pk)).status_code == 303
    assert alice.post(at("restore", service_type=session.pk)).status_code == 303
    assert "Long session" in alice.get(at("list")).content.decode()


def test_editing_shows_what_is_there_and_saves(cast, sign_in, session):
    alice = sign_in(cast.alice)
    page = alice.get(at("edit", service_type=session.pk)).content.decode()
    assert 'value="150.00"' in page and "Always Bill For n" in page and "1 Unit per m minutes" in page
    changed = typed_service(code="9T001", name="Longer session", rate_cents="160")
    assert alice.post(at("edit", service_type=session.pk), changed).status_code == 303
    with practice_transaction(cast.alder.id):
        row = ServiceType.objects.get(pk=session.pk)
        assert (row.name, row.rate_cents, row.modifiers) == ("Longer session", 16000, ["95", "HJ"])


def test_service_types_are_searched_by_code_and_name(cast, sign_in, session):
    alice = sign_in(cast.alice)
    assert "Long session" in alice.get(at("list"), {"q": "sess 9t"}).content.decode()
    assert "No service type matches" in alice.get(at("list"), {"q": "zzz"}).content.decode()


def test_a_clients_own_amount_is_agreed_changed_and_removed_on_bill_to(cast, sign_in, session, ana):
    bob = sign_in(cast.bob)
    bill_to = reverse("clients:bill_to", kwargs={"practice": "alder", "client": ana.pk})
    assert "Nothing agreed per service" in bob.get(bill_to).content.decode()
    typed = {"service_type_id": str(session.pk), "is_default": "on", "set_payment_amount_cents": "75"}
    assert bob.post(at("add_client_service", client=ana.pk), typed).status_code == 303
    assert "$75.00" in bob.get(bill_to).content.decode()
    edit = at("edit_client_service", client=ana.pk, service_type=session.pk)
    assert bob.post(edit, {}).status_code == 422
    assert bob.post(edit, {"set_payment_amount_cents": "0"}).status_code == 303
    with practice_transaction(cast.alder.id):
        row = ClientService.objects.get()
        assert (row.is_default, row.set_payment_amount_cents) == (False, 0)
    remove = at("remove_client_service", client=ana.pk, service_type=session.pk)
    assert bob.post(remove).status_code == 303
    assert bob.post(remove).status_code == 303
    assert bob.get(edit).status_code == 404


def test_agreements_of_a_client_who_is_not_assigned_are_404(cast, sign_in, session, ana):
    with practice_transaction(cast.alder.id):
        StaffMember.objects.filter(pk=cast.bob.staff_member_id).update(limited_to_assigned=True)
    bob = sign_in(cast.bob)
    assert bob.get(at("add_client_service", client=ana.pk)).status_code == 404
    assert bob.post(at("remove_client_service", client=ana.pk, service_type=session.pk)).status_code == 404


def test_the_list_needs_the_same_queries_however_long_it_is(
    cast, sign_in, django_assert_max_num_queries: DjangoAssertNumQueries
):
    with practice_transaction(cast.alder.id):
        for number in range(53):
            actions.add_service_type(
                cast.actor(cast.alice), code=f"OWN{number:02d}", name="Own", kind="non_cpt", rate_cents=100
            )
    alice = sign_in(cast.alice)
    with django_assert_max_num_queries(12):
        page = alice.get(at("list")).content.decode()
    assert "OWN49" in page and "OWN50" not in page and "Service types 1–50" in page

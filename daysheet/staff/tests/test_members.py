"""Staff members: who may change whom (P1, P2), and the pages."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.practices.actor import Actor
from daysheet.practices.models import Membership, User
from daysheet.practices.permissions import Permission
from daysheet.staff import actions
from daysheet.staff.models import StaffMember
from daysheet.staff.registry import AssignedClient, _sources, register_assigned_clients
from daysheet.staff.rules import needs_owner, stored_permissions
from tests.invariants.at_once import at_once
from tests.pages import words_of
from tests.people import Cast, Person

OWNER, ADMIN = Permission.ORGANIZATION_ADMINISTRATOR, Permission.ADMINISTRATOR


@pytest.fixture
def at_alder(cast: Cast):
    with practice_transaction(cast.alder.id):
        yield


@pytest.fixture
def admin(cast: Cast, at_alder: None) -> Person:
    """Dan, promoted to Administrator."""
    actions.edit_staff_member(cast.actor(cast.alice), cast.dan.staff_member_id, permissions=[ADMIN])
    return cast.dan


def as_person(client: Client, person: Person) -> Client:
    client.force_login(User.objects.get(pk=person.user_id))
    return client


def address(name: str, practice: str = "alder", **kwargs: object) -> str:
    return reverse(f"staff:{name}", kwargs={"practice": practice, **kwargs})


def epoch(person: Person) -> int:
    return User.objects.get(pk=person.user_id).session_epoch


def test_nobody_changes_their_own_permissions_limit_or_activity(cast: Cast, admin: Person) -> None:
    for person in (cast.alice, admin):
        actor = cast.actor(person)
        for change in ({"permissions": [Permission.BILLING]}, {"limited_to_assigned": True}, {"is_active": False}):
            with pytest.raises(actions.OwnPermissions):
                actions.edit_staff_member(actor, person.staff_member_id, **change)
        actions.edit_staff_member(actor, person.staff_member_id, credentials="MBA")
    assert StaffMember.objects.get(pk=admin.staff_member_id).permissions == [ADMIN.value]


def test_only_an_owner_makes_unmakes_or_limits_an_owner(cast: Cast, admin: Person) -> None:
    dan, carol = cast.actor(admin), cast.carol.staff_member_id
    with pytest.raises(NotAllowed):
        actions.add_staff_member(dan, first_name="New", last_name="Owner", permissions=[OWNER])
    with pytest.raises(NotAllowed):
        actions.edit_staff_member(dan, carol, permissions=[OWNER])
    for change in ({"permissions": []}, {"limited_to_assigned": True}, {"is_active": False}):
        with pytest.raises(NotAllowed):
            actions.edit_staff_member(dan, cast.alice.staff_member_id, **change)

    actions.edit_staff_member(dan, carol, permissions=[Permission.BILLING, Permission.PROVIDER])
    actions.edit_staff_member(cast.actor(cast.alice), carol, permissions=[OWNER])
    assert StaffMember.objects.get(pk=carol).permissions == [OWNER.value]


def test_the_last_owner_who_can_sign_in_stays(cast: Cast, at_alder: None) -> None:
    alice = cast.actor(cast.alice)
    actions.add_staff_member(alice, first_name="No", last_name="Login", permissions=[OWNER])
    actions.edit_staff_member(alice, cast.carol.staff_member_id, permissions=[OWNER])
    carol = cast.actor(cast.carol)
    actions.edit_staff_member(alice, cast.carol.staff_member_id, permissions=[])

    with pytest.raises(actions.LastOwner, match="Alice Owner is the last"):
        actions.edit_staff_member(carol, cast.alice.staff_member_id, permissions=[])
    with pytest.raises(actions.LastOwner):
        actions.edit_staff_member(carol, cast.alice.staff_member_id, is_active=False)


def test_two_owners_who_remove_each_other_at_once_leave_one(live_cast: Cast) -> None:
    cast = live_cast
    with practice_transaction(cast.alder.id):
        actions.edit_staff_member(cast.actor(cast.alice), cast.carol.staff_member_id, permissions=[OWNER])
    alice, carol = cast.actor(cast.alice), cast.actor(cast.carol)

    def remove(actor: Actor, victim: Person) -> str:
        try:
            with practice_transaction(cast.alder.id):
                actions.edit_staff_member(actor, victim.staff_member_id, permissions=[])
        except actions.LastOwner:
            return "refused"
        return "removed"

    outcomes = at_once(lambda: remove(alice, cast.carol), lambda: remove(carol, cast.alice))
    assert sorted(outcomes) == ["refused", "removed"]


def test_a_change_of_access_ends_the_sessions_and_other_changes_do_not(cast: Cast, client: Client) -> None:
    as_person(client, cast.bob)
    assert client.get("/alder/account").status_code == 200
    with practice_transaction(cast.alder.id):
        alice, before = cast.actor(cast.alice), epoch(cast.bob)
        actions.edit_staff_member(alice, cast.bob.staff_member_id, credentials="CPB", permissions=[Permission.BILLING])
        assert epoch(cast.bob) == before
        actions.edit_staff_member(alice, cast.bob.staff_member_id, limited_to_assigned=True)
        assert epoch(cast.bob) == before + 1

    answer = client.get("/alder/account", follow=True)
    assert answer.redirect_chain[0][0].startswith("/account/login/?next=/alder/account")
    assert "You were signed out, because your permissions or your password were changed." in answer.content.decode()
    assert "You were signed out" not in client.get("/alder/account", follow=True).content.decode()  # told once


def test_the_inactive_have_no_way_in_until_they_are_active_again(cast: Cast, client: Client) -> None:
    alice = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        actions.edit_staff_member(alice, cast.bob.staff_member_id, is_active=False)
    as_person(client, cast.bob)
    assert client.get("/alder/account").status_code == 404
    assert "You belong to no practice" in client.get("/").content.decode()

    with practice_transaction(cast.alder.id):
        actions.edit_staff_member(alice, cast.bob.staff_member_id, is_active=True)
    as_person(client, cast.bob)
    assert client.get("/alder/account").status_code == 200
    assert Membership.objects.get(user_id=cast.bob.user_id).ended_at is None


def test_facts_are_checked_and_an_address_is_one_persons(cast: Cast, at_alder: None) -> None:
    alice = cast.actor(cast.alice)
    with pytest.raises(actions.NpiWrong):
        actions.edit_staff_member(alice, cast.carol.staff_member_id, npi="1234567890")
    with pytest.raises(actions.StaffEmailTaken):
        actions.add_staff_member(alice, first_name="B", last_name="B", email="BOB@alder.example")
    with pytest.raises(actions.StaffEmailTaken):
        actions.edit_staff_member(alice, cast.carol.staff_member_id, email="bob@alder.example")
    with pytest.raises(NotFound):
        actions.edit_staff_member(alice, cast.charlie.staff_member_id, first_name="Mine")
    with pytest.raises(NotAllowed):
        actions.edit_staff_member(cast.actor(cast.bob), cast.carol.staff_member_id, first_name="X")

    same_id = new_id()
    first = actions.add_staff_member(alice, first_name="B", last_name="B", staff_member_id=same_id)
    assert actions.add_staff_member(alice, first_name="B", last_name="B", staff_member_id=same_id) == first


def test_a_staff_member_is_added_edited_and_found_on_the_pages(cast: Cast, client: Client) -> None:
    as_person(client, cast.alice)
    typed = {
        "staff_member_id": new_id(), "first_name": "Eve", "last_name": "Example", "credentials": "PsyD",
        "email": "eve@alder.example", "npi": "", "taxonomy": "103T00000X", "is_provider": "on", "cpt_access": "on",
        "is_active": "on", "permissions": ["billing", "provider"], "limited_to_assigned": "on",
    }  # fmt: skip

    assert client.post(address("add"), typed).status_code == 303
    again = client.post(address("add"), typed)
    page = client.get(again["Location"]).content.decode()

    assert "Eve Example, PsyD" in page and "Default, Billing, Provider" in page
    assert "Limit access to only assigned clients" in page
    found = words_of(client.get(address("list") + "?q=exam+eve"))
    assert "Example, Eve" in found and "Bob" not in found
    assert "Nobody found" in client.get(address("list") + "?show=inactive").content.decode()
    refused = client.post(address("add"), typed | {"staff_member_id": new_id(), "npi": "1", "taxonomy": "abc"})
    assert refused.status_code == 422


def test_the_form_offers_only_what_the_editor_may_change(cast: Cast, client: Client) -> None:
    with practice_transaction(cast.alder.id):
        actions.edit_staff_member(cast.actor(cast.alice), cast.dan.staff_member_id, permissions=[ADMIN])
    as_person(client, cast.dan)

    colleague = client.get(address("edit", staff_member=cast.bob.staff_member_id)).content.decode()
    owner = client.get(address("edit", staff_member=cast.alice.staff_member_id)).content.decode()
    himself = client.get(address("edit", staff_member=cast.dan.staff_member_id)).content.decode()

    assert "Submit Claims" in colleague and "Organization Administrator" not in colleague
    assert 'name="permissions"' not in owner and "Only an Organization Administrator" in owner
    assert 'name="permissions"' not in himself and "Nobody changes their own permissions" in himself
    typed = {"first_name": "Dan", "last_name": "Desk", "permissions": ["billing"], "cpt_access": "on"}
    client.post(address("edit", staff_member=cast.dan.staff_member_id), typed)
    forged = typed | {"permissions": ["organization_administrator"], "is_active": "on"}
    assert client.post(address("edit", staff_member=cast.bob.staff_member_id), forged).status_code == 422
    with practice_transaction(cast.alder.id):
        assert StaffMember.objects.get(pk=cast.dan.staff_member_id).permissions == [ADMIN.value]


def test_staff_pages_are_for_administrators_of_the_practice(cast: Cast, client: Client) -> None:
    carol = {"staff_member": cast.carol.staff_member_id}
    for name, kwargs in [("list", {}), ("add", {}), ("details", carol), ("edit", carol)]:
        assert as_person(client, cast.bob).get(address(name, **kwargs)).status_code == 403
        assert as_person(client, cast.charlie).get(address(name, **kwargs)).status_code == 404
        if kwargs:
            assert client.get(address(name, "birch", **kwargs)).status_code == 404


def test_assigned_clients_of_a_higher_slice_are_shown(cast: Cast, client: Client, monkeypatch) -> None:
    monkeypatch.setattr("daysheet.staff.registry._sources", list(_sources))
    register_assigned_clients(lambda actor, staff_member_id: [AssignedClient("Pat Example", "/alder/clients/1")])

    page = as_person(client, cast.alice).get(address("details", staff_member=cast.carol.staff_member_id))

    assert '<a class="text-link" href="/alder/clients/1">Pat Example</a>' in page.content.decode()


def test_the_list_asks_as_much_for_fifty_people_as_for_four(
    cast: Cast, client: Client, django_assert_max_num_queries
) -> None:
    with practice_transaction(cast.alder.id):
        StaffMember.objects.bulk_create([StaffMember(first_name=f"P{n}", last_name="Person") for n in range(60)])
    as_person(client, cast.alice)

    with django_assert_max_num_queries(14):
        page = client.get(address("list")).content.decode()
    assert "page=2" in page and "Person" in client.get(address("list") + "?page=2").content.decode()


def test_permissions_are_stored_sorted_once_and_without_default() -> None:
    assert stored_permissions([Permission.PROVIDER, Permission.DEFAULT, Permission.BILLING, Permission.BILLING]) == [
        "billing",
        "provider",
    ]
    assert needs_owner([OWNER.value], None) and needs_owner([], [OWNER.value])
    assert not needs_owner(["billing"], ["administrator"])

"""Invitations: a link makes a login, once, for the address it was sent to."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from daysheet.database.scope import practice_transaction
from daysheet.kit.dates import utc_now
from daysheet.kit.errors import NotAllowed, NotFound
from daysheet.kit.ids import new_id
from daysheet.mail.models import Message
from daysheet.mail.registry import HIDDEN
from daysheet.practices.models import Membership, User
from daysheet.practices.permissions import Permission
from daysheet.staff import actions
from daysheet.staff.models import Invitation, StaffMember
from tests.people import PASSWORD, Cast, Person

OWNER = Permission.ORGANIZATION_ADMINISTRATOR
SECRET = "a long enough secret"


@pytest.fixture
def eve(cast: Cast) -> UUID:
    """Eve, a staff member of Alder without a login."""
    with practice_transaction(cast.alder.id):
        person = actions.add_staff_member(
            cast.actor(cast.alice), first_name="Eve", last_name="Example", email="eve@alder.example"
        )
    return person.pk


def as_person(client: Client, person: Person) -> Client:
    client.force_login(User.objects.get(pk=person.user_id))
    return client


def invite(cast: Cast, person_id: UUID, **options: object) -> str:
    with practice_transaction(cast.alder.id):
        sent = actions.invite_staff_member(
            cast.actor(cast.alice, now=utc_now()), person_id, link_for=lambda token: f"/{token}", **options
        )
    return sent.token or ""


def join(token: str, practice: str = "alder") -> str:
    return reverse("staff:join", kwargs={"practice": practice, "token": token})


def address(name: str, person_id: UUID) -> str:
    return reverse(f"staff:{name}", kwargs={"practice": "alder", "staff_member": person_id})


def test_the_link_is_shown_once_and_one_message_is_queued_that_does_not_hold_it(
    cast: Cast, eve: UUID, client: Client
) -> None:
    as_person(client, cast.alice)
    typed = {"invitation_id": new_id()}
    assert client.post(address("invite", eve), typed).status_code == 303
    assert client.post(address("invite", eve), typed).status_code == 303
    page, later = client.get(address("details", eve)).content.decode(), client.get(address("details", eve))
    with practice_transaction(cast.alder.id):
        letter, invitation = Message.objects.get(), Invitation.objects.get()
        token = actions.secret_to_send(cast.actor(cast.alice, now=utc_now()), invitation.pk)

    assert (letter.subject, letter.address, letter.kind) == ("Your invitation", "eve@alder.example", "invitation")
    assert f"/alder/join/{HIDDEN}" in letter.body and token not in letter.body
    assert join(token) in page and "/join/" not in later.content.decode()
    assert invitation.token_hash not in join(token)


def test_the_link_makes_a_login_signs_in_and_works_once(cast: Cast, eve: UUID, client: Client) -> None:
    token = invite(cast, eve)

    assert "Welcome, Eve Example" in client.get(join(token)).content.decode()
    assert client.post(join(token), {"password": "short"}).status_code == 422
    assert client.post(join(token), {"password": SECRET}).status_code == 303

    user = User.objects.get(email="eve@alder.example")
    assert user.check_password(SECRET) and client.session["_auth_user_id"] == str(user.pk)
    assert client.get("/alder/account").status_code == 200
    used = client.get(join(token))
    assert used.status_code == 410 and "used already" in used.content.decode()
    assert client.post(join(token), {"password": "another secret!"}).status_code == 410
    assert Membership.objects.filter(user=user).count() == 1


def test_old_withdrawn_replaced_and_foreign_links_say_why_they_do_not_work(
    cast: Cast, eve: UUID, client: Client
) -> None:
    replaced, withdrawn = invite(cast, eve), invite(cast, eve)
    with practice_transaction(cast.alder.id):
        actions.withdraw_invitation(cast.actor(cast.alice), eve)
        long_ago = cast.actor(cast.alice, now=utc_now() - timedelta(days=8))
        old = actions.invite_staff_member(long_ago, eve, link_for=str).token or ""

    for token, words in [(replaced, "replaced by a newer one"), (withdrawn, "withdrawn"), (old, "seven days")]:
        answer = client.post(join(token), {"password": SECRET})
        assert answer.status_code == 410 and words in answer.content.decode()
    assert client.get(join("nonsense")).status_code == 404
    assert client.get(join(invite(cast, eve), "birch")).status_code == 404
    assert not User.objects.filter(email="eve@alder.example").exists()


def test_a_known_address_joins_with_its_own_login_only(cast: Cast, client: Client) -> None:
    with practice_transaction(cast.alder.id):
        person = actions.add_staff_member(
            cast.actor(cast.alice), first_name="Charlie", last_name="Stranger", email=cast.charlie.email
        )
    token = invite(cast, person.pk)

    assert "has a login here already" in client.get(join(token)).content.decode()
    client.post(join(token), {"password": SECRET})
    as_person(client, cast.bob)
    assert "this invitation is for charlie@birch.example" in client.post(join(token)).content.decode()
    assert User.objects.get(pk=cast.charlie.user_id).check_password(PASSWORD)
    assert Membership.objects.filter(user_id=cast.charlie.user_id).count() == 1

    as_person(client, cast.charlie)
    assert client.post(join(token)).status_code == 302
    assert client.get("/alder/account").status_code == 200
    assert client.get("/birch/account").status_code == 200


def test_one_login_is_one_staff_member_of_a_practice(cast: Cast, client: Client) -> None:
    with practice_transaction(cast.alder.id):
        person = actions.add_staff_member(
            cast.actor(cast.alice), first_name="Bob", last_name="Again", email="b@b.example"
        )
        User.objects.filter(pk=cast.bob.user_id).update(email="b@b.example")
    token = invite(cast, person.pk)

    answer = as_person(client, cast.bob).post(join(token))

    assert answer.status_code == 422 and "as another staff member" in answer.content.decode()
    with practice_transaction(cast.alder.id):
        assert StaffMember.objects.get(pk=person.pk).user_id is None
        assert Invitation.objects.get().accepted_at is None


def test_who_cannot_be_invited_and_who_cannot_invite(cast: Cast, eve: UUID, client: Client) -> None:
    alice = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        nobody = actions.add_staff_member(alice, first_name="No", last_name="Mail")
        owner = actions.add_staff_member(
            alice,
            first_name="O",
            last_name="W",
            email="o@w.example",
            permissions=[Permission.ORGANIZATION_ADMINISTRATOR],
        )
        actions.edit_staff_member(alice, cast.dan.staff_member_id, permissions=[Permission.ADMINISTRATOR])
        dan = cast.actor(cast.dan)
        for person_id, refusal, actor in [
            (nobody.pk, actions.CannotInvite, alice),
            (cast.bob.staff_member_id, actions.CannotInvite, alice),
            (owner.pk, NotAllowed, dan),
            (eve, NotAllowed, cast.actor(cast.bob)),
            (cast.charlie.staff_member_id, NotFound, alice),
        ]:
            with pytest.raises(refusal):
                actions.invite_staff_member(actor, person_id, link_for=str)
        actions.invite_staff_member(dan, eve, link_for=str)
    refused = as_person(client, cast.alice).post(address("invite", nobody.pk), {"invitation_id": new_id()})
    assert refused.status_code == 422 and "has no e-mail address" in refused.content.decode()
    assert as_person(client, cast.bob).post(address("invite", eve)).status_code == 403
    assert as_person(client, cast.charlie).post(address("withdraw_invitation", eve)).status_code == 404


def test_making_somebody_inactive_withdraws_the_link(cast: Cast, eve: UUID, client: Client) -> None:
    token = invite(cast, eve)
    with practice_transaction(cast.alder.id):
        actions.edit_staff_member(cast.actor(cast.alice), eve, is_active=False)

    assert client.post(join(token), {"password": SECRET}).status_code == 410

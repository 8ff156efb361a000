"""A staff member's page lists the clients assigned to them, as far as the reader may see these."""

from __future__ import annotations

from django.test import Client as Browser
from django.urls import reverse

from daysheet.clients.actions import add_client, assign_staff
from daysheet.database.scope import practice_transaction
from daysheet.practices.models import User
from daysheet.practices.permissions import Permission
from daysheet.staff.models import StaffMember
from tests.people import Cast


def test_the_clients_of_a_staff_member_are_shown_as_far_as_one_may_see_them(cast: Cast) -> None:
    owner = cast.actor(cast.alice)
    with practice_transaction(cast.alder.id):
        for name in ("Zola", "Abel"):
            client = add_client(owner, first_name="Ana", last_name=name)
            assign_staff(owner, client.pk, cast.carol.staff_member_id)
        assign_staff(owner, client.pk, cast.dan.staff_member_id)
        StaffMember.objects.filter(pk=cast.dan.staff_member_id).update(
            permissions=[Permission.ADMINISTRATOR.value], limited_to_assigned=True
        )
    url = reverse("staff:details", kwargs={"practice": "alder", "staff_member": cast.carol.staff_member_id})
    shown = {}
    for person in (cast.alice, cast.dan):
        browser = Browser()
        browser.force_login(User.objects.get(pk=person.user_id))
        shown[person] = browser.get(url).content.decode()

    assert shown[cast.alice].index("Abel, Ana") < shown[cast.alice].index("Zola, Ana")
    assert f'href="/alder/clients/{client.pk}/">Abel, Ana</a>' in shown[cast.dan]
    assert "Zola" not in shown[cast.dan]

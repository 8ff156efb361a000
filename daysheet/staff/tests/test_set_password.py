"""`daysheet set-password`: the way back in for an owner who lost the password."""

from __future__ import annotations

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from daysheet.audit.models import AuditEvent
from daysheet.database.scope import practice_transaction
from daysheet.kit.errors import NotFound
from daysheet.practices.models import User
from daysheet.staff.actions import PasswordTooWeak, set_password
from tests.people import NOW, Cast

NEW = "a longer way back in"


def test_the_new_password_works_old_sessions_end_and_the_log_says_so(cast: Cast, client: Client) -> None:
    client.force_login(User.objects.get(pk=cast.alice.user_id))
    assert client.get("/alder/account").status_code == 200
    set_password(email="ALICE@alder.example", password=NEW, remove_two_step=False, now=NOW)
    assert client.get("/alder/account")["Location"].startswith("/account/login/")
    assert User.objects.get(pk=cast.alice.user_id).check_password(NEW)
    with practice_transaction(cast.alder.id):
        event = AuditEvent.objects.get(verb="set_password")
    assert (event.object_id, event.details) == (str(cast.alice.staff_member_id), {"two_step_removed": False})


def test_the_second_step_goes_only_when_asked(cast: Cast) -> None:
    Authenticator.objects.create(user_id=cast.alice.user_id, type="totp", data={"secret": "x"})
    Authenticator.objects.create(user_id=cast.bob.user_id, type="totp", data={"secret": "x"})
    set_password(email=cast.alice.email, password=NEW, remove_two_step=False, now=NOW)
    assert Authenticator.objects.count() == 2
    set_password(email=cast.alice.email, password=NEW, remove_two_step=True, now=NOW)
    assert [row.user_id for row in Authenticator.objects.all()] == [cast.bob.user_id]


def test_an_unknown_address_and_a_weak_password_change_nothing(cast: Cast) -> None:
    before = User.objects.get(pk=cast.alice.user_id).password
    with pytest.raises(NotFound):
        set_password(email="nobody@alder.example", password=NEW, remove_two_step=True, now=NOW)
    with pytest.raises(PasswordTooWeak, match="too short"):
        set_password(email=cast.alice.email, password="short", remove_two_step=True, now=NOW)
    assert User.objects.get(pk=cast.alice.user_id).password == before

"""Secrets of the second step at rest: sealed, under a key of their own, through a change of keys, from plain ones."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.conf import settings as live
from django.db import connection
from django.test import Client as Browser

from daysheet.kit.sealing import Box, CannotUnseal
from daysheet.practices.models import User
from daysheet.practices.sealing import Sealing, count_sealings, seal_again, seal_plain
from tests.people import PASSWORD, Cast

SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def alice(cast: Cast) -> User:
    return User.objects.get(pk=cast.alice.user_id)


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        return str(cursor.fetchone()[0])


def test_nothing_readable_is_stored(alice: User) -> None:
    TOTP.activate(alice, SECRET)
    codes = RecoveryCodes.activate(alice)
    assert SECRET not in stored()
    assert len(codes.generate_codes()) == 10
    assert count_sealings() == {Sealing.FINE: 2, Sealing.OLD_KEY: 0, Sealing.PLAIN: 0, Sealing.LOST: 0}


def test_the_key_is_not_the_one_that_signs_sessions() -> None:
    assert live.SIGN_IN_KEY not in {live.SECRET_KEY, live.CARD_KEY}


def test_a_new_key_and_the_old_one_named(alice: User, settings: Any) -> None:
    TOTP.activate(alice, SECRET)
    codes = RecoveryCodes.activate(alice).generate_codes()
    settings.OLD_KEYS, settings.SIGN_IN_KEY = [settings.SIGN_IN_KEY], "a new one"
    assert count_sealings()[Sealing.OLD_KEY] == 2
    assert seal_again() == 2
    settings.OLD_KEYS = []
    assert count_sealings()[Sealing.FINE] == 2
    assert RecoveryCodes.activate(alice).generate_codes() == codes
    assert seal_again() == 0


def test_a_lost_key_is_counted_and_left_alone(alice: User, settings: Any) -> None:
    TOTP.activate(alice, SECRET)
    settings.SIGN_IN_KEY = "another"
    before = stored()
    assert count_sealings()[Sealing.LOST] == 1
    assert seal_again() == 0
    assert stored() == before


def test_a_lost_key_is_said_in_words_where_a_code_is_asked_for(alice: User, settings: Any) -> None:
    TOTP.activate(alice, SECRET)
    browser = Browser()
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    settings.SIGN_IN_KEY = "another"
    answer = browser.post("/account/2fa/authenticate/", {"code": "123456"})
    assert answer.status_code == 200
    assert "a key of this installation is missing" in answer.content.decode()
    assert "_auth_user_id" not in browser.session


def test_a_lost_key_is_said_in_words_where_one_is_signed_in(alice: User, settings: Any) -> None:
    TOTP.activate(alice, SECRET)
    RecoveryCodes.activate(alice)
    browser = Browser(raise_request_exception=False)
    browser.post("/account/login/", {"login": alice.email, "password": PASSWORD})
    code = next(map(hotp_value, [SECRET], yield_hotp_counters_from_time()))
    browser.post("/account/2fa/authenticate/", {"code": format_hotp_value(code)})
    browser.post("/account/reauthenticate/", {"password": PASSWORD})
    assert browser.get("/account/2fa/recovery-codes/").status_code == 200
    settings.SIGN_IN_KEY = "another"
    for page in ("", "download/", "generate/"):
        answer = browser.get(f"/account/2fa/recovery-codes/{page}")
        assert (answer.status_code, page) == (503, page)
        assert "A key of this installation is missing" in answer.content.decode()
    asked = browser.post("/account/2fa/reauthenticate/", {"code": "123456"})
    assert "a key of this installation is missing" in asked.content.decode()


def test_plain_secrets_of_earlier_versions_are_sealed_and_others_left_alone(alice: User, settings: Any) -> None:
    RecoveryCodes.activate(alice)
    settings.OLD_KEYS, settings.SIGN_IN_KEY = [settings.SIGN_IN_KEY], "a new one"
    Authenticator.objects.create(user=alice, type="totp", data={"secret": SECRET})
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Key", "credential": {}})
    assert count_sealings()[Sealing.PLAIN] == 1
    assert [seal_plain(), seal_plain()] == [1, 0]
    assert count_sealings() == {Sealing.FINE: 1, Sealing.OLD_KEY: 1, Sealing.PLAIN: 0, Sealing.LOST: 0}
    assert SECRET not in stored()


def test_what_was_sealed_for_one_purpose_is_not_opened_for_another() -> None:
    sealed = Box("cards", ["k"]).seal("x")
    with pytest.raises(CannotUnseal):
        Box("sign-in", ["k"]).unseal(sealed)

"""`daysheet seal-again`: afterwards nothing needs the earlier keys, and they can be forgotten."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP

from daysheet.cards import sealing as of_cards
from daysheet.cards.actions import connect_processor
from daysheet.cards.models import ProcessorAccount
from daysheet.database.scope import practice_transaction
from daysheet.practices import sealing as of_sign_in
from daysheet.practices.models import User
from tests.people import Cast

pytestmark = pytest.mark.system


def test_both_kinds_of_secrets_are_sealed_with_the_newest_keys(live_cast: Cast, settings: Any) -> None:
    TOTP.activate(User.objects.get(pk=live_cast.alice.user_id), "JBSWY3DPEHPK3PXP")
    with practice_transaction(live_cast.alder.id):
        for number in (1, 2):  # the first is ended; its news is still heard
            connect_processor(
                live_cast.actor(live_cast.alice), account_id=uuid4(), kind="stripe", api_key=f"sk_{number}",
                webhook_secret=f"whsec_{number}",
            )  # fmt: skip
    old = {"DAYSHEET_OLD_KEYS": f"{settings.CARD_KEY},{settings.SIGN_IN_KEY}"}
    settings.CARD_KEY, settings.SIGN_IN_KEY = "new for cards", "new for sign-ins"
    new = {"DAYSHEET_CARD_KEY": settings.CARD_KEY, "DAYSHEET_SIGN_IN_KEY": settings.SIGN_IN_KEY}
    command = [sys.executable, "-m", "daysheet", "seal-again"]
    without = subprocess.run(command, env=os.environ | new, capture_output=True, text=True, check=False)
    assert without.returncode == 1
    assert "5 were sealed with a key that is not at hand" in without.stderr
    done = subprocess.run(command, env=os.environ | new | old, capture_output=True, text=True, check=True)
    assert "Sealed 1 secrets for signing in" in done.stdout
    assert "Sealed 4 secrets of card processors" in done.stdout
    with practice_transaction(live_cast.alder.id):
        opened = {
            (of_cards.unseal(account.api_key_sealed), of_cards.unseal(account.webhook_secret_sealed))
            for account in ProcessorAccount.objects.all()
        }
    assert opened == {("sk_1", "whsec_1"), ("sk_2", "whsec_2")}
    assert of_sign_in.unseal(Authenticator.objects.get().data["secret"]) == "JBSWY3DPEHPK3PXP"

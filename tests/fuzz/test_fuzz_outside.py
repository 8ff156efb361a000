"""What comes without a session: the pages of signing in, invitations, calendars, and the card processor's messages."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import strategies as st

from daysheet.cards.gateways.base import NewsKind
from daysheet.cards.gateways.signing import sign
from daysheet.cards.gateways.simulated import webhook_secret_of
from daysheet.cards.models import CardSetup, ChargeStep
from daysheet.cards.tests.desk import API_KEY
from tests.architecture.methods import OUTSIDE
from tests.architecture.test_role_matrix import PUBLIC
from tests.architecture.world import World, address
from tests.people import NOW, PASSWORD

from .fuzzer import Fuzzer
from .hostile import VALUES, as_bytes
from .roles import nobody
from .running import EXAMPLES, SECONDS, check, run
from .sending import send_something
from .visitors import Outcome

#: What answers a form of somebody who has not signed in with a page, or sends them on.
HEARD_FROM_EVERYBODY = {
    "account_login",
    "account_reset_password",
    "account_reset_password_from_key",
    "account_signup",
    "staff:join",
}
#: What changes something for them: an invitation taken up, and when a calendar was read last.
WRITES_FOR_EVERYBODY = {"POST staff:join", "GET schedule:feed"}

pytestmark = [pytest.mark.timeout(max(300, 2 * SECONDS)), pytest.mark.xdist_group("fuzz outside")]


@pytest.fixture(scope="module")
def stranger(whole_world: World) -> Fuzzer:
    """Nobody, who knows all addresses, and one person's password."""
    fuzzer = Fuzzer(whole_world, role=nobody())
    outside = [target for target in fuzzer.targets if target.name in {*OUTSIDE, *PUBLIC}]
    inside = [target for target in fuzzer.targets if target not in outside]
    fuzzer.targets = outside
    fuzzer.learn()
    fuzzer.targets = outside + inside
    fuzzer.ids += [whole_world.cast.alice.email, PASSWORD]
    return fuzzer


def test_nobody_is_let_in(stranger: Fuzzer) -> None:
    """Inside, everything that is sent leads to the sign-in page and writes nothing."""
    stranger.begin()
    inside = [target for target in stranger.targets if target.name not in {*OUTSIDE, *PUBLIC}]
    for target in inside:
        assert stranger.send(target.name, target.method, target.url) is Outcome.SENT_AWAY, target.name
    check(stranger)


def test_what_is_open_to_everybody(stranger: Fuzzer) -> None:
    stranger.begin()
    outside = [target for target in stranger.targets if target.name in {*OUTSIDE, *PUBLIC}]

    def example(data: st.DataObject) -> None:
        with stranger.taken_back():
            send_something(data, stranger, data.draw(st.sampled_from(outside)))

    run(example, "open to everybody", examples=EXAMPLES // 2)
    check(stranger)
    assert stranger.learnt.taken() == {f"POST {name}" for name in HEARD_FROM_EVERYBODY}
    assert set(stranger.learnt.wrote) == WRITES_FOR_EVERYBODY


#: What no field of a message should be.
_ODD: list[Any] = [
    None, True, -1, 0, 2**31, 2**63, 10**30, 1.5, 1e308, float("inf"), float("nan"), [], {}, [[]], {"id": 1}, "1",
    "2026-11-16T10:00:00", "2026-11-16", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
]  # fmt: skip


def test_messages_of_the_card_processor(stranger: Fuzzer) -> None:
    """Signed as they should be, for whoever has the secret can send anything."""
    stranger.begin()
    world = stranger.world
    url = address("cards:webhook", "alder", ("account",), world.ids)
    known = [str(world.ids[name]) for name in ("charge", "setup", "card_refund", "client")]
    known += [each.reference for model in (ChargeStep, CardSetup) for each in model.objects.exclude(reference="")]

    def example(data: st.DataObject) -> None:
        message: Any = {
            "id": "m1", "kind": data.draw(st.sampled_from([*NewsKind, "x"])), "at": NOW.isoformat(),
            "amount_cents": 100, "charge": str(world.ids["charge"]), "reference": "", "reason": "No", "dispute": "d1",
            "refund": "", "refund_reference": "", "setup_reference": "",
        }  # fmt: skip
        for name in data.draw(st.lists(st.sampled_from(sorted(message)), max_size=4)):
            message[name] = data.draw(st.sampled_from([*known, *VALUES, *_ODD]))
        whole = data.draw(st.sampled_from([message] * 12 + [[message], "x", 1, None]))
        body = as_bytes(json.dumps(whole, ensure_ascii=data.draw(st.booleans())))
        body = data.draw(st.sampled_from([body] * 12 + [body[:-1], body + b"\xff", b"[" * 5000]))
        signature = sign(webhook_secret_of(API_KEY), body, int(time.time()))
        stranger.send(
            "cards:webhook", "POST", url, data=body, content_type="application/json",
            HTTP_PROCESSOR_SIGNATURE=signature,
        )  # fmt: skip

    run(example, "messages", examples=EXAMPLES // 2)
    check(stranger)
    answers = stranger.record.answers["POST cards:webhook"]
    assert answers[Outcome.TAKEN] > 3 and answers[Outcome.TURNED_AWAY] > 3

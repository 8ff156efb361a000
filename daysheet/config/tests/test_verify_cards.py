"""`daysheet verify` on card charges and refunds: each kind of damage has its name in the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from daysheet.cards.deciding_refunds import mark_not_refunded, mark_refunded
from daysheet.cards.gateways.base import AnswerLost
from daysheet.cards.tests.conftest import connect_desk
from daysheet.cards.tests.desk import payment_of
from daysheet.config.verify import CLEAN, DIFFERENT
from daysheet.database.scope import practice_transaction
from tests.billing import build_clinic
from tests.people import Cast

from .damage import damage, part_of, verified

_CHARGES, _REFUNDS = "every card charge that came in", "every refund to a card took what it says"
_SAID_NOT = "(SELECT refund_id FROM cards_cardrefunddecision WHERE outcome = 'not_refunded')"
_SAID_MADE = "(SELECT refund_id FROM cards_cardrefunddecision WHERE outcome = 'refunded')"


@pytest.fixture
def card_history(live_cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Cast:
    """A charge of 50.00 with 10.00 of credit; of it one refund made, and two of which only a person said anything."""
    with practice_transaction(live_cast.alder.id):
        desk = connect_desk(build_clinic(live_cast), monkeypatch)
        client = desk.client_owing()
        paid = payment_of(desk.charge(client, desk.card(client), 5_000, credit_cents=1_000))
        desk.refund(paid.pk, 100)

        def lose(order: object) -> object:
            raise AnswerLost("lost")

        monkeypatch.setattr(desk.gateway, "refund", lose)
        not_made, made = desk.refund(paid.pk, 200), desk.refund(paid.pk, 300)
        later = replace(desk.clinic.owner, now=desk.clinic.owner.now + timedelta(days=1))
        facts = {"reason": "Seen at the processor"}
        mark_not_refunded(later, request_key=uuid4(), refund_id=not_made, **facts)
        mark_refunded(desk.clinic.owner, request_key=uuid4(), refund_id=made, reference="sr_1", **facts)
    return live_cast


def test_a_history_with_cards_is_clean(card_history: Cast) -> None:
    code, report = verified()
    assert (code, "FAIL" in report) == (CLEAN, False), report


@pytest.mark.parametrize(
    ("check", "words", "statement"),
    [
        (_CHARGES, "has a payment and did not come in", "DELETE FROM cards_chargestep WHERE state = 'charged'"),
        (_CHARGES, "came in and has no payment", "UPDATE payments_payment SET charge_id = NULL"),
        (
            _REFUNDS,
            "of 1.00 to a card took 0.50",
            "UPDATE ledger_entry SET amount_cents = 50 WHERE credit_account = 'cash' AND amount_cents = 100",
        ),
        (
            _REFUNDS,
            "of 2.00 to a card took 2.00 and was not made",
            f"DELETE FROM ledger_entry WHERE reverses_id IN (SELECT id FROM ledger_entry WHERE event_id = {_SAID_NOT})",
        ),
        (
            _REFUNDS,
            "of 2.00 to a card took 0.00; somebody said not_refunded",
            f"DELETE FROM cards_cardrefundstep WHERE state = 'not_made' AND refund_id = {_SAID_NOT}",
        ),
        (
            _REFUNDS,
            "of 3.00 to a card took 3.00; somebody said refunded",
            f"DELETE FROM cards_cardrefundstep WHERE state = 'refunded' AND refund_id = {_SAID_MADE}",
        ),
    ],
)
def test_damage_to_cards_is_found_and_named(card_history: Cast, check: str, words: str, statement: str) -> None:
    damage(statement)
    code, report = verified("alder")
    assert code == DIFFERENT
    assert words in part_of(report, check), report
    assert verified("birch")[0] == CLEAN

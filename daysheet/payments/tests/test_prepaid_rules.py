"""Which lines a prepayment pays by itself (M3)."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

from daysheet.payments.rules import Credit, OpenLine, prepay

DAY = date(2026, 11, 2)


def test_a_line_that_the_client_owes_nothing_of_gets_nothing() -> None:
    """An insured line without a client's part, before one with a copay: no movement of zero cents is made."""
    insured, copay, credit = uuid4(), uuid4(), uuid4()
    lines = [OpenLine(insured, DAY, 0, 1, 0), OpenLine(copay, DAY, 0, 2, 2_500)]
    assert prepay([Credit(credit, DAY, 4_000)], lines) == [(credit, copay, 2_500)]
    assert prepay([Credit(credit, DAY, 4_000)], lines[:1]) == []

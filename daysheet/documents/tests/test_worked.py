"""The worked numbers of docs/money/statements.md and estimates.md."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from daysheet.documents.estimates.rules import Excess, due_when_requested, due_when_scheduled
from daysheet.documents.rules import Movement, side_figures
from daysheet.kit.dates import parse_date
from daysheet.kit.money import Money
from tests.worked import rows_under

_SIGNS = {"+": 1, "−": -1, "0": 0}


def _movement(debit: str, credit: str, insurers: str, cents: int = 100) -> Movement:
    return Movement(debit.lower(), credit.lower(), insurers == "yes", cents)


@pytest.mark.parametrize("row", rows_under("statements.md", "Which part an entry is"))
def test_each_entry_is_one_part(row: list[str]) -> None:
    debit, credit, insurers, part, client, insurance = row
    movement = _movement(debit, credit, insurers)
    assert movement.part == part
    assert (movement.client_cents, movement.insurance_cents) == (100 * _SIGNS[client], 100 * _SIGNS[insurance])


def test_a_month_adds_up_row_by_row_and_as_figures() -> None:
    rows = rows_under("statements.md", "A month")
    days = [row for row in rows if "/" in row[0]]
    movements = [(False, _movement("CLIENT_RECEIVABLE", "REVENUE", "no", 1000))]
    client, insurance = 1000, 0
    for _, debit, credit, insurers, amount, client_after, insurance_after in days:
        movement = _movement(debit, credit, insurers, Money.parse(amount).cents)
        movements.append((True, movement))
        client, insurance = client + movement.client_cents, insurance + movement.insurance_cents
        assert (client, insurance) == (Money.parse(client_after).cents, Money.parse(insurance_after).cents)
    for side, *figures in (row for row in rows if row[0] in ("client", "insurance")):
        found = side_figures(movements, is_client=side == "client")
        said = [
            found.previous_cents, found.charges_cents, found.payments_cents, found.adjustments_cents,
            found.moved_cents, found.ending_cents,
        ]  # fmt: skip
        assert said == [Money.parse(figure).cents for figure in figures]
        assert found.proves


@pytest.mark.parametrize("row", rows_under("estimates.md", "Due after scheduling"))
def test_when_an_estimate_is_due_after_scheduling(row: list[str]) -> None:
    scheduled, service, due = row
    assert due_when_scheduled(parse_date(scheduled), parse_date(service)) == (None if due == "–" else parse_date(due))


@pytest.mark.parametrize("row", rows_under("estimates.md", "Due after the client asked"))
def test_when_an_estimate_is_due_after_a_request(row: list[str]) -> None:
    assert due_when_requested(parse_date(row[0])) == parse_date(row[1])


@pytest.mark.parametrize("row", rows_under("estimates.md", "How a bill stands to the estimate"))
def test_how_a_bill_stands(row: list[str]) -> None:
    expected, charged, of_invoice = (Money.parse(amount).cents for amount in row[:3])
    excess = Excess(UUID(int=1), date(2026, 11, 2), expected, charged, of_invoice)
    assert excess.level == row[3]

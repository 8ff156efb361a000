"""The Day Sheet: a day is closed, and corrected on a later one; the closed sheet stays what it was (M10)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def test_a_day_is_closed_and_corrected_the_day_after(enter: Enter, server: Server) -> None:
    charlie = enter("charlie")
    facts = server.practice["everything"]
    sheet = f"/birch/reports/day-sheet/?day={facts['closing_day']}"
    charlie.open(sheet)
    charlie.sees("is open")
    before = proof(charlie).inner_text()
    assert "$100.00" in before
    assert "$60.00" in before
    charlie.button("Close Day").click()
    charlie.look("day-sheet-close")
    charlie.button("Yes, close it").click()
    charlie.sees(re.compile("^Closed by Charlie Stranger"))
    expect(charlie.button("Close Day")).to_have_count(0)
    charlie.look("day-sheet-closed")

    charlie.open(f"/birch/payments/{facts['closing_payment']}/")
    charlie.link("Delete").click()
    charlie.page.get_by_label("Reason").fill("Bounced")
    charlie.button("Show the effect").click()
    charlie.look("delete-after-closing")
    charlie.button(re.compile("^Yes, ")).click()
    charlie.sees("This payment was deleted")

    charlie.open(sheet)
    expect(proof(charlie)).to_have_text(before, use_inner_text=True)
    charlie.link("Today").click()
    expect(charlie.row("Payments", proof(charlie))).to_contain_text("60.00")
    charlie.look("day-sheet-with-the-correction")


def proof(visitor: Visitor) -> Locator:
    return visitor.page.get_by_role("region", name="Proof")

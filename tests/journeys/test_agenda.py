"""The first door: Agenda, Add Invoice (B2): one click, with and without scripts; a group; a missing license (L5)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from .conftest import Enter
from .server import Server
from .visitor import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
INVOICE = re.compile(r"^Invoice (\d+)$")
UNBILLED = re.compile(r"unbilled · oldest \d+ days")


def test_add_invoice_is_one_click_and_gives_way_to_number_and_apply_payment(enter: Enter) -> None:
    bob = enter("bob")
    bob.open("/alder/agenda/")
    bob.look("agenda")
    row = bob.row("Agenda, Abel")
    before = bob.page.url
    unbilled = int(bob.link(UNBILLED).locator("b").inner_text())
    to_bill = _to_bill(bob)
    bob.button("Add Invoice", row).click()
    number = bob.link(INVOICE, row)
    expect(number).to_be_visible()
    expect(bob.button("Add Invoice", row)).to_have_count(0)
    assert bob.page.url == before  # only the cell was exchanged
    assert bob.page.get_by_role("dialog").count() == 0
    expect(bob.link(re.compile("^Billed"), row)).to_be_visible()
    expect(bob.link(re.compile("^Change status"), row)).to_have_count(0)
    expect(bob.link(UNBILLED).locator("b")).to_have_text(str(unbilled - 1))
    expect(bob.page.locator("#day-totals")).to_contain_text(f"· {to_bill - 1} to bill")
    bob.look("agenda-billed")
    bob.link("Apply Payment", row).click()
    bob.sees_heading("Apply Payment: Abel Agenda")
    expect(bob.page.get_by_label(re.compile("^Amount optional"))).to_have_value("190.00")  # the full client amount (M1)
    bob.look("apply-payment")
    bob.link("Cancel").click()
    bob.sees_heading(re.compile("^Agenda, "))

    number.click()
    bob.sees_heading(re.compile(r"^Invoice \d+ Open$"))
    lines = bob.page.get_by_role("region", name="Lines")
    expect(bob.row("9T001", lines)).to_contain_text("$150.00")
    expect(bob.row("LETTER", lines)).to_contain_text("$40.00")
    expect(bob.row("Total", lines).last).to_contain_text("$190.00")
    bob.look("invoice")


def _to_bill(visitor: Visitor) -> int:
    """What the day's line of totals says is left."""
    found = re.search(r"(\d+) to bill", visitor.page.locator("#day-totals").inner_text())
    assert found
    return int(found[1])


def test_a_second_window_gets_the_same_invoice_back(enter: Enter, server: Server) -> None:
    """Two windows show the button; both press it. The second is told the number of the first."""
    bob, alice = enter("bob"), enter("alice")
    for person in (bob, alice):
        person.open("/alder/agenda/")
    bob.row("Twice, Tara").evaluate("row => { row.tabIndex = -1; row.focus(); }")
    bob.page.keyboard.press("i")  # as j and k would have come here
    number = bob.link(INVOICE, bob.row("Twice, Tara")).inner_text()
    alice.button("Add Invoice", alice.row("Twice, Tara")).click()
    expect(alice.link(INVOICE, alice.row("Twice, Tara"))).to_have_text(number)
    alice.open(f"{server.client('tara')}/ledger/")
    invoices = alice.page.get_by_role("region", name="Invoices")
    expect(invoices.locator("tbody").get_by_role("row")).to_have_count(1)


def test_add_invoice_without_scripts(enter: Enter) -> None:
    bob = enter("bob", scripts=False)
    bob.open("/alder/agenda/")
    bob.button("Add Invoice", bob.row("Noscript, Nadia")).click()
    bob.sees(re.compile(r"Invoice \d+ created\."))
    bob.sees_heading(re.compile("^Agenda, "))
    row = bob.row("Noscript, Nadia")
    expect(bob.link(INVOICE, row)).to_be_visible()
    expect(bob.link("Apply Payment", row)).to_be_visible()
    expect(bob.link(re.compile("^Billed"), row)).to_be_visible()


def test_a_group_of_four_one_by_one_and_all(enter: Enter) -> None:
    bob = enter("bob")
    bob.open("/alder/agenda/")
    circle = bob.row("Tuesday circle")
    expect(circle).to_contain_text("Group, 4 clients")
    expect(circle).to_contain_text("4 to bill")
    bob.look("agenda-with-a-group")
    bob.link("Add Invoice for the group", circle).click()
    bob.sees_heading(re.compile("^Add Invoice: group of "))
    members_page = bob.page.url
    members = bob.page.get_by_role("region", name="Members")
    expect(members.locator("tbody").get_by_role("row")).to_have_count(4)
    bob.look("group")
    bob.button(re.compile("^Create Invoice ?, .*Gina"), members).click()
    bob.sees(re.compile(r"^Invoice \d+ created\.$"))
    expect(members.get_by_role("button", name=re.compile("^Create Invoice"))).to_have_count(3)
    bob.look("group-one-billed")
    # On the Agenda the members stand below the group's own row, which follows each click.
    bob.link("Back").click()
    circle = bob.page.locator("tbody.group", has_text="Tuesday circle")
    expect(circle).to_contain_text("3 to bill, 1 billed")
    # Two clicks, the second before the page has followed the first: the line of totals is that of the last.
    to_bill = _to_bill(bob)
    creating = bob.button("Create Invoice", circle)
    creating.last.click()
    creating.first.click()
    expect(circle).to_contain_text("1 to bill, 3 billed")
    expect(bob.link(INVOICE, circle)).to_have_count(3)
    expect(bob.page.locator("#day-totals")).to_contain_text(f"· {to_bill - 2} to bill")
    bob.look("agenda-group-three-billed")
    bob.button(re.compile("^All of the group: create 1 invoice$"), circle).click()
    bob.sees(re.compile(r"^Invoice \d+ created\.$"))
    expect(circle).to_contain_text("4 billed, nothing left to bill")
    expect(bob.button("Create Invoice", circle)).to_have_count(0)
    bob.open(members_page)
    expect(members.get_by_role("button", name=re.compile("^Create Invoice"))).to_have_count(0)
    expect(bob.button("All")).to_have_count(0)
    numbers = members.get_by_role("link").all_inner_texts()
    assert len(set(numbers)) == 4
    bob.look("group-all-billed")
    # Each member pays the full amount (S4).
    bob.link(numbers[0], members).click()
    expect(bob.row("Total").last).to_contain_text("$150.00")


def test_a_missing_license_is_assigned_on_the_spot_and_the_invoice_made(enter: Enter, server: Server) -> None:
    year = server.day().year
    refusal = f"Nora Newcomer has no AMA CPT license for {year}"
    bob = enter("bob")
    bob.open("/alder/agenda/")
    bob.button("Add Invoice", bob.row("License, Lena")).click()
    bob.sees(re.compile(refusal))
    expect(bob.link("Assign the license", bob.row("License, Lena"))).to_have_count(0)  # needs an Administrator (L4)
    bob.look("license-missing-for-a-biller")

    alice = enter("alice")
    alice.open("/alder/agenda/")
    row = alice.row("License, Lena")
    alice.button("Add Invoice", row).click()
    alice.sees(re.compile(refusal))
    alice.look("license-missing")
    alice.link("Assign the license", row).click()
    alice.sees_heading("Assign a CPT license")
    expect(alice.page.get_by_role("main")).to_contain_text("$21.50")  # the fee, before confirming
    alice.look("license-assign")
    alice.button("Assign for $21.50").click()
    alice.sees(f"Nora Newcomer holds a CPT license for {year}.")
    alice.look("license-assigned")
    alice.button("Add Invoice").click()
    alice.sees(re.compile(r"Invoice \d+ created\."))
    alice.sees_heading(re.compile("^Agenda, "))
    expect(alice.link(INVOICE, alice.row("License, Lena"))).to_be_visible()
    alice.open("/alder/organization/licenses")
    expect(alice.row("Nora Newcomer")).to_contain_text("$21.50")
    alice.look("licenses")


def test_a_status_is_changed_and_a_billed_visit_is_frozen(enter: Enter) -> None:
    bob = enter("bob")
    bob.open("/alder/agenda/")
    row = bob.row("Front, Fay")
    bob.link("Change status of Front, Fay", row).click()
    bob.sees_heading(re.compile("^Change status: Front, Fay"))
    bob.page.get_by_role("radio", name=re.compile("^No Show")).check()
    bob.page.get_by_role("radio", name="Charge the fee").check()
    bob.button("Save").click()
    bob.sees("The status was changed.")
    expect(row).to_contain_text("No Show")
    bob.button("Add Invoice", row).click()
    bob.link(INVOICE, row).click()
    expect(bob.row("NOSHOW")).to_contain_text("$75.00")
    bob.page.go_back()
    bob.page.reload()
    expect(bob.link(re.compile("^Change status"), bob.row("Front, Fay"))).to_have_count(0)
    bob.open(
        bob.page.get_by_role("row").filter(has_text="Front, Fay").get_by_role("link").first.get_attribute("href") or ""
    )
    bob.sees(re.compile("time, provider, location and that client's services are frozen"))
    bob.look("appointment-frozen")
